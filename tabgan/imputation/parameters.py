"""What each parameter of `GAINImputer` may be, as data; checked in one go before anything is read or trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tabgan.exceptions import InvalidParameterError
from tabgan.tables.numeric import NUMERIC_TRANSFORMS

__all__ = ["check", "is_count", "parameter_error", "seed"]

Rule = tuple[Callable[[Any], Any], str]


def _integer(low: int) -> Rule:
    return lambda v: isinstance(v, (int, np.integer)) and not isinstance(v, bool) and v >= low, f"an integer >= {low}"


def _number(low: float, high: float = float("inf"), *, open_low: bool = False, note: str = "") -> Rule:
    def holds(v: Any) -> Any:
        return (
            isinstance(v, (int, float, np.number))
            and not isinstance(v, bool)
            and (low < v if open_low else low <= v)
            and v <= high
        )

    bound = f"> {low:g}" if open_low else f">= {low:g}"
    return holds, f"a number {bound}" + (f" and <= {high:g}" if high != float("inf") else "") + note


def _one_of(*choices: Any) -> Rule:
    return lambda v: isinstance(v, str) and v in choices, "one of " + ", ".join(map(repr, choices))


def _optional(rule: Rule) -> Rule:
    return lambda v: v is None or rule[0](v), f"None or {rule[1]}"


def _rates(v: Any) -> bool:
    try:
        low, high = v
    except (TypeError, ValueError):
        return False
    return all(isinstance(rate, (int, float, np.number)) for rate in (low, high)) and 0 <= low <= high < 1 and high > 0


def _is_seed(v: Any) -> bool:
    return (
        v is None
        or isinstance(v, np.random.RandomState)
        or (isinstance(v, (int, np.integer)) and not isinstance(v, bool) and bool(0 <= v < 2**32))
    )


_BOOLEAN: Rule = (lambda v: isinstance(v, (bool, np.bool_)), "True or False")

RULES: dict[str, Rule] = {
    "objective": _one_of("remask", "paper"),
    "n_steps": _integer(1),
    "batch_size": _integer(1),
    "learning_rate": _number(0, open_low=True),
    "width": _integer(1),
    "n_blocks": _integer(0),
    "n_members": _integer(1),
    "n_bins": _integer(1),
    "hide_rates": (_rates, "two rates (low, high) with 0 <= low <= high < 1 and high > 0"),
    "pattern_fraction": _number(0, 1),
    "validation_fraction": _number(0, 0.5),
    "patience": _integer(1),
    "draw_steps": _integer(0),
    "adversarial_weight": _number(0),
    "alpha": _number(0),
    "hint": _one_of("code", "paper"),
    "hint_rate": _number(0, 1),
    "activation": _one_of("relu", "tanh"),
    "numeric_transform": _optional(_one_of(*NUMERIC_TRANSFORMS)),
    "max_categories": _integer(1),
    "unseen_categories": _one_of("missing", "error"),
    "round_like_observed": _BOOLEAN,
    "keep_empty_features": _BOOLEAN,
    "add_indicator": _BOOLEAN,
    "sample_posterior": _BOOLEAN,
    "warm_start": _BOOLEAN,
    "max_time": _optional(_number(0, open_low=True, note=" (seconds)")),
    "random_state": (_is_seed, "None, an integer from 0 to 2**32 - 1, or a numpy RandomState"),
    "n_threads": _optional(_integer(1)),
    "verbose": (lambda v: isinstance(v, (int, np.integer)) and v >= 0, "an integer >= 0"),
}


def check(estimator: Any) -> None:
    """Check every parameter that has a rule.

    Raises
    ------
    InvalidParameterError
        Names the first parameter that breaks its rule, its value and the rule.
    """
    for name, (holds, _) in RULES.items():
        value = getattr(estimator, name)
        if not holds(value):
            raise parameter_error(name, value, RULES[name][1])


def parameter_error(name: str, value: Any, expected: str) -> InvalidParameterError:
    """The one wording for a bad parameter."""
    return InvalidParameterError(f"{name}={value!r} is not valid; it must be {expected}.")


def is_count(value: Any) -> bool:
    """Whether a value is an integer of at least 1."""
    return bool(RULES["n_steps"][0](value))


def seed(random_state: Any) -> int:
    """A torch seed: fresh entropy for None, a draw for a RandomState, the number itself otherwise."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    return int(random_state)
