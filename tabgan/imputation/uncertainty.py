"""What `GAINImputer` says beyond its point estimates: draws, intervals, and probabilities of levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import pandas as pd

from tabgan._runtime import jobs, own_torch
from tabgan.estimators.parameter_checks import seed_of
from tabgan.exceptions import InvalidInputError, parameter_error
from tabgan.imputation.parameters import is_count
from tabgan.imputation.row_noise import RowNoise, keys_of_rows
from tabgan.tables.deltas import moved_fills, read_deltas
from tabgan.tables.frames import Table

if TYPE_CHECKING:
    from tabgan.imputation.predicting import Predictor
    from tabgan.tables.encoder import EncodedTable, TableEncoder
    from tabgan.tables.schema import TableSchema

__all__ = ["UncertaintyMixin"]


class UncertaintyMixin:
    """Draws, intervals and probabilities, for an imputer with a trained drawer."""

    if TYPE_CHECKING:
        random_state: Any
        n_threads: int | None
        n_jobs: int | None
        schema_: TableSchema
        encoder_: TableEncoder
        _model: Predictor

        def _encoded(self, X: Any) -> tuple[Table, EncodedTable]: ...

        def _kept(self) -> list[int]: ...

    def sample(
        self,
        X: Any,
        n_draws: int = 5,
        *,
        delta: Mapping[Any, Any] | None = None,
        random_state: int | None = None,
        row_keys: Any = None,
    ) -> list[Any]:
        """Fill the missing cells several times, each time with a draw from their joint distribution given the row's observed cells.

        Parameters
        ----------
        X : DataFrame, ndarray or list of shape (n_samples, n_features)
            A table with the columns seen in `fit`.
        n_draws : int, default=5
            How many completed tables to make.
        delta : dict, default=None
            What is added to the imputed values of columns, by name or position: a number in the column's units, or a timedelta for
            dates and durations, as in ``{"income": -5000}``. For sensitivity analysis, where values may be missing because of what
            they are (MNAR); see the notes.
        random_state : int, default=None
            Seed of the draws; None takes the imputer's ``random_state``.
        row_keys : array-like of shape (n_samples,), default=None
            What tells equal rows of several calls apart (an id, ``X.index``), of numbers, text or times.

        Returns
        -------
        list of DataFrame or ndarray
            ``n_draws`` completed tables of the kind that came in; `tabgan.pool` combines what is estimated from them.

        Raises
        ------
        InvalidInputError
            With ``objective="paper"``, which has no draws worth the name; ``row_keys`` do not fit the rows.
        InvalidParameterError
            ``n_draws`` is no count; ``delta`` names no column, or one that does not hold varying numbers or times, or has a value that
            is no finite number or time span.

        Notes
        -----
        A row's draws depend on the seed, its observed cells, its key, and how many equal rows of the same key stand before it in the
        call: alone, in chunks and in the whole table it gets the same ones. Equal rows differ within a call; between calls they do
        where their keys differ. Further draws leave the first ones as they are.

        Parameters are drawn too (proper imputation): of ``n_donor_trees`` bootstrap samples, each draw takes the next one.

        Delta adjustment: a cell that was missing holds its draw plus delta; observed cells stay. Other missing cells of the row are
        drawn given the moved value, so that a relation between columns spreads the change; but they stay as they are with
        ``n_donor_trees=0``, or with too few known cells for donors. In mice, whose ``post`` moves cells within the iterations, cells
        move by more than delta where cells of the row that they depend on are missing, too. Decimals, dtype and sign of a column
        are kept, and so are rules between columns, which win. Tables of one ``random_state`` and several deltas of the same columns, 0
        included, differ by the deltas alone.

        References
        ----------
        van Buuren 2018, "Flexible Imputation of Missing Data", sections 3.8 and 9.2.
        """
        if not is_count(n_draws):
            raise parameter_error("n_draws", n_draws, "an integer >= 1")
        table, encoded = self._encoded(X)
        by = read_deltas(delta, table, self.schema_)
        if row_keys is not None and np.shape(row_keys) != (table.n_rows,):
            raise InvalidInputError(
                f"row_keys has shape {np.shape(row_keys)}, but X has {table.n_rows} rows; give one key per row."
            )
        return self._drawn(table, encoded, n_draws, random_state, row_keys, by)

    def _drawn(
        self,
        table: Table,
        encoded: EncodedTable,
        n_draws: int,
        random_state: Any = None,
        row_keys: Any = None,
        by: Mapping[int, float | int] | None = None,
    ) -> list[Any]:
        """Completed tables; the parameters are those of `sample`, ``by`` is delta by position."""
        seed = seed_of(self.random_state if random_state is None else random_state)
        noise = self._noise(encoded, n_draws, seed, row_keys)
        moves = {self.schema_.encoded.index(j): partial(self._moved, j, amount) for j, amount in (by or {}).items()}
        with own_torch(self.n_threads), jobs(self.n_jobs):
            draws = self._model.draw(encoded.values, encoded.mask, noise, moves)

        def filled(k: int) -> Any:
            def uniform(name: str, rows: np.ndarray, size: int) -> np.ndarray:
                return noise.take(rows).uniform(name, size)[k].numpy()

            return self.encoder_.decode(table, draws[k], keep=self._kept(), choose=uniform, beyond=True, delta=by)

        return [filled(k) for k in range(n_draws)]

    def _moved(self, j: int, amount: float | int, slots: np.ndarray) -> np.ndarray:
        """Slots of a column's numbers once these are moved, as the other columns see them."""
        known, encoder = self.schema_.columns[j], self.encoder_
        numbers = encoder.decode_column(j, slots[:, None], beyond=True)
        moved = moved_fills(numbers, amount, known, rounded=encoder.round_like_observed)
        return encoder.encode_column(j, known.like(moved))[:, 0].astype(np.float64)

    def _noise(self, encoded: EncodedTable, n_draws: int, seed: int, row_keys: Any = None) -> RowNoise:
        visible = np.repeat(encoded.mask, [span.width for span in self.encoder_.spans_], axis=1)
        return RowNoise(keys_of_rows(encoded.values, visible, row_keys), seed, n_draws)

    @overload
    def predict_interval(self, X: Any, coverage: float = 0.9) -> tuple[pd.DataFrame, pd.DataFrame]: ...

    @overload
    def predict_interval(self, X: Any, coverage: Sequence[float]) -> list[tuple[pd.DataFrame, pd.DataFrame]]: ...

    def predict_interval(self, X: Any, coverage: float | Sequence[float] = 0.9) -> Any:
        """Intervals that hold a missing number with the given probability.

        Parameters
        ----------
        X : DataFrame, ndarray or list of shape (n_samples, n_features)
            A table with the columns seen in `fit`.
        coverage : float in (0, 1) or sequence of them, default=0.9
            Probability that an interval holds the true number, on average over cells that are missing like those hidden in `fit`.
            Several at once cost little more than one.

        Returns
        -------
        lower, upper : pandas.DataFrame
            The numeric columns (continuous, integer, decimal and coded), in column units and not rounded; both ends equal an observed
            number. Rows as in ``X``. For several coverages a list of such pairs.

        Notes
        -----
        Split-conformal with a local scale, calibrated on the held-out cells; see `tabgan.imputation.stages.intervals.Intervals`.
        """
        single = not isinstance(coverage, (list, tuple, np.ndarray))
        coverages: list[Any] = [coverage] if single else list(coverage)  # type: ignore[arg-type,list-item]
        if not coverages or not all(isinstance(share, (int, float)) and 0 < share < 1 for share in coverages):
            raise parameter_error("coverage", coverage, "a number between 0 and 1, both excluded, or several")
        table, encoded = self._encoded(X)
        with own_torch(self.n_threads):
            ends = self._model.intervals(encoded.values, encoded.mask, coverages, self._noise(encoded, 1, 0))
        frames = [tuple(self._numbers(table, X, slots) for slots in pair) for pair in ends]
        return frames[0] if single else frames

    def category_probabilities(self, X: Any) -> dict[Any, pd.DataFrame]:
        """Probabilities of the levels of missing categorical cells.

        Parameters
        ----------
        X : DataFrame, ndarray or list of shape (n_samples, n_features)
            A table with the columns seen in `fit`.

        Returns
        -------
        dict of column name to pandas.DataFrame
            For each boolean, categorical or ordinal column with missing cells in ``X``: one row per missing cell (indexed as ``X`` is,
            by position for arrays), one column per level observed in `fit`, rows summing to 1.
        """
        table, encoded = self._encoded(X)
        with own_torch(self.n_threads):
            values = self._model.predict(encoded.values, encoded.mask)
        index = _index_of(X, table)
        result = {}
        for position, span in zip(self.schema_.encoded, self.encoder_.spans_, strict=True):
            gaps = table.columns[position].missing
            if span.kind == "categorical" and gaps.any():
                slots = values[gaps, span.start : span.stop]
                levels, shares = self.encoder_.level_shares(position)
                probabilities = (slots / slots.sum(axis=1, keepdims=True)) @ shares
                result[table.names[position]] = pd.DataFrame(probabilities, index=index[gaps], columns=levels)
        return result

    def _numbers(self, table: Table, X: Any, slots: np.ndarray) -> pd.DataFrame:
        """Numeric columns with the given slots in the place of gaps, not rounded."""
        columns = {}
        for position, span in zip(self.schema_.encoded, self.encoder_.spans_, strict=True):
            if self.schema_.columns[position].kind in ("continuous", "integer", "decimal", "coded"):
                column = table.columns[position]
                numbers = self.encoder_.unscaled(position, slots[:, span.start])
                columns[table.names[position]] = np.where(column.missing, numbers, column.values)
        return pd.DataFrame(columns, index=_index_of(X, table))


def _index_of(X: Any, table: Table) -> pd.Index:
    return X.index if isinstance(X, pd.DataFrame) else pd.RangeIndex(table.n_rows)
