"""Tables of any shape and kind, drawn: containers, columns, names, indexes, and class labels to go with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from hypothesis import settings
from hypothesis import strategies as st

from tests.properties.cells import LABELS, OBJECTS, RELATED, as_floats, as_times, as_wholes
from tests.properties.kinds import ARROW, NO_CELLS, PANDAS, POLARS, Kind

__all__ = ["Drawn", "examples", "tables", "take"]


def examples(n: int) -> Any:
    """Decorator: so many drawn tables in CI, and as many times more in the long profile as that asks for."""
    return settings(max_examples=max(1, n * settings.default.max_examples // 100))


@dataclass(frozen=True)
class Drawn:
    """A table as a user may have it.

    Parameters
    ----------
    native : object
        The user's own table.
    missing : ndarray of bool of shape (n_rows, n_columns)
        True where a cell is missing.
    refusal : str
        Why it must be refused; empty where it must not.
    story : str
        How it was made, shown where a promise is broken.
    """

    native: Any
    missing: np.ndarray
    refusal: str
    story: str

    def __repr__(self) -> str:
        return f"Drawn({self.story}; {self.refusal or 'sound'})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    @property
    def n_rows(self) -> int:
        """Rows of the table."""
        return len(self.missing)

    @property
    def n_columns(self) -> int:
        """Columns of the table."""
        return self.missing.shape[1]

    @property
    def empty(self) -> np.ndarray:
        """Which columns have no observed cell."""
        return self.missing.all(axis=0)


@dataclass(frozen=True)
class Column:
    """What a column is to be; its cells follow from the seed."""

    kind: str
    style: str
    seed: int
    rate: float

    def build(self, kind: Kind, n: int) -> tuple[Any, np.ndarray]:
        """The native column, and where it is missing."""
        rng = np.random.default_rng(self.seed)
        gaps = np.random.default_rng([self.seed, *self.style.encode()])  # columns of one seed miss different cells
        missing = gaps.random(n) < (self.rate if kind.gaps else 0.0)
        if self.style == "nothing":
            missing[:] = True
        return kind.build(self.style, rng, n, missing), missing


SEEDS = st.integers(0, 2**16)
RATES = st.sampled_from([0.2, 0.0, 0.5, 0.9, 1.0])
N_ROWS = st.one_of(st.integers(8, 50), st.integers(0, 50))
N_COLUMNS = st.one_of(st.integers(1, 5), st.integers(1, 30))


def columns_of(kinds: dict[str, Kind]) -> st.SearchStrategy[list[Column]]:
    """Columns of any of these kinds; those that are refused are rare, so that most tables are sound."""
    sound, refused = [], []
    for name, kind in kinds.items():
        for style in kind.styles:
            (refused if kind.refused & {style, "*"} else sound).append((name, style))
    by_kind: dict[str, list[str]] = {}
    for name, style in sound:
        by_kind.setdefault(name, []).append(style)
    chosen = st.sampled_from(sorted(by_kind, key=list(by_kind).index)).flatmap(
        lambda name: st.tuples(st.just(name), st.sampled_from(by_kind[name]))
    )
    column = st.builds(
        lambda pair, seed, rate: Column(*pair, seed, rate),
        chosen,
        SEEDS,
        RATES,
    )
    listed = N_COLUMNS.flatmap(lambda n: st.lists(column, min_size=n, max_size=n))
    numbers = [
        name for name, kind in kinds.items() if {"indicator", "constant"} <= set(kind.styles) and "Sparse" not in name
    ]
    related = st.builds(
        lambda styles, name, seed, rate: [Column(name, style, seed, rate) for style in styles],
        st.sampled_from([tuple(styles) for styles in RELATED.values()]),
        st.sampled_from(numbers),
        SEEDS,
        RATES,
    )
    listed = st.builds(list.__add__, listed, st.one_of(st.just([]), st.just([]), related))
    if not refused:
        return listed
    odd = st.builds(lambda pair, seed: [Column(*pair, seed, 0.2)], st.sampled_from(refused), SEEDS)
    return st.builds(list.__add__, listed, st.one_of(*[st.just([])] * 11, odd))


def assembled(columns: list[Column], kinds: dict[str, Kind], n: int) -> tuple[list, np.ndarray, str]:
    """Native columns, where they are missing, and why a table of them is refused."""
    built = [column.build(kinds[column.kind], n) for column in columns]
    missing = np.array([gaps for _, gaps in built]).reshape(len(columns), n).T
    refusal = ""
    for j, column in enumerate(columns):
        refused = kinds[column.kind].refused
        if refused & {"*", column.style} and not missing[:, j].all():
            refusal = f"column {j} is of kind {column.kind}, {column.style}"
    return [native for native, _ in built], missing, refusal if n else "no rows"


TEXT_NAMES = st.one_of(
    st.sampled_from(["", " ", "é", "列", "a\nb", "nan", "x" * 80, "target", "0"]), st.text(max_size=4)
)
ODD_NAMES = st.one_of(
    st.integers(-2, 40),
    st.none(),
    st.tuples(st.integers(0, 9), st.sampled_from("ab")),
    st.floats(0, 9),
    st.sampled_from([pd.Timestamp("2020-01-01"), b"a"]),
)


@st.composite
def names_of(draw: Callable, n: int, *, odd: bool) -> list:
    """Plain names, or any that are all texts; where odd ones may be had: numbers, tuples, None, mixed, repeated."""
    how = draw(st.sampled_from(["plain", "texts", *(["odd", "numbers", "tuples", "mixed", "repeated"] if odd else [])]))
    if how == "texts":
        return draw(st.lists(TEXT_NAMES, min_size=n, max_size=n, unique=True))
    if how == "odd":
        return draw(st.lists(ODD_NAMES, min_size=n, max_size=n, unique=True))
    if how == "numbers":
        return list(range(n))[::-1]
    if how == "tuples":
        return [("a" if j % 2 else "b", j) for j in range(n)]
    if how == "mixed":
        return [j if j % 2 else f"c{j}" for j in range(n)]
    if how == "repeated" and n > 1:
        return ["a", "a", *(f"c{j}" for j in range(n - 2))]
    return [f"c{j}" for j in range(n)]


def why_names(names: list) -> str:
    """Why names are refused: they repeat, or scikit-learn takes texts only if all are."""
    if len(set(names)) < len(names):
        return "repeated names"
    texts = [isinstance(name, str) for name in names]
    return "some names are text, some not" if any(texts) and not all(texts) else ""


@st.composite
def pandas_tables(draw: Callable) -> Drawn:
    columns, n = draw(columns_of(PANDAS)), draw(N_ROWS)
    names = draw(names_of(len(columns), odd=True))
    cells, missing, refusal = assembled(columns, PANDAS, n)
    frame = pd.DataFrame(dict(enumerate(cells)), columns=range(len(cells)))
    as_tuples = len(names) > 0 and all(isinstance(name, tuple) for name in names)
    nested = as_tuples and draw(st.booleans())
    frame.columns = pd.MultiIndex.from_tuples(names) if nested else pd.Index(names, tupleize_cols=False, dtype=object)
    index = draw(st.sampled_from(["range", "shuffled", "repeated", "times", "nested", "texts"]))
    frame.index = {
        "range": pd.RangeIndex(n),
        "shuffled": pd.Index(np.arange(n)[::-1] * 3, name="row"),
        "repeated": pd.Index(np.zeros(n, dtype=int)),
        "times": pd.date_range("2020", periods=n),
        "nested": pd.MultiIndex.from_arrays([np.arange(n) % 2, np.arange(n)], names=["a", "b"]),
        "texts": pd.Index([f"r{k}" for k in range(n)]),
    }[index]
    return Drawn(
        frame, missing, refusal or why_names(names), f"pandas, {n} rows, {columns}, names {names}, index {index}"
    )


@st.composite
def polars_tables(draw: Callable) -> Drawn:
    columns, n = draw(columns_of(POLARS)), draw(N_ROWS)
    names = draw(names_of(len(columns), odd=False))
    cells, missing, refusal = assembled(columns, POLARS, n)
    frame: Any = pl.DataFrame([series.alias(name) for series, name in zip(cells, names, strict=True)])
    wrapped = draw(st.sampled_from([False, False, False, True]))
    return Drawn(
        nw.from_native(frame) if wrapped else frame,
        missing,
        refusal,
        f"polars{' in narwhals' * wrapped}, {n} rows, {columns}, names {names}",
    )


@st.composite
def arrow_tables(draw: Callable) -> Drawn:
    columns, n = draw(columns_of(ARROW)), draw(N_ROWS)
    names = draw(names_of(len(columns), odd=False))
    cells, missing, refusal = assembled(columns, ARROW, n)
    table = pa.table(cells, names=names)
    if n > 2 and draw(st.booleans()):  # in two chunks
        table = pa.concat_tables([table.slice(0, n // 2), table.slice(n // 2)])
    return Drawn(table, missing, refusal, f"arrow, {n} rows, {columns}, names {names}")


ARRAYS: dict[str, tuple[tuple[str, ...], Callable[..., Any], bool]] = {
    "float64": (
        ("normal", "prices", "whole", "outlier", "huge", "tiny", "subnormal", "ends", "magnitudes", "infinite"),
        as_floats,
        True,
    ),
    "float32": (("normal", "prices", "whole", "outlier", "huge", "subnormal", "ends"), as_floats, True),
    "float16": (("normal", "whole", "ends"), as_floats, True),
    "longdouble": (("normal", "whole"), as_floats, True),
    **{
        f"{sign}{bits}": (("few", "codes", "indicator", "highest", "lowest", "ends", "anywhere"), as_wholes, False)
        for sign in ("int", "uint")
        for bits in (8, 16, 32, 64)
    },
    "bool": (("flags",), lambda style, rng, n, dtype: rng.random(n) < 0.4, False),
    "str": (tuple(LABELS), lambda style, rng, n, dtype: LABELS[style](rng, n), False),
    "bytes": (
        ("letters", "digits"),
        lambda style, rng, n, dtype: [text.encode() for text in LABELS[style](rng, n)],
        False,
    ),
    "object": (tuple(OBJECTS), lambda style, rng, n, dtype: OBJECTS[style](rng, n), True),
    **{f"M8[{unit}]": (("days", "centuries", "two"), as_times, True) for unit in ("D", "s", "ms", "us", "ns")},
    **{f"m8[{unit}]": (("days", "centuries", "two"), as_times, True) for unit in ("s", "ms", "us", "ns")},
    "complex128": (("normal",), as_floats, False),
}
BLANK = {"f": np.nan, "O": None, "M": "NaT", "m": "NaT"}


@st.composite
def array_tables(draw: Callable, *, listed: bool = False) -> Drawn:
    """Arrays of one dtype, masked arrays, and lists of lists."""
    dtype = draw(st.sampled_from(["float64", "object", "int64"] if listed else list(ARRAYS)))
    styles, cells, gaps = ARRAYS[dtype]
    if listed and dtype == "object":
        styles = ("text", "int", "float", "bool", "mixed", "date", "Decimal")
    masked = not listed and dtype != "complex128" and draw(st.sampled_from([False, False, True]))
    sound, odd = ([style for style in styles if (style in NO_CELLS) == refused] for refused in (False, True))
    columns = draw(
        st.lists(st.builds(Column, st.just(dtype), st.sampled_from(sound), SEEDS, RATES), min_size=1, max_size=12)
    )
    if odd and draw(st.sampled_from([False] * 9 + [True])):
        columns.append(Column(dtype, draw(st.sampled_from(odd)), draw(SEEDS), 0.2))
    n = draw(N_ROWS)
    array = np.empty((n, len(columns)), dtype={"str": "U300", "bytes": "S9"}.get(dtype, dtype))
    missing = np.zeros(array.shape, dtype=bool)
    refusal = "" if n else "no rows"
    for j, column in enumerate(columns):
        rng = np.random.default_rng(column.seed)
        missing[:, j] = (rng.random(n) < column.rate) & (gaps or masked)
        for row, cell in enumerate(
            cells(column.style, rng, n, np.dtype(dtype if dtype not in ("str", "bytes") else "O"))
        ):
            array[row, j] = cell
        if dtype == "complex128" or (column.style in NO_CELLS and not missing[:, j].all()):
            refusal = refusal or f"column {j} is {dtype}, {column.style}"
    story = f"{'masked ' * masked}{'list' * listed} {dtype}, {n} rows, {columns}"
    if masked:
        return Drawn(np.ma.MaskedArray(array, missing), missing, refusal, story)
    if missing.any():
        array[missing] = BLANK[array.dtype.kind]
    return Drawn(array.tolist() if listed else array, missing, refusal, story)


def tables() -> st.SearchStrategy[Drawn]:
    """Any table."""
    return st.one_of(
        pandas_tables(), pandas_tables(), polars_tables(), arrow_tables(), array_tables(), array_tables(listed=True)
    )


def take(native: Any, rows: np.ndarray) -> Any:
    """Rows of a table, in its own container."""
    if isinstance(native, list):
        return [native[row] for row in rows]
    if isinstance(native, pd.DataFrame):
        return native.iloc[rows]
    if isinstance(native, pa.Table):
        return native.take(pa.array(rows))
    return native[rows.tolist()] if isinstance(native, pl.DataFrame | nw.DataFrame) else native[rows]
