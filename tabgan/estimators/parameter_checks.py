"""What a parameter of an estimator may be, as data: rules that are checked in one go before anything is read or trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tabgan.exceptions import parameter_error

__all__ = [
    "BOOLEAN",
    "JOBS",
    "SEED",
    "Rule",
    "check",
    "check_value",
    "integer",
    "key_of",
    "number",
    "one_of",
    "optional",
    "pair_of",
    "seed_of",
]

Rule = tuple[Callable[[Any], Any], str]
"""A test and the words that end "it must be ..."."""


def integer(low: int) -> Rule:
    """A whole number of at least ``low`` that sizes and counters can hold; booleans are not numbers."""
    return (
        lambda v: isinstance(v, (int, np.integer)) and not isinstance(v, bool) and low <= v < 2**31,
        f"an integer >= {low} and < 2**31",
    )


def number(
    low: float, high: float = float("inf"), *, open_low: bool = False, infinite: bool = False, note: str = ""
) -> Rule:
    """A number from ``low`` (not itself allowed with ``open_low``) to ``high``; infinity only where ``infinite`` says so."""

    def holds(v: Any) -> Any:
        return (
            isinstance(v, (int, float, np.integer, np.floating))
            and not isinstance(v, bool)
            and not (isinstance(v, int) and abs(v) >= 2**63)  # torch takes no larger ones
            and (low < v if open_low else low <= v)
            and (v <= high if infinite else v <= high and v != float("inf"))
        )

    bound = f"> {low:g}" if open_low else f">= {low:g}"
    return holds, f"a number {bound}" + (
        f" and <= {high:g}" if high != float("inf") else "" if infinite else " and finite"
    ) + note


def one_of(*choices: Any) -> Rule:
    """One of some strings."""
    return lambda v: isinstance(v, str) and v in choices, "one of " + ", ".join(map(repr, choices))


def key_of(table: Mapping[str, Any]) -> Rule:
    """A key of a table, also one that is entered later."""
    return lambda v: isinstance(v, str) and v in table, "one of " + ", ".join(map(repr, table))


def pair_of(rule: Rule) -> Rule:
    """A tuple or list of two values that ``rule`` allows."""
    return (
        lambda v: isinstance(v, (tuple, list)) and len(v) == 2 and all(map(rule[0], v)),
        f"two values, each {rule[1]}",
    )


def optional(rule: Rule) -> Rule:
    """None, or what ``rule`` allows."""
    return lambda v: v is None or rule[0](v), f"None or {rule[1]}"


def _is_seed(v: Any) -> bool:
    return (
        v is None
        or isinstance(v, np.random.RandomState)
        or (isinstance(v, (int, np.integer)) and not isinstance(v, bool) and bool(0 <= v < 2**32))
    )


def _is_jobs(v: Any) -> bool:
    return v is None or (isinstance(v, (int, np.integer)) and not isinstance(v, bool) and 0 < abs(int(v)) < 2**15)


BOOLEAN: Rule = (lambda v: isinstance(v, (bool, np.bool_)), "True or False")
JOBS: Rule = (_is_jobs, "None, a number of jobs, or -1 for all cores")
SEED: Rule = (_is_seed, "None, an integer from 0 to 2**32 - 1, or a numpy RandomState")


def check(estimator: Any, rules: Mapping[str, Rule]) -> None:
    """Check every parameter that has a rule.

    Raises
    ------
    InvalidParameterError
        Names the first parameter that breaks its rule, its value and the rule.
    """
    for name, rule in rules.items():
        check_value(name, getattr(estimator, name), rule)


def check_value(name: str, value: Any, rule: Rule) -> None:
    """Check what a method was given.

    Raises
    ------
    InvalidParameterError
        Names the argument, its value and the rule that it breaks.
    """
    if not rule[0](value):
        raise parameter_error(name, value, rule[1])


def seed_of(random_state: Any) -> int:
    """A torch seed: fresh entropy for None, a draw for a RandomState, the number itself otherwise."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    return int(random_state)
