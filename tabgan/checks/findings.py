"""`Finding`: what somebody should look at in a table before it is filled, in the words of Python and of the command line."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["KINDS", "Finding", "first_of_each", "names_listed", "shown_number"]

KINDS = {
    "first row": "a first row taken for names",
    "written": "text that mostly reads as numbers or dates",
    "sentinel": "numbers and dates that stand for a missing value",
    "spelling": "labels that differ only in case or blanks",
    "id": "columns that name rows",
    "codes": "whole numbers that may be codes",
    "duplicates": "rows or columns that repeat others",
    "empty rows": "rows without any value",
}
"""Kinds of findings, and what each is about."""


@dataclass(frozen=True)
class Finding:
    """One thing to look at.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.
    columns : tuple of Hashable
        Those concerned; () for the table as a whole.
    what : str
        What was seen, a sentence without its full stop.
    advice : str
        What to do in Python.
    option : str, default=""
        What to do on the command line.
    flags : tuple of str, default=()
        Arguments that do it, where the evidence is enough to suggest them.
    parameters : dict of str to object, default={}
        Parameters of `tabgan.GAINImputer` that do it, likewise.
    value : object, default=None
        The value that the finding is about, where there is one.
    is_suspicion : bool, default=True
        It may be wrong, and matters for what is filled in; False for plain facts.
    """

    kind: str
    columns: tuple[Hashable, ...]
    what: str
    advice: str = ""
    option: str = ""
    flags: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    value: Any = None
    is_suspicion: bool = True

    def text(self, command_line: bool = False) -> str:
        """The finding and what to do about it.

        Parameters
        ----------
        command_line : bool, default=False
            In options instead of parameters.
        """
        advice = self.option if command_line else self.advice
        return f"{self.what}; {advice}" if advice else self.what


def first_of_each(findings: Iterable[Finding], most: int = 2) -> tuple[list[Finding], int]:
    """At most so many findings of each kind, and how many are left over.

    Examples
    --------
    >>> first_of_each([Finding("id", (name,), f"{name!r} names rows") for name in "abc"])[1]
    1
    """
    kept: list[Finding] = []
    seen: dict[str, int] = {}
    left = 0
    for finding in findings:
        seen[finding.kind] = seen.get(finding.kind, 0) + 1
        if seen[finding.kind] <= most:
            kept.append(finding)
        else:
            left += 1
    return kept, left


def shown_number(value: float) -> str:
    """A number as people write it: whole ones without a point.

    Examples
    --------
    >>> shown_number(-999.0), shown_number(0.25)
    ('-999', '0.25')
    """
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value:.6g}"


def names_listed(names: Sequence[Hashable], most: int = 6) -> str:
    """Column names for a sentence, the first few of them."""
    shown = ", ".join(repr(str(name)) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
