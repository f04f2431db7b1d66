"""From a table to the float matrix a network sees, and from its output back to the user's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tabgan.core.checkpoint import built_from
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.spans import Span
from tabgan.tables.columns import RawColumn, RowUniform, Table
from tabgan.tables.compatibility import check_compatible
from tabgan.tables.deltas import moved_fills
from tabgan.tables.fills import for_column, keep_what_holds, repeated
from tabgan.tables.numeric import NUMERIC_TRANSFORMS
from tabgan.tables.schema import ColumnSchema, TableSchema
from tabgan.tables.slots import Choice, LevelSlots, NumberSlot, uniform_of

__all__ = ["EncodedTable", "TableEncoder"]

_CATEGORICAL_KINDS = ("boolean", "categorical", "ordinal")


@dataclass(frozen=True)
class EncodedTable:
    """A table as the model sees it.

    Parameters
    ----------
    values : ndarray of float32 of shape (n_rows, width)
        Scaled numbers and one-hot levels; 0 in the slots of hidden cells.
    mask : ndarray of bool of shape (n_rows, n_encoded)
        True where a cell is visible: observed and, in a categorical column, of a level known from ``fit``.
    """

    values: np.ndarray
    mask: np.ndarray


class TableEncoder:
    """Encode tables as float matrices and decode matrices into filled tables.

    Numbers and times take one slot each. Booleans, categories and ordinals take one slot per level, for at most
    ``max_categories`` levels: the most frequent ones in ``fit``, beyond eight only those seen at least twice and in 0.1 %
    of the cells. If more levels were observed, one further slot stands for all the others together, and decodes to the
    most frequent level among them; so a rarer level is filled in by draws only, but observed cells of it come back
    untouched. Declared categories that ``fit`` never observed have no slot.
    Constant and empty columns are not encoded.

    Parameters
    ----------
    numeric_transform : {"standard", "robust", "quantile", "power", "minmax"}, default="standard"
        Scaling of number columns, each in its own units.
    max_categories : int, default=32
        Levels of a column with a slot of their own; at least 1.
    unseen_categories : {"missing", "error"}, default="missing"
        A level not seen in ``fit``: hide the cell from the model (it still comes back untouched), or refuse the table.
    round_like_observed : bool, default=True
        Round decoded numbers to the decimals that all observed ones share, times to their granularity, and slots that equal a repeated
        number's to that number. Columns of integer dtype are rounded in any case.

    Attributes
    ----------
    schema_ : TableSchema
        The schema given to ``fit``.
    spans_ : tuple of Span
        Slots of each encoded column, in the order of ``schema_.encoded``.
    width_ : int
        Number of slots.
    """

    def __init__(
        self,
        *,
        numeric_transform: str = "standard",
        max_categories: int = 32,
        unseen_categories: str = "missing",
        round_like_observed: bool = True,
    ) -> None:
        self.numeric_transform = numeric_transform
        self.max_categories = max_categories
        self.unseen_categories = unseen_categories
        self.round_like_observed = round_like_observed

    def fit(self, table: Table, schema: TableSchema) -> TableEncoder:
        """Learn scalings and levels.

        Parameters
        ----------
        table : Table
            Training table.
        schema : TableSchema
            What ``infer_schema`` found in it.

        Returns
        -------
        TableEncoder
            ``self``.

        Raises
        ------
        InvalidParameterError
            A parameter is outside its documented range.
        """
        self._check_parameters()
        slots: dict[int, NumberSlot | LevelSlots] = {}
        for j in schema.encoded:
            known = schema.columns[j]
            if known.kind in _CATEGORICAL_KINDS:
                slots[j] = LevelSlots(known, self.max_categories)
            else:
                slots[j] = NumberSlot.fitted(known, table.columns[j], self.numeric_transform, self.round_like_observed)
        return self._set(schema, slots)

    def _check_parameters(self) -> None:
        if self.numeric_transform not in NUMERIC_TRANSFORMS:
            raise InvalidParameterError(
                f"numeric_transform={self.numeric_transform!r} is unknown; use one of {list(NUMERIC_TRANSFORMS)}."
            )
        whole = isinstance(self.max_categories, int | np.integer) and not isinstance(self.max_categories, bool)
        if not whole or self.max_categories < 1:
            raise InvalidParameterError(f"max_categories={self.max_categories!r}; use an integer of at least 1.")
        if self.unseen_categories not in ("missing", "error"):
            raise InvalidParameterError(f"unseen_categories={self.unseen_categories!r}; use 'missing' or 'error'.")

    def _set(self, schema: TableSchema, slots: dict[int, NumberSlot | LevelSlots]) -> TableEncoder:
        spans: list[Span] = []
        for slot in slots.values():
            start = spans[-1].stop if spans else 0
            spans.append(Span("numeric" if isinstance(slot, NumberSlot) else "categorical", start, start + slot.width))
        self.schema_ = schema
        self.spans_ = tuple(spans)
        self.width_ = spans[-1].stop if spans else 0
        self._slots = slots
        return self

    def encode(self, table: Table) -> EncodedTable:
        """Encode a table that fits the schema.

        Parameters
        ----------
        table : Table
            Any number of rows.

        Returns
        -------
        EncodedTable
            Matrix and visibility mask.

        Raises
        ------
        SchemaMismatchError
            The columns are not those of ``fit``.
        InvalidInputError
            A level is unseen and ``unseen_categories="error"``.
        """
        check_compatible(self.schema_, table)
        values = np.zeros((table.n_rows, self.width_), dtype=np.float32)
        mask = np.zeros((table.n_rows, len(self._slots)), dtype=bool)
        for k, ((j, slot), span) in enumerate(zip(self._slots.items(), self.spans_, strict=True)):
            column = table.columns[j]
            if column.all_missing:
                continue
            rows = np.flatnonzero(~column.missing)
            encoded, visible = slot.encode(column)
            if self.unseen_categories == "error" and not visible.all():
                self._refuse_unseen(column, self.schema_.columns[j], rows, visible)
            values[rows, span.start : span.stop] = encoded
            mask[rows, k] = visible
        return EncodedTable(values, mask)

    @staticmethod
    def _refuse_unseen(column: RawColumn, known: ColumnSchema, rows: np.ndarray, visible: np.ndarray) -> None:
        declared = set(known.levels)
        for row in rows[~visible]:
            label = column.values[row]
            if label not in declared:
                raise InvalidInputError(
                    f"column {column.name!r} has {label!r} in row {row}, which was not seen in fit; replace it, or use "
                    "unseen_categories='missing'."
                )

    def decode(
        self,
        table: Table,
        values: np.ndarray,
        *,
        keep: Sequence[int] | None = None,
        choose: Choice = "mode",
        beyond: bool = False,
        delta: Mapping[int, float | int] | None = None,
    ) -> Any:
        """Fill the missing cells of a table.

        Constant columns are filled with their constant. Columns that were empty in ``fit`` are filled with 0 if they
        hold numbers or booleans now, and stay missing otherwise.

        Parameters
        ----------
        table : Table
            The table whose missing cells to fill; every observed cell stays.
        values : ndarray of shape (n_rows, width_)
            Scaled numbers in numeric slots, scores in categorical ones.
        keep : sequence of int, default=None
            Positions of the columns to return; None returns all.
        choose : "mode", numpy.random.Generator or callable, default="mode"
            Fill categories with the level of highest score, or draw one in proportion to the scores, by the generator or by
            ``choose(name, rows, size)``, uniform numbers that belong to the rows.
        beyond : bool, default=False
            Whether continuous and decimal numbers may leave the observed range, though not their sign: draws have to, where the cells
            that are missing are the largest ones.
        delta : mapping of int to float or int, default=None
            By how much to move the fills of columns; see `tabgan.tables.deltas.moved_fills`.

        Returns
        -------
        container
            Same kind as the user's table.

        Raises
        ------
        InvalidInputError
            ``values`` has a wrong shape.
        SchemaMismatchError
            The columns are not those of ``fit``.
        """
        check_compatible(self.schema_, table)
        values = np.asarray(values)
        if values.shape != (table.n_rows, self.width_):
            raise InvalidInputError(
                f"values to decode have shape {values.shape}, but the table needs {(table.n_rows, self.width_)}."
            )
        spans, uniform = dict(zip(self._slots, self.spans_, strict=True)), uniform_of(choose)
        wanted = range(table.n_columns) if keep is None else keep
        fills: dict[int, np.ndarray] = {}
        for j in sorted({int(j) for j in wanted}):
            column, known = table.columns[j], self.schema_.columns[j]
            rows = np.flatnonzero(column.missing)
            if not rows.size:
                continue
            if known.kind == "empty":
                if column.family in ("number", "boolean"):
                    fills[j] = np.zeros(rows.size)
                continue
            if known.kind == "constant":
                fills[j] = repeated(known, rows.size)
            else:
                span = spans[j]
                mine = values[rows, span.start : span.stop]
                expected = self._expected(j, mine) if uniform is None else None
                fills[j] = self._decoded(j, rows, mine, uniform, beyond) if expected is None else expected
            if delta and j in delta:
                fills[j] = moved_fills(fills[j], delta[j], known, rounded=self.round_like_observed)

        def likely(j: int, rows: np.ndarray) -> np.ndarray:
            return self._slots[j].likely_one(values[rows, spans[j].start : spans[j].stop])

        keep_what_holds(self.schema_, table.columns, fills, likely, uniform, rounded=self.round_like_observed)
        for j, fill in fills.items():
            if self.schema_.columns[j].kind != "empty":
                fills[j] = for_column(fill, self.schema_.columns[j], table.columns[j])
        return table.filled(fills, keep)

    def decode_column(self, j: int, slots: np.ndarray, *, choose: Choice = "mode", beyond: bool = False) -> np.ndarray:
        """Values of one encoded column from its slots.

        Parameters
        ----------
        j : int
            Position of the column in the table (one of ``schema_.encoded``).
        slots : ndarray of shape (n, span.width)
            The column's slots.
        choose, beyond
            See ``decode``.

        Returns
        -------
        ndarray of shape (n,)
            In the representation of ``RawColumn.values``; times in the unit seen in ``fit``.

        Raises
        ------
        InvalidParameterError
            Column ``j`` is not encoded.
        """
        self._slot(j)
        return self._decoded(j, np.arange(len(slots)), np.asarray(slots), uniform_of(choose), beyond)

    def encode_column(self, j: int, column: RawColumn) -> np.ndarray:
        """Slots of one encoded column.

        Parameters
        ----------
        j : int
            Position of the column in the table (one of ``schema_.encoded``).
        column : RawColumn
            Cells of a column of the same family; any number of rows.

        Returns
        -------
        ndarray of float32 of shape (n, span.width)
            0 where a cell is missing, or of a level unknown in ``fit``.

        Raises
        ------
        InvalidParameterError
            Column ``j`` is not encoded.
        """
        slot = self._slot(j)
        values = np.zeros((len(column.values), slot.width), dtype=np.float32)
        values[~column.missing] = slot.encode(column)[0]
        return values

    def unscaled(self, j: int, slots: np.ndarray) -> np.ndarray:
        """Numbers of an encoded number column from its slots of shape (n,), neither rounded nor clipped."""
        return self._slots[j].unscaled(slots)  # type: ignore[union-attr]

    def level_shares(self, j: int) -> tuple[list, np.ndarray]:
        """Every level of an encoded categorical column, and how each slot's probability parts among them.

        Returns
        -------
        levels : list
            The observed levels, those without a slot of their own last.
        shares : ndarray of shape (n_slots, n_levels)
            Rows sum to 1.
        """
        return self._slots[j].level_shares()  # type: ignore[union-attr]

    def _slot(self, j: int) -> NumberSlot | LevelSlots:
        if j not in self._slots:
            raise InvalidParameterError(f"column {j} is not encoded; encoded columns are {list(self._slots)}.")
        return self._slots[j]

    def _expected(self, j: int, slots: np.ndarray) -> np.ndarray | None:
        """Means of a column of two numbers, where fills are not to look like observed ones; None of others."""
        known = self.schema_.columns[j]
        if self.round_like_observed or known.integer_dtype or known.family != "number" or known.kind != "boolean":
            return None
        scores = np.clip(np.nan_to_num(np.asarray(slots, dtype=np.float64)), 0.0, 1e300)
        levels = np.array(self._slots[j].shown, dtype=np.float64)  # type: ignore[union-attr]
        return scores @ levels / np.maximum(scores.sum(axis=1), 1e-12)

    def _decoded(
        self, j: int, rows: np.ndarray, slots: np.ndarray, uniform: RowUniform | None, beyond: bool = False
    ) -> np.ndarray:
        slot = self._slots[j]
        if isinstance(slot, NumberSlot):
            return slot.decode(slots, beyond=beyond)
        return slot.decode(slots, None if uniform is None else uniform(f"levels of {j}", rows, 2))

    def to_state(self) -> dict[str, Any]:
        """Everything ``from_state`` needs, fit for strict JSON.

        Raises
        ------
        InvalidInputError
            A label has a type that cannot be stored.
        """
        return {
            "parameters": {
                "numeric_transform": self.numeric_transform,
                "max_categories": int(self.max_categories),
                "unseen_categories": self.unseen_categories,
                "round_like_observed": bool(self.round_like_observed),
            },
            "schema": self.schema_.to_json(),
            "scalings": [
                {"column": j, "transform": slot.transform.state(), "repeated": slot.repeated.tolist()}
                for j, slot in self._slots.items()
                if isinstance(slot, NumberSlot)
            ],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> TableEncoder:
        """Fitted encoder from the dict of ``to_state``."""
        encoder = built_from(cls, state["parameters"])
        encoder._check_parameters()
        schema = TableSchema.from_json(state["schema"])
        scalings = {int(scaling["column"]): scaling for scaling in state["scalings"]}
        transform = NUMERIC_TRANSFORMS[encoder.numeric_transform]
        slots: dict[int, NumberSlot | LevelSlots] = {}
        for j in schema.encoded:
            known = schema.columns[j]
            if j in scalings:
                scaling = transform.from_state(scalings[j]["transform"])
                slots[j] = NumberSlot(known, scaling, encoder.round_like_observed, scalings[j].get("repeated", ()))
            else:
                slots[j] = LevelSlots(known, encoder.max_categories)
        return encoder._set(schema, slots)
