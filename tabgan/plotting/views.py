"""Tables of any container as displays see them: numbers as floats, times as days, labels as text, gaps as NaN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tabgan.estimators.parameter_checks import BOOLEAN, Rule, integer
from tabgan.exceptions import InvalidInputError, parameter_error
from tabgan.model_selection.working_table import working_table
from tabgan.tables.frames import read_table
from tabgan.tables.kinds import IDENTIFIER
from tabgan.tables.schema import TableSchema

__all__ = [
    "CompletedView",
    "check_count",
    "check_draws",
    "check_has",
    "check_type",
    "completed_by",
    "draws_by",
    "draws_view",
    "feature_columns",
    "filled_view",
    "floats_of",
    "is_number",
    "label_columns",
    "view",
]

CompletedView = tuple[pd.DataFrame, pd.DataFrame]
"""A completed table and which of its cells were gaps; see `filled_view`."""

_LABEL_KINDS = ("boolean", "categorical", "ordinal")


def view(X: Any, categorical_features: Any = None, missing_values: Any = np.nan) -> pd.DataFrame:
    """A table as displays see it.

    Parameters
    ----------
    X : DataFrame (pandas, polars, ...), ndarray or list of shape (n_samples, n_features)
        The table.
    categorical_features : None, list of names or positions, or boolean mask, default=None
        Columns to treat as labels whatever they hold.
    missing_values : scalar or list of scalars, default=np.nan
        Further markers of a missing cell.

    Returns
    -------
    pandas.DataFrame of shape (n_samples, n_features)
        Columns named by text.
    """
    return working_table(X, categorical_features, missing_values).frame


def is_number(column: pd.Series) -> bool:
    """Whether a column of `view` holds numbers."""
    return column.dtype == float


def label_columns(schema: TableSchema) -> list[bool]:
    """Which columns of a fitted schema hold labels."""
    return [column.kind in _LABEL_KINDS for column in schema.columns]


def feature_columns(schema: TableSchema) -> list[bool]:
    """Which columns of a fitted schema say something of their row: those that only name it do not."""
    return [column.kind != IDENTIFIER for column in schema.columns]


def filled_view(X: Any, X_filled: Any, categorical_features: Any = None, missing_values: Any = np.nan) -> CompletedView:
    """A completed table and which of its cells were gaps.

    Parameters
    ----------
    X, X_filled : tables
        Before and after. Columns that an imputer dropped are left out if columns have names.
    categorical_features, missing_values
        See `view`.

    Returns
    -------
    filled, gaps : pandas.DataFrame of shape (n_samples, n_shared_columns)
        Values, and True where ``X`` has a gap.

    Raises
    ------
    InvalidInputError
        The tables do not belong together.
    """
    before = read_table(X, missing_values=missing_values)
    known = view(X, categorical_features, missing_values)
    wanted = {name for name, column in known.items() if not is_number(column)}
    after = read_table(X_filled)
    if after.n_rows != before.n_rows:
        raise InvalidInputError(
            f"X_filled has {after.n_rows} rows, but X has {before.n_rows}: give the same rows, filled."
        )
    texts = list(known.columns)
    same_width = after.n_columns == before.n_columns
    names = texts if same_width else [str(name) for name in after.names]
    shared = [name for name in texts if name in set(names)]
    if not shared or not (same_width or (before.has_names and after.has_names)):
        raise InvalidInputError(
            f"X_filled has {after.n_columns} columns and X has {before.n_columns}: without column names they must be the same."
        )
    filled = view(X_filled, [name in wanted for name in names])
    filled.columns = pd.Index(names)
    return filled[shared], known[shared].isna()


def completed_by(imputer: Any, X: Any, X_filled: Any = None) -> CompletedView:
    """What an imputer makes of a table; see `filled_view`.

    Parameters
    ----------
    imputer : estimator
        Fitted; a `tabgan.GAINImputer` or any other with ``transform``.
    X : table
        With gaps.
    X_filled : table, default=None
        What ``imputer.transform(X)`` returned, if it is at hand.
    """
    if X_filled is None:
        check_has("imputer", imputer, "transform", "a fitted imputer, or from_predictions what it made of X")
        X_filled = imputer.transform(X)
    filled = X_filled
    schema = getattr(imputer, "schema_", None)
    markers = getattr(imputer, "missing_values", np.nan)
    if not isinstance(schema, TableSchema):
        return filled_view(X, filled, missing_values=markers)
    # Columns without a value may have been dropped, and indicators appended, which names alone cannot tell in arrays.
    labels = label_columns(schema)
    keep_empty = getattr(imputer, "keep_empty_features", True)
    kept = [j for j, column in enumerate(schema.columns) if keep_empty or column.kind != "empty"]
    known = view(X, labels, markers)
    width = read_table(filled).n_columns
    after = view(filled, [labels[j] for j in kept] + [False] * (width - len(kept))).iloc[:, : len(kept)]
    after.columns = known.columns[kept]
    return after, known.iloc[:, kept].isna()


def draws_by(
    imputer: Any, X: Any, draws: Sequence[Any] | None = None, n_draws: int = 20, random_state: int | None = None
) -> list[CompletedView]:
    """What an imputer makes of a table in each draw; see `completed_by`.

    Parameters
    ----------
    imputer : GAINImputer
        Fitted with the default objective.
    X : table
        With gaps.
    draws : sequence of tables, default=None
        What ``imputer.sample(X)`` returned, if it is at hand; None draws ``n_draws`` tables by ``random_state``.
    n_draws : int, default=20
    random_state : int, default=None
    """
    if draws is None:
        check_has(
            "imputer", imputer, "sample", "a fitted GAINImputer, or from_predictions tables completed several times"
        )
        draws = imputer.sample(X, n_draws, random_state=random_state)
    made = _several(draws)
    return [completed_by(imputer, X, draw) for draw in made]


def draws_view(X: Any, draws: Sequence[Any]) -> list[CompletedView]:
    """Tables completed elsewhere; see `filled_view`."""
    return [filled_view(X, draw) for draw in _several(draws)]


def _several(draws: Any) -> list[Any]:
    """Completed tables; one alone is no sequence of them."""
    if not isinstance(draws, list | tuple):
        raise InvalidInputError(f"draws must be a list of completed tables, not {type(draws).__name__}.")
    return list(draws)


def check_count(name: str, value: Any) -> None:
    """Refuse what is no count of at least 1."""
    _check(name, value, integer(1))


def check_draws(random_state: Any, check: Any = False) -> None:
    """Refuse what is no seed, and what does not say whether cells or rows are held out."""
    _check("random_state", random_state, integer(0))
    _check("check", check, BOOLEAN)


def check_has(name: str, value: Any, method: str, such_as: str) -> None:
    """Refuse what lacks a method, before anything is fitted."""
    if isinstance(value, type) or not callable(getattr(value, method, None)):
        kind = value.__name__ + " itself" if isinstance(value, type) else type(value).__name__
        raise InvalidInputError(f"{name} is {kind}, which has no {method}; give {such_as}.")


def check_type(name: str, value: Any, wanted: type, source: str) -> None:
    """Refuse what is of another type."""
    if not isinstance(value, wanted):
        raise InvalidInputError(f"{name} must be what {source} returned, not {type(value).__name__}.")


def floats_of(name: str, values: Any) -> np.ndarray:
    """Numbers as an array; refuse what holds none."""
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"{name} must hold numbers: {error}") from error


def _check(name: str, value: Any, rule: Rule) -> None:
    if not rule[0](value):
        raise parameter_error(name, value, rule[1])
