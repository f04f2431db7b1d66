"""Which Arrow types a model column can stand for, told by their text, so that pyarrow need not be there; fills of some of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import numpy as np

__all__ = ["as_decimals", "dictionary_of", "filled_dictionary", "has_null_label", "is_supported_arrow"]

_MOST_DIGITS = 38
"""Of a decimal type that does not say how many it has."""

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
    most = Decimal(10 ** (kind.precision or _MOST_DIGITS) - 1).scaleb(-kind.scale)
    return [min(max(Decimal(f"{value:.{kind.scale}f}"), -most), most) for value in values]


def dictionary_of(column: Any) -> Any:
    """The one DictionaryArray of a chunked column of dictionary type."""
    unified = column.unify_dictionaries().combine_chunks()
    return unified.chunk(0) if hasattr(unified, "num_chunks") else unified


def filled_dictionary(column: Any, rows: np.ndarray, values: np.ndarray) -> Any:
    """Chunked column of dictionary type with other labels in some rows; its dictionary is extended where it is not ordered.

    Raises
    ------
    ValueError
        A label is not in an ordered dictionary.
    """
    import pyarrow

    array = dictionary_of(column)
    levels = array.dictionary.to_pylist()
    further = [label for label in dict.fromkeys(values) if label not in levels]
    if further and array.type.ordered:
        raise ValueError(f"{further[0]!r} is not in its ordered dictionary")
    levels += further
    positions = {label: index for index, label in enumerate(levels)}
    indices = array.indices.to_pylist()
    for row, label in zip(rows, values, strict=True):
        indices[row] = positions[label]
    filled = type(array).from_arrays(
        pyarrow.array(indices, type=array.indices.type),
        pyarrow.array(levels, type=array.dictionary.type),
        ordered=array.type.ordered,
    )
    return pyarrow.chunked_array([filled])
