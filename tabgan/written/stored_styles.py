"""Styles as plain data for a model file, and back; what a file says is checked before it is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from tabgan.written.clocks import ClockStyle
from tabgan.written.dates import DateStyle
from tabgan.written.detect import Style
from tabgan.written.numbers import NumberStyle

__all__ = ["style_from_state", "style_to_state"]

_KINDS: dict[str, Any] = {"number": NumberStyle, "datetime": DateStyle, "timedelta": ClockStyle}
_LONGEST = 200
_PROBES = {"number": -12345.678, "datetime": np.datetime64("2020-12-31T23:59"), "timedelta": np.timedelta64(35100, "s")}


def style_to_state(style: Style) -> dict[str, Any]:
    """Plain data of a style.

    Examples
    --------
    >>> style_from_state(style_to_state(NumberStyle(","))).write(1.5)
    '1,5'
    """
    return {
        "family": style.family,
        **{name: list(value) if isinstance(value, tuple) else value for name, value in asdict(style).items()},
    }


def style_from_state(state: Mapping[str, Any]) -> Style:
    """The style that `style_to_state` described.

    Raises
    ------
    ValueError
        It describes none.
    """
    values = dict(state)
    family = values.pop("family", None)
    if family not in _KINDS:
        raise ValueError(f"there is no style of family {family!r}")
    cls = _KINDS[family]
    usual = {part.name: part.default for part in fields(cls)} | ({"format": ""} if cls is DateStyle else {})
    for name, value in values.items():
        if name not in usual:
            raise ValueError(f"a style of family {family!r} has no {name!r}")
        values[name] = tuple(value) if isinstance(value, list) else value
        if not _fits(values[name], usual[name]):
            raise ValueError(f"{name!r} of a style is {value!r:.40}")
    style: Style = cls(**values)
    style.write(_PROBES[family])
    return style


def _fits(value: Any, usual: Any) -> bool:
    """Whether a value is of the kind of the default, and small."""
    if type(value) is not type(usual):
        return False
    if isinstance(value, tuple):
        return len(value) in {len(usual), len(usual) or 12} and all(
            isinstance(part, str) and len(part) <= _LONGEST for part in value
        )
    return len(value) <= _LONGEST if isinstance(value, str) else isinstance(value, bool) or -1 < value < 10_000
