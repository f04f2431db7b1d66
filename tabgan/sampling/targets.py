"""Class labels in whatever container they come, as integers, and back."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from imblearn.utils import check_target_type
from scipy.sparse import issparse
from sklearn.utils.multiclass import check_classification_targets

from tabgan.estimators.classes import plain_label
from tabgan.exceptions import InvalidInputError

__all__ = ["Target", "read_target"]

_UNKNOWN_TO_SKLEARN = (pd.Interval, datetime.date, datetime.timedelta)
"""Classes as pandas.cut makes them, dates, and moments with a time zone: they can be sorted, and that is all a class needs."""


@dataclass(frozen=True)
class Target:
    """A target column.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        The label of each row; the position of the indicator where there is one column per class.
    classes : ndarray of shape (n_classes,)
        The different labels, sorted.
    codes : ndarray of int of shape (n,)
        The position of each row's label in ``classes``.
    n_indicators : int
        Columns where the user gave one indicator column per class, else 0.
    container : object
        The user's object: its kind, name and dtype are those of what comes back.
    """

    labels: np.ndarray
    classes: np.ndarray
    codes: np.ndarray
    n_indicators: int
    container: Any

    @property
    def counts(self) -> np.ndarray:
        """Rows per class."""
        return np.bincount(self.codes, minlength=len(self.classes))

    @property
    def names(self) -> list:
        """The classes as Python objects; times as pandas has them, in whatever unit they came."""
        return [plain_label(label) for label in self.classes]

    def with_rows(self, codes: np.ndarray, *, only: bool = False) -> Any:
        """The target with further rows of the given classes at its end (or those alone), in the user's container."""
        new = self.classes[codes].astype(self.labels.dtype)
        labels = new if only else np.concatenate([self.labels, new])
        made = np.eye(self.n_indicators, dtype=np.int64)[labels] if self.n_indicators else labels
        given = self.container
        if isinstance(given, list):
            return made.tolist()
        if isinstance(given, pd.DataFrame):
            columns = made.reshape(len(labels), given.shape[1])
            return pd.DataFrame(columns, columns=given.columns).astype(given.dtypes.to_dict())
        if isinstance(given, pd.Series):
            return pd.Series(made, name=given.name, dtype=given.dtype)
        if issparse(given):
            return type(given)(made.astype(given.dtype))
        frame = nw.from_native(given, pass_through=True, allow_series=True)
        if isinstance(frame, nw.Series):
            return _series_like(frame, made).to_native()
        if isinstance(frame, nw.DataFrame):
            columns = made.reshape(len(labels), frame.shape[1])
            new_columns = {
                name: _series_like(frame[name], columns[:, k]).to_native() for k, name in enumerate(frame.columns)
            }
            return nw.from_dict(new_columns, backend=frame.implementation).to_native()
        return made.astype(given.dtype) if self.n_indicators and isinstance(given, np.ndarray) else made


def read_target(y: Any, n_rows: int) -> Target:
    """Read class labels.

    Parameters
    ----------
    y : array-like, Series or one-column DataFrame of shape (n_rows,), or one indicator column per class
        Labels: numbers, texts, booleans or categories.
    n_rows : int
        Rows of the table.

    Returns
    -------
    Target

    Raises
    ------
    InvalidInputError
        Labels are missing or of several types, their number differs from the table's rows, or there is one class only.
    ValueError
        Scikit-learn's own messages for targets of a wrong kind.
    """
    if y is None:
        raise InvalidInputError("requires y to be passed, but the target y is None: give the class label of each row.")
    plain = _as_array(y)
    if not plain.ndim:
        raise InvalidInputError(f"y={y!r} is a single value: give the class label of each row.")
    blank = np.asarray(pd.isna(plain), dtype=bool)
    if blank.any():
        row = int(np.argmax(blank.reshape(len(blank), -1).any(axis=1)))
        raise InvalidInputError(
            f"y has a missing label in row {row} (Input y contains NaN); drop such rows: a class cannot be guessed."
        )
    if plain.dtype == object and 0 < sum(isinstance(label, str) for label in plain.ravel()) < plain.size:
        kinds = sorted({type(label).__name__ for label in plain.ravel()})
        raise InvalidInputError(f"y mixes labels of the types {kinds}, which cannot be sorted; use one type.")
    if plain.dtype == object and all(isinstance(label, _UNKNOWN_TO_SKLEARN) for label in plain.ravel()):
        labels, one_vs_all = plain.ravel(), False
    else:
        check_classification_targets(plain)
        labels, one_vs_all = check_target_type(plain, indicate_one_vs_all=True)
        labels = np.asarray(labels)
    if len(labels) != n_rows:
        raise InvalidInputError(
            f"y has {len(labels)} labels, but X has {n_rows} rows (inconsistent numbers of samples); they belong together."
        )
    if one_vs_all and not plain.any(axis=1).all():
        row = int(np.argmin(plain.any(axis=1)))
        raise InvalidInputError(f"y has no indicator set in row {row}; each row needs exactly one class.")
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise InvalidInputError(
            f"The target 'y' needs to have more than 1 class. Got {len(classes)} class instead: {classes[0]!r}."
        )
    return Target(labels, classes, codes.reshape(-1), plain.shape[1] if one_vs_all else 0, y)


def _as_array(y: Any) -> np.ndarray:
    """Labels as a plain numpy array: of numbers where the container's own type is nullable."""
    if issparse(y):
        return y.toarray()
    y = y.detach().cpu() if hasattr(y, "detach") else y
    if isinstance(y, pd.Series | pd.DataFrame):
        plain = y.to_numpy()
    else:
        frame = nw.from_native(y, pass_through=True, allow_series=True)
        plain = frame.to_numpy() if isinstance(frame, nw.Series | nw.DataFrame) else np.asarray(y)
        if isinstance(y, list | tuple) and plain.dtype.kind in "US" and not all(isinstance(label, str) for label in y):
            plain = np.array(y, dtype=object)  # numpy turns a 1 beside "a" into "1"
    try:
        blank = pd.isna(plain)
    except ArithmeticError as error:
        raise InvalidInputError("y holds a signalling NaN, which cannot be compared; use another label.") from error
    if plain.dtype == object and not blank.any():
        inferred = pd.api.types.infer_dtype(plain.ravel(), skipna=False)
        if inferred in ("integer", "floating", "mixed-integer-float", "boolean"):
            return np.array(plain.tolist())
    return plain


def _series_like(series: nw.Series, values: np.ndarray) -> nw.Series:
    if series.dtype in (nw.Categorical, nw.Enum):
        new = nw.new_series(series.name, values.tolist(), dtype=nw.String(), backend=series.implementation)
        return new.cast(series.dtype)
    return nw.new_series(series.name, values.tolist(), dtype=series.dtype, backend=series.implementation)
