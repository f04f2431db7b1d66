"""A fitted sampler: synthetic rows, from encoded draws to cells of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from tabgan.networks.heads import span_index
from tabgan.sampling.adversarial import SamplerSettings
from tabgan.sampling.allowance import Allowance
from tabgan.sampling.asked_cells import AskedCells, read_where
from tabgan.sampling.gate import GateDecision
from tabgan.sampling.maker import ClassMaker
from tabgan.sampling.seeds import SEED_KINDS, ClassSeeds
from tabgan.sampling.targets import Target
from tabgan.tables.encoder import EncodedTable, TableEncoder
from tabgan.tables.frames import Table
from tabgan.tables.identifiers import new_identifiers
from tabgan.tables.indicator_groups import keep_parents_indicators
from tabgan.tables.kinds import IDENTIFIER
from tabgan.tables.rules import Rules

__all__ = ["LEAST_ROWS_TO_TRAIN", "FittedSampler", "MadeRows", "completed", "conditions"]

LEAST_ROWS_TO_TRAIN = 10
"""Classes with fewer rows keep the closed-form draws: a network learns nothing about them that holds."""

_COPY_TRIES = 8


@dataclass(frozen=True)
class MadeRows:
    """Rows that were made, before they become a table.

    Parameters
    ----------
    codes : ndarray of int of shape (n,)
        The class of each.
    parents : ndarray of int of shape (n,)
        The row of the training table that each starts as: it lends gaps, and cells that stay as they are.
    cells : dict of int to (rows, values)
        What differs from the parent, as `tabgan.tables.frames.Table.with_rows` takes it.
    values : ndarray of float32 of shape (n, width)
        Encoded as the finished cells are.
    """

    codes: np.ndarray
    parents: np.ndarray
    cells: dict[int, tuple[np.ndarray, np.ndarray]]
    values: np.ndarray

    def replaced(self, at: np.ndarray, others: MadeRows) -> MadeRows:
        """With the rows at the places ``at``, in ascending order, replaced by as many others."""
        parents, values = self.parents.copy(), self.values.copy()
        parents[at], values[at] = others.parents, others.values
        stays = np.ones(len(self.codes), dtype=bool)
        stays[at] = False
        cells = {j: (rows[stays[rows]], new[stays[rows]]) for j, (rows, new) in self.cells.items()}
        for j, (rows, new) in others.cells.items():
            if j in cells:
                of_both = np.concatenate([cells[j][0], at[rows]])
                order = of_both.argsort(kind="stable")
                cells[j] = of_both[order], np.concatenate([cells[j][1], new])[order]
            else:
                cells[j] = at[rows], new
        return MadeRows(self.codes, parents, cells, values)


@dataclass
class FittedSampler:
    """Everything a fitted sampler knows.

    Parameters
    ----------
    table, target
        The training table and its classes.
    encoder : TableEncoder
        Columns to slots and back.
    encoded : EncodedTable
        The training table, encoded.
    maker : ClassMaker
        Makes encoded rows.
    condition_slots : ndarray of int
        Slots of further columns that the generator is told beside the class.
    rules : Rules
        What holds in every row of the table, and so in every synthetic row.
    settings : SamplerSettings
        What it was trained with.
    methods : list of str
        How rows of each class are made.
    sampling_seed : int
        Of the rows that `fit_resample` makes.
    history, n_steps, stop_reason, warnings
        Of training.
    gate : GateDecision or None
        How many of the rows asked for are worth making; None makes all.
    """

    table: Table
    target: Target
    encoder: TableEncoder
    encoded: EncodedTable
    maker: ClassMaker
    condition_slots: np.ndarray
    rules: Rules
    settings: SamplerSettings
    methods: list[str]
    sampling_seed: int
    history: list[dict[str, Any]]
    n_steps: int
    stop_reason: str | None
    warnings: list[str]
    gate: GateDecision | None = None

    def make(
        self,
        codes: np.ndarray,
        generator: torch.Generator,
        where: Mapping[Any, Any] | None = None,
        allowance: Allowance | None = None,
    ) -> MadeRows:
        """Make one row for each class code, in order.

        Parameters
        ----------
        codes : ndarray of int of shape (n,)
            Classes asked for.
        generator : torch.Generator
            CPU generator.
        where : dict of column name to value, default=None
            See `tabgan.sampling.asked_cells.read_where`.
        allowance : Allowance, default=None
            See `tabgan.sampling.maker.ClassMaker.near`.

        Notes
        -----
        What comes out as the copy of a real row that is the only one of its kind is drawn again, up to eight times, in the second
        half of them from other rows of its class.
        """
        codes = np.asarray(codes, dtype=np.int64)
        asked = read_where(where, self.table, self.encoder, self.rules)
        allowed = None if asked is None else torch.from_numpy(asked.allowed(self.target.codes))

        def parents_of(classes: np.ndarray) -> Tensor:
            return self.maker.parents(torch.from_numpy(classes), generator, allowed, focus=self.settings.focus)

        rows = parents_of(codes)
        made = self._drawn(codes, rows, generator, asked, allowance)
        again = np.arange(len(codes))
        for k in range(_COPY_TRIES if self._avoids_copies else 0):
            again = again[self.maker.redrawer.real_rows.copied_by(made.values[again])]
            if not len(again) or (allowance is not None and allowance.is_used_up):
                break
            if k >= _COPY_TRIES // 2:
                rows[again] = parents_of(codes[again])
            made = made.replaced(again, self._drawn(codes[again], rows[again], generator, asked, allowance))
        return made

    @property
    def _avoids_copies(self) -> bool:
        """Not where they are asked for, nor of a chain of labels, which sees to it itself, nor where rows have no parents."""
        return self.maker.start in SEED_KINDS and self.maker.start != "copies" and self.maker.levels is None

    def _drawn(
        self,
        codes: np.ndarray,
        rows: Tensor,
        generator: torch.Generator,
        asked: AskedCells | None,
        allowance: Allowance | None,
    ) -> MadeRows:
        """A row near each of the given rows of the table."""
        trained = torch.from_numpy(self.target.counts >= LEAST_ROWS_TO_TRAIN)
        values = self.maker.near(
            rows,
            self._condition(rows, asked),
            generator,
            trained=trained,
            focus=self.settings.focus,
            fixed=None if asked is None else (asked.slots, asked.values),
            allowance=allowance,
        )
        return self._finished(codes, rows.numpy(), values.numpy(), asked, generator)

    def _condition(self, rows: Tensor, asked: AskedCells | None) -> Tensor:
        told = conditions(self.maker.seeds, self.condition_slots)[rows]
        if asked is not None and len(self.condition_slots):
            given = dict(zip(asked.slots.tolist(), asked.values.tolist(), strict=True))
            for place, slot in enumerate(self.condition_slots.tolist(), start=self.maker.seeds.n_classes):
                if slot in given:
                    told[:, place] = given[slot]
        return told

    def _finished(
        self,
        codes: np.ndarray,
        parents: np.ndarray,
        drawn: np.ndarray,
        asked: AskedCells | None,
        generator: torch.Generator,
    ) -> MadeRows:
        """Decode what differs from the parents, set the cells that were asked for, and obey the table's rules."""
        columns = self.table.columns
        missing = {j: column.missing[parents] for j, column in enumerate(columns)}
        of_parents = {j: column.values[parents] for j, column in enumerate(columns)}
        raw = of_parents | self._decoded(parents, drawn, of_parents, generator) | self._named(parents)
        if asked is not None:
            asked.write_into(raw)
            missing |= {j: np.zeros(len(parents), dtype=bool) for j in asked.cells}
        if len(parents) and len(self.rules):
            raw = self._ruled(parents, raw, of_parents, missing, asked, generator)
        fixed = () if asked is None else asked.cells.keys()
        keep_parents_indicators(self.encoder.schema_.indicator_groups, raw, of_parents, missing, fixed)
        cells: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for j, column in enumerate(columns):
            differs = ~missing[j] & (column.missing[parents] | np.asarray(raw[j] != of_parents[j], dtype=bool))
            if differs.any():
                rows = np.flatnonzero(differs)
                cells[j] = rows, raw[j][rows]
        return MadeRows(codes, parents, cells, self._encoded(parents, cells))

    def _decoded(
        self, parents: np.ndarray, drawn: np.ndarray, of_parents: dict[int, np.ndarray], generator: torch.Generator
    ) -> dict[int, np.ndarray]:
        """Columns in which some cell was drawn differently from the parent's; the other cells are the parent's, to the bit."""
        kept = self.encoded.values[parents]
        levels = np.random.default_rng(int(torch.randint(2**31 - 1, (), generator=generator)))
        decoded: dict[int, np.ndarray] = {}
        for position, (j, span) in enumerate(zip(self.encoder.schema_.encoded, self.encoder.spans_, strict=True)):
            mine, theirs = drawn[:, span.start : span.stop], kept[:, span.start : span.stop]
            differs = mine.argmax(1) != theirs.argmax(1) if span.kind == "categorical" else (mine != theirs)[:, 0]
            differs &= self.encoded.mask[parents, position]
            if differs.any():
                # A slot that stands for several rare levels becomes each of them as often as the data have it.
                new = self.encoder.decode_column(j, mine[differs], choose=levels)
                # Of int64 and uint64 numpy makes floats, which whole numbers beyond 2**53 must not pass through.
                whole = {of_parents[j].dtype.kind, new.dtype.kind} <= {"i", "u"}
                decoded[j] = of_parents[j].astype(of_parents[j].dtype if whole else np.result_type(of_parents[j], new))
                decoded[j][differs] = new
        return decoded

    def _named(self, parents: np.ndarray) -> dict[int, np.ndarray]:
        """New identifiers, in the columns where there can be any."""
        named = {j: new_identifiers(self.table.columns[j], parents) for j in self.identifiers}
        return {j: new for j, new in named.items() if new is not None}

    @property
    def identifiers(self) -> list[int]:
        """Positions of the columns that name rows."""
        return [j for j, known in enumerate(self.encoder.schema_.columns) if known.kind == IDENTIFIER]

    def _ruled(
        self,
        parents: np.ndarray,
        raw: dict[int, np.ndarray],
        of_parents: dict[int, np.ndarray],
        missing: dict[int, np.ndarray],
        asked: AskedCells | None,
        generator: torch.Generator,
    ) -> dict[int, np.ndarray]:
        """Synthetic rows that obey the rules and still have the cells asked for.

        Where both cannot be had by small changes, all columns that rules name come from a training row that suits: the parent,
        or where no row of the class does, one of another class. Where no row at all does, the cells go before the rules.
        """
        parents_missing = {j: column.missing[parents] for j, column in enumerate(self.table.columns)}
        raw = raw | self.rules.repair(raw, of_parents, missing, parents_missing)
        if asked is None:
            return raw
        lost = np.flatnonzero(asked.altered(raw))
        named = self.rules.columns
        pool = np.flatnonzero(asked.suits)
        if len(lost) and len(pool):
            gaps = np.any([self.table.columns[j].missing[pool] for j in named], axis=0)
            pool = pool[~gaps] if not gaps.all() else pool
            donors = pool[torch.randint(len(pool), (len(lost),), generator=generator).numpy()]
            donors = np.where(asked.suits[parents[lost]], parents[lost], donors)
            for j in named:
                column, has_gap = raw[j].copy(), self.table.columns[j].missing[donors]
                column[lost] = np.where(has_gap, column[lost], asked.lent[j][donors])
                raw[j] = column
        asked.write_into(raw)
        return raw

    def _encoded(self, parents: np.ndarray, cells: dict[int, tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        """Synthetic rows as the encoder sees them once they are finished: rounded, clipped, and within the rules."""
        values = self.encoded.values[parents]
        for j, span in zip(self.encoder.schema_.encoded, self.encoder.spans_, strict=True):
            if j in cells:
                rows, new = cells[j]
                column = replace(self.table.columns[j], values=new, missing=np.zeros(len(new), dtype=bool))
                values[rows, span.start : span.stop] = self.encoder.encode_column(j, column)
        return values


def conditions(seeds: ClassSeeds, condition_slots: np.ndarray) -> Tensor:
    """What a generator is told of each row: its class, one-hot, and the slots of the columns chosen as conditions."""
    told = one_hot(seeds.classes, seeds.n_classes).to(seeds.rows)
    return torch.cat([told, seeds.rows[:, torch.from_numpy(condition_slots)]], 1)


def completed(fitted: FittedSampler, values: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """Encoded rows with gaps at the slots' means, so that distances compare what is there.

    Parameters
    ----------
    fitted : FittedSampler
        Knows the gaps and the means.
    values : ndarray of shape (n, width)
        Encoded rows.
    parents : ndarray of int of shape (n,)
        The rows of the table whose gaps they have.

    Returns
    -------
    ndarray of shape (n, width)
    """
    column = span_index(fitted.encoder.spans_).numpy()
    seen = fitted.encoded.mask[:, column]
    means = (fitted.encoded.values * seen).sum(axis=0, dtype=np.float64) / np.maximum(seen.sum(axis=0), 1)
    return np.where(seen[parents], values, means)
