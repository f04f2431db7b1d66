"""What a method is to this benchmark: repetitions in, completed tables out, several repetitions at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import pandas as pd

from benchmarks.imputation.inference.scenarios import Case, Kind

__all__ = ["Fill", "Kinds", "Work", "each"]

Kinds = Mapping[str, Kind]
Work = tuple[Case, int]
"""A repetition: its tables, and its seed."""
Fill = Callable[[Sequence[Work], Kinds, int], Iterator["list[pd.DataFrame] | Exception"]]
"""Called with repetitions, kinds and m; gives for each repetition the completed tables (m, or one), or why there are none."""


def each(fill: Callable[[Case, int, Kinds, int], list[pd.DataFrame]]) -> Fill:
    """A method that takes repetitions one by one."""

    def fill_all(works: Sequence[Work], kinds: Kinds, m: int) -> Iterator[list[pd.DataFrame] | Exception]:
        for case, seed in works:
            try:
                yield fill(case, seed, kinds, m)
            except Exception as error:
                yield error

    return fill_all
