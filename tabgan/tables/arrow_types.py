"""Which Arrow types a model column can stand for. Types are told by their text, so that pyarrow need not be there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import numpy as np

__all__ = ["as_decimals", "has_null_label", "is_supported_arrow"]

_LABELS = r"string|large_string|binary|large_binary|fixed_size_binary\[\d+\]"
_NUMBERS = r"u?int(8|16|32|64)|halffloat|float|double|bool"
_VALUES = re.compile(
    rf"{_LABELS}|{_NUMBERS}|decimal\d+\(\d+, \d+\)|date32\[day\]|date64\[ms\]|timestamp\[.+\]|duration\[.+\]|null"
)
_OF_DICTIONARIES = re.compile(rf"{_LABELS}|{_NUMBERS}")
_OF_EXTENSIONS = re.compile(_LABELS)


def is_supported_arrow(kind: Any) -> bool:
    """Whether cells of an Arrow type are single values that can be filled and written back as that type.

    Parameters
    ----------
    kind : pyarrow.DataType

    Returns
    -------
    bool
        True for numbers, truth values, texts, bytes, dates, moments and durations, for dictionaries of numbers or labels, and for
        extension types that store labels (UUID, JSON). False for times of day, calendar intervals, nested and run-end encoded
        types, views, decimals with a negative scale, and whatever else there is.
    """
    text = str(kind)
    if hasattr(kind, "storage_type"):
        return _OF_EXTENSIONS.fullmatch(str(kind.storage_type)) is not None
    if text.startswith("dictionary<"):
        return _OF_DICTIONARIES.fullmatch(str(kind.value_type)) is not None
    return _VALUES.fullmatch(text) is not None


def has_null_label(chunks: Iterable[Any]) -> bool:
    """Whether the dictionary of a chunk of dictionary type holds a null, so that cells are missing without being null."""
    return any(chunk.dictionary.null_count for chunk in chunks)


def as_decimals(values: np.ndarray, kind: Any) -> list[Decimal]:
    """Numbers as decimals of a type with ``precision`` and ``scale``, rounded to its digits and kept to what it can hold.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> as_decimals(np.array([1.239, 99.999]), SimpleNamespace(precision=4, scale=2))
    [Decimal('1.24'), Decimal('99.99')]
    """
    most = Decimal(10**kind.precision - 1).scaleb(-kind.scale)
    return [min(max(Decimal(f"{value:.{kind.scale}f}"), -most), most) for value in values]
