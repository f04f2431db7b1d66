"""How `GAINImputer` reads a table: which cells are missing, and whether it may hold what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from tabgan.tables.encoder import EncodedTable, TableEncoder
from tabgan.tables.frames import Table, read_table

__all__ = ["ReadingMixin"]


class ReadingMixin:
    """Tables with missing values, strings and categories."""

    if TYPE_CHECKING:
        missing_values: Any
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

    def _encoded(self, X: Any) -> tuple[Table, EncodedTable]:
        check_is_fitted(self)
        table = self._read(X, reset=False)
        return table, self.encoder_.encode(table)
