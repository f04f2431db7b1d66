"""Which values are black and white: as stated, as the type says, or as found; what could be read in two ways is refused."""

from __future__ import annotations

from typing import Any

import numpy as np

from tabgan._warnings import warn_caller
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images.image_format import ImageFormat

__all__ = ["check_like_training", "range_of", "stated_range"]

_DEPTHS = (10, 12, 14, 16)
"""Bits of cameras and scanners whose values come in whole numbers of 16 bits."""
_DARK = 64
"""Bytes that stay below this are as likely digits, classes or masks as very dark pictures."""


def stated_range(value_range: Any) -> tuple[float, float] | None:
    """The ``value_range`` of a user, checked.

    Raises
    ------
    InvalidParameterError
        It is no pair of rising numbers.
    """
    if value_range is None:
        return None
    try:
        low, high = (float(bound) for bound in value_range)
    except (TypeError, ValueError) as error:
        raise InvalidParameterError(f"value_range={value_range!r} must be two numbers (low, high).") from error
    if not low < high:
        raise InvalidParameterError(f"value_range={value_range!r} must have low < high.")
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InvalidParameterError(f"value_range={value_range!r} must be finite: between them lie all values.")
    return low, high


def range_of(
    dtype: str, least: float, most: float, value_range: tuple[float, float] | None, name: str
) -> tuple[float, float]:
    """Values of black and white.

    Parameters
    ----------
    dtype : str
        Of the values.
    least, most : float
        The smallest and the largest value there is.
    value_range : (low, high) or None
        As stated; None goes by type and values.
    name : str
        How errors call the images.

    Returns
    -------
    low, high : float

    Raises
    ------
    InvalidInputError
        Values lie outside, or can be read in two ways; names both.
    """
    stated = stated_range(value_range)
    if stated is not None:
        if _outside(dtype, least, most, stated):
            raise InvalidInputError(
                f"{name} has values from {least:g} to {most:g}, outside value_range={value_range!r}."
            )
        return stated
    kind = np.dtype(dtype).kind
    if kind == "b" or (kind in "ui" and dtype != "uint8" and least >= 0 and most <= 1):
        return 0.0, 1.0
    if kind in "ui" and 0 < most < _DARK and least >= 0:
        raise InvalidInputError(
            f"{name} has whole numbers from {least:g} to {most:g}: white may be {most:g} (digits, classes, masks) or 255 (very dark "
            f"pictures); say which with value_range=(0, {most:g}) or value_range=(0, 255)."
        )
    if dtype == "uint16" and 0 < most < 256:
        raise InvalidInputError(
            f"{name} has 16-bit values up to {most:g}: white may be 255 or 65535; say which with value_range=(0, 255) or "
            "value_range=(0, 65535)."
        )
    if kind in "ui" and dtype != "uint8" and least >= 0 and 255 < most < 2**16:
        bits = next(bits for bits in _DEPTHS if most < 2**bits)
        white = min(2**bits - 1, np.iinfo(dtype).max)  # what is made has to fit into the type
        if bits < 16:
            warn_caller(
                f"{name} has values up to {most:g}, which is read as {bits} bits: white is {white}; value_range=(0, white) says "
                "otherwise."
            )
        return 0.0, float(white)
    guess = (0.0, float(min(255, np.iinfo(dtype).max))) if kind in "ui" else (0.0, 1.0) if least >= 0 else (-1.0, 1.0)
    if least < guess[0] or most > guess[1]:
        raise InvalidInputError(
            f"{name} has values from {least:g} to {most:g}, which is neither 0 to 1 nor -1 to 1 (nor uint8); say what black and "
            "white are with value_range=(low, high)."
        )
    return guess


def check_like_training(form: ImageFormat, dtype: str, least: float, most: float, name: str) -> None:
    """Refuse values on another scale than those of training, which would be translated without a word, all black or grey.

    Parameters
    ----------
    form : ImageFormat
        Of training.
    dtype : str
        Of the values.
    least, most : float
        The smallest and the largest value there is.
    name : str
        How errors call the images.

    Raises
    ------
    InvalidInputError
        Values lie outside the range of training, or are floats in a small part of it; names both ranges.
    """
    low, high = form.low, form.high
    trained = f"training had black at {low:g} and white at {high:g}"
    if _outside(dtype, least, most, (low, high)):
        raise InvalidInputError(f"{name} has values from {least:g} to {most:g}, but {trained}; scale them alike.")
    whole = np.dtype(form.dtype).kind in "ui"
    if whole and np.dtype(dtype).kind == "f" and most <= 1 < high:
        raise InvalidInputError(
            f"{name} has {dtype} values from {least:g} to {most:g}, but {trained}; multiply them by {high:g}."
        )
    if whole and dtype == "uint8" and np.dtype(form.dtype).itemsize > 1 and high > 255:
        raise InvalidInputError(
            f"{name} has bytes, but {trained} ({form.dtype}); give the same kind of images, not their 8-bit copies."
        )
    if low < 0 <= least and high <= 1 and most > 0:
        warn_caller(f"{name} has values from {least:g} to {most:g}, but {trained}; if black is 0 in them, scale them.")


def _outside(dtype: str, least: float, most: float, bounds: tuple[float, float]) -> bool:
    """Whether values pass their bounds, which are no numbers of every type: 2.4 is 2.4000001 in float32."""
    kind = np.dtype(dtype)
    low, high = (float(kind.type(bound)) for bound in bounds) if kind.kind == "f" else bounds
    return least < low or most > high
