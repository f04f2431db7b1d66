"""Labels and column names as tagged JSON, so that each comes back with its type; and a fixed order for labels."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidInputError

__all__ = [
    "LISTED",
    "label_from_json",
    "label_to_json",
    "shown_names",
    "sorted_labels",
    "with_labels_as_text",
    "with_labels_from_text",
]

LISTED = 5
"""Names that a message lists, a line each; in one line four times as many."""


_LABEL = "$label"


def sorted_labels(labels: Iterable) -> list:
    """Labels by type name, then by value; by text where values of a type have no order."""
    listed = list(labels)
    try:
        return sorted(listed, key=lambda label: (type(label).__name__, label))
    except TypeError:
        return sorted(listed, key=lambda label: (type(label).__name__, str(label)))


def shown_names(names: list) -> str:
    """Names for a message, in one line, shortened."""
    shown = ", ".join(repr(name) for name in names[: 4 * LISTED])
    return f"[{shown}, ...]" if len(names) > 4 * LISTED else f"[{shown}]"


def label_to_json(label: Any) -> list:
    """``[tag, payload]`` of a label, fit for ``json.dumps(..., allow_nan=False)``.

    Parameters
    ----------
    label : object
        None, NaT, bool, int, float, str, bytes, Decimal, Fraction, date, time, datetime, Timestamp, Timedelta, timedelta, Interval,
        or a tuple of these. Numpy scalars count as the Python value they equal.

    Raises
    ------
    InvalidInputError
        The label has another type.
    """
    if isinstance(label, np.datetime64 | np.timedelta64):
        label = pd.Timestamp(label) if isinstance(label, np.datetime64) else pd.Timedelta(label)
    simple = _simple_to_json(label)
    if simple is not None:
        return simple
    if isinstance(label, pd.Timestamp):
        moment = label if label.tz is None else label.tz_convert("UTC").tz_localize(None)
        zone = None if label.tz is None else str(label.tz)
        return ["timestamp", [str(moment.to_datetime64().astype(np.int64)), label.unit, zone]]
    if isinstance(label, pd.Timedelta):
        return ["timedelta", [str(label.to_timedelta64().astype(np.int64)), label.unit]]
    if isinstance(label, datetime.datetime):
        return ["datetime", label.isoformat()]
    if isinstance(label, datetime.date):
        return ["date", label.isoformat()]
    if isinstance(label, datetime.timedelta):
        return ["pytimedelta", [label.days, label.seconds, label.microseconds]]
    if isinstance(label, datetime.time):
        return ["time", label.isoformat()]
    if isinstance(label, pd.Interval):
        return ["interval", [label_to_json(label.left), label_to_json(label.right), label.closed]]
    if isinstance(label, tuple):
        return ["tuple", [label_to_json(part) for part in label]]
    raise InvalidInputError(
        f"the label {label!r} of type {type(label).__name__} cannot be stored in a model file; convert it to text, a "
        "number, a date or a tuple of these first."
    )


def _simple_to_json(label: Any) -> list | None:
    if label is None:
        return ["none", None]
    if label is pd.NaT:  # in a name; it counts as a datetime
        return ["nat", None]
    if isinstance(label, bool | np.bool_):
        return ["bool", bool(label)]
    if isinstance(label, int | np.integer):
        return ["int", str(int(label))]
    if isinstance(label, float | np.floating):
        return ["float", float(label).hex()]
    if isinstance(label, str):
        return ["str", str(label)]
    if isinstance(label, bytes):
        return ["bytes", base64.b64encode(label).decode("ascii")]
    if isinstance(label, Decimal):
        return ["decimal", str(label)]
    if isinstance(label, Fraction):
        return ["fraction", str(label)]
    return None


def label_from_json(tagged: list) -> Any:
    """Label of ``[tag, payload]`` as ``label_to_json`` made it.

    Raises
    ------
    InvalidInputError
        The tag is unknown, or the payload does not fit it.
    """
    try:
        tag, payload = tagged
        return _READERS[tag](payload)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(f"{tagged!r} is not a stored label; the file is damaged or from elsewhere.") from error


def _timestamp(payload: list) -> pd.Timestamp:
    count, unit, zone = payload
    stamp = pd.Timestamp(np.datetime64(int(count), unit))
    return stamp if zone is None else stamp.tz_localize("UTC").tz_convert(zone)


def _interval(payload: list) -> pd.Interval:
    left, right, closed = payload
    return pd.Interval(label_from_json(left), label_from_json(right), closed=closed)


_READERS: dict[str, Any] = {
    "none": lambda payload: None,
    "nat": lambda payload: pd.NaT,
    "bool": bool,
    "int": int,
    "float": float.fromhex,
    "str": str,
    "bytes": base64.b64decode,
    "decimal": Decimal,
    "timestamp": _timestamp,
    "timedelta": lambda payload: pd.Timedelta(np.timedelta64(int(payload[0]), payload[1])),
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "fraction": Fraction,
    "pytimedelta": lambda payload: datetime.timedelta(*payload),
    "interval": _interval,
    "tuple": lambda payload: tuple(label_from_json(part) for part in payload),
}


def with_labels_as_text(value: Any) -> Any:
    """Parameters as a model file can hold them: in dicts, lists and tuples, labels such as dates and decimals become tagged text."""
    if isinstance(value, dict):
        return {with_labels_as_text(key): with_labels_as_text(item) for key, item in value.items()}
    if isinstance(value, list | set | frozenset):
        return [with_labels_as_text(item) for item in value]
    if type(value) is tuple:
        return tuple(with_labels_as_text(item) for item in value)
    if isinstance(value, np.ndarray):
        return [with_labels_as_text(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    try:
        return (_LABEL, json.dumps(label_to_json(value)))
    except InvalidInputError:
        return value


def with_labels_from_text(value: Any) -> Any:
    """What `with_labels_as_text` was given, arrays and sets as lists."""
    if isinstance(value, dict):
        return {with_labels_from_text(key): with_labels_from_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_labels_from_text(item) for item in value]
    if isinstance(value, tuple) and value[:1] == (_LABEL,):
        return label_from_json(json.loads(value[1]))
    return tuple(with_labels_from_text(item) for item in value) if isinstance(value, tuple) else value
