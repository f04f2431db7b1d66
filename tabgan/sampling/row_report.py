"""What `fit_resample` has to say about its rows: how they were made, whether they are of their class, and whether they copy."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from tabgan._results import ReportsItself, plain_data
from tabgan.sampling.fitted import completed
from tabgan.sampling.row_warnings import class_warnings, identifier_warnings, parent_warnings

if TYPE_CHECKING:
    from tabgan.sampling.fitted import FittedSampler, MadeRows

__all__ = ["SamplingReport", "build_report"]

_MOST_JUDGED = 1000  # rows per class that are looked at: the figures' standard error is then below 2 %
_FOLDS = 3
_TREES = 50
_SAME = 1e-6
_COLUMNS = (
    "n_real",
    "n_synthetic",
    "method",
    "consistency",
    "consistency_real",
    "density",
    "coverage",
    "nearest",
    "copies",
    "repeats",
    "distinct",
    "spread",
)


@dataclass(frozen=True)
class SamplingReport(ReportsItself):
    """What was made, class by class.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per class that rows were made for: ``n_real``, ``n_synthetic``, ``method``; ``consistency``, the share of synthetic
        rows that a classifier assigns to their class (a forest with balanced weights, fitted on real rows without the row that a
        synthetic one started from), beside ``consistency_real``, its share of real rows that it did not see; ``density`` and
        ``coverage`` of synthetic against real rows (Naeem et al. 2020; NaN for fewer than seven rows);
        ``nearest``, the median distance of synthetic rows to the nearest real row of the class over that between real rows (far below
        1: near-copies), ``copies``, the share of synthetic rows that equal a real one, beside ``repeats``, the share of real rows that
        equal another; ``distinct``, the number of different synthetic rows over that of all; and ``spread``, the mean distance among
        synthetic rows over that among real ones (far below 1: collapse). NaN where a class has too few rows to tell.
    warnings : list of str
        In plain words; empty when nothing stands out.
    training : list of str
        What the training watch saw.
    gate : str or None
        How many of the rows asked for the gate let through, and why; None without a gate.
    """

    table: pd.DataFrame
    warnings: list[str] = field(default_factory=list)
    training: list[str] = field(default_factory=list)
    gate: str | None = None

    def __str__(self) -> str:
        shown = self.table.to_string(float_format="{:.2f}".format) if len(self.table) else "no rows were made"
        gate = [self.gate] if self.gate else []
        return "\n".join([shown, *gate, *(f"! {warning}" for warning in [*self.warnings, *self.training])])

    def _repr_html_(self) -> str:
        """The same for notebooks."""
        warnings = "".join(f"<li>{html.escape(warning)}</li>" for warning in [*self.warnings, *self.training])
        shown = self.table.to_html(float_format="{:.2f}".format, escape=True)
        shown += f"<p>{html.escape(self.gate)}</p>" if self.gate else ""
        return shown + (f"<ul>{warnings}</ul>" if warnings else "")

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data that JSON can hold; a number that does not exist is None."""
        classes = self.table.reset_index()
        return plain_data({"classes": classes, "warnings": self.warnings, "training": self.training, "gate": self.gate})


def build_report(fitted: FittedSampler, made: MadeRows, generator: torch.Generator) -> SamplingReport:
    """Measure synthetic rows against the table they were made from.

    Parameters
    ----------
    fitted : FittedSampler
        What made them.
    made : MadeRows
        The rows.
    generator : torch.Generator
        CPU generator, for subsamples and the judging classifier.
    """
    target = fitted.target
    everyone = np.arange(fitted.table.n_rows)
    real = completed(fitted, fitted.encoded.values, everyone)
    rows = completed(fitted, made.values, made.parents)
    judged = _consistency(real, target.codes, rows, made, generator)
    lines, warnings = [], []
    for index in np.unique(made.codes).tolist():
        label = _plain(target.classes[index])
        of_class, mine = real[target.codes == index], rows[made.codes == index]
        line = {
            "class": label,
            "n_real": len(of_class),
            "n_synthetic": len(mine),
            "method": fitted.methods[index],
            **judged.get(index, {}),
            **_closeness(_some(of_class, generator), _some(mine, generator)),
            "distinct": _distinct(mine),
        }
        lines.append(line)
        warnings += class_warnings(label, line, n_classes=len(target.classes), n_columns=fitted.table.n_columns)
        warnings += parent_warnings(label, index, fitted, made)
    warnings += identifier_warnings(fitted, made)
    table = pd.DataFrame(lines, columns=["class", *_COLUMNS]).set_index("class")
    gate = None if fitted.gate is None else str(fitted.gate)
    return SamplingReport(table, warnings, list(fitted.warnings), gate)


def _consistency(
    real: np.ndarray, codes: np.ndarray, rows: np.ndarray, made: MadeRows, generator: torch.Generator
) -> dict[int, dict[str, float]]:
    """Share of synthetic rows, and of real rows, that forests assign to their class which saw neither them nor their parents."""
    from sklearn.ensemble import ExtraTreesClassifier

    rng = np.random.default_rng(int(torch.randint(2**31 - 1, (), generator=generator)))
    counts = np.bincount(codes)
    present = [index for index in np.unique(made.codes).tolist() if counts[index] > 1]
    if not present or not real.shape[1]:
        return {}
    fold = _folds(codes, rng)
    learnt = rng.permutation(len(real))[: 4 * _MOST_JUDGED]
    learnt = np.union1d(learnt, _first_of_each(codes, present))
    asked = _first_of_each(made.codes, present, rng.permutation(len(made.codes)))
    right_real, right_made = np.zeros(len(real), dtype=bool), np.zeros(len(rows), dtype=bool)
    for number in range(_FOLDS):
        train, test = learnt[fold[learnt] != number], learnt[fold[learnt] == number]
        judged = asked[fold[made.parents[asked]] == number]
        weights = 1.0 / np.bincount(codes[train], minlength=len(counts))[codes[train]]
        forest = ExtraTreesClassifier(_TREES, min_samples_leaf=3, random_state=int(rng.integers(2**31)))
        forest.fit(real[train], codes[train], weights * len(train))
        for chosen, who, labels, right in ((test, real, codes, right_real), (judged, rows, made.codes, right_made)):
            if len(chosen):
                right[chosen] = forest.predict(who[chosen]) == labels[chosen]
    shares = {}
    for index in present:
        own, mine = learnt[codes[learnt] == index], asked[made.codes[asked] == index]
        shares[index] = {
            "consistency": float(right_made[mine].mean()),
            "consistency_real": float(right_real[own].mean()),
        }
    return shares


def _folds(codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A fold for each row, such that every class is in as many folds as it can be."""
    fold = np.empty(len(codes), dtype=int)
    for index in np.unique(codes):
        mine = rng.permutation(np.flatnonzero(codes == index))
        fold[mine] = (np.arange(len(mine)) + rng.integers(_FOLDS)) % _FOLDS
    return fold


def _first_of_each(codes: np.ndarray, classes: list[int], order: np.ndarray | None = None) -> np.ndarray:
    """Some rows of each class, in the given order."""
    order = np.arange(len(codes)) if order is None else order
    return np.concatenate([order[codes[order] == index][:_MOST_JUDGED] for index in classes])


def _closeness(real: np.ndarray, made: np.ndarray) -> dict[str, float]:
    from sklearn.neighbors import NearestNeighbors

    from tabgan.metrics.generative import precision_recall_density_coverage

    if not real.shape[1]:
        return {}
    nearest = NearestNeighbors(n_neighbors=1).fit(real).kneighbors(made)[0][:, 0]
    answer = {"copies": float((nearest <= _SAME).mean())}
    if len(real) > 1:
        between = NearestNeighbors(n_neighbors=1).fit(real).kneighbors()[0][:, 0]
        answer["repeats"] = float((between <= _SAME).mean())
        if np.median(between) > _SAME:
            answer["nearest"] = float(np.median(nearest) / np.median(between))
    if len(real) > 2 and len(made) > 2 and _mean_distance(real) > _SAME:
        answer["spread"] = _mean_distance(made) / _mean_distance(real)
    if len(real) > 6 and len(made) > 6:
        scores = precision_recall_density_coverage(real, made, k=5)
        answer |= {"density": scores.density, "coverage": scores.coverage}
    return answer


def _distinct(rows: np.ndarray) -> float:
    """Different rows over all rows."""
    if not rows.shape[1]:
        return np.nan
    whole = np.ascontiguousarray(rows + 0.0)  # -0.0 is no other number than 0.0
    return len(np.unique(whole.view(np.dtype((np.void, whole.dtype.itemsize * whole.shape[1]))))) / len(whole)


def _mean_distance(rows: np.ndarray) -> float:
    half = len(rows) // 2
    return float(np.sqrt(((rows[:half] - rows[half : 2 * half]) ** 2).sum(1)).mean())


def _some(rows: np.ndarray, generator: torch.Generator) -> np.ndarray:
    return rows[torch.randperm(len(rows), generator=generator)[:_MOST_JUDGED].numpy()]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
