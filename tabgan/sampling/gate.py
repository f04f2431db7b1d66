"""The gate: how many of the rows asked for are worth making, by cross-validation with quick classifiers inside the training table."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from tabgan._results import ReportsItself, plain_data
from tabgan.estimators.costs import constant_cost, least_costly
from tabgan.estimators.cross_validation import aligned_probabilities, corrected_mean, errors_needed, fold_scores, folds
from tabgan.metrics.classification import EXPECTED_COST, LABEL_MEASURES, PROBABILITY_MEASURES, expected_cost

__all__ = ["GATES", "GateDecision", "decide", "most_fits", "most_folds"]

GATES = ("average_precision", "roc_auc", *LABEL_MEASURES)
"""What a gate may guard. The Brier score is not among them: any change of class shares spoils it, until it is repaired.
With costs, `EXPECTED_COST` may be guarded as well."""

INSTEAD = (
    "What else may help the classifier (a threshold, calibration, other settings of it), tabgan.should_rebalance says."
)
"""Where to go when no rows are made: a table that rows do not help is not one on which nothing helps."""
SHARES = (0.0, 0.1, 0.25, 0.5, 1.0)
_FOLDS = 3
_ROUNDS = 2
_TOLERANCE = 0.005
_RANKINGS = ("average_precision", "roc_auc")
"""They rarely gain from synthetic rows, so that the best of four shares by chance is the thing to fear: a gain has to be proved.
Labels at one half usually gain; there what is likelier better than not, by one standard error, is taken."""
_RANKING_LEVEL = 0.01
_RANKING_ROUNDS = 6
"""At most; as soon as no share is ahead by its standard error, no more are run."""
_MOST_ROWS = 4000

MakeRows = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
"""From the positions of the rows to learn from, the classes asked for and a seed to synthetic rows, encoded and complete."""


@dataclass(frozen=True)
class GateDecision(ReportsItself):
    """What the gate chose.

    Parameters
    ----------
    measure : str
        What it guards.
    share : float
        Of the rows asked for, how many are made: 0, 0.1, 0.25, 0.5 or 1.
    reason : str
        Why, in words.
    table : pandas.DataFrame
        A row per share: ``share``, the mean of the measure over folds and classifiers, its ``difference`` to making none, and that
        difference's standard error ``difference_se``; empty where nothing could be compared.
    """

    measure: str
    share: float
    reason: str
    table: pd.DataFrame

    def __str__(self) -> str:
        made = {0.0: "no rows are made", 1.0: "all rows asked for are made"}
        said = f"gate: {made.get(self.share, f'{self.share:.0%} of the rows asked for are made')}; {self.reason}"
        return f"{said} {INSTEAD}" if self.share == 0 else said

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data that JSON can hold, which `from_dict` reads."""
        return plain_data(vars(self) | {"table": self.table.to_dict(orient="list")})

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> GateDecision:
        """What `to_dict` described."""
        return cls(plain["measure"], plain["share"], plain["reason"], pd.DataFrame(plain["table"], dtype=float))


def most_folds(measure: str) -> int:
    """At most so many folds are compared."""
    return _FOLDS * (_RANKING_ROUNDS if measure in _RANKINGS else _ROUNDS)


def most_fits(measure: str) -> int:
    """At most so many classifiers are fitted, all of them quick ones.

    Examples
    --------
    >>> most_fits("f1"), most_fits("average_precision")
    (120, 360)
    """
    return most_folds(measure) * len(SHARES) * len(_classifiers(0))


def decide(
    rows: np.ndarray,
    codes: np.ndarray,
    wanted: Mapping[int, int],
    make_rows: MakeRows,
    measure: str,
    seed: int,
    time_is_up: Callable[[], bool] = lambda: False,
    costs: np.ndarray | None = None,
    entering: Callable[[str], None] = lambda name: None,
) -> GateDecision:
    """Compare making none, a tenth, a quarter, half and all of the rows asked for.

    Parameters
    ----------
    rows : ndarray of float of shape (n, width)
        The table, encoded, gaps filled.
    codes : ndarray of int of shape (n,)
        Classes.
    wanted : dict of int to int
        Rows asked for, by class.
    make_rows : callable
        Learns from some rows and makes rows.
    measure : str
        One of `GATES`, or `EXPECTED_COST`.
    seed : int
        Of folds, draws and classifiers.
    time_is_up : callable, default=never
        Asked before every score; the rounds finished by then decide, and none makes no rows.
    costs : ndarray of float of shape (n_classes, n_classes), default=None
        For `EXPECTED_COST`: true class by predicted class.
    entering : callable, default=nothing
        Told of each fold.

    Returns
    -------
    GateDecision

    Notes
    -----
    Two rounds of three folds; a logistic regression, five neighbours, a forest and boosted trees. Rows are made if that betters the
    mean over the classifiers by 0.005 and by its standard error (Nadeau and Bengio 2003: the folds' training parts overlap); then
    as many as are best. For average precision and ROC AUC the gain has to be proved: up to six rounds, ended as soon as no share
    is ahead by its standard error (which can only lose gains), and a one-sided t-test of the corrected mean at a level of 1 %
    shared among the four shares, so that of a hundred tables on which rows do nothing one is rebalanced. 4,000 rows stand for
    larger tables, at least 100 of each class among them where there are; then as many rows are made as bring the classes to the same
    sizes beside each other as in the whole table. Expected cost is that of predicting the class of least
    expected cost, from probabilities with the change of class shares undone, as a share of what the best prediction that is the same
    for all rows costs.
    """
    # In shares of what the best prediction that is the same for all rows costs, so that one tolerance serves all costs.
    costs = None if costs is None else costs / constant_cost(np.bincount(codes, minlength=len(costs)), costs)
    rng = np.random.default_rng(seed)
    kept = _some(codes, rng)
    per_row = _asked_per_row(wanted, codes, codes[kept])
    rows, codes = rows[kept], codes[kept]
    found: list[list[float]] = []
    test_share = np.nan
    for _ in range(most_folds(measure) // _FOLDS if per_row and rows.shape[1] else 0):
        parts = folds(codes, _FOLDS, int(rng.integers(2**31)))
        round_scores: list[list[float]] = []
        for train, test in parts:
            counts = np.bincount(codes[train], minlength=codes.max() + 1)
            new = [np.full(round(times * counts[index]), index) for index, times in per_row.items()]
            order = rng.permutation(np.concatenate(new)).astype(np.int64)
            made = make_rows(kept[train], order, int(rng.integers(2**31)))
            entering(f"gate: fold {len(found) + len(round_scores) + 1} of at most {most_folds(measure)}")
            fold, judge = (rows[train], codes[train], rows[test], codes[test]), int(rng.integers(2**31))
            round_scores.append([])
            for n in _steps(order):
                if time_is_up():
                    return _ended(found, measure, test_share)
                round_scores[-1].append(_score(*fold, made[:n], order[:n], measure, judge, costs))
        if not parts:
            break
        found += round_scores
        test_share = 1 / (len(parts) - 1)
        if measure in _RANKINGS and not _ahead(np.array(found), test_share).any():
            break
    if not found:
        return GateDecision(
            measure, 1.0, "nothing could be compared: no rows asked for, or a class of one row.", pd.DataFrame()
        )
    return _decided(np.array(found), measure, test_share)


def _ended(found: list[list[float]], measure: str, test_share: float) -> GateDecision:
    """What the rounds that were finished in time say."""
    if found:
        return _decided(np.array(found), measure, test_share)
    reason = "time was up before a round of comparisons ended, and in doubt none are made; allow more in max_time."
    return GateDecision(measure, 0.0, reason, pd.DataFrame())


def _steps(order: np.ndarray) -> list[int]:
    return [round(share * len(order)) for share in SHARES]


def _some(codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Positions of all rows, or of as many of each class as keep its share, but at least 100."""
    if len(codes) <= _MOST_ROWS:
        return np.arange(len(codes))
    shuffled = rng.permutation(len(codes))
    parts = [shuffled[codes[shuffled] == index] for index in np.unique(codes)]
    return np.sort(np.concatenate([part[: max(100, len(part) * _MOST_ROWS // len(codes))] for part in parts]))


def _asked_per_row(wanted: Mapping[int, int], codes: np.ndarray, kept: np.ndarray) -> dict[int, float]:
    """Rows to make for each row of a class, so that classes come to the same sizes beside each other as in the whole table."""
    before, after = np.bincount(codes), np.bincount(kept)
    shrunk = after.max() / before.max()  # a rare class keeps more of its rows than that, and so needs fewer made
    per_row = {}
    for index, n in wanted.items():
        if n:
            needed = (before[index] + n) * shrunk - after[index]
            per_row[index] = float(
                needed / after[index] if 0 < needed and len(kept) < len(codes) else n / before[index]
            )
    return per_row


def _score(
    train: np.ndarray,
    train_codes: np.ndarray,
    test: np.ndarray,
    test_codes: np.ndarray,
    made: np.ndarray,
    made_codes: np.ndarray,
    measure: str,
    seed: int,
    costs: np.ndarray | None = None,
) -> float:
    """Mean of the measure over the classifiers, trained on real and synthetic rows and scored on real ones; more is better."""
    X, y = np.concatenate([train, made]), np.concatenate([train_codes, made_codes])
    n_classes = int(max(y.max(), test_codes.max())) + 1 if costs is None else len(costs)
    positive = int(np.bincount(train_codes, minlength=2)[:2].argmin())
    scores = []
    for model in _classifiers(seed):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a logistic regression that stops early is good enough here
            model.fit(X, y)
        p = aligned_probabilities(model, test, np.arange(n_classes))
        if costs is not None:
            said = least_costly(p * _undone(train_codes, y, n_classes), costs)
            scores.append(-expected_cost(test_codes, said, costs))
            continue
        wanted = [measure] if measure in PROBABILITY_MEASURES else []
        scores.append(fold_scores(test_codes, p, p.argmax(1), positive=positive, measures=wanted)[measure])
    return float(np.mean(scores))


def _undone(before: np.ndarray, after: np.ndarray, n_classes: int) -> np.ndarray:
    """Factors that take the change of class shares out of probabilities, up to scale, on which no least cost depends."""
    counts = [np.bincount(codes, minlength=n_classes) for codes in (before, after)]
    return counts[0] / np.maximum(counts[1], 1)


def _classifiers(seed: int) -> list[Any]:
    return [
        LogisticRegression(max_iter=200),
        KNeighborsClassifier(5),
        RandomForestClassifier(50, n_jobs=1, random_state=seed),
        HistGradientBoostingClassifier(max_iter=30, early_stopping=False, random_state=seed),
    ]


def _gains(scores: np.ndarray, test_share: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean difference of each share to making none, and its standard error, from scores by fold and share."""
    found = [corrected_mean(gain, test_share) for gain in (scores - scores[:, :1]).T]
    mean, error = np.array(found).T
    return mean, error


def _ahead(scores: np.ndarray, test_share: float, errors: float = 1.0) -> np.ndarray:
    """Which shares are better than none by the tolerance and so many standard errors."""
    mean, error = _gains(scores, test_share)
    return (mean > np.maximum(_TOLERANCE, errors * error)) & (np.arange(len(SHARES)) > 0)


def _decided(scores: np.ndarray, measure: str, test_share: float = 1 / (_FOLDS - 1)) -> GateDecision:
    """From scores by fold and share."""
    mean, error = _gains(scores, test_share)
    sign = (
        -1.0 if measure == EXPECTED_COST else 1.0
    )  # scores grow with what is better, and are shown as what they are called
    shown, difference = sign * scores.mean(0), sign * mean + 0.0
    table = pd.DataFrame({"share": SHARES, measure: shown, "difference": difference, "difference_se": error})
    needed = errors_needed(_RANKING_LEVEL, len(SHARES) - 1, len(scores)) if measure in _RANKINGS else 1.0
    clear = _ahead(scores, test_share, needed)
    best = int(np.where(clear, mean, -np.inf).argmax()) if clear.any() else int(mean[1:].argmax()) + 1
    reason = (
        f"{measure} {shown[0]:.3f} without any, {shown[best]:.3f} with {SHARES[best]:.0%} of them "
        f"(difference {difference[best]:+.3f} ± {error[best]:.3f} over {len(scores)} folds)"
    )
    if clear.any():
        return GateDecision(measure, SHARES[best], f"{reason}.", table)
    if needed == 1.0 or not _ahead(scores, test_share).any():
        return GateDecision(measure, 0.0, f"{reason}, no clear gain.", table)
    why = f"no clear gain: it takes {needed:.1f} standard errors to rule out chance"
    return GateDecision(measure, 0.0, f"{reason}, {why}.", table)
