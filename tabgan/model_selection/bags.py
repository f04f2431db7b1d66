"""The rows that each member of a balanced ensemble is trained on: a resample of real rows, and rows of a sampler."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
from imblearn.utils import check_sampling_strategy
from scipy.sparse import issparse
from scipy.sparse import vstack as sparse_vstack
from sklearn.utils import _safe_indexing

from tabgan.estimators.cross_validation import folds, seeded_copy
from tabgan.exceptions import InvalidInputError, InvalidParameterError

__all__ = ["Bag", "draw_bags"]

_SAMPLER_FOLDS = 5


@dataclass(frozen=True)
class Bag:
    """What one member is trained on.

    Parameters
    ----------
    X : container of shape (n, n_features)
        Real rows, then those of the sampler.
    labels : ndarray of shape (n,)
        Their classes.
    unseen : ndarray of int
        Rows of the table that neither the member nor its sampler sees.
    seed : int
        Of the member.
    """

    X: Any
    labels: np.ndarray
    unseen: np.ndarray
    seed: int


def draw_bags(
    X: Any,
    labels: np.ndarray,
    codes: np.ndarray,
    *,
    n_bags: int,
    majority_ratio: float | None,
    sampler: Any,
    seed: int,
    deadline: float | None = None,
    weights: np.ndarray | None = None,
) -> Iterator[Bag]:
    """Draw a bag for each member, one when it is asked for.

    Parameters
    ----------
    X : container of shape (n, n_features)
    labels : ndarray of shape (n,)
    codes : ndarray of int of shape (n,)
        Class numbers of the labels.
    n_bags : int
    majority_ratio : float or None
        No class has more real rows in a bag than this many times those of the smallest; None leaves the classes' sizes.
    sampler : imbalanced-learn sampler or None
        One with ``sample`` is fitted once per fold of five, on the other four, and draws other rows for every bag of that fold; any
        other resamples each bag.
    seed : int
    deadline : float or None, default=None
        Value of ``time.monotonic()`` after which no further bag begins; the first one always does.
    weights : ndarray of float of shape (n,), default=None
        Rows are drawn as often as these say, and classes are as large; None: all rows alike.

    Yields
    ------
    Bag

    Raises
    ------
    InvalidParameterError
        The sampler's ``sampling_strategy`` does not fit a bag.
    InvalidInputError
        The sampler left no row of a class.
    """
    everything = np.arange(len(codes))
    shared = sampler is not None and hasattr(sampler, "sample") and hasattr(sampler, "fit")
    parts = [train for train, _ in folds(codes, _SAMPLER_FOLDS, seed)] if shared else []
    parts = parts or [everything]
    fitted: dict[int, Any] = {}
    for number, member_seed in enumerate(np.random.SeedSequence(seed).generate_state(n_bags).tolist()):
        if number and deadline is not None and time.monotonic() > deadline:
            return
        place = number % len(parts)
        part = parts[place]
        rows = _bootstrap(codes, part, majority_ratio, np.random.default_rng(member_seed), weights)
        bag_X, bag_labels = _safe_indexing(X, rows), labels[rows]
        seen = rows
        if shared:
            seen = part
            if place not in fitted:
                fitted[place] = seeded_copy(sampler, seed).fit(_safe_indexing(X, part), labels[part])
            bag_X, bag_labels = _with_samples(fitted[place], bag_X, bag_labels, member_seed)
        elif sampler is not None:
            bag_X, bag_labels = seeded_copy(sampler, member_seed).fit_resample(bag_X, bag_labels)
            bag_labels = np.asarray(bag_labels)
            lost = np.setdiff1d(labels, bag_labels)
            if len(lost):
                raise InvalidInputError(
                    f"sampler left no row of {lost.tolist()}; choose a sampling_strategy that keeps every class."
                )
        yield Bag(bag_X, bag_labels, np.setdiff1d(everything, seen), member_seed)


def _bootstrap(
    codes: np.ndarray,
    part: np.ndarray,
    ratio: float | None,
    rng: np.random.Generator,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Rows of ``part`` drawn with replacement within each class, in all as many as it has."""
    own = codes[part]
    each = np.ones(len(part)) if weights is None else weights[part] * (len(part) / weights[part].sum())
    counts = np.bincount(own, each)
    most = len(part) if ratio is None else max(1, round(min(ratio * counts[counts > 0].min(), len(part))))
    drawn = []
    for k, n in enumerate(counts.tolist()):
        if n:
            chances = None if weights is None else each[own == k] / n
            drawn.append(rng.choice(part[own == k], min(max(1, round(n)), most), p=chances))
    return np.concatenate(drawn)


def _with_samples(sampler: Any, X: Any, labels: np.ndarray, seed: int) -> tuple[Any, np.ndarray]:
    """A bag with new rows of a fitted sampler at its end, as many as its strategy asks for in this bag."""
    strategy = getattr(sampler, "sampling_strategy", "auto")
    try:
        wanted = check_sampling_strategy(strategy, labels, "over-sampling")
    except (ValueError, TypeError) as error:
        raise InvalidParameterError(
            f"sampler: its sampling_strategy={str(strategy)[:100]} does not fit the bags ({error}); use 'auto' or a ratio."
        ) from error
    gate = getattr(sampler, "gate_", None)
    share = 1.0 if gate is None else gate.share
    new = [label for label, n in wanted.items() for _ in range(round(share * n))]
    if not new:
        return X, labels
    rows, _ = sampler.sample(y=new, random_state=seed)
    return _stacked(X, rows), np.concatenate([labels, np.array(new, dtype=labels.dtype)])


def _stacked(above: Any, below: Any) -> Any:
    """Rows of two containers of one kind."""
    if isinstance(above, list):
        return [*above, *below]
    if issparse(above):
        return sparse_vstack([above, below]).asformat(above.format)
    if isinstance(above, np.ndarray):
        return np.concatenate([above, below])
    frames = [nw.from_native(frame, eager_only=True) for frame in (above, below)]
    return nw.concat(frames, how="vertical").to_native()
