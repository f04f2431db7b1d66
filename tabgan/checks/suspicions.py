"""What looks as if a text file were read otherwise than its writer meant: said in a line that names the column, never decided."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from tabgan.wording import counted
from tabgan.written.detect import Ambiguous, Style, style_of
from tabgan.written.numbers import NumberStyle, body_of

__all__ = [
    "INFINITE",
    "NUMBER",
    "PADDED",
    "is_number",
    "said_by_others",
    "suspected_header",
    "suspected_marker",
    "suspected_value",
    "suspected_writing",
    "two_readings",
    "unread_cells",
]

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
PADDED = re.compile(r"[+-]?0\d")
_OTHER_NUMBER = re.compile(  # thousands in groups, a decimal comma, another minus, other digits than 0 to 9
    r"[+\-\u2212\u2013]?(\d{1,3}([.,'\u2019\u00a0\u202f ]\d{3})+([.,]\d+)?|\d+,\d+|\d+(\.\d+)?) ?%?"
)
_OTHER_DATE = re.compile(r"(\d{4}([./-])\d{1,2}\2\d{1,2}|\d{1,2}([./-])\d{1,2}\3\d{4})([ T].*)?")
_INTEGER = re.compile(r"\d+", re.ASCII)
_CODE = re.compile(r"[A-Z]{1,3}|[a-z]{1,3}")
_NAME = re.compile(r"[^\W\d_]+([ .'-]+[^\W\d_]+)*\.?")
_WORD = re.compile(r"[A-Za-z]+")
_MANY_NAMES = 20
# So few odd labels among so many numbers look like a missing marker that nobody named.
_SUSPECT_LABELS, _SUSPECT_SHARE = 2, 0.2
_ROWS_OF_HEADER = 1000


def is_number(text: str) -> bool:
    """Whether a cell is a number as Python writes it."""
    return bool(NUMBER.fullmatch(text) or INFINITE.fullmatch(text))


def two_readings(name: str, found: Ambiguous) -> str:
    """Say that a column reads in more ways than one, and which flags decide."""
    if found.kind == "date":
        flags = [f"--date-format {f'{name}={style.format}'!r}" for style in found.readings]  # type: ignore[union-attr]
    else:
        flags = [
            f"--{what} {f'{name}={mark}'!r}"
            for style in found.readings
            if isinstance(style, NumberStyle)
            for what, mark in ((("thousands", style.thousands) if style.thousands else ("decimal", style.decimal)),)
        ]
    return (
        f"column {name!r} is treated as text, as {found.example!r} may be {' or '.join(found.meanings())}; add "
        f"{' or '.join(flags)}"
    )


def said_by_others(name: str, observed: Iterable[str], style: Style) -> str | None:
    """Say where only other columns of the file tell how the numbers of this one are written."""
    observed = list(observed)
    example = max(observed, key=len)
    alone = style_of(observed)
    if not isinstance(style, NumberStyle) or (alone is not None and _reads_alike(alone, style, example)):
        return None
    other = "," if style.decimal == "." else "."
    return (
        f"column {name!r}: {example!r} is read as {style.read([example])[0]:.15g}, as other columns have {style.decimal!r} "
        f"before decimals; add --decimal {f'{name}={other}'!r} if that is wrong"
    )


def _reads_alike(alone: Style | Ambiguous, style: NumberStyle, example: str) -> bool:
    return isinstance(alone, NumberStyle) and alone.read_one(example) == style.read_one(example)


def unread_cells(name: str, odd: Sequence[str], n: int, style: str, place: str) -> str:
    """Say which cells of a column of numbers or dates are none: some of them, how many there are, and where the first one stands."""
    options = " ".join(f"--missing {f'{name}={text}'!r}" for text in list(dict.fromkeys(odd))[:_SUSPECT_LABELS])
    return (
        f"column {name!r} holds {style}; not read: {counted(n, 'cell')} such as {odd[0]!r} ({place}), left as "
        f"written. If that means missing, add {options}"
    )


def suspected_marker(
    name: str, texts: Sequence[str], missing: np.ndarray, observed: Iterable[str], place: Callable[[int], str]
) -> str | None:
    """Hint at labels that look like a missing marker nobody named: "?" anywhere, or few oddities among numbers."""
    observed = list(observed)
    odd = {text for text in observed if not is_number(text) and body_of(text) is None}
    if "?" in odd:
        odd = {"?"}
    elif not 1 <= len(odd) <= _SUSPECT_LABELS or len(observed) - len(odd) < 3 or any(map(PADDED.match, observed)):
        return None
    rows = [row for row in np.flatnonzero(~missing).tolist() if texts[row] in odd]
    if odd != {"?"} and len(rows) > _SUSPECT_SHARE * int((~missing).sum()):
        return None
    options = " ".join(f"--missing {text!r}" for text in sorted(odd))
    return (
        f"column {name!r} is treated as text and holds {texts[rows[0]]!r} ({place(rows[0])}, {counted(len(rows), 'cell')} in "
        f"all); if that means missing, add {options}"
    )


def suspected_writing(name: str, observed: Iterable[str]) -> str | None:
    """Hint at labels that are all numbers or dates, only written in another way than those that are read as such."""
    observed = list(observed)
    for what, pattern, right in (
        ("numbers", _OTHER_NUMBER, "1234.5"),
        ("dates", _OTHER_DATE, "2024-12-31"),
    ):
        if all(pattern.fullmatch(text) or is_number(text) for text in observed):
            other = next((text for text in observed if not is_number(text)), None)
            if other is not None:
                return (
                    f"column {name!r} is treated as text, though its cells look like {what}, such as {other!r}; "
                    f"{what} are read where nearly all are written in one way, such as {right}"
                )
    return None


def suspected_value(name: str, marker: str, n: int, texts: Sequence[str], observed: Iterable[str]) -> str | None:
    """Ask whether a word that counts as missing by default is a value: beside empty cells, among short codes, among names."""
    observed = list(observed)
    if not observed:
        return None
    codes = all(map(_CODE.fullmatch, observed)) and _CODE.fullmatch(marker)
    names = len(observed) >= _MANY_NAMES and all(map(_NAME.fullmatch, observed)) and _WORD.fullmatch(marker)
    if not ("" in texts or codes or names):
        return None
    why = "like the others" if codes or names else "and not as the empty cells are"
    return (
        f"{counted(n, 'cell')} {marker!r} in {name!r} read as missing; if {marker!r} is a value there, {why}, add "
        f"--missing {name + '='!r}"
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
