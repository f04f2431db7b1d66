"""How `GAINImputer` reads a table: which cells are missing, and whether it may hold what it holds."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from tabgan._warnings import warn_caller
from tabgan.checks.code_columns import find_codes
from tabgan.checks.odd_cells import unread_texts
from tabgan.checks.spellings import find_spellings
from tabgan.exceptions import CodesWarning, EmptyColumnsWarning, InvalidInputError, SpellingsWarning, TextsWarning
from tabgan.tables.encoder import EncodedTable, TableEncoder
from tabgan.tables.frames import Table, read_table
from tabgan.tables.labels import shown_names
from tabgan.tables.rules import find_rules
from tabgan.tables.schema import TableSchema, infer_schema

__all__ = ["ReadingMixin", "warn_of_spellings", "warn_of_texts"]

_MOST_TOLD = 3


def warn_of_texts(table: Table, categorical_features: Any, column_kinds: Any) -> None:
    """Warn of columns of text that are dates or amounts: as labels they can only be filled with values seen before.

    Parameters
    ----------
    table : Table
    categorical_features, column_kinds : as an estimator has them
        Columns that they name are as the user wants them.
    """
    declared = [*(() if categorical_features is None else categorical_features), *(column_kinds or ())]
    found = unread_texts(table, declared)
    if found:
        told = "; ".join(f"{name!r} reads as {what}" for name, what in list(found.items())[:_MOST_TOLD])
        more = f" and {len(found) - _MOST_TOLD} more" if len(found) > _MOST_TOLD else ""
        warn_caller(
            f"columns of text are filled as labels: {told}{more}. Convert them first (pandas.to_datetime, pandas.to_numeric), or let "
            f"`tabgan impute` read the file; categorical_features={list(found)[:1]} says that they are labels.",
            TextsWarning,
        )


def warn_of_spellings(table: Table, classes: Mapping[Hashable, int] | None = None) -> None:
    """Warn of labels that look like one label written in several ways: they are kept apart.

    Parameters
    ----------
    table : Table
    classes : mapping of label to number of rows, default=None
        Of ``y``, where there is one.
    """
    found = find_spellings(table, classes)
    if found:
        left = len(found) - _MOST_TOLD
        more = f" {left} more columns have such labels; tabgan.check lists them." if left > 0 else ""
        warn_caller(". ".join(finding.text() for finding in found[:_MOST_TOLD]) + f".{more}", SpellingsWarning)


class ReadingMixin:
    """Tables with missing values, strings and categories."""

    if TYPE_CHECKING:
        missing_values: Any
        categorical_features: Any
        column_kinds: Any
        keep_empty_features: bool
        numeric_transform: str | None
        objective: str
        max_categories: int
        unseen_categories: str
        round_like_observed: bool
        schema_: TableSchema
        encoder_: TableEncoder

    def __sklearn_tags__(self) -> Any:
        """Say that missing values, strings and categories are welcome."""
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _read(self, X: Any, *, reset: bool) -> Table:
        table = read_table(X, missing_values=self.missing_values)
        validate_data(
            self,
            X if table.has_names else np.empty((table.n_rows, table.n_columns)),
            reset=reset,
            skip_check_array=True,
        )
        return table

    def _learn_columns(self, table: Table) -> None:
        """Kinds of the columns, and how they are encoded; columns without an observed cell are said so."""
        self.schema_ = infer_schema(
            table, categorical_features=self.categorical_features, column_kinds=self.column_kinds
        )
        self.schema_ = replace(self.schema_, rules=find_rules(table, schema=self.schema_, amounts_only=True))
        empty = [column.name for column in self.schema_.columns if column.kind == "empty"]
        if len(empty) == table.n_columns:
            raise InvalidInputError(
                f"no column of X has an observed cell (columns {empty[:10]}): there is nothing to learn from."
            )
        if empty:
            what = (
                "are filled with 0 where they hold numbers, else left" if self.keep_empty_features else "are left out"
            )
            warn_caller(
                f"columns without any observed value {what}: {empty}; keep_empty_features says which.",
                EmptyColumnsWarning,
            )
        hinted = [finding.columns[0] for finding in find_codes(table, self.schema_.columns)]
        if hinted:
            warn_caller(
                f"columns of whole numbers that may be codes are taken for amounts: {shown_names(hinted)}. If they are codes, "
                f"categorical_features={hinted[:1]} makes better fills; if not, column_kinds={{{hinted[0]!r}: 'integer'}} says so.",
                CodesWarning,
            )
        warn_of_texts(table, self.categorical_features, self.column_kinds)
        warn_of_spellings(table)
        self.encoder_ = TableEncoder(
            numeric_transform=self.numeric_transform or ("minmax" if self.objective == "paper" else "standard"),
            max_categories=self.max_categories,
            unseen_categories=self.unseen_categories,
            round_like_observed=self.round_like_observed,
        ).fit(table, self.schema_)

    def _encoded(self, X: Any) -> tuple[Table, EncodedTable]:
        check_is_fitted(self)
        table = self._read(X, reset=False)
        return table, self.encoder_.encode(table)
