"""From a table with classes to something that makes rows of them, and from made rows to cells of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from tabgan._runtime import make_generator
from tabgan.core.run import Run
from tabgan.exceptions import InvalidInputError
from tabgan.metrics.distribution import energy_distance
from tabgan.networks.class_seeds import SEED_KINDS, ClassSeeds
from tabgan.sampling.asked_cells import AskedCells, read_where
from tabgan.sampling.gate import GateDecision
from tabgan.sampling.maker import ClassMaker
from tabgan.sampling.targets import Target
from tabgan.sampling.training import SamplerSettings, TrainedMaker, build_network, train_maker
from tabgan.tables.encoder import EncodedTable, TableEncoder
from tabgan.tables.frames import Table
from tabgan.tables.rules import Rules, find_rules
from tabgan.tables.schema import TableSchema

__all__ = ["LEAST_ROWS_TO_TRAIN", "FittedSampler", "MadeRows", "conditions", "fit_maker", "fit_sampler"]

LEAST_ROWS_TO_TRAIN = 10
"""Classes with fewer rows keep the closed-form draws: a network learns nothing about them that holds."""
_HELD_OUT = 0.2
_LEAST_ROWS_TO_HOLD_OUT = 20
_MOST_SCORED = 400


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
        What holds in every row of the table, and so in every made row.
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

    def make(self, codes: np.ndarray, generator: torch.Generator, where: Mapping[Any, Any] | None = None) -> MadeRows:
        """Make one row for each class code, in order.

        Parameters
        ----------
        codes : ndarray of int of shape (n,)
            Classes asked for.
        generator : torch.Generator
            CPU generator.
        where : dict of column name to value, default=None
            See `tabgan.sampling.asked_cells.read_where`.
        """
        codes = np.asarray(codes, dtype=np.int64)
        asked = read_where(where, self.table, self.encoder, self.rules)
        allowed = None if asked is None else torch.from_numpy(asked.allowed(self.target.codes))
        rows = self.maker.seeds.parents(torch.from_numpy(codes), generator, allowed, focus=self.settings.focus)
        trained = torch.from_numpy(self.target.counts >= LEAST_ROWS_TO_TRAIN)
        values = self.maker.near(
            rows, self._condition(rows, asked), generator, trained=trained, focus=self.settings.focus
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
        raw = of_parents | self._decoded(parents, drawn, of_parents, generator)
        if asked is not None:
            asked.write_into(raw)
            missing |= {j: np.zeros(len(parents), dtype=bool) for j in asked.cells}
        if len(parents) and len(self.rules):
            raw = self._ruled(parents, raw, of_parents, missing, asked, generator)
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
                decoded[j] = of_parents[j].astype(np.result_type(of_parents[j], new))
                decoded[j][differs] = new
        return decoded

    def _ruled(
        self,
        parents: np.ndarray,
        raw: dict[int, np.ndarray],
        of_parents: dict[int, np.ndarray],
        missing: dict[int, np.ndarray],
        asked: AskedCells | None,
        generator: torch.Generator,
    ) -> dict[int, np.ndarray]:
        """Made rows that obey the rules and still have the cells asked for.

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
        """Made rows as the encoder sees them once they are finished: rounded, clipped, and within the rules."""
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


def fit_sampler(
    table: Table,
    target: Target,
    schema: TableSchema,
    settings: SamplerSettings,
    run: Run,
    *,
    max_categories: int,
    condition_columns: Sequence[Any] | None = None,
) -> FittedSampler:
    """Encode a table, find its rules, and train what makes rows of its classes."""
    encoder = TableEncoder(max_categories=max_categories).fit(table, schema)
    encoded = encoder.encode(table)
    values, visible = torch.from_numpy(encoded.values), torch.from_numpy(encoded.mask).float()
    classes = torch.from_numpy(target.codes)
    slots = _condition_slots(condition_columns, table, encoder)
    n_classes, counts = len(target.classes), target.counts
    rules = find_rules(table)
    maker, trained = fit_maker(values, visible, classes, encoder, n_classes, slots, settings, run)
    return FittedSampler(
        table,
        target,
        encoder,
        encoded,
        maker,
        slots,
        rules,
        settings,
        [_method(int(count), maker, settings, trained is not None) for count in counts],
        int(torch.randint(2**31 - 1, (), generator=run.generator)),
        trained.history if trained else [],
        trained.n_steps if trained else 0,
        trained.stop_reason if trained else None,
        trained.warnings if trained and maker.network is not None else [],
    )


def fit_maker(
    values: Tensor,
    visible: Tensor,
    classes: Tensor,
    encoder: TableEncoder,
    n_classes: int,
    slots: np.ndarray,
    settings: SamplerSettings,
    run: Run,
) -> tuple[ClassMaker, TrainedMaker | None]:
    """What makes rows of the classes of an encoded table, and what training it gave where there was any."""
    seeds = ClassSeeds(values, visible, classes, encoder.spans_, n_classes)
    start = settings.start if settings.start in SEED_KINDS else "kernel"
    enough = (torch.bincount(classes, minlength=n_classes) >= LEAST_ROWS_TO_TRAIN).any()
    if not (encoder.width_ and settings.n_steps and enough):
        return ClassMaker(seeds, None, encoder.spans_, start, settings.d_noise), None
    trained = _train(values, visible, classes, encoder, n_classes, slots, settings, run)
    return _with_all_rows(trained, seeds, start), trained


def _train(
    values: Tensor,
    visible: Tensor,
    classes: Tensor,
    encoder: TableEncoder,
    n_classes: int,
    slots: np.ndarray,
    settings: SamplerSettings,
    run: Run,
) -> TrainedMaker:
    """Train on all rows, or, with patience, on all but those by which the best weights are chosen."""
    held_out = (
        _split(classes, n_classes, run.generator) if settings.patience else torch.zeros(len(classes), dtype=torch.bool)
    )
    learnt = ~held_out
    seeds = ClassSeeds(values[learnt], visible[learnt], classes[learnt], encoder.spans_, n_classes)
    told = conditions(seeds, slots)
    network = build_network(encoder.spans_, settings, told.shape[1], run.generator)
    maker = ClassMaker(seeds, network, encoder.spans_, settings.start, settings.d_noise)
    score = None
    if held_out.any():
        score = _held_out_score(seeds, told, values[held_out], visible[held_out], classes[held_out])
    return train_maker(maker, told, settings, run, score)


def _split(classes: Tensor, n_classes: int, generator: torch.Generator) -> Tensor:
    """A fifth of the rows of every class that can spare them."""
    held_out = torch.zeros(len(classes), dtype=torch.bool)
    for index in range(n_classes):
        mine = (classes == index).nonzero()[:, 0]
        if len(mine) >= _LEAST_ROWS_TO_HOLD_OUT:
            held_out[mine[torch.randperm(len(mine), generator=generator)[: int(_HELD_OUT * len(mine))]]] = True
    return held_out


def _held_out_score(
    seeds: ClassSeeds, told: Tensor, values: Tensor, visible: Tensor, classes: Tensor
) -> Callable[[ClassMaker], float]:
    """Mean over classes of the energy distance between made rows and rows that training never saw."""
    slots = visible[:, seeds.column]
    present = [index for index in range(seeds.n_classes) if (classes == index).any()]
    truth = {index: (values * slots)[classes == index][:_MOST_SCORED].numpy() for index in present}

    def score(maker: ClassMaker) -> float:
        network = maker.network
        assert network is not None
        was_training = network.training
        network.eval()
        distances = []
        for index in present:
            generator = make_generator(index)  # the same parents and noise at every scoring
            wanted = torch.full((min(2 * len(truth[index]), _MOST_SCORED),), index)
            rows = seeds.parents(wanted, generator)
            made = maker.make(rows, told[rows], generator).cpu().numpy()
            distances.append(energy_distance(truth[index], made))
        network.train(was_training)
        return float(np.mean(distances))

    return score


def _with_all_rows(trained: TrainedMaker, seeds: ClassSeeds, start: str) -> ClassMaker:
    """The trained maker on seeds of all rows; without its network where that never beat its start."""
    if trained.best_step == 0 and trained.maker.start in SEED_KINDS:
        return ClassMaker(seeds, None, trained.maker.spans, start, trained.maker.d_noise)
    maker = ClassMaker(seeds, trained.maker.network, trained.maker.spans, trained.maker.start, trained.maker.d_noise)
    maker.set_gaussians(trained.maker.mean, trained.maker.factor)
    return maker


def _method(count: int, maker: ClassMaker, settings: SamplerSettings, was_trained: bool) -> str:
    """How rows of a class of this size are made, in words."""
    closed = {
        "mixture": "kernel and segments between neighbours",
        "kernel": "smoothed bootstrap",
        "segments": "segments between neighbours",
        "copies": "repetition",
    }
    start = settings.start if settings.start in SEED_KINDS else "kernel"
    if maker.network is not None and count >= LEAST_ROWS_TO_TRAIN:
        if settings.start == "autoencoder":
            return "decoder from class Gaussians, adversarial"
        return (
            "generator from noise, adversarial"
            if settings.start == "noise"
            else closed[start] + ", corrected by the GAN"
        )
    if start == "copies" or count > 1:
        dropped = was_trained and maker.network is None and count >= LEAST_ROWS_TO_TRAIN
        return closed[start] + (", which the GAN did not improve" if dropped else "")
    return "smoothed bootstrap around a single row, with the other classes' covariance"


def _condition_slots(names: Sequence[Any] | None, table: Table, encoder: TableEncoder) -> np.ndarray:
    """Slots of the columns that the generator is told."""
    slots: list[int] = []
    if isinstance(names, str):
        raise InvalidInputError(f"condition_columns={names!r} is no list of columns; use [{names!r}].")
    for name in names or ():
        if name not in table.names:
            raise InvalidInputError(f"condition_columns names column {name!r}, but the table has {table.names}.")
        j = table.names.index(name)
        if j in encoder.schema_.encoded:
            span = encoder.spans_[encoder.schema_.encoded.index(j)]
            slots += range(span.start, span.stop)
    return np.array(slots, dtype=np.int64)
