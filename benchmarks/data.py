"""The shared real tables, read in place; see ``shared/data/README.md``. Nothing is downloaded and nothing committed."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["BenchmarkTable", "about", "data_folder", "load_frame", "load_table", "load_target_name", "real_tables"]


@dataclass(frozen=True)
class BenchmarkTable:
    """A table cut to benchmark size.

    Parameters
    ----------
    name : str
    frame : pandas.DataFrame
        Features only; numbers as float64, categories as strings (None where really missing).
    categorical : list of str
        Which columns are categories.
    """

    name: str
    frame: pd.DataFrame
    categorical: list[str]

    @property
    def numeric(self) -> list[str]:
        """Which columns are numbers."""
        return [column for column in self.frame.columns if column not in self.categorical]


def data_folder() -> Path | None:
    """``TABGAN_DATA``, or ``../shared/data`` beside the repository; None where neither is there."""
    named = os.environ.get("TABGAN_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    return folder if (folder / "manifest.json").is_file() else None


@cache
def _manifest() -> dict:
    folder = data_folder()
    if folder is None:
        raise FileNotFoundError("no benchmark data: set TABGAN_DATA to the folder that holds manifest.json")
    return json.loads((folder / "manifest.json").read_text())


def real_tables() -> list[str]:
    """Names of all shared tables."""
    return [name for name, meta in _manifest().items() if "read_csv" in meta]


def about(name: str) -> dict:
    """What the manifest says of a shared table."""
    return _manifest()[name]


def load_frame(name: str) -> pd.DataFrame:
    """One shared table as its README reads it, all columns."""
    meta = _manifest()[name]
    folder = data_folder()
    assert folder is not None
    return pd.read_csv(folder / meta["file"], **meta["read_csv"])


def load_target_name(name: str) -> str:
    """Which column of a shared table is predicted."""
    return _manifest()[name]["target"]


def load_table(
    name: str,
    *,
    max_rows: int | None = None,
    max_columns: int | None = None,
    all_numeric: bool = False,
    seed: int = 0,
) -> BenchmarkTable:
    """Features of a shared table (or scikit-learn's ``breast_cancer``), with rows and columns drawn down to size.

    Constant columns are left out: there is nothing to impute in them. ``all_numeric`` takes coded categories as numbers.
    """
    if name == "breast_cancer":
        from sklearn.datasets import load_breast_cancer

        frame, categorical = load_breast_cancer(as_frame=True).data, []
    else:
        meta = _manifest()[name]
        categorical = list(meta["categorical"])
        frame = load_frame(name)[meta["numeric"] + categorical].copy()
    if all_numeric:
        categorical = []
    for column in frame.columns:
        if column in categorical:
            cells = frame[column]
            frame[column] = cells.map(lambda cell: None if pd.isna(cell) else str(cell)).astype(object)
        else:
            frame[column] = frame[column].astype(float)
    rng = np.random.default_rng(seed)
    if max_rows is not None and len(frame) > max_rows:
        frame = frame.iloc[np.sort(rng.permutation(len(frame))[:max_rows])].reset_index(drop=True)
    frame = frame[[column for column in frame.columns if frame[column].nunique(dropna=True) > 1]]
    if max_columns is not None and frame.shape[1] > max_columns:
        frame = frame.iloc[:, np.sort(rng.permutation(frame.shape[1])[:max_columns])]
    return BenchmarkTable(name, frame, [column for column in categorical if column in frame.columns])
