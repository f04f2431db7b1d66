"""Lines that are read as rows and are none: units below the names, totals at the end, the names once more."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from tabgan.checks.missing_words import says_missing
from tabgan.checks.odd_cells import number_like
from tabgan.wording import counted

__all__ = ["stray_rows"]

_TOTAL = re.compile(
    r"(?:(?:grand|sub|overall)[ -]?)?totals?|sums?|averages?|means?|(?:zwischen|gesamt)?summe|gesamt|insgesamt|mittelwert|"
    r"durchschnitt|total général|totale|totaux|somme|moyenne|totaal|gemiddelde|suma|razem|promedio|média|media|soma|итого|всего|"
    r"合計|总计|合计"
)
_ROWS = 50
_LAST = 3
_FEWEST = 5


def stray_rows(
    names: Sequence[str],
    n_rows: int,
    cells: Callable[[int], Sequence[str]],
    alike: Iterable[int],
    place: Callable[[int], str],
    advice: Callable[[int], str],
) -> list[str]:
    """Hints at rows that are no rows of the table.

    Parameters
    ----------
    names : sequence of str
    n_rows : int
    cells : callable
        The cells of a row by its number, as texts without blanks around them; empty where one is missing.
    alike : iterable of int
        Rows that may be the names once more.
    place : callable
        Where a row stands, for messages.
    advice : callable
        What to do about a row.

    Returns
    -------
    list of str
    """
    found = []
    first = [cells(k) for k in range(min(n_rows, _ROWS))]
    odd = _not_numbers(first)
    if len(odd) > 1:
        shown = ", ".join(repr(first[0][j]) for j in odd[:3])
        found.append(
            f"{place(0)} holds {shown} in columns of numbers, as units or further names below the names do, and is read as a row of "
            f"the table; if it is none, {advice(0)}"
        )
    again = [k for k in alike if len(names) > 1 and list(cells(k)) == list(names)]
    if again:
        what = f"{counted(len(again), 'row')} {'repeats' if len(again) == 1 else 'repeat'}"
        found.append(f"{what} the column names ({place(again[0])}); remove them")
    for row in range(max(n_rows - _LAST, 1), n_rows):
        j = next((j for j, cell in enumerate(cells(row)) if cell), None)
        if j is None or not _TOTAL.fullmatch(cells(row)[j].casefold().strip(" :")):
            continue
        others = (cell for k, cell in enumerate(cells(row)) if k != j)
        before = (cells(k)[j] for k in range(row))
        if any(map(number_like, others)) and cells(row)[j] not in before:
            found.append(
                f"{place(row)} looks like a total ({cells(row)[j]!r}) and is read as a row of the table; if it is none, {advice(row)}"
            )
            break
    return found


def _not_numbers(rows: Sequence[Sequence[str]]) -> list[int]:
    """Columns in which the first row holds a word, and all others numbers; none where it holds numbers in others of these."""
    odd = []
    for j, head in enumerate(rows[0] if rows else ()):
        others = [row[j] for row in rows[1:] if row[j] and not _is_marker(row[j])]
        if len(others) < _FEWEST or not all(map(number_like, others)):
            continue
        if number_like(head):
            return []
        if any(map(str.isalpha, head)) and not _is_marker(head):
            odd.append(j)
    return odd


def _is_marker(text: str) -> bool:
    return text.casefold() == "na" or says_missing(text) is not None
