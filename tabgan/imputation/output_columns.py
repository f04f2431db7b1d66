"""Which columns `GAINImputer.transform` returns, and what they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np
import pandas as pd
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from tabgan.tables.frames import Table
from tabgan.tables.indicators import append_indicators
from tabgan.tables.stored import frame_as_pandas

if TYPE_CHECKING:
    from tabgan.tables.schema import TableSchema

__all__ = ["OutputColumnsMixin"]


class OutputColumnsMixin:
    """Columns without a single value may go, and indicators of missing values may come."""

    if TYPE_CHECKING:
        keep_empty_features: bool
        add_indicator: bool
        schema_: TableSchema
        had_missing_: tuple[bool, ...]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns that `transform` returns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names to use for a table that was fitted without any; otherwise they must equal ``feature_names_in_``.

        Returns
        -------
        ndarray of str objects
        """
        check_is_fitted(self)
        given = input_features.detach().cpu() if hasattr(input_features, "detach") else input_features
        names = _check_feature_names_in(self, given)
        kept = [str(names[j]) for j in self._kept()]
        indicators = [f"missingindicator_{names[j]}" for j in self._indicated()] if self.add_indicator else []
        return np.asarray(kept + indicators, dtype=object)

    def _kept(self) -> list[int]:
        columns = self.schema_.columns
        return [j for j, column in enumerate(columns) if self.keep_empty_features or column.kind != "empty"]

    def _indicated(self) -> list[int]:
        kept = set(self._kept())
        return [j for j, had_gaps in enumerate(self.had_missing_) if had_gaps and j in kept]

    def _with_indicators(self, filled: Any, table: Table) -> Any:
        """A filled table with its indicators, where they are wanted, in pandas where ``set_output`` says so."""
        if self.add_indicator:
            names = {j: f"missingindicator_{self.schema_.columns[j].name}" for j in self._indicated()}
            filled = append_indicators(filled, {name: table.columns[j].missing for j, name in names.items()})
        if _get_output_config("transform", self)["dense"] == "pandas" and not isinstance(
            filled, pd.DataFrame | np.ndarray
        ):
            # Left to scikit-learn, booleans would become integers, and dates fail.
            return frame_as_pandas(nw.from_native(filled, eager_only=True))
        return filled
