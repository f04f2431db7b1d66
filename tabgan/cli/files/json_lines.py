"""JSON-lines text cut into cells without losing a byte: one object per line."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tabgan.exceptions import InvalidInputError

__all__ = ["JsonLines", "parse_json_lines"]

_BLANK = re.compile(r"[ \t]*")
_DECODER = json.JSONDecoder()


@dataclass
class JsonLines:
    """The lines of a text, each with the cells of its object.

    Parameters
    ----------
    names : list of str
        Keys in the order of their first appearance.
    lines : list of str
        Every line with its end, blank ones included.
    cells : list of dict of str to tuple of (value, start, stop)
        For each object, its values and where in the line they stand.
    places : list of int
        For each object, the position of its line in ``lines``.
    nested : dict of str to tuple of (kind, line)
        Keys with an object or list among their values, and where the first is.
    first_line : int, default=1
        Number of the first line in its file.
    """

    names: list[str]
    lines: list[str]
    cells: list[dict[str, tuple[Any, int, int]]]
    places: list[int]
    nested: dict[str, tuple[str, int]]
    first_line: int = 1

    def column(self, name: str) -> list[Any]:
        """Values of a key, None where an object lacks it."""
        return [cells[name][0] if name in cells else None for cells in self.cells]

    def append(self, rows: Sequence[int]) -> None:
        """Add copies of objects at the end, each on a line of its own."""
        if rows and not self.lines[-1].endswith("\n"):
            self.lines[-1] += "\n"
        for row in rows:
            line, cells = self.lines[self.places[row]], self.cells[row]
            mark = int(line.startswith("\ufeff"))
            self.places.append(len(self.lines))
            self.lines.append(line[mark:] if line.endswith("\n") else line[mark:] + "\n")
            self.cells.append(
                {name: (value, start - mark, stop - mark) for name, (value, start, stop) in cells.items()}
            )

    def text(self, fills: dict[int, dict[str, Any]]) -> str:
        """Join the whole text with ``fills`` (by row, then name) in place; keys that lacked come last."""
        lines = list(self.lines)
        for row, values in fills.items():
            cells, line = self.cells[row], lines[self.places[row]]
            close = line.rindex("}")
            new = [(name, value) for name, value in values.items() if name not in cells]
            colon = ": " if '": ' in line or not cells else ":"
            comma = ", " if ", " in line or (colon == ": " and len(cells) < 2) else ","
            added = comma.join(_dumped(name) + colon + _dumped(value) for name, value in new)
            if added:
                line = line[:close].rstrip() + (comma if cells else "") + added + line[close:]
            known = [(*cells[name][1:], value) for name, value in values.items() if name in cells]
            for start, stop, value in sorted(known, key=lambda cell: -cell[0]):
                line = line[:start] + _dumped(value) + line[stop:]
            lines[self.places[row]] = line
        return "".join(lines)


def parse_json_lines(text: str, source: str, *, line: int = 1, names: Sequence[str] | None = None) -> JsonLines:
    """Cut a JSON-lines text into cells.

    Parameters
    ----------
    text : str
        The whole file.
    source : str
        Its name, for messages.
    line : int, default=1
        Number of the first line in its file.
    names : sequence of str, default=None
        All keys of the file; None takes those of the text.

    Returns
    -------
    JsonLines

    Raises
    ------
    InvalidInputError
        There is no row, or a line is no JSON object; names the line.
    """
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    found_names: dict[str, None] = {}
    cells, places = [], []
    nested: dict[str, tuple[str, int]] = {}
    for place, content in enumerate(lines):
        if not content.strip("\ufeff \t\r\n"):
            continue
        found = _parse_object(content, f"{source}, line {place + line}")
        found_names.update(dict.fromkeys(found))
        for name, (value, _, _) in found.items():
            if isinstance(value, dict | list):
                nested.setdefault(name, ("an object" if isinstance(value, dict) else "a list", place + line))
        cells.append(found)
        places.append(place)
    if not cells:
        raise InvalidInputError(f"{source} is empty; it needs at least one JSON object, one per line.")
    if not (names or found_names):
        raise InvalidInputError(f"{source} holds empty objects only; there is nothing to learn from or to fill.")
    return JsonLines(list(names or found_names), lines, cells, places, nested, line)


def _parse_object(line: str, where: str) -> dict[str, tuple[Any, int, int]]:
    cells: dict[str, tuple[Any, int, int]] = {}
    body = line.rstrip()
    at = _skip(body, 1 if body.startswith("\ufeff") else 0)
    if not body.startswith("{", at):
        raise InvalidInputError(f'{where}: expected one JSON object such as {{"a": 1}}, found {body[:20]!r}.')
    try:
        at = _skip(body, at + 1)
        while not body.startswith("}", at):
            if cells:
                at = _skip(body, _expect(body, at, ","))
            if not body.startswith('"', at):
                raise json.JSONDecodeError("expected a key in double quotes", body, at)
            name, at = _DECODER.raw_decode(body, at)
            start = _skip(body, _expect(body, _skip(body, at), ":"))
            value, stop = _DECODER.raw_decode(body, start)
            if name in cells:
                raise InvalidInputError(f"{where}: key {name!r} appears twice; remove one.")
            cells[name] = (value, start, stop)
            at = _skip(body, stop)
        if _skip(body, at + 1) != len(body):
            raise json.JSONDecodeError("expected one object per line, found more", body, at + 1)
    except json.JSONDecodeError as error:
        raise InvalidInputError(f"{where}, character {error.pos + 1}: not valid JSON: {error.msg}.") from None
    return cells


def _skip(text: str, at: int) -> int:
    return _BLANK.match(text, at).end()  # type: ignore[union-attr]


def _expect(text: str, at: int, mark: str) -> int:
    if not text.startswith(mark, at):
        raise json.JSONDecodeError(f"expected {mark!r}", text, at)
    return at + 1


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
