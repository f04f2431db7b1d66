"""Messages of the library in the words of the command line: ``max_time=3`` is ``--max-time 3`` there."""

from __future__ import annotations

import re

__all__ = ["in_options"]

_OPTIONS = {
    "max_time": "--max-time",
    "n_steps": "--steps",
    "random_state": "--seed",
    "categorical_features": "--categorical",
    "column_kinds": "--kind",
    "missing_values": "--missing",
    "sampling_strategy": "--strategy",
    "n_repeats": "--repeats",
    "n_draws": "--draws",
    "max_rows": "--max-rows",
    "mechanism": "--mechanism",
    "methods": "--methods",
    "effort": "--effort",
    "objective": "--objective",
    "device": "--device",
    "gate": "--gate",
    "value_range": "--value-range",
    "size": "--size",
    "alpha": "--alpha",
    "recipe": "--recipe",
}
_SIMPLE = ("effort", "objective", "device", "gate", "mechanism", "methods", "size", "alpha", "recipe")
"""English words as well: options only where a value follows."""
_VALUE = r"(?P<value>'[^']*'|\"[^\"]*\"|\[[^\]]*\]|\{[^}]*\}|\([^)]*\)|[-+\w.]+)"
_WITH_VALUE = re.compile(rf"(?<!['\w.])(?P<name>{'|'.join(_OPTIONS)})=(?:{_VALUE})")
_ALONE = re.compile(rf"(?<!['\w.])(?P<name>{'|'.join(name for name in _OPTIONS if name not in _SIMPLE)})(?!['\w=])")


def in_options(text: str) -> str:
    r"""Parameters of the library as options; whatever stands in quotes stays.

    Examples
    --------
    >>> in_options("max_time=3 was too short; allow more in max_time")
    '--max-time 3 was too short; allow more in --max-time'
    >>> in_options("categorical_features=['code'], column_kinds={'code': 'integer'}; column 'max_time'")
    "--categorical code, --kind code=integer; column 'max_time'"
    >>> in_options("sampling_strategy={'cow': 3}: no such class")
    '--strategy \'{"cow": 3}\': no such class'
    >>> in_options("say which with value_range=(0, 16) or value_range=(0, 255)")
    'say which with --value-range 0 16 or --value-range 0 255'
    """
    return _ALONE.sub(lambda found: _OPTIONS[found["name"]], _WITH_VALUE.sub(_option, text))


def _option(found: re.Match[str]) -> str:
    value = found["value"]
    if value[0] == "(":
        value = value[1:-1].replace(",", "")
    elif value[0] == "{" and "': '" not in value:  # numbers by class, as JSON
        value = "'" + value.replace("'", '"') + "'"
    elif value[0] in "[{":
        value = value[1:-1].replace("': '", "=").replace("', '", ",")
        value = value.removeprefix("'").removesuffix("'")
    return f"{_OPTIONS[found['name']]} {value}"
