"""The methods compared: from training rows to rebalanced ones, or a way to fit the classifier.

Competitors get gaps filled (median or mode of the fold) and standard numbers, as their neighbour searches need; categories go to
SMOTENC and SMOTEN as codes, to the others one-hot, and the largest slot is the level made. Ours get the rows as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from benchmarks.rebalancing.space import Space
from benchmarks.rebalancing.tables import LabelledTable

__all__ = ["COMPETITORS", "Method", "Resampled"]


@dataclass(frozen=True)
class Resampled:
    """What a sampler gives back.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows given, then the rows made.
    y : ndarray of int of shape (n,)
    notes : dict
        What else is worth keeping in the row of results.
    warnings : callable, optional
        What the sampler warns of in these rows, for grids that keep it.
    """

    frame: pd.DataFrame
    y: np.ndarray
    notes: dict[str, Any] = field(default_factory=dict)
    warnings: Callable[[], list[str]] | None = None


@dataclass(frozen=True)
class Method:
    """A way to deal with imbalance.

    Parameters
    ----------
    resample : callable, optional
        From training rows and a seed to rebalanced rows; None leaves them.
    weighted, bagged : bool, default=False
        See `benchmarks.rebalancing.classifiers.probabilities`.
    """

    resample: Callable[[LabelledTable, int], Resampled] | None = None
    weighted: bool = False
    bagged: bool = False


Build = Callable[[LabelledTable, int, int], Any]  # table, rows of the smallest class, seed


def _imblearn(build: Build, space: Literal["rows", "codes", "one-hot"]) -> Method:
    """A sampler of imbalanced-learn, its neighbourhood no larger than the smallest class allows."""

    def resample(table: LabelledTable, seed: int) -> Resampled:
        fold = Space(table.frame, table.categorical)
        sampler = build(table, int(np.bincount(table.y)[np.unique(table.y)].min()), seed)
        if space == "rows":
            return Resampled(*sampler.fit_resample(fold.fill(table.frame), table.y))
        encode, decode = (fold.codes, fold.from_codes) if space == "codes" else (fold.one_hot, fold.from_one_hot)
        matrix, y = sampler.fit_resample(encode(table.frame), table.y)
        return _completed(fold, table, decode(np.asarray(matrix)[len(table.y) :]), y)

    return Method(resample)


def _completed(fold: Space, table: LabelledTable, made: pd.DataFrame, y: np.ndarray, **notes: Any) -> Resampled:
    return Resampled(pd.concat([fold.fill(table.frame), made], ignore_index=True), np.asarray(y).astype(int), notes)


def _repetition() -> Method:
    from imblearn.over_sampling import RandomOverSampler

    return _imblearn(lambda table, smallest, seed: RandomOverSampler(random_state=seed), "rows")


def _smote() -> Method:
    from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC

    def build(table: LabelledTable, smallest: int, seed: int) -> Any:
        settings = {"k_neighbors": max(1, min(5, smallest - 1)), "random_state": seed}
        width = table.frame.shape[1]
        if not table.categorical:
            return SMOTE(**settings)
        if len(table.categorical) == width:
            return SMOTEN(**settings)
        return SMOTENC(list(range(width - len(table.categorical), width)), **settings)

    return _imblearn(build, "codes")


def _borderline() -> Method:
    from imblearn.over_sampling import BorderlineSMOTE

    return _imblearn(
        lambda table, smallest, seed: BorderlineSMOTE(k_neighbors=max(1, min(5, smallest - 1)), random_state=seed),
        "one-hot",
    )


def _adasyn() -> Method:
    from imblearn.over_sampling import ADASYN

    return _imblearn(
        lambda table, smallest, seed: ADASYN(n_neighbors=max(1, min(5, smallest - 1)), random_state=seed), "one-hot"
    )


def _external(method: str) -> Method:
    """A sampler that lives in another environment; `environment_python` says how to make it where it is missing."""
    from benchmarks.rebalancing.external import check, interpolated, sampled

    check(method)

    def resample(table: LabelledTable, seed: int) -> Resampled:
        fold = Space(table.frame, table.categorical)
        if method in ("CTGAN", "TVAE"):
            levels = [0] * len(fold.numeric) + [len(fold.levels[column]) for column in fold.categorical]
            codes, y, notes = sampled(method, fold.codes(table.frame), table.y, levels, seed)
            made = fold.from_codes(codes)
        else:
            matrix, y, notes = interpolated(method, fold.one_hot(table.frame), table.y, seed)
            made = fold.from_one_hot(matrix)
        return _completed(fold, table, made, np.concatenate([table.y, y]), **notes)

    return Method(resample)


def _ours(name: str, *, paper: bool = False, gate: str | None = None, **parameters: Any) -> Method:
    import tabgan

    sampler_class = getattr(tabgan, name)
    build = sampler_class.paper if paper else sampler_class

    def resample(table: LabelledTable, seed: int) -> Resampled:
        sampler = build(random_state=seed, gate=gate, **parameters)
        frame, y = sampler.fit_resample(table.frame, pd.Series(table.y, name="class"))
        notes = {} if gate is None else {"gate": sampler.gate_.to_dict()}
        return Resampled(frame, np.asarray(y).astype(int), notes, lambda: sampler.report_.warnings)

    return Method(resample)


COMPETITORS: dict[str, Callable[[], Method]] = {
    "none": Method,
    "class weight": lambda: Method(weighted=True),
    "repetition": _repetition,
    "SMOTE": _smote,
    "Borderline-SMOTE": _borderline,
    "ADASYN": _adasyn,
    "balanced bagging": lambda: Method(bagged=True),
    "polynom-fit-SMOTE": lambda: _external("polynom-fit-SMOTE"),
    "ProWSyn": lambda: _external("ProWSyn"),
    "CTGAN": lambda: _external("CTGAN"),
    "TVAE": lambda: _external("TVAE"),
    "BAGANOversampler": lambda: _ours("BAGANOversampler"),
    "CGANSampler": lambda: _ours("CGANSampler"),
    "BAGANOversampler (no training)": lambda: _ours("BAGANOversampler", n_steps=0),
    "CGANSampler (no training)": lambda: _ours("CGANSampler", n_steps=0),
    "BAGANOversampler (focus=0)": lambda: _ours("BAGANOversampler", focus=0.0),
    "BAGANOversampler (gate: AUPRC)": lambda: _ours("BAGANOversampler", gate="average_precision"),
    "BAGANOversampler (gate: F1)": lambda: _ours("BAGANOversampler", gate="f1"),
    "BAGANOversampler (paper)": lambda: _ours("BAGANOversampler", paper=True),
    "CGANSampler (paper)": lambda: _ours("CGANSampler", paper=True),
}
"""Factories by name, so that a method's packages are imported only where it runs; one that cannot run raises when it is made."""
