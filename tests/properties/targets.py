"""Class labels of every kind and container, drawn for a number of rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import scipy.sparse as sp
from hypothesis import strategies as st

__all__ = ["Labels", "labels_of"]

WORDS = ["b", "a", "", "日本"]
DAYS = [pd.Timestamp("2020-01-01") + pd.Timedelta(days=k) for k in range(4)]


def names(codes: np.ndarray) -> list[str]:
    return [WORDS[code] for code in codes]


TARGETS: dict[str, Callable[[np.ndarray], Any]] = {
    "int": lambda codes: codes,
    "list": lambda codes: codes.tolist(),
    "words": lambda codes: np.array(names(codes)),
    "list of words": names,
    "objects": lambda codes: np.array(names(codes), dtype=object),
    "series": lambda codes: pd.Series(names(codes), index=codes, name="label"),
    "string": lambda codes: pd.Series(names(codes), dtype="string"),
    "category": lambda codes: pd.Series(pd.Categorical(names(codes), [*WORDS, "never"])),
    "ordered": lambda codes: pd.Series(pd.Categorical(names(codes), WORDS, ordered=True), name=("a", 1)),
    "category of numbers": lambda codes: pd.Series(codes, dtype="category"),
    "Int64": lambda codes: pd.Series(codes, dtype="Int64"),
    "int64[pyarrow]": lambda codes: pd.Series(codes, dtype=pd.ArrowDtype(pa.int64())),
    "int8": lambda codes: codes.astype("int8"),
    "uint64 end": lambda codes: np.uint64(2**64 - 1) - codes.astype(np.uint64),
    "int64 end": lambda codes: np.iinfo(np.int64).min + codes,
    "bool": lambda codes: codes > 0,
    "boolean": lambda codes: pd.Series(codes > 0, dtype="boolean"),
    "whole floats": lambda codes: codes.astype(float),
    "float32": lambda codes: codes.astype(np.float32),
    "datetime64": lambda codes: np.array(DAYS, dtype="M8[D]")[codes],
    "Timestamps": lambda codes: pd.Series([DAYS[code] for code in codes]),
    "zoned": lambda codes: pd.Series([DAYS[code] for code in codes]).dt.tz_localize("Europe/Berlin"),
    "dates": lambda codes: [DAYS[code].date() for code in codes],
    "timedelta": lambda codes: pd.Series(pd.to_timedelta(codes, unit="D")),
    "intervals": lambda codes: pd.Series(pd.cut(codes, [-1, 0, 1, 2, 3])),
    "frame": lambda codes: pd.DataFrame({"label": names(codes)}),
    "column": lambda codes: codes[:, None],
    "indicators": lambda codes: np.eye(codes.max() + 1, dtype=int)[codes],
    "indicator frame": lambda codes: pd.DataFrame(np.eye(codes.max() + 1, dtype="int8")[codes]).add_prefix("is"),
    "sparse indicators": lambda codes: sp.csr_matrix(np.eye(codes.max() + 1, dtype=int)[codes]),
    "polars": lambda codes: pl.Series("label", names(codes)),
    "polars int": lambda codes: pl.Series("label", codes, dtype=pl.UInt8),
    "polars bool": lambda codes: pl.Series("label", codes > 0),
    "polars category": lambda codes: pl.Series("label", names(codes), dtype=pl.Categorical),
    "polars enum": lambda codes: pl.Series("label", names(codes), dtype=pl.Enum([*WORDS, "never"])),
    "polars frame": lambda codes: pl.DataFrame({"label": names(codes)}),
    "arrow": lambda codes: pa.chunked_array([names(codes)]),
}
TWO_CLASSES = ("bool", "boolean", "polars bool")


@dataclass(frozen=True)
class Labels:
    """Class labels as a user may have them.

    Parameters
    ----------
    native : object
        In the user's container.
    codes : ndarray of int of shape (n,)
        Which class each row is of.
    kind : str
        What they are.
    refusal : str
        Why they must be refused; empty where they must not.
    """

    native: Any
    codes: np.ndarray
    kind: str
    refusal: str

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(f"Labels({self.kind}, {np.bincount(self.codes)}, {self.refusal or 'sound'})")


@st.composite
def labels_of(draw: Callable, n: int) -> Labels:
    """Labels of 2 to 4 classes, some of a single row, for ``n`` rows."""
    kind = draw(st.sampled_from(sorted(TARGETS)))
    n_classes = 2 if kind in TWO_CLASSES else draw(st.integers(2, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    shares = draw(st.sampled_from([(0.6, 0.2, 0.1, 0.1), (0.9, 0.05, 0.05, 0.0), (0.25, 0.25, 0.25, 0.25)]))[:n_classes]
    codes = rng.choice(n_classes, size=n, p=np.array(shares) / sum(shares))
    codes[: min(n, n_classes)] = np.arange(min(n, n_classes))
    codes = np.unique(rng.permutation(codes), return_inverse=True)[1].reshape(-1) if n else codes
    refusal = "a single class" if n < 2 else ""
    native = TARGETS[kind](codes) if n else []
    return Labels(native, codes, kind, refusal)


def in_rows(native: Any, n: int) -> list:
    """The first ``n`` labels as plain cells, to compare two containers of them."""
    if sp.issparse(native):
        native = native.toarray()
    if isinstance(native, pl.DataFrame):
        native = native.to_numpy()
    if isinstance(native, pd.DataFrame):
        native = native.to_numpy()
    cells = native.to_pylist() if isinstance(native, pa.ChunkedArray) else list(native)
    rows = [cell.tolist() if isinstance(cell, np.ndarray | np.generic) else cell for cell in cells[:n]]
    return [row[0] if isinstance(row, list) and len(row) == 1 else row for row in rows]  # a column comes back flat
