"""What a delimited text says of itself: which character stands between its cells, and which lines at its top are none of the table."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from tabgan.checks.suspicions import is_number

__all__ = ["Layout", "layout_of", "suggested_flags"]

_LINES = 100
_SAMPLE = 1_000_000
_QUOTED = re.compile(r'(?:(?<=[,;|\t\r\n ])|^)"(?:[^"]|"")*"')
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[ \t]*(?:\r?\n|\r)', re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[^,]*|[+-]?\d+,\d+")
_NAMES = {"\t": "tabs", " ": "blanks"}
_RULER = re.compile(r"([-=+_*])[-=+_*|\s]*")
_FEWEST_ROWS = 3


@dataclass(frozen=True)
class Layout:
    """How a delimited text is laid out.

    Parameters
    ----------
    delimiter : str
        A blank stands for any number of blanks.
    lead : int
        So many characters at the top, whole lines, are none of the table.
    notes : list of str
        What was found rather than said by the user.
    """

    delimiter: str
    lead: int
    notes: list[str]


def layout_of(
    text: str,
    usual: str,
    *,
    given: str | None = None,
    comment: str | None = None,
    skip: int = 0,
    blanks: bool = False,
) -> Layout:
    r"""Find how a text is laid out, where the user did not say.

    Parameters
    ----------
    text : str
        The whole file without a byte order mark.
    usual : str
        The delimiter that the file's name lets expect.
    given : str, default=None
        The delimiter that the user gave.
    comment : str, default=None
        What lines that are no rows begin with.
    skip : int, default=0
        Lines at the top that are none of the table.
    blanks : bool, default=False
        Whether blanks may stand between cells.

    Returns
    -------
    Layout

    Examples
    --------
    >>> layout_of("a;b\n1,5;2\n", ",")
    Layout(delimiter=';', lead=0, notes=["cells are cut at ';', as the file looks; --delimiter names another"])
    """
    notes: list[str] = []
    lead = _after_lines(text, 0, skip)
    separator = _SEPARATOR_LINE.match(text, lead)
    if separator is not None:
        lead = separator.end()
        given = given or separator.group(1)
    rows = [line for line in _lines(text, lead) if line.strip() and not (comment and line.lstrip().startswith(comment))]
    marked = 0 if comment else next((k for k, line in enumerate(rows) if not line.startswith("#")), len(rows))
    plain = rows[marked:]
    delimiter = given or _delimiter(plain, usual, blanks)
    if given is None and delimiter != usual:
        notes.append(
            f"cells are cut at {_NAMES.get(delimiter, repr(delimiter))}, as the file looks; --delimiter names another"
        )
    if marked and _is_header(rows[marked - 1], plain, delimiter):
        marked -= 1
    if marked:
        lead = _after_marked(text, lead, marked)
        lines = "1 line at the top begins" if marked == 1 else f"{marked} lines at the top begin"
        notes.append(f"{lines} with '#', no part of the table; --comment '#' leaves out those below as well")
    return Layout(delimiter, lead, notes)


def suggested_flags(text: str, delimiter: str, lead: int = 0, comment: str | None = None) -> tuple[str, str]:
    r"""Flags with which most lines of a text are rows of as many cells, and what these rows are, where lines above them are none.

    Parameters
    ----------
    text : str
        A whole file that could not be read.
    delimiter : str
        Where it was cut.
    lead : int, default=0
        So many characters at the top were passed over.
    comment : str, default=None
        What lines that are no rows were said to begin with.

    Returns
    -------
    tuple of (str, str)
        Empty where no flags make rows of nearly all lines, or those that were given would.

    Examples
    --------
    >>> suggested_flags("Account 12\n\nday;sum\n1;2\n2;7\n3;5\n", ",")
    ("--delimiter ';' --skip-lines 2", "from line 3 on, lines have 2 cells when cut at ';'")
    """
    before = text.count("\n", 0, lead)
    lines = _lines(text, lead)
    best: tuple[int, str, int, int, str] | None = None
    for mark in dict.fromkeys((delimiter, ";", "\t", "|", ",")):
        found = _body(lines, mark)
        if found is not None and (best is None or found[0] > best[0]):
            best = (found[0], mark, *found[1:])
    if best is None:
        return "", ""
    _, mark, n_cells, first, ruler = best
    skip = before + first
    flags = [f"--delimiter {mark!r}"] if mark != delimiter else []
    flags += [f"--skip-lines {skip}"] if first else []
    flags += [f"--comment {ruler!r}"] if ruler and ruler != comment else []
    return " ".join(flags), f"from line {skip + 1} on, lines have {n_cells} cells when cut at {mark!r}" if flags else ""


def _body(lines: list[str], mark: str) -> tuple[int, int, int, str] | None:
    """Cells in all rows, cells of a row, the first row, and with what lines between rows begin that are drawn rather than written."""
    counts = [len(_cells(line, mark)) if line.strip() else 0 for line in lines]
    usual, n_rows = (
        Counter(count for count in counts if count > 1).most_common(1)[0] if max(counts, default=0) > 1 else (0, 0)
    )
    if n_rows < _FEWEST_ROWS:
        return None
    first = counts.index(usual)
    if (
        first
        and counts[first - 1] == usual - 1 > 1
        and any(is_number(cell.strip()) for cell in _cells(lines[first], mark))
    ):
        return None  # a header without a name for one of the columns; passed over, a row would be taken for names
    others = [line for line, count in zip(lines[first:], counts[first:], strict=True) if count not in (0, usual)]
    ruler = others[0].strip()[0] if others and all(_RULER.fullmatch(line.strip()) for line in others) else ""
    if (others and not ruler) or (
        ruler and any(line.startswith(ruler) for line in lines[first:] if line not in others)
    ):
        return None
    return n_rows * usual, usual, first, ruler


def _lines(text: str, start: int) -> list[str]:
    """The first lines, whole ones, with nothing between quotes."""
    sample = text[start : start + _SAMPLE]
    whole = len(text) <= start + _SAMPLE
    lines = re.split(r"\r?\n|\r", _QUOTED.sub('""', sample), maxsplit=_LINES)
    return lines[:_LINES] if whole or len(lines) > _LINES else lines[:-1]


def _after_lines(text: str, start: int, n: int) -> int:
    for _ in range(n):
        found = re.compile(r"\r?\n|\r").search(text, start)
        if found is None:
            return len(text)
        start = found.end()
    return start


def _after_marked(text: str, start: int, marked: int) -> int:
    """Where the line after so many that begin with ``#`` begins; blank ones between them do not count."""
    while marked:
        stop = _after_lines(text, start, 1)
        marked -= text[start:stop].startswith("#")
        start = stop
    return start


def _cells(line: str, delimiter: str) -> list[str]:
    return line.split() if delimiter == " " else line.split(delimiter)


def _delimiter(lines: list[str], usual: str, blanks: bool) -> str:
    """The delimiter that cuts all lines into as many cells, more than one; the usual one where it does so, or where none does."""
    fits = {mark for mark in (usual, "\t", ";", "|", ",") if _cuts_evenly(lines, mark)}
    if usual in fits:
        # In 1,5;2,5 both do; but then the commas are decimal ones.
        decimal = usual == "," and ";" in fits
        if decimal and all(_DECIMAL_COMMA.fullmatch(cell.strip()) for line in lines for cell in _cells(line, ";")):
            return ";"
        return usual
    if len(fits) == 1:
        return fits.pop()
    if len(fits) > 1:
        return max(fits, key=lambda mark: len(_cells(lines[0], mark)))
    return " " if blanks and _cuts_evenly(lines, " ") else usual


def _cuts_evenly(lines: list[str], mark: str) -> bool:
    counts = [len(_cells(line, mark)) for line in lines]
    if len(counts) > _FEWEST_ROWS and counts[0] > 1 and all(line.rstrip(" ").endswith(mark) for line in lines[1:]):
        return set(counts[1:]) <= {counts[0], counts[0] + 1}  # a delimiter ends every row, and perhaps the header
    return len(set(counts)) == 1 and counts[0] > 1


def _is_header(line: str, rows: list[str], delimiter: str) -> bool:
    """Whether a line that begins with ``#`` names the columns of the rows below it, as in ``#chrom,start``."""
    first = _cells(rows[0], delimiter) if rows else []
    return len(_cells(line, delimiter)) == len(first) > 1 and any(is_number(cell.strip()) for cell in first)
