"""What all parts of a table say of a column together: some of its cells, chosen by their hash, with how often each occurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import pandas as pd

from tabgan.cli.files.settled import Settled, all_plain
from tabgan.cli.files.text_columns import TextColumn, Writing, amounts_column, typed_column
from tabgan.written.detect import decimal_mark

__all__ = ["Evidence"]

MOST_TEXTS = 2000
"""Different cells that are kept, of plain numbers and of all others."""
_MOST_CELLS = 20_000
_PROBES = 200

Place = tuple[int, int]
"""Number of a file and of a row in it."""


@dataclass
class Evidence:
    """Cells of one column in some parts; merged in any order they say the same.

    Parameters
    ----------
    n_plain, n_other : int
        Observed cells that are plain numbers, and others.
    plain, other : dict of str to list of (count, file, row)
        Those whose hash is smallest: how often they occur, and where first.
    extremes : dict of str to tuple
        The shortest, longest, and those with fewest and most decimals.
    quoted : bool
        All observed cells stand between quotes.
    kinds : set of type
        Of cells in a format with types.
    """

    n_plain: int = 0
    n_other: int = 0
    plain: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    other: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    extremes: dict[str, tuple[int, str, int, int]] = field(default_factory=dict)
    quoted: bool = True
    kinds: set[type] = field(default_factory=set)

    def add(self, texts: Sequence[str], rows: Sequence[int], file: int, quoted: bool = False) -> None:
        """Observed cells of a part, and their rows in the file."""
        if not texts:
            return
        self.quoted &= quoted
        counts = Counter(texts)
        first = dict(zip(reversed(texts), reversed(rows), strict=True))
        plain = dict(counts) if all_plain(counts) else {text: n for text, n in counts.items() if all_plain((text,))}
        other = {text: n for text, n in counts.items() if text not in plain}
        self.n_plain += sum(plain.values())
        self.n_other += sum(other.values())
        for kept, found in ((self.plain, plain), (self.other, other)):
            _merge(kept, {text: (n, file, first[text]) for text, n in found.items()})
        for text in (min(counts, key=_length), max(counts, key=_length)):
            self._extreme({"shortest": -len(text), "longest": len(text)}, text, file, first[text])
        by_decimals: dict[int, str] = {}
        for text in plain:
            by_decimals.setdefault(len(text) - (text.find(".") + 1 or len(text)), text)
        for text in (by_decimals[min(by_decimals)], by_decimals[max(by_decimals)]) if plain else ():
            n = _decimals(text)[0]
            self._extreme({"fewest": -n, "most": n}, text, file, first[text])

    def merge(self, later: Evidence) -> None:
        """What other parts say."""
        if later.n_plain + later.n_other:
            self.quoted &= later.quoted
        self.n_plain += later.n_plain
        self.n_other += later.n_other
        _merge(self.plain, later.plain)
        _merge(self.other, later.other)
        for kind, (size, text, file, row) in later.extremes.items():
            self._extreme({kind: size}, text, file, row)
        self.kinds |= later.kinds

    def _extreme(self, sizes: Mapping[str, int], text: str, file: int, row: int) -> None:
        for kind, size in sizes.items():
            found = self.extremes.get(kind)
            if found is None or (-size, text, file, row) < (-found[0], *found[1:]):
                self.extremes[kind] = size, text, file, row

    def _weighed(self) -> dict[str, tuple[int, int, int]]:
        """Cells with counts in the shares of the whole column, and where each stands."""
        total = self.n_plain + self.n_other
        scale = min(1.0, _MOST_CELLS / max(total, 1))
        cells: dict[str, tuple[int, int, int]] = {}
        for kept, n in ((self.plain, self.n_plain), (self.other, self.n_other)):
            among, left = sum(count for count, _, _ in kept.values()), max(1, round(n * scale))
            for text in _by_hash(kept):
                count, file, row = kept[text]
                given = min(left, max(1, round(count * scale * n / among)))
                left -= given
                if given:
                    cells[text] = given, file, row
        for _, text, file, row in self.extremes.values():
            cells.setdefault(text, (1, file, row))
        return dict(sorted(cells.items(), key=lambda cell: (cell[1][1:], cell[0])))  # as they stand in the files

    def likely_decimal(self) -> str | None:
        """The mark before decimals, where the cells tell for certain."""
        first = list(self._weighed().items())[:_PROBES]
        return decimal_mark(chain.from_iterable([text] * n for text, (n, _, _) in first))

    def settled(
        self, name: str, wanted: object, writing: Writing, files: Sequence[str], *, of_texts: bool, word: str
    ) -> tuple[Settled, str | None]:
        """How the column is read, and a hint about that.

        Parameters
        ----------
        name : str
        wanted : str or None
            What a fitted model expects.
        writing : Writing
        files : sequence of str
            For messages.
        of_texts : bool
            The format has nothing but texts.
        word : str
            What messages count, "line" or "row".

        Returns
        -------
        Settled
        str or None

        Raises
        ------
        InvalidInputError
            The cells are not what the model expects; names file, row and cell.
        """
        if not of_texts and self.kinds and self.kinds != {str}:
            return Settled(kinds=frozenset(self.kinds)), None
        cells = self._weighed()
        texts = [text for text, (n, _, _) in cells.items() for _ in range(n)]
        places = [place for (n, *place) in cells.values() for _ in range(n)]

        def place(k: int) -> str:
            file, row = places[k]
            return f"{files[file]}, {word} {row}"

        read = typed_column if of_texts else amounts_column
        typed: TextColumn = read(name, texts, np.zeros(len(texts), dtype=bool), wanted, place, writing)  # type: ignore[arg-type]
        shown = typed.hint if typed.hint is not None and not typed.unread.any() else None
        whole = sum(n for n, _, _ in cells.values()) == self.n_plain + self.n_other
        if shown is not None and not whole and " in all" in shown:
            shown = None  # it would count the cells of the sample
        quoted = self.quoted and bool(self.n_plain + self.n_other)
        return Settled.of(typed, quoted=quoted, kinds=frozenset(self.kinds)), shown


def _length(text: str) -> tuple[int, str]:
    return len(text), text


def _decimals(text: str) -> tuple[int, str]:
    return len(text.partition(".")[2]), text


def _merge(kept: dict[str, tuple[int, int, int]], found: Mapping[str, tuple[int, int, int]]) -> None:
    """Add cells; of too many different ones keep those of smallest hash, whose counts are then those of all parts."""
    for text, (n, file, row) in found.items():
        before = kept.get(text)
        kept[text] = (n, file, row) if before is None else (before[0] + n, *min(before[1:], (file, row)))
    if len(kept) > MOST_TEXTS:
        for text in _by_hash(kept)[MOST_TEXTS:]:
            del kept[text]


def _by_hash(texts: Mapping[str, object]) -> list[str]:
    listed = np.array(sorted(texts), dtype=object)
    if not len(listed):
        return []
    return listed[np.argsort(pd.util.hash_array(listed, categorize=False), kind="stable")].tolist()
