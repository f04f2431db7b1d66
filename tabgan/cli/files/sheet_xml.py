"""One sheet of an Excel workbook as XML text, in which single cells are replaced and all else stays to the byte."""

from __future__ import annotations

import re
from collections.abc import Collection
from xml.sax.saxutils import escape

__all__ = ["SheetText", "column_letters", "number_xml", "text_xml", "truth_xml"]

_DATA = re.compile(r"<(?P<prefix>\w+:)?sheetData\b[^>]*?(?P<empty>/>|>)")
_ROW = re.compile(r"<(?:\w+:)?row\b(?P<own>[^>]*?)(?:/>|>(?P<cells>.*?)</(?:\w+:)?row>)", re.DOTALL)
_CELL = re.compile(r"<(?:\w+:)?c\b(?P<own>[^>]*?)(?:/>|>(?P<inner>.*?)</(?:\w+:)?c>)", re.DOTALL)
_FORMULA = re.compile(r"<(?:\w+:)?f\b[^>]*?(?:/>|>.*?</(?:\w+:)?f>)", re.DOTALL)
_PLACE = re.compile(r'\br="(?P<letters>[A-Z]*)(?P<row>\d+)"')
_STYLE = re.compile(r'\bs="(\d+)"')
_MERGED = re.compile(r'<(?:\w+:)?mergeCell\b[^>]*?\bref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
_DIMENSION = re.compile(r'(<(?:\w+:)?dimension\b[^>]*?\bref=")([A-Z]+\d+)(?::[A-Z]+\d+)?(")')


def column_letters(column: int) -> str:
    """What a column is called, counted from 0.

    Examples
    --------
    >>> column_letters(0), column_letters(27)
    ('A', 'AB')
    """
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number - 1


def number_xml(prefix: str, value: float) -> tuple[str, str]:
    """Type and content of a cell that holds a number; ``prefix`` is that of the sheet's tags."""
    return "", f"<{prefix}v>{value!r}</{prefix}v>"


def truth_xml(prefix: str, value: bool) -> tuple[str, str]:
    """Type and content of a cell that holds a truth value."""
    return ' t="b"', f"<{prefix}v>{int(value)}</{prefix}v>"


def text_xml(prefix: str, value: str) -> tuple[str, str]:
    """Type and content of a cell that holds a text."""
    space = ' xml:space="preserve"' if value != value.strip() else ""
    return ' t="inlineStr"', f"<{prefix}is><{prefix}t{space}>{escape(value)}</{prefix}t></{prefix}is>"


class SheetText:
    """A sheet's XML, cut into rows and cells; rows and columns count from 0.

    Parameters
    ----------
    xml : str

    Attributes
    ----------
    prefix : str
        Of the tags, often empty.
    """

    def __init__(self, xml: str) -> None:
        found = _DATA.search(xml)
        if found is None:
            raise ValueError("it has no sheetData")
        self.prefix = found["prefix"] or ""
        stop = xml.index(f"</{self.prefix}sheetData>", found.end()) if found["empty"] == ">" else found.end()
        opened = found.group() if found["empty"] == ">" else found.group()[:-2] + ">"
        self._before = xml[: found.start()] + opened
        self._after = xml[stop:] if found["empty"] == ">" else f"</{self.prefix}sheetData>" + xml[stop:]
        self._rows: dict[int, str] = {}
        last = -1
        for row in _ROW.finditer(xml, found.end(), stop):
            place = re.search(r'\br="(\d+)"', row["own"])
            last = int(place[1]) - 1 if place else last + 1
            self._rows[last] = row.group()
        self._cut: dict[int, tuple[str, dict[int, str], str]] = {}

    def _cells(self, row: int) -> tuple[str, dict[int, str], str]:
        """What opens a row, its cells by column, and what closes it."""
        if row not in self._cut:
            found = _ROW.fullmatch(self._rows.get(row, f'<{self.prefix}row r="{row + 1}"/>'))
            assert found is not None
            inner = found["cells"] or ""
            cells: dict[int, str] = {}
            last, stop = -1, 0
            for cell in _CELL.finditer(inner):
                place = _PLACE.search(cell["own"])
                last = _column_number(place["letters"]) if place else last + 1
                cells[last] = cell.group()
                stop = cell.end()
            self._cut[row] = f"<{self.prefix}row{found['own'].rstrip()}>", cells, inner[stop:] + f"</{self.prefix}row>"
        return self._cut[row]

    def has_formula(self, row: int, column: int) -> bool:
        """Whether a cell is computed."""
        return "<" in (cell := self._cells(row)[1].get(column, "")) and _FORMULA.search(cell) is not None

    def merged(self) -> list[tuple[int, int, int, int]]:
        """Ranges of cells that are shown as one: the first row and column of each, and the last."""
        found = _MERGED.findall(self._after)
        return [(int(a) - 1, _column_number(left), int(b) - 1, _column_number(right)) for left, a, right, b in found]

    def style(self, row: int, column: int) -> str | None:
        """Number of a cell's style, None without one."""
        found = _CELL.fullmatch(self._cells(row)[1].get(column, ""))
        style = _STYLE.search(found["own"]) if found else None
        return style[1] if style else None

    def put(self, row: int, column: int, content: tuple[str, str], style: str | None) -> None:
        """Replace a cell, or add it."""
        kind, inner = content
        own = f' r="{column_letters(column)}{row + 1}"' + (f' s="{style}"' if style is not None else "") + kind
        opening, cells, closing = self._cells(row)
        cells[column] = f"<{self.prefix}c{own}>{inner}</{self.prefix}c>"
        self._rows[row] = opening + "".join(cells[k] for k in sorted(cells)) + closing

    def copy_row(self, row: int, place: int, blank: Collection[int]) -> None:
        """Add a copy of a row's cells in a further row, their values rather than formulas, without the columns ``blank``."""
        _, cells, _ = self._cells(row)
        kept = (
            _PLACE.sub(f'r="{column_letters(column)}{place + 1}"', _FORMULA.sub("", cell), count=1)
            for column, cell in sorted(cells.items())
            if column not in blank
        )
        self._rows[place] = f'<{self.prefix}row r="{place + 1}">' + "".join(kept) + f"</{self.prefix}row>"
        self._cut.pop(place, None)

    def text(self, columns: int) -> str:
        """The whole XML; its table is at least so many columns wide."""
        rows = sorted(self._rows)
        end = f"{column_letters(max(columns - 1, 0))}{rows[-1] + 1 if rows else 1}"
        before = _DIMENSION.sub(rf"\g<1>\g<2>:{end}\g<3>", self._before, count=1)
        return before + "".join(self._rows[row] for row in rows) + self._after
