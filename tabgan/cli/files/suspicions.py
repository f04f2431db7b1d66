"""What looks as if a text file were read otherwise than its writer meant: said in a line that names the column, never decided."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np

__all__ = [
    "INFINITE",
    "NUMBER",
    "PADDED",
    "is_number",
    "suspected_header",
    "suspected_marker",
    "suspected_value",
    "suspected_writing",
]

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
PADDED = re.compile(r"[+-]?0\d")
_OTHER_NUMBER = re.compile(  # thousands in groups, a decimal comma, another minus, other digits than 0 to 9
    r"[+\-\u2212\u2013]?(\d{1,3}([.,'\u2019\u00a0\u202f ]\d{3})+([.,]\d+)?|\d+,\d+|\d+(\.\d+)?) ?%?"
)
_OTHER_DATE = re.compile(r"(\d{4}([./-])\d{1,2}\2\d{1,2}|\d{1,2}([./-])\d{1,2}\3\d{4})([ T].*)?")
_INTEGER = re.compile(r"\d+", re.ASCII)
_CODE = re.compile(r"[A-Z]{2}")
# So few odd labels among so many numbers look like a missing marker that nobody named.
_SUSPECT_LABELS, _SUSPECT_SHARE = 2, 0.2
_ROWS_OF_HEADER = 1000


def is_number(text: str) -> bool:
    """Whether a cell is a number as Python writes it."""
    return bool(NUMBER.fullmatch(text) or INFINITE.fullmatch(text))


def suspected_marker(
    name: str, texts: Sequence[str], missing: np.ndarray, observed: Iterable[str], place: Callable[[int], str]
) -> str | None:
    """Hint at labels that look like a missing marker nobody named: "?" anywhere, or few oddities among numbers."""
    observed = list(observed)
    odd = {text for text in observed if not is_number(text)}
    if "?" in odd:
        odd = {"?"}
    elif not 1 <= len(odd) <= _SUSPECT_LABELS or len(observed) - len(odd) < 3 or any(map(PADDED.match, observed)):
        return None
    rows = [row for row in np.flatnonzero(~missing).tolist() if texts[row] in odd]
    if odd != {"?"} and len(rows) > _SUSPECT_SHARE * int((~missing).sum()):
        return None
    options = " ".join(f"--missing {text!r}" for text in sorted(odd))
    return (
        f"column {name!r} is treated as text and holds {texts[rows[0]]!r} ({place(rows[0])}, {len(rows)} cells in "
        f"all); if that means missing, add {options}"
    )


def suspected_writing(name: str, observed: Iterable[str]) -> str | None:
    """Hint at labels that are all numbers or dates, only written in another way than those that are read as such."""
    observed = list(observed)
    for what, pattern, right in (
        ("numbers", _OTHER_NUMBER, "1234.5"),
        ("dates", _OTHER_DATE, "2024-12-31, all in one format"),
    ):
        if all(pattern.fullmatch(text) or is_number(text) for text in observed):
            other = next((text for text in observed if not is_number(text)), None)
            if other is not None:
                return (
                    f"column {name!r} is treated as text, though its cells look like {what}, such as {other!r}; "
                    f"{what} are read when written like {right}"
                )
    return None


def suspected_value(name: str, texts: Sequence[str], markers: Iterable[str], observed: Iterable[str]) -> str | None:
    """Hint at a word that counts as missing by default and may be a value: beside empty cells, or among two-letter codes."""
    words, observed = [text.strip() for text in texts], list(observed)
    used = [marker for marker in markers if marker and marker in words]
    if not used or not observed or not ("" in words or all(map(_CODE.fullmatch, observed))):
        return None
    return (
        f"column {name!r}: {words.count(used[0])} cells {used[0]!r} count as missing, as empty ones do; if {used[0]!r} is a value, "
        "add --no-default-markers"
    )


def suspected_header(names: Sequence[str], records: Sequence[Sequence[str]]) -> str | None:
    """Hint at a first line that looks like a row: a fraction as a name, or every name a cell of its column's kind.

    Whole numbers that grow from name to name are names: years, pixels, positions.
    """
    numbers = [name for name in names if NUMBER.fullmatch(name)]
    if not numbers:
        return None
    whole = [int(name) for name in numbers if _INTEGER.fullmatch(name)]
    if len(whole) == len(numbers):
        if len(names) > len(numbers) or whole == sorted(set(whole)):
            return None
        looks = True
    else:
        rows = records[:_ROWS_OF_HEADER]
        looks = all(
            not NUMBER.fullmatch(name) or any(NUMBER.fullmatch(row[j].strip(' "')) for row in rows)
            for j, name in enumerate(names)
        )
    if not looks:
        return None
    return f"the first line holds the column names, though {numbers[0]!r} looks like a cell; if it is a row, add --no-header"
