"""From measures by candidate and fold to a recommendation that says how sure it is."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import FixedThresholdClassifier

from tabgan._results import ReportsItself
from tabgan.estimators.cross_validation import corrected_mean
from tabgan.metrics.classification import EXPECTED_COST, LABEL_MEASURES, PROBABILITY_MEASURES
from tabgan.model_selection.candidates import CALIBRATED, DERIVED, NONE, THRESHOLD, Candidate
from tabgan.model_selection.prior_correction import PriorCorrectedClassifier
from tabgan.model_selection.rounds import FEWEST_FOLDS

__all__ = ["MEASURES", "RebalanceDecision", "weighed"]

MEASURES = (*PROBABILITY_MEASURES, *LABEL_MEASURES, *(f"{measure}_tuned" for measure in LABEL_MEASURES))
_FAILING = 1.25
"""Other settings of an estimator that have so many times its average precision say that its own fail, and not only that they gain."""
_CLOSE = 0.5
"""A simpler candidate is used in place of the highest if so much of the tolerance is between them; folds flatter the highest, but
what is a whole tolerance behind on them is, as often as not, further behind in truth."""
_LOWER_IS_BETTER = ("brier", EXPECTED_COST)

_WORDS = {
    "average_precision": "average precision",
    "roc_auc": "ROC AUC",
    "brier": "Brier score",
    "f1": "F1",
    "g_mean": "G-mean",
    "balanced_accuracy": "balanced accuracy",
    EXPECTED_COST: "expected cost per row",
}


@dataclass(frozen=True, repr=False)
class RebalanceDecision(ReportsItself):
    """What `should_rebalance` found.

    Parameters
    ----------
    recommendation : str
        What to do and why, in plain words.
    best : str
        Name of the candidate to use.
    estimator : estimator or None
        Unfitted, ready to use as recommended; None where that needs sample weights in ``fit``, or if all failed.
    threshold : float or None
        To use on the positive class's probability (or decision function), if the threshold is to be moved.
    table : pandas.DataFrame
        A row per candidate, simplest first: ``candidate``; for each measure its mean over folds, ``..._se``, and the difference to
        "none" on the same folds ``..._difference`` with ``..._difference_se``; ``better`` than none on the measure that decides;
        ``threshold``, the median of the folds' tuned for the label measure; ``n_folds``; mean ``seconds`` per fold; ``error``, None
        or why there are no numbers. Label measures are at 0.5, those ending in ``_tuned`` at a tuned threshold; ``expected_cost``,
        there with costs, is at a threshold for these costs in all rows but "none".
    folds : pandas.DataFrame
        A row per candidate and fold, with every measure.
    settings : dict
        Measures that decide, folds, seeds, tolerance, class counts, the positive class, costs as a matrix.
    warnings : list of str
        In plain words: where the estimator's own settings fail on classes this rare.
    """

    recommendation: str
    best: str
    estimator: Any
    threshold: float | None
    table: pd.DataFrame
    folds: pd.DataFrame
    settings: dict[str, Any]
    warnings: list[str] = field(default_factory=list)

    def shown(self) -> pd.DataFrame:
        """The table as text, short enough to read: mean ± standard error, and the difference in what decides."""
        first, label = self.settings["scoring"][0], self.settings["label_measure"]
        tuned = [] if label == EXPECTED_COST else [f"{label}_tuned"]
        measures = dict.fromkeys([*self.settings["scoring"], *PROBABILITY_MEASURES, label, *tuned])
        rows = []
        for record in self.table.to_dict("records"):
            row = {"candidate": record["candidate"]}
            for measure in measures:
                row[_heading(measure)] = _with_se(record[measure], record[f"{measure}_se"])
                if measure == first:
                    row["against none"] = _with_se(
                        record[f"{first}_difference"],
                        record[f"{first}_difference_se"],
                        sign=record["candidate"] != NONE,
                    )
            row["seconds"] = "" if np.isnan(record["seconds"]) else f"{record['seconds']:.2f}"
            row["note"] = "see below" if record["error"] else "better" if record["better"] else ""
            rows.append(row)
        return pd.DataFrame(rows)

    def remarks(self) -> list[str]:
        """Lines to read below the table: why candidates have no numbers, and how the others were measured."""
        known = self.settings
        event = "" if known["positive"] is None else f", positive class {known['positive']!r}"
        missing = [f"{row.candidate}: {row.error}" for row in self.table.itertuples() if row.error is not None]
        all_folds = known["n_repeats"] * known["cv"]
        fewer = [f"{row.candidate} ({row.n_folds})" for row in self.table.itertuples() if 0 < row.n_folds < all_folds]
        if fewer:
            missing.append(f"time was up before all folds were done: {', '.join(fewer)}.")
        return [
            *(f"! {warning}" for warning in self.warnings),
            *missing,
            f"{known['rows']} rows, {known['n_repeats']} x {known['cv']} folds{event}; ± is one standard error; "
            f"better: {_WORDS[known['scoring'][0]]} beyond its standard error and {known['tolerance']:g}.",
        ]

    def __str__(self) -> str:
        said = textwrap.fill(self.recommendation, 120)
        return "\n".join([said, "", self.shown().to_string(index=False), "", *self.remarks()])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        table = self.shown().to_html(index=False, escape=True, border=0)
        below = "<br>".join(map(html.escape, self.remarks()))
        return f"<p><b>{html.escape(self.recommendation)}</b></p>{table}<p><small>{below}</small></p>"


def weighed(
    candidates: Sequence[Candidate], results: Mapping[str, list[dict[str, Any] | None]], settings: dict[str, Any]
) -> RebalanceDecision:
    """Average, compare and recommend.

    Parameters
    ----------
    candidates : sequence of Candidate
        Simplest first.
    results : dict of str to list of dict or None
        Per candidate that was tried, measures by fold, or ``error``; None for folds that there was no time for.
    settings : dict
        With ``scoring``, ``tolerance``, ``test_share`` (test rows per training row), ``classes``, ``costs`` and ``constant_cost``.
    """
    usual = "balanced_accuracy" if settings["costs"] is None else EXPECTED_COST
    label = next((measure for measure in settings["scoring"] if measure in (*LABEL_MEASURES, EXPECTED_COST)), usual)
    settings = settings | {"label_measure": label}
    errors = {candidate.name: candidate.reason for candidate in candidates}
    scores: dict[str, pd.DataFrame] = {}
    for name, by_fold in results.items():
        errors[name] = _failure(by_fold)
        if errors[name] is None:
            scores[name] = pd.DataFrame([one or {} for one in by_fold])
    if errors[THRESHOLD] is None:
        errors[THRESHOLD] = errors[NONE]
        if NONE in scores:
            moved = scores[NONE].copy()
            moved[list(LABEL_MEASURES)] = moved[[f"{measure}_tuned" for measure in LABEL_MEASURES]].to_numpy()
            scores[THRESHOLD] = moved
    for name, found in scores.items():
        if f"{EXPECTED_COST}_tuned" in found and name not in (NONE, CALIBRATED):
            found[EXPECTED_COST] = found[f"{EXPECTED_COST}_tuned"]
    judge = _Judge(scores, settings)
    records = [judge.record(candidate.name, errors[candidate.name]) for candidate in candidates]
    table = pd.DataFrame(records)
    table["error"] = pd.Series([record["error"] for record in records], dtype=object)
    by_name = {candidate.name: candidate for candidate in candidates}
    best, threshold, recommendation = judge.recommendation(list(by_name.values()))
    if by_name[best].weight_parameter is not None:
        recommendation += f" Pass {by_name[best].weight_parameter}=compute_sample_weight('balanced', y) to fit."
    failed = [one.name for one in candidates if one.model is not None and errors[one.name] is not None]
    if failed and errors[NONE] is None:
        recommendation += f" Failed: {', '.join(failed)}."
    by_fold = (
        pd.concat(
            [
                found.assign(candidate=name, fold=range(len(found)))[found["seconds"].notna().to_numpy()]
                for name, found in scores.items()
            ],
            ignore_index=True,
        )
        if scores
        else pd.DataFrame()
    )
    ready = _ready(by_name[best], threshold, settings) if NONE in scores else None
    warnings = judge.warnings(list(by_name.values()))
    return RebalanceDecision(recommendation, best, ready, threshold, table, by_fold, settings, warnings)


def _failure(by_fold: Sequence[dict[str, Any] | None]) -> str | None:
    """Why a candidate that was tried cannot be compared."""
    done = [one for one in by_fold if one is not None]
    failed = next((str(one["error"]) for one in done if "error" in one), None)
    if failed is None and len(done) < min(FEWEST_FOLDS, len(by_fold)):
        return f"time was up after {len(done)} of {len(by_fold)} folds; allow more in max_time"
    return failed


class _Judge:
    """Means, paired differences and what follows from them."""

    def __init__(self, scores: Mapping[str, pd.DataFrame], settings: dict[str, Any]) -> None:
        self.scores = scores
        self.settings = settings
        self.first = settings["scoring"][0]
        self.label = settings["label_measure"]
        self.measures = MEASURES
        if settings["costs"] is not None:
            self.measures = (*MEASURES, EXPECTED_COST, f"{EXPECTED_COST}_tuned")

    def values(self, name: str, measure: str) -> np.ndarray:
        found = self.scores.get(name)
        return found[measure].to_numpy(dtype=float) if found is not None and measure in found else np.array([np.nan])

    def mean(self, values: np.ndarray) -> tuple[float, float]:
        """Mean over folds and its standard error."""
        return corrected_mean(values, self.settings["test_share"])

    def gain(self, name: str, other: str, measure: str) -> tuple[float, float]:
        """How much better ``name`` does than ``other`` on the same folds; positive is better."""
        difference, error = self.mean(self.values(name, measure) - self.values(other, measure))
        return (-difference if measure in _LOWER_IS_BETTER else difference), error

    def tolerance(self, measure: str) -> float:
        """What counts as nothing, in units of the measure."""
        scale = self.settings["constant_cost"] if measure == EXPECTED_COST else 1.0
        return float(self.settings["tolerance"] * scale)

    def beats(self, name: str, other: str, measure: str) -> bool:
        """Better by more than the standard error and the tolerance."""
        gain, error = self.gain(name, other, measure)
        return bool(gain > self.tolerance(measure) and gain > error)

    def record(self, name: str, error: str | None) -> dict[str, Any]:
        record: dict[str, Any] = {"candidate": name}
        for measure in self.measures:
            record[measure], record[f"{measure}_se"] = self.mean(self.values(name, measure))
            paired = self.mean(self.values(name, measure) - self.values(NONE, measure))
            record[f"{measure}_difference"], record[f"{measure}_difference_se"] = paired
        record["better"] = name in self.scores and NONE in self.scores and self.beats(name, NONE, self.first)
        record["threshold"] = self.threshold(name, self.label)
        record["n_folds"] = int(self.scores[name]["seconds"].notna().sum()) if name in self.scores else 0
        record["seconds"] = float(self.scores[name]["seconds"].mean()) if name in self.scores else np.nan
        return record | {"error": error}

    def recommendation(self, candidates: Sequence[Candidate]) -> tuple[str, float | None, str]:
        """Candidate, threshold and words."""
        if NONE not in self.scores:
            return NONE, None, "the estimator itself fails on this table; its error is in the table."
        known = [one for one in candidates if one.name in self.scores and one.name != NONE]
        better = [one for one in known if self.beats(one.name, NONE, self.first)]
        if better:
            top = best = self._highest(better)
            # Rows and weights stay as they are unless changing them surely pays.
            keeping = [one for one in better if one.is_setting or one.name in DERIVED]
            if keeping and not self.beats(top.name, self._highest(keeping).name, self.first):
                better, best = keeping, self._highest(keeping)
            close, highest = _CLOSE * self.tolerance(self.first), best.name
            best = next(one for one in better if self.gain(highest, one.name, self.first)[0] <= close)
            also = f" {top.name} is not clearly better than that." if top is not best else ""
            return self._told(best, self.first, f"{self._compared(best.name, self.first)}.{also}")
        word = _WORDS[self.first]
        within = f"{self.settings['tolerance']:g}" + (
            " of the cost of doing the same for all rows" * (self.first == EXPECTED_COST)
        )
        why = f"no candidate has a better {word} than {NONE} by more than its standard error and {within}"
        for one in known:
            if one.name in DERIVED and self.beats(one.name, NONE, self.label):
                what = "threshold takes" if one.name == THRESHOLD else "calibration takes"
                return self._told(one, self.label, f"{why}, and the {what} {self._compared(one.name, self.label)}.")
        return NONE, None, f"do nothing: {why}."

    def _highest(self, candidates: Sequence[Candidate]) -> Candidate:
        return max(candidates, key=lambda one: self.gain(one.name, NONE, self.first)[0])

    def _told(self, best: Candidate, measure: str, why: str) -> tuple[str, float | None, str]:
        """Candidate, threshold and the sentence that says what to do."""
        costs = self.settings["costs"] is not None
        if best.name == THRESHOLD:
            moved = self.threshold(NONE, measure)
            return best.name, moved, f"keep the table, move the threshold to {moved:.2g}: {why}"
        if best.name == CALIBRATED:
            then = " and predict what costs least" if costs else ""
            return (
                best.name,
                None,
                f"keep the table, calibrate the probabilities (PriorCorrectedClassifier){then}: {why}",
            )
        threshold = (
            self.threshold(best.name, EXPECTED_COST) if costs and self.settings["positive"] is not None else None
        )
        then = "" if threshold is None else f", with the threshold {threshold:.2g}"
        if costs and threshold is None:
            then = ", and predict what costs least"
        advice = f"keep the table, set {best.name}" if best.is_setting else f"use {best.name}"
        return best.name, threshold, f"{advice}{then}: {why}"

    def threshold(self, name: str, measure: str) -> float:
        """Median over folds."""
        found = self.values(name, f"{measure}_threshold")
        return float(np.nanmedian(found)) if not np.isnan(found).all() else np.nan

    def _compared(self, name: str, measure: str) -> str:
        both = self.values(name, measure) - self.values(NONE, measure)
        before, after = (
            self.mean(np.where(np.isnan(both), np.nan, self.values(one, measure)))[0] for one in (NONE, name)
        )
        gain, error = self.mean(both)
        return f"{_WORDS[measure]} from {before:.3f} to {after:.3f} ({_with_se(gain, error, sign=True)})"

    def warnings(self, candidates: Sequence[Candidate]) -> list[str]:
        """Where the estimator's own settings, and not the shares of the classes, are what fails."""
        if NONE not in self.scores:
            return []
        counts = np.array(list(self.settings["classes"].values()), dtype=float)
        shares = counts / counts.sum()
        constant = float((1 - (shares**2).sum()) / 2)
        brier, error = self.mean(self.values(NONE, "brier"))
        said = []
        if brier > constant and brier - constant > error:
            said.append(
                f"the estimator as it is has worse probabilities (Brier score {brier:.2g}) than the classes' shares alone "
                f"({constant:.2g}): its settings do not suit classes this rare ({shares.min():.2g})."
            )
        names = [one.name for one in candidates if one.is_setting and one.name in self.scores]
        better = [name for name in names if self.beats(name, NONE, "average_precision")]
        best = max(better, key=lambda name: self.gain(name, NONE, "average_precision")[0], default=NONE)
        if (
            self.mean(self.values(best, "average_precision"))[0]
            > _FAILING * self.mean(self.values(NONE, "average_precision"))[0]
        ):
            resampled = [
                one.name for one in candidates if one.name in self.scores and one.name not in (NONE, best, *DERIVED)
            ]
            ahead = [name for name in resampled if name not in names and self.beats(name, best, "average_precision")]
            if not ahead:
                said.append(
                    f"the estimator as it is fails on classes this rare ({shares.min():.2g}): {best} takes "
                    f"{self._compared(best, 'average_precision')}, and neither weights nor resampling are clearly better than that."
                )
        return said


def _ready(candidate: Candidate, threshold: float | None, settings: Mapping[str, Any]) -> Any:
    """Unfitted estimator to use, or None."""
    if candidate.weight_parameter is not None or candidate.model is None:
        return None
    model = clone(candidate.model)
    if threshold is not None:
        return FixedThresholdClassifier(model, threshold=threshold, pos_label=settings["positive"])
    if settings["costs"] is not None and candidate.name not in (NONE, CALIBRATED) and hasattr(model, "predict_proba"):
        return PriorCorrectedClassifier(model, method="prior", tune_threshold=None, costs=settings["costs"])
    return model


def _heading(measure: str) -> str:
    tuned = measure.endswith("_tuned")
    return _WORDS[measure.removesuffix("_tuned")] + (", tuned" if tuned else "")


def _with_se(value: float, error: float, *, sign: bool = False) -> str:
    if np.isnan(value):
        return ""
    shown = f"{value:+.3f}" if sign else f"{value:.3f}"
    return shown if np.isnan(error) else f"{shown} ± {error:.3f}"
