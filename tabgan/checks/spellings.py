"""Labels that look like one label written in several ways: "Male", "male " and "MALE"."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping

from tabgan.checks.findings import Finding
from tabgan.checks.row_names import is_row_name
from tabgan.tables.columns import Table
from tabgan.wording import counted

__all__ = ["alike_labels", "find_spellings"]

_MOST_SETS = 2
_MOST_OF_A_SET = 4
_STEPS: dict[str, Callable[[str], str]] = {
    ".str.normalize('NFKC')": lambda text: unicodedata.normalize("NFKC", text),
    ".str.split().str.join(' ')": lambda text: " ".join(text.split()),
    ".str.strip()": str.strip,
    ".str.casefold()": str.casefold,
    ".str.lower()": str.lower,
}
"""Methods of pandas by what they do to one text; each is left out where the others are enough, the first ones first."""


def find_spellings(table: Table, classes: Mapping[Hashable, int] | None = None, target: str = "y") -> list[Finding]:
    """Find the columns of labels in which some differ only in case, in blanks, or in signs that look alike.

    Parameters
    ----------
    table : Table
    classes : mapping of label to number of rows, default=None
        The classes of its rows, where they have some.
    target : str, default="y"
        What holds the classes, for the message.

    Returns
    -------
    list of Finding
        One for each such column, that about classes first. Columns that name rows have none: they are to be left out, and nothing is
        learned from them.

    Examples
    --------
    >>> from tabgan.tables.frames import read_table
    >>> (found,) = find_spellings(read_table([["Yes"], ["yes "], ["no"]]))
    >>> found.what
    "column 0 holds labels that differ only in case or blanks: 'Yes' (1 cell) and 'yes ' (1 cell)"
    """
    found = []
    sets = alike_labels(classes or {})
    if sets:
        advice = "they are different classes; if they mean the same, make them alike first"
        found.append(Finding("spelling", (), f"{target} holds {_told(sets, 'row')}", advice, advice))
    for column in table.columns:
        if column.family not in ("text", "category"):
            continue
        sets = alike_labels(Counter(column.values[~column.missing].tolist()))
        if sets and not is_row_name(column):
            name = repr(column.name)
            advice = f"they are kept apart; if they mean the same, make them alike first{_by_pandas(sets, name)}"
            option = "they are kept apart; if they mean the same, make them alike in the file first"
            found.append(
                Finding("spelling", (column.name,), f"column {name} holds {_told(sets, 'cell')}", advice, option)
            )
    return found


def alike_labels(labels: Mapping[Hashable, int]) -> list[dict[Hashable, int]]:
    """Sets of labels that are one when case, blanks and the code points of equal letters do not count.

    Parameters
    ----------
    labels : mapping of label to number of cells
        Those that are no texts are passed over.

    Returns
    -------
    list of dict of label to number of cells
        Each with two labels or more, the most common first; sets with the most cells first.

    Examples
    --------
    >>> alike_labels({"Rome": 5, "rome": 9, "Oslo": 7, "New  York": 1, "New York": 3})
    [{'rome': 9, 'Rome': 5}, {'New York': 3, 'New  York': 1}]
    """
    sets: dict[str, dict[Hashable, int]] = {}
    for label, n in labels.items():
        if isinstance(label, str):
            sets.setdefault(_plain(label), {})[label] = n
    several = [alike for alike in sets.values() if len(alike) > 1]
    ordered = [dict(sorted(alike.items(), key=lambda item: -item[1])) for alike in several]
    return sorted(ordered, key=lambda alike: -sum(alike.values()))


def _told(sets: list[dict[Hashable, int]], what: str) -> str:
    """Sets of `alike_labels` in words: how they differ, and the labels with their numbers of cells."""
    shown = "; ".join(_set_told(alike, what) for alike in sets[:_MOST_SETS])
    more = f"; and {counted(len(sets) - _MOST_SETS, 'more set')}" if len(sets) > _MOST_SETS else ""
    return f"labels that {_difference(sets)}: {shown}{more}"


def _set_told(alike: dict[Hashable, int], what: str) -> str:
    told = [f"{_shown(label)} ({counted(n, what)})" for label, n in list(alike.items())[:_MOST_OF_A_SET]]
    if len(alike) > _MOST_OF_A_SET:
        return f"{', '.join(told)} and {len(alike) - _MOST_OF_A_SET} more"
    return f"{', '.join(told[:-1])} and {told[-1]}"


def _shown(label: Hashable) -> str:
    """A label in quotes; with escapes where it holds what one cannot see, or cannot tell from another."""
    text = repr(label)
    hidden = any(unicodedata.category(letter) in ("Mn", "Cf", "Zs") and letter != " " for letter in str(label))
    return ascii(label) if hidden else text


def _plain(label: str) -> str:
    """What is left of a label without case, superfluous blanks and marks that cannot be seen."""
    if label.isascii():
        return " ".join(label.lower().split())
    seen = "".join(letter for letter in unicodedata.normalize("NFKC", label) if unicodedata.category(letter) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", seen.casefold()).split())


def _without(alike: Iterable[Hashable]) -> set[str]:
    """Labels with single blanks between words alone."""
    return {" ".join(str(label).split()) for label in alike}


def _differ_in(sets: list[dict[Hashable, int]]) -> tuple[bool, bool, bool]:
    """Whether case, blanks, and the code points of letters make the labels of some set differ."""
    in_case = in_blanks = in_letters = False
    for alike in sets:
        blankless = _without(alike)
        folded = {text.casefold() for text in blankless}
        in_blanks |= len({str(label).casefold() for label in alike}) > len(folded)
        in_case |= len(folded) < len(blankless)
        in_letters |= len(folded) > 1
    return in_case, in_blanks, in_letters


def _difference(sets: list[dict[Hashable, int]]) -> str:
    in_case, in_blanks, in_letters = _differ_in(sets)
    ways = ["case"] * in_case + ["blanks"] * in_blanks + ["letters that look alike"] * in_letters
    return f"differ only in {' or '.join(ways)}"


def _by_pandas(sets: list[dict[Hashable, int]], name: str) -> str:
    """What makes the labels alike in pandas, where some of its methods for texts do."""
    needed = list(_STEPS)
    for step in _STEPS:
        if _joined(sets, [one for one in needed if one != step]):
            needed.remove(step)
    return f", as table[{name}]{''.join(needed)} does" if _joined(sets, needed) else ""


def _joined(sets: list[dict[Hashable, int]], steps: list[str]) -> bool:
    """Whether these steps leave one label of each set."""

    def after(label: Hashable) -> str:
        text = str(label)
        for step in steps:
            text = _STEPS[step](text)
        return text

    return all(len({after(label) for label in alike}) == 1 for alike in sets)
