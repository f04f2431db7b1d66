"""From measures by candidate and fold to a recommendation that says how sure it is."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import FixedThresholdClassifier

from tabgan.estimators.cross_validation import corrected_mean
from tabgan.metrics.classification import LABEL_MEASURES, PROBABILITY_MEASURES
from tabgan.model_selection.candidates import NONE, THRESHOLD, Candidate

__all__ = ["MEASURES", "RebalanceDecision", "weighed"]

MEASURES = (*PROBABILITY_MEASURES, *LABEL_MEASURES, *(f"{measure}_tuned" for measure in LABEL_MEASURES))

_WORDS = {
    "average_precision": "average precision",
    "roc_auc": "ROC AUC",
    "brier": "Brier score",
    "f1": "F1",
    "g_mean": "G-mean",
    "balanced_accuracy": "balanced accuracy",
}


@dataclass(frozen=True, repr=False)
class RebalanceDecision:
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
        ``threshold``, the median of the folds' tuned for the label measure; mean ``seconds`` per fold; ``error``, None or why there
        are no numbers. Label measures are at 0.5, those ending in ``_tuned`` at a tuned threshold.
    folds : pandas.DataFrame
        A row per candidate and fold, with every measure.
    settings : dict
        Measures that decide, folds, seeds, tolerance, class counts, the positive class.
    """

    recommendation: str
    best: str
    estimator: Any
    threshold: float | None
    table: pd.DataFrame
    folds: pd.DataFrame
    settings: dict[str, Any]

    def shown(self) -> pd.DataFrame:
        """The table as text, short enough to read: mean ± standard error, and the difference in what decides."""
        first, label = self.settings["scoring"][0], self.settings["label_measure"]
        measures = dict.fromkeys([*self.settings["scoring"], *PROBABILITY_MEASURES, label, f"{label}_tuned"])
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
        return [
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
    candidates: Sequence[Candidate], results: Mapping[str, list[dict[str, Any]]], settings: dict[str, Any]
) -> RebalanceDecision:
    """Average, compare and recommend.

    Parameters
    ----------
    candidates : sequence of Candidate
        Simplest first.
    results : dict of str to list of dict
        Per candidate that was tried, measures by fold, or ``error``.
    settings : dict
        With ``scoring``, ``tolerance`` and ``test_share`` (test rows per training row).
    """
    label = next((measure for measure in settings["scoring"] if measure in LABEL_MEASURES), "balanced_accuracy")
    settings = settings | {"label_measure": label}
    errors = {candidate.name: candidate.reason for candidate in candidates}
    scores: dict[str, pd.DataFrame] = {}
    for name, by_fold in results.items():
        failed = next((one["error"] for one in by_fold if "error" in one), None)
        if failed is None:
            scores[name] = pd.DataFrame(by_fold)
        errors[name] = failed
    if errors[THRESHOLD] is None:
        errors[THRESHOLD] = errors[NONE]
        if NONE in scores:
            moved = scores[NONE].copy()
            moved[list(LABEL_MEASURES)] = moved[[f"{measure}_tuned" for measure in LABEL_MEASURES]].to_numpy()
            scores[THRESHOLD] = moved
    judge = _Judge(scores, settings)
    records = [judge.record(candidate.name, errors[candidate.name]) for candidate in candidates]
    table = pd.DataFrame(records)
    table["error"] = pd.Series([record["error"] for record in records], dtype=object)
    best, threshold, recommendation = judge.recommendation([candidate.name for candidate in candidates])
    by_name = {candidate.name: candidate for candidate in candidates}
    if by_name[best].weight_parameter is not None:
        recommendation += f" Pass {by_name[best].weight_parameter}=compute_sample_weight('balanced', y) to fit."
    by_fold = (
        pd.concat(
            [found.assign(candidate=name, fold=range(len(found))) for name, found in scores.items()], ignore_index=True
        )
        if scores
        else pd.DataFrame()
    )
    return RebalanceDecision(
        recommendation, best, _ready(by_name[best], threshold, settings, scores), threshold, table, by_fold, settings
    )


class _Judge:
    """Means, paired differences and what follows from them."""

    def __init__(self, scores: Mapping[str, pd.DataFrame], settings: dict[str, Any]) -> None:
        self.scores = scores
        self.settings = settings
        self.first = settings["scoring"][0]
        self.label = settings["label_measure"]

    def values(self, name: str, measure: str) -> np.ndarray:
        found = self.scores.get(name)
        return found[measure].to_numpy(dtype=float) if found is not None and measure in found else np.array([np.nan])

    def mean(self, values: np.ndarray) -> tuple[float, float]:
        """Mean over folds and its standard error."""
        return corrected_mean(values, self.settings["test_share"])

    def gain(self, name: str, other: str, measure: str) -> tuple[float, float]:
        """How much better ``name`` does than ``other`` on the same folds; positive is better."""
        difference, error = self.mean(self.values(name, measure) - self.values(other, measure))
        return (-difference if measure == "brier" else difference), error

    def beats(self, name: str, other: str, measure: str) -> bool:
        """Better by more than the standard error and the tolerance."""
        gain, error = self.gain(name, other, measure)
        return bool(gain > self.settings["tolerance"] and gain > error)

    def record(self, name: str, error: str | None) -> dict[str, Any]:
        record: dict[str, Any] = {"candidate": name}
        for measure in MEASURES:
            record[measure], record[f"{measure}_se"] = self.mean(self.values(name, measure))
            paired = self.mean(self.values(name, measure) - self.values(NONE, measure))
            record[f"{measure}_difference"], record[f"{measure}_difference_se"] = paired
        record["better"] = name in self.scores and NONE in self.scores and self.beats(name, NONE, self.first)
        thresholds = self.values(name, f"{self.label}_threshold")
        record["threshold"] = float(np.nanmedian(thresholds)) if not np.isnan(thresholds).all() else np.nan
        record["seconds"] = float(self.scores[name]["seconds"].mean()) if name in self.scores else np.nan
        return record | {"error": error}

    def recommendation(self, names: Sequence[str]) -> tuple[str, float | None, str]:
        """Candidate, threshold and words."""
        if NONE not in self.scores:
            return NONE, None, "the estimator itself fails on this table; its error is in the table."
        better = [name for name in names if name in self.scores and name != NONE and self.beats(name, NONE, self.first)]
        word = _WORDS[self.first]
        if better:
            top = max(better, key=lambda name: self.gain(name, NONE, self.first)[0])
            best = next(name for name in better if name == top or not self.beats(top, name, self.first))
            why = self._compared(best, self.first)
            simpler = f" {top} is not clearly better than that." if top != best else ""
            if best == THRESHOLD:
                threshold = self._threshold(self.first)
                return best, threshold, f"keep the table, move the threshold to {threshold:.2g}: {why}.{simpler}"
            return best, None, f"use {best}: {why}.{simpler}"
        why = f"no candidate has a better {word} than {NONE} by more than its standard error and {self.settings['tolerance']:g}"
        if THRESHOLD in self.scores and self.beats(THRESHOLD, NONE, self.label):
            threshold = self._threshold(self.label)
            moved = f"the threshold takes {self._compared(THRESHOLD, self.label)}"
            return THRESHOLD, threshold, f"keep the table, move the threshold to {threshold:.2g}: {why}, and {moved}."
        return NONE, None, f"do nothing: {why}."

    def _threshold(self, measure: str) -> float:
        """Median over folds."""
        return float(np.nanmedian(self.values(NONE, f"{measure}_threshold")))

    def _compared(self, name: str, measure: str) -> str:
        before, after = (self.mean(self.values(one, measure))[0] for one in (NONE, name))
        gain, error = self.mean(self.values(name, measure) - self.values(NONE, measure))
        return f"{_WORDS[measure]} from {before:.3f} to {after:.3f} ({_with_se(gain, error, sign=True)})"


def _ready(candidate: Candidate, threshold: float | None, settings: Mapping[str, Any], scores: Mapping) -> Any:
    """Unfitted estimator to use, or None."""
    if candidate.weight_parameter is not None or candidate.model is None or NONE not in scores:
        return None
    model = clone(candidate.model)
    if threshold is None:
        return model
    return FixedThresholdClassifier(model, threshold=threshold, pos_label=settings["positive"])


def _heading(measure: str) -> str:
    tuned = measure.endswith("_tuned")
    return _WORDS[measure.removesuffix("_tuned")] + (", tuned" if tuned else "")


def _with_se(value: float, error: float, *, sign: bool = False) -> str:
    if np.isnan(value):
        return ""
    shown = f"{value:+.3f}" if sign else f"{value:.3f}"
    return shown if np.isnan(error) else f"{shown} ± {error:.3f}"
