"""Hiding known cells on purpose, by mechanism: the ground truth of every imputation benchmark."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import rankdata

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.tables.numeric import unit_of

__all__ = ["MECHANISMS", "Mechanism", "ampute"]

Mechanism = Literal["mcar", "mar", "mnar", "mnar-quantile", "block", "copy"]
MECHANISMS: tuple[str, ...] = get_args(Mechanism)


def ampute(
    X: np.ndarray,
    rate: float = 0.2,
    *,
    mechanism: Mechanism = "mcar",
    random_state: int | None = None,
    observed: np.ndarray | None = None,
    donors: np.ndarray | None = None,
    mar_observed_fraction: float = 0.3,
) -> np.ndarray:
    """Choose cells to hide.

    Parameters
    ----------
    X : ndarray of float of shape (n_rows, n_columns)
        Complete numbers that the choice may depend on (ranks of categories will do). NaN is allowed where ``observed`` is False,
        and counts as the column mean.
    rate : float in (0, 1), default=0.2
        Share of the observed cells to hide, met to within one cell (``"copy"``: only on average; see there).
    mechanism : str, default="mcar"
        ``"mcar"``: cells at random. ``"mar"``: some columns stay complete, the other columns' cells are hidden with
        logistic probabilities in a random combination of the complete ones. ``"mnar"``: self-masking, the probability is
        logistic in the cell's own value. ``"mnar-quantile"``: the cells nearest to one end of each column, censoring with
        noise. ``"block"``: runs of neighbouring columns in random rows. ``"copy"``: each row misses the cells of a random donor
        row; ``rate`` is then only met if the donors miss cells at that rate.
    random_state : int, default=None
        Seed; None draws a fresh one.
    observed : ndarray of bool of shape (n_rows, n_columns), default=None
        Cells that exist; None takes the ones that are not NaN.
    donors : ndarray of bool of shape (n_donors, n_columns), default=None
        For ``"copy"``: True where a donor row misses a cell. None takes those of ``observed``.
    mar_observed_fraction : float, default=0.3
        For ``"mar"``: share of columns that stay complete, at least one.

    Returns
    -------
    ndarray of bool of shape (n_rows, n_columns)
        True where a cell is to be hidden; only observed cells are. Every row keeps a cell where its number of observed cells
        allows it at all; the cells spared for that are made up for elsewhere.

    Raises
    ------
    InvalidInputError
        ``X`` is no table of numbers, or an observed cell is infinite; names its column.
    InvalidParameterError
        Unknown mechanism, rate outside (0, 1), masks of other shapes, ``"mar"`` with a single column, or ``"copy"`` without a donor
        that has a gap.

    References
    ----------
    Muzellec et al. 2020, "Missing Data Imputation using Optimal Transport" (logistic MAR and self-masking MNAR); Spinelli et al.
    and CACTI 2025 (copied patterns).

    Examples
    --------
    >>> hidden = ampute(np.zeros((100, 5)), 0.2, random_state=0)
    >>> int(hidden.sum())
    100
    """
    if not isinstance(mechanism, str) or mechanism not in MECHANISMS:
        raise InvalidParameterError(f"mechanism={mechanism!r} is not one of {list(MECHANISMS)}.")
    if not isinstance(rate, numbers.Real) or not 0 < rate < 1:
        raise InvalidParameterError(f"rate={rate!r} must be a number between 0 and 1, both excluded.")
    if not isinstance(mar_observed_fraction, numbers.Real) or not 0 <= mar_observed_fraction <= 1:
        raise InvalidParameterError(f"mar_observed_fraction={mar_observed_fraction!r} must be a number from 0 to 1.")
    try:
        rng = np.random.default_rng(random_state)
    except (TypeError, ValueError) as error:
        raise InvalidParameterError(f"random_state={random_state!r} must be None or an integer >= 0.") from error
    X = _as_numbers(X)
    if mechanism == "mar" and X.shape[1] < 2:
        raise InvalidParameterError(
            "mechanism='mar' hides cells by the values of other columns, and there are none; use 'mcar' or 'mnar'."
        )
    observed = ~np.isnan(X) if observed is None else _as_mask("observed", observed)
    if observed.shape != X.shape:
        raise InvalidParameterError(f"observed has shape {observed.shape}, and X {X.shape}; give one entry per cell.")
    if (observed & np.isinf(X)).any():
        row, j = np.argwhere(observed & np.isinf(X))[0]
        raise InvalidInputError(
            f"column {j} of X has {X[row, j]} in row {row}; replace it, or say NaN where it means missing."
        )
    if not observed.any():
        return np.zeros(X.shape, dtype=bool)
    if mechanism == "copy":
        return _copied(observed, donors, rng)
    scaled = _standardised(X, observed)
    if mechanism == "mar":
        propensity = _mar(scaled, rng, mar_observed_fraction)
    else:
        propensity = _PROPENSITIES[mechanism](scaled, rng)
    n_hidden = round(rate * observed.sum())
    return _exact(propensity, observed, n_hidden, rng)


def _mcar(scaled: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.zeros(scaled.shape)


def _mar(scaled: np.ndarray, rng: np.random.Generator, fraction: float) -> np.ndarray:
    n_columns = scaled.shape[1]
    n_complete = min(max(int(fraction * n_columns), 1), n_columns - 1) if n_columns > 1 else 0
    complete = rng.permutation(n_columns)[:n_complete]
    logits = scaled[:, complete] @ rng.normal(size=(n_complete, n_columns))
    logits /= np.maximum(logits.std(axis=0), 1e-12)
    logits[:, complete] = -np.inf
    return logits


def _mnar(scaled: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return scaled * rng.choice([-1.0, 1.0], size=scaled.shape[1]) * rng.uniform(0.5, 1.5, size=scaled.shape[1])


def _quantile(scaled: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    ranks = rankdata(scaled, axis=0) / len(scaled)
    return 8 * np.where(rng.random(scaled.shape[1]) < 0.5, ranks, 1 - ranks)


def _block(scaled: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    n_rows, n_columns = scaled.shape
    width = max(n_columns // 3, 1)
    first = rng.integers(0, n_columns, size=(n_rows, 1))
    inside = (np.arange(n_columns) - first) % n_columns < width
    return np.where(inside, 4.0, -4.0)


_PROPENSITIES: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "mcar": _mcar,
    "mnar": _mnar,
    "mnar-quantile": _quantile,
    "block": _block,
}


def _exact(logits: np.ndarray, observed: np.ndarray, n_hidden: int, rng: np.random.Generator) -> np.ndarray:
    """Hide exactly ``n_hidden`` observed cells with odds proportional to ``exp(logits)``.

    An intercept brings the mean probability to the rate; the exact number comes from adding Gumbel-like noise and cutting
    off at the n-th largest, which keeps the order of the odds.
    """
    usable = observed & np.isfinite(logits)
    n_hidden = min(n_hidden, int(usable.sum()))
    if n_hidden == 0:
        return np.zeros(observed.shape, dtype=bool)
    share = min(n_hidden / usable.sum(), 1 - 1e-9)
    finite = logits[usable]
    lowest, highest = min(-60.0, -60.0 - finite.max()), max(60.0, 60.0 - finite.min())
    intercept = brentq(lambda b: expit(finite + b).mean() - share, lowest, highest)
    probability = expit(finite + intercept)
    # u < p  <=>  logit(p) - logit(u) > 0: the margin orders cells by how surely they are hidden.
    noise = rng.logistic(size=len(finite))
    margin = np.full(observed.shape, -np.inf)
    with np.errstate(divide="ignore"):  # what is hidden surely comes first
        margin[usable] = np.log(probability / (1 - probability)) + noise
    # The last cell of a row is spared, but in a table of one column: a row without any observed cell tests nothing.
    if observed.shape[1] > 1:
        spared = np.zeros(observed.shape, dtype=bool)
        rows = np.flatnonzero(~(observed & ~usable).any(axis=1) & observed.any(axis=1))
        spared[rows, np.where(usable[rows], margin[rows], np.inf).argmin(axis=1)] = True
        margin[spared] = -np.inf
    n_hidden = min(n_hidden, int((~np.isneginf(margin)).sum()))
    hidden = np.zeros(observed.size, dtype=bool)
    hidden[np.argsort(-margin, axis=None, kind="stable")[:n_hidden]] = True
    return hidden.reshape(observed.shape)


def _copied(observed: np.ndarray, donors: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    gaps = ~observed if donors is None else _as_mask("donors", donors)
    if gaps.ndim != 2 or gaps.shape[1] != observed.shape[1]:
        raise InvalidParameterError(
            f"donors has shape {gaps.shape}; give rows of {observed.shape[1]} columns, True where a donor has a gap."
        )
    gaps = gaps[gaps.any(axis=1) & ~gaps.all(axis=1)]
    if not len(gaps):
        raise InvalidParameterError(
            "mechanism='copy' needs donor rows with a missing cell, and there are none; pass `donors`."
        )
    hidden = gaps[rng.integers(0, len(gaps), size=len(observed))] & observed
    hidden[hidden.sum(axis=1) == observed.sum(axis=1)] = False
    return hidden


def _as_mask(name: str, mask: Any) -> np.ndarray:
    try:
        return np.asarray(mask.detach().cpu() if hasattr(mask, "detach") else mask, dtype=bool)
    except (TypeError, ValueError) as error:
        raise InvalidParameterError(f"{name} is no array of True and False: {error}.") from error


def _as_numbers(X: Any) -> np.ndarray:
    """A table of numbers as float64; whatever else it is, is refused."""
    try:
        array = np.asarray(X.detach().cpu() if hasattr(X, "detach") else X)
        if array.dtype.kind == "c":
            raise TypeError("complex numbers have no order")
        array = array.astype(float)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"X is no table of numbers: {error}; give ranks or codes of categories.") from error
    if array.ndim != 2:
        raise InvalidInputError(f"X has shape {array.shape}; give rows and columns.")
    return array


def _standardised(X: np.ndarray, observed: np.ndarray) -> np.ndarray:
    known = observed & ~np.isnan(X)
    shown = np.where(known, X, 0.0)
    shown = shown / np.array([unit_of(column) for column in shown.T])
    count = np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, shown - shown.sum(axis=0) / count, 0.0)
    spread = np.sqrt((centred * centred).sum(axis=0) / count)
    return centred / np.where(spread > 0, spread, 1.0)
