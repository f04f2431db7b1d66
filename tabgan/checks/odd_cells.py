"""Columns of text most of whose cells read as numbers or dates: a few others made labels of them all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence

import numpy as np

from tabgan.checks.findings import Finding
from tabgan.checks.suspicions import PADDED
from tabgan.tables.columns import RawColumn, Table
from tabgan.wording import counted
from tabgan.written.dates import formats_of
from tabgan.written.detect import ENOUGH, Ambiguous, style_of
from tabgan.written.numbers import PLAIN, body_of
from tabgan.written.units import unit_in

__all__ = ["find_odd_cells", "number_like", "reads_mostly_as", "several_units", "unread_texts"]

_FEWEST_CELLS = 10
_MOSTLY = 0.8
_MOST_SHOWN = 3
_PROBES = 200
_FEW_TEXTS = 20
_YEAR = re.compile(r"(?<!\d)(1[89]|20)\d\d(?!\d)")
"""What holds one is a date written otherwise, and no marker of a missing one."""


def number_like(text: str) -> bool:
    """Whether a cell reads as a number, plain or with a unit or marks around it."""
    return PLAIN.read_one(text) is not None or body_of(text) is not None


def _date_like(text: str) -> bool:
    return bool(formats_of(text))


def find_odd_cells(table: Table) -> list[Finding]:
    """Find the columns of text that would be numbers or dates but for a few cells.

    Parameters
    ----------
    table : Table

    Returns
    -------
    list of Finding
        One for each column of text of which four fifths or more of the cells read as numbers, or as dates, but not all of them. Codes
        with leading zeros (007) are no numbers.
    """
    found = []
    for column in table.columns:
        seen = reads_mostly_as(column)
        if seen is not None:
            what, odd, n_cells = seen
            found.append(_finding(str(column.name), what, odd, sum(odd.values()), n_cells))
        elif units := several_units(column):
            found.append(_of_units(str(column.name), units))
    return found


def several_units(column: RawColumn) -> dict[str, int]:
    """Units of a column of text whose cells nearly all are amounts in some unit.

    Parameters
    ----------
    column : RawColumn

    Returns
    -------
    dict of str to int
        Cells by unit, the commonest first; empty for all other columns, and where there is one unit.
    """
    if column.family not in ("text", "category"):
        return {}
    counts = Counter(str(cell).strip() for cell in column.values[~column.missing])
    if sum(counts.values()) < _FEWEST_CELLS:
        return {}
    units: Counter[str] = Counter()
    for text, n in counts.items():
        parts = body_of(text)
        if parts is not None and (unit := unit_in(parts[0]) or unit_in(parts[2])):
            if len(unit) == 1 and unit.isupper():
                return {}  # 5 A and 5 D are classes of a school
            units[unit] += n
    if sum(units.values()) < ENOUGH * sum(counts.values()) or len(units) < 2:
        return {}
    return dict(units.most_common())


def _of_units(name: str, units: Mapping[str, int]) -> Finding:
    shown = " and ".join(f"{unit} ({counted(n, 'cell')})" for unit, n in list(units.items())[:_MOST_SHOWN])
    more = f" and {len(units) - _MOST_SHOWN} more" if len(units) > _MOST_SHOWN else ""
    return Finding(
        "written",
        (name,),
        f"column {name!r} is treated as text, as its amounts have several units: {shown}{more}",
        "convert them to one",
        "convert them to one in the file first",
    )


def reads_mostly_as(column: RawColumn) -> tuple[str, dict[str, int], int] | None:
    """What four fifths of the cells of a column of text read as, the other texts with their numbers of cells, and all cells.

    Parameters
    ----------
    column : RawColumn

    Returns
    -------
    tuple of (str, dict of str to int, int) or None
        The style in words, such as "numbers with a decimal comma"; None where fewer cells have one, or there are few cells.
    """
    if column.family not in ("text", "category"):
        return None
    counts = Counter(str(cell).strip() for cell in column.values[~column.missing])
    n_cells = sum(counts.values())
    if n_cells < _FEWEST_CELLS or any(text.isdigit() and PADDED.match(text) for text in counts):
        return None
    for looks in (number_like, _date_like):
        some = [text for text in counts if looks(text)]
        if sum(counts[text] for text in some) < _MOSTLY * n_cells:
            continue
        style = style_of(text for text in some for _ in range(counts[text]))
        if style is None:  # 00.00.0000 looks like a date, and is none
            some = [text for text in some if style_of([text]) is not None]
            style = style_of(text for text in some for _ in range(counts[text]))
        if style is None:
            continue
        if isinstance(style, Ambiguous):
            return (
                f"{style.kind}s, {style.example!r} as {' or '.join(style.meanings())}",
                _others(counts, some),
                n_cells,
            )
        odd = _others(counts, [text for text in some if style.read_one(text) is not None])
        if sum(odd.values()) <= (1 - _MOSTLY) * n_cells:
            return style.describe(), odd, n_cells
    return None


def unread_texts(table: Table, declared: Collection[Hashable] = ()) -> dict[Hashable, str]:
    """Columns of text that surely are dates or amounts, and would be modelled as labels.

    Parameters
    ----------
    table : Table
    declared : collection of names or positions
        Columns of which the user has said what they are.

    Returns
    -------
    dict of name to str
        What they read as. Texts of digits alone are no amounts here: who keeps codes as text does so on purpose. Nor are columns of
        few different texts, nor categories.
    """
    found = {}
    for j, column in enumerate(table.columns):
        if column.family != "text" or column.name in declared or j in declared:
            continue
        probes = {str(cell).strip() for cell in column.values[~column.missing][:_PROBES]}
        like = sum(number_like(text) or _date_like(text) for text in probes)
        if like < _MOSTLY * len(probes) or all(text.isdigit() for text in probes):
            continue
        seen = reads_mostly_as(column)
        if seen is not None and (any(map(_date_like, probes)) or len(set(column.values[~column.missing])) > _FEW_TEXTS):
            found[column.name] = seen[0]
    return found


def _others(counts: Mapping[str, int], texts: Sequence[str]) -> dict[str, int]:
    known = set(texts)
    return {text: n for text, n in counts.items() if text not in known}


def _finding(name: str, what: str, odd: dict[str, int], n_odd: int, n_cells: int) -> Finding:
    if not odd:
        return Finding(
            "written",
            (name,),
            f"column {name!r} is text, though all {n_cells} cells read as {what}",
            "convert it, or let `tabgan impute` read the file, which knows how",
        )
    shown = sorted(odd, key=lambda text: (-odd[text], text))[:_MOST_SHOWN]
    listed = ", ".join(repr(text) for text in shown) + (" and others" if len(odd) > _MOST_SHOWN else "")
    share = int(np.floor(100 * (1 - n_odd / n_cells)))
    what_seen = (
        f"column {name!r} is treated as text, though {share}% of its cells read as {what}: {n_odd} do not ({listed})"
    )
    if len(odd) > _MOST_SHOWN or (any(map(_YEAR.search, odd)) and "dates" in what):
        return Finding(
            "written", (name,), what_seen, f"convert what are {what}", f"correct the cells that are no {what}"
        )
    return Finding(
        "written",
        (name,),
        what_seen,
        f"if these mean missing, say missing_values={shown!r} and convert the rest",
        "if these mean missing, add " + " ".join(f"--missing {f'{name}={text}'!r}" for text in shown),
        tuple(part for text in shown for part in ("--missing", f"{name}={text}")),
        {"missing_values": shown},
    )
