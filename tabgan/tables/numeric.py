"""Invertible, monotone scalings of one number column.

All of them are fitted on a float64 array of finite numbers, at least two of them distinct. ``forward`` and ``inverse``
take and give float64 arrays of any length, and are finite for any finite input.
"""

from __future__ import annotations

import abc
import warnings
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from sklearn.preprocessing import PowerTransformer

from tabgan.core.checkpoint import built_from

__all__ = [
    "NUMERIC_TRANSFORMS",
    "MinMaxTransform",
    "NumericTransform",
    "PowerTransform",
    "QuantileTransform",
    "RobustTransform",
    "StandardTransform",
    "unit_of",
]

_LARGEST = np.finfo(np.float64).max
# Units within these bounds lose nothing to overflow or subnormals in means, squares and differences.
_TAME = (1e-100, 1e100)
_MOST_KNOTS = 1000
_SMALLEST_GAP = 1e-280
_SMALLEST_SPREAD = 1e-30
_LINEAR_UP_TO = 3.0
_IQR_OF_NORMAL = 1.3489795003921634
_FITTED_ON = 20_000


class NumericTransform(abc.ABC):
    """Interface of the scalings in ``NUMERIC_TRANSFORMS``; a fresh instance is the identity until fitted."""

    @abc.abstractmethod
    def fit(self, values: np.ndarray) -> NumericTransform:
        """Learn the scaling.

        Parameters
        ----------
        values : ndarray of float64 of shape (n,)
            Finite numbers.

        Returns
        -------
        NumericTransform
            ``self``.
        """

    @abc.abstractmethod
    def _forward(self, values: np.ndarray) -> np.ndarray: ...

    @abc.abstractmethod
    def _inverse(self, values: np.ndarray) -> np.ndarray: ...

    def forward(self, values: np.ndarray) -> np.ndarray:
        """Scale numbers; non-decreasing and finite."""
        with np.errstate(over="ignore", under="ignore"):
            return _finite(self._forward(np.asarray(values, dtype=np.float64)))

    def inverse(self, values: np.ndarray) -> np.ndarray:
        """Undo ``forward``; non-decreasing and finite."""
        with np.errstate(over="ignore", under="ignore"):
            return _finite(self._inverse(np.asarray(values, dtype=np.float64)))

    def state(self) -> dict[str, Any]:
        """Fitted numbers as floats and lists of floats."""
        return asdict(self)  # type: ignore[call-overload]

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> NumericTransform:
        """Transform with the numbers of ``state()``."""
        return built_from(cls, state)


def _finite(values: np.ndarray) -> np.ndarray:
    return np.clip(values, -_LARGEST, _LARGEST)


def unit_of(values: np.ndarray) -> float:
    """1, or the largest magnitude of ``values`` where it is so extreme that arithmetic in user units would break down."""
    largest = float(np.abs(values).max(initial=0.0))
    return 1.0 if largest == 0.0 or _TAME[0] < largest < _TAME[1] else largest


def _moments(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation, the latter 1 when it is 0."""
    spread = float(values.std())
    return float(values.mean()), spread if spread > 0.0 else 1.0


def _robust_moments(values: np.ndarray) -> tuple[float, float]:
    """Median and quartile-based standard deviation, with fallbacks for quartiles that coincide."""
    first, center, third = (float(q) for q in np.quantile(values, (0.25, 0.5, 0.75)))
    spread = (third - first) / _IQR_OF_NORMAL
    if spread <= 0.0:
        off_center = values[values != center]
        if off_center.size:
            spread = float(np.subtract(*np.quantile(off_center, (0.75, 0.25)))) / _IQR_OF_NORMAL
    # A spread that is nothing beside the range would send the far values beyond what powers of them can be held in.
    floor = _SMALLEST_SPREAD * float(np.abs(values - center).max())
    return center, spread if spread > floor else _moments(values)[1]


@dataclass
class _LinearTransform(NumericTransform):
    """``(x / unit - center) / scale``.

    Parameters
    ----------
    unit, center, scale : float
        As in the formula.
    """

    unit: float = 1.0
    center: float = 0.0
    scale: float = 1.0

    def _forward(self, values: np.ndarray) -> np.ndarray:
        return (values / self.unit - self.center) / self.scale

    def _inverse(self, values: np.ndarray) -> np.ndarray:
        return (values * self.scale + self.center) * self.unit


@dataclass
class StandardTransform(_LinearTransform):
    """Mean 0 and standard deviation 1."""

    def fit(self, values: np.ndarray) -> StandardTransform:
        """Learn mean and standard deviation; see ``NumericTransform.fit``."""
        self.unit = unit_of(values)
        self.center, self.scale = _moments(values / self.unit)
        return self


@dataclass
class MinMaxTransform(_LinearTransform):
    """Observed range onto [0, 1]."""

    def fit(self, values: np.ndarray) -> MinMaxTransform:
        """Learn the range; see ``NumericTransform.fit``."""
        self.unit = unit_of(values)
        tame = values / self.unit
        self.center = float(tame.min())
        width = float(tame.max()) - self.center
        self.scale = width if width > 0.0 else 1.0
        return self


@dataclass
class RobustTransform(_LinearTransform):
    """Median 0 and an interquartile range as of a standard normal, with outliers compressed.

    Within 3 of the median the scaling is linear; beyond, the excess goes through ``asinh``. A column whose quartiles
    coincide, such as one with mostly zeros, is scaled by the interquartile range of its values off the median, and by
    the standard deviation where even these coincide.
    """

    def fit(self, values: np.ndarray) -> RobustTransform:
        """Learn median and spread; see ``NumericTransform.fit``."""
        self.unit = unit_of(values)
        tame = values / self.unit
        self.center, self.scale = _robust_moments(tame)
        return self

    def _forward(self, values: np.ndarray) -> np.ndarray:
        scaled = _finite(super()._forward(values))
        excess = np.maximum(np.abs(scaled) - _LINEAR_UP_TO, 0.0)
        return np.where(excess > 0.0, np.sign(scaled) * (_LINEAR_UP_TO + np.arcsinh(excess)), scaled)

    def _inverse(self, values: np.ndarray) -> np.ndarray:
        excess = np.maximum(np.abs(values) - _LINEAR_UP_TO, 0.0)
        scaled = np.where(excess > 0.0, np.sign(values) * (_LINEAR_UP_TO + np.sinh(excess)), values)
        return super()._inverse(_finite(scaled))


@dataclass
class QuantileTransform(NumericTransform):
    """Normal scores: piecewise linear between observed quantiles, linear beyond them.

    Tied values, such as many zeros, share the normal score of their middle rank. With more than 1000 distinct values,
    1000 of them at even ranks (and the extremes) are the knots.

    Parameters
    ----------
    unit : float
        Largest observed magnitude; knots are in this unit.
    knots, scores : list of float
        Strictly increasing values and their normal scores.
    """

    unit: float = 1.0
    knots: list[float] | None = None
    scores: list[float] | None = None

    def fit(self, values: np.ndarray) -> QuantileTransform:
        """Learn the knots; see ``NumericTransform.fit``."""
        self.unit = float(np.abs(values).max(initial=0.0)) or 1.0
        knots, counts = np.unique(values / self.unit, return_counts=True)
        ranks = (np.cumsum(counts) - 0.5 * counts) / counts.sum()
        if knots.size > _MOST_KNOTS:
            even = np.searchsorted(ranks, np.linspace(ranks[0], ranks[-1], _MOST_KNOTS))
            chosen = np.unique(np.clip(even, 0, knots.size - 1))
            knots, ranks = knots[chosen], ranks[chosen]
        # A gap so small that score / gap overflows would make interpolation nan; such knots count as tied.
        distinct = np.concatenate([[True], np.diff(knots) > _SMALLEST_GAP])
        knots, ranks = knots[distinct], ranks[distinct]
        normal = NormalDist()
        self.knots = knots.tolist()
        self.scores = [normal.inv_cdf(rank) for rank in ranks.tolist()]
        return self

    def _forward(self, values: np.ndarray) -> np.ndarray:
        return _interpolate(_finite(values / self.unit), *self._curve())

    def _inverse(self, values: np.ndarray) -> np.ndarray:
        knots, scores = self._curve()
        return _interpolate(values, scores, knots) * self.unit

    def _curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Knots and scores with at least two points."""
        knots, scores = np.asarray(self.knots or [0.0]), np.asarray(self.scores or [0.0])
        if knots.size > 1:
            return knots, scores
        return np.concatenate([knots, knots + 1.0]), np.concatenate([scores, scores + 1.0])


def _interpolate(x: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Piecewise-linear curve through the points, continued with the slope of the whole beyond both ends."""
    slope = (ys[-1] - ys[0]) / (xs[-1] - xs[0])
    inside = np.interp(x, xs, ys)
    return inside + slope * (np.minimum(x - xs[0], 0.0) + np.maximum(x - xs[-1], 0.0))


@dataclass
class PowerTransform(NumericTransform):
    """Yeo-Johnson power of the robustly scaled column, then standardised.

    The exponent is the maximum-likelihood one, limited to [0, 2]: within these bounds the power maps all numbers onto
    all numbers, so that its inverse exists for any input.

    Parameters
    ----------
    unit, center, scale : float
        Robust scaling, so that long tails lie far out, where the power bends most.
    exponent : float
        Yeo-Johnson's lambda; 1 is the identity.
    mean, spread : float
        Standardisation of the powers.
    """

    unit: float = 1.0
    center: float = 0.0
    scale: float = 1.0
    exponent: float = 1.0
    mean: float = 0.0
    spread: float = 1.0

    def fit(self, values: np.ndarray) -> PowerTransform:
        """Learn exponent and moments; see ``NumericTransform.fit``."""
        self.unit = unit_of(values)
        tame = values / self.unit
        self.center, self.scale = _robust_moments(tame)
        scaled = (tame - self.center) / self.scale
        self.exponent = _likely_exponent(scaled)
        self.mean, self.spread = _moments(_yeo_johnson(scaled, self.exponent))
        return self

    def _forward(self, values: np.ndarray) -> np.ndarray:
        scaled = _finite((values / self.unit - self.center) / self.scale)
        return (_finite(_yeo_johnson(scaled, self.exponent)) - self.mean) / self.spread

    def _inverse(self, values: np.ndarray) -> np.ndarray:
        powered = _finite(values * self.spread + self.mean)
        scaled = _finite(_inverse_yeo_johnson(powered, self.exponent))
        return (scaled * self.scale + self.center) * self.unit


def _likely_exponent(scaled: np.ndarray) -> float:
    """Yeo-Johnson exponent in [0, 2] from evenly spaced order statistics; 1 when the search fails."""
    if scaled.size > _FITTED_ON:
        scaled = np.sort(scaled)[np.linspace(0, scaled.size - 1, _FITTED_ON).astype(np.intp)]
    search = PowerTransformer(method="yeo-johnson", standardize=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exponent = float(search.fit(scaled.reshape(-1, 1)).lambdas_[0])
    except (ValueError, ArithmeticError):
        return 1.0
    return float(np.clip(exponent, 0.0, 2.0)) if np.isfinite(exponent) else 1.0


def _yeo_johnson(values: np.ndarray, exponent: float) -> np.ndarray:
    positive = _box_cox_of_one_plus(np.maximum(values, 0.0), exponent)
    negative = _box_cox_of_one_plus(np.maximum(-values, 0.0), 2.0 - exponent)
    return np.where(values >= 0.0, positive, -negative)


def _inverse_yeo_johnson(values: np.ndarray, exponent: float) -> np.ndarray:
    positive = _inverse_box_cox(np.maximum(values, 0.0), exponent)
    negative = _inverse_box_cox(np.maximum(-values, 0.0), 2.0 - exponent)
    return np.where(values >= 0.0, positive, -negative)


def _box_cox_of_one_plus(values: np.ndarray, exponent: float) -> np.ndarray:
    """``((1 + x) ** exponent - 1) / exponent`` for x >= 0, its limit ``log(1 + x)`` near exponent 0."""
    if exponent < 1e-8:
        return np.log1p(values)
    return np.expm1(exponent * np.log1p(values)) / exponent


def _inverse_box_cox(values: np.ndarray, exponent: float) -> np.ndarray:
    if exponent < 1e-8:
        return np.expm1(values)
    return np.expm1(np.log1p(_finite(exponent * values)) / exponent)


NUMERIC_TRANSFORMS: dict[str, type[NumericTransform]] = {
    "standard": StandardTransform,
    "robust": RobustTransform,
    "quantile": QuantileTransform,
    "power": PowerTransform,
    "minmax": MinMaxTransform,
}
