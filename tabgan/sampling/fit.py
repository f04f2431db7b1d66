"""From a table with classes to something that makes rows of them, and how many of these are worth making."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tabgan._runtime import make_generator
from tabgan.core.callbacks import OUT_OF_TIME
from tabgan.core.run import Run, Trained
from tabgan.core.stage_bar import stage_bar
from tabgan.exceptions import InvalidInputError
from tabgan.metrics.distribution import energy_distance
from tabgan.sampling.adversarial import SamplerSettings, build_network, train_maker
from tabgan.sampling.allowance import Allowance
from tabgan.sampling.cell_trees import Redrawing
from tabgan.sampling.fitted import LEAST_ROWS_TO_TRAIN, FittedSampler, completed, conditions
from tabgan.sampling.gate import GateDecision, decide, most_folds
from tabgan.sampling.maker import ClassMaker
from tabgan.sampling.seeds import SEED_KINDS, ClassSeeds
from tabgan.sampling.targets import Target
from tabgan.tables.encoder import TableEncoder
from tabgan.tables.frames import Table
from tabgan.tables.rules import find_rules
from tabgan.tables.schema import TableSchema

__all__ = ["fit_maker", "fit_sampler", "gate_of"]

_HELD_OUT = 0.2


_LEAST_ROWS_TO_HOLD_OUT = 20


_MOST_SCORED = 400


def fit_sampler(
    table: Table,
    target: Target,
    schema: TableSchema,
    settings: SamplerSettings,
    run: Run,
    allowance: Allowance,
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
    rules = find_rules(table, schema=schema)
    allowance.end_reading()
    run = replace(run, deadline=allowance.deadline)
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
        [_method(index, int(count), maker, settings, trained is not None) for index, count in enumerate(counts)],
        int(torch.randint(2**31 - 1, (), generator=run.generator)),
        trained.history if trained else [],
        trained.n_steps if trained else 0,
        trained.stop_reason if trained else OUT_OF_TIME if settings.n_steps and run.time_is_up else None,
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
) -> tuple[ClassMaker, Trained | None]:
    """What makes rows of the classes of an encoded table, from seeds of all its rows, and what training gave where there was any."""
    seeds = ClassSeeds(values, visible, classes, encoder.spans_, n_classes)
    start = settings.start if settings.start in SEED_KINDS else "kernel"
    redrawing = Redrawing.of(encoder, settings.redraws)
    untrained = ClassMaker(seeds, None, encoder.spans_, start, settings.d_noise, redrawing)
    corrected = torch.bincount(classes, minlength=n_classes) >= LEAST_ROWS_TO_TRAIN
    if settings.start in SEED_KINDS:  # other starts are nothing without a network
        corrected &= (
            ~untrained.redrawer.suits(torch.arange(n_classes)) & (not run.time_is_up) & (untrained.levels is None)
        )
    if not (encoder.width_ and settings.n_steps and corrected.any()):
        return untrained, None
    maker, trained = _train(values, visible, classes, encoder, n_classes, slots, settings, run)
    if trained.best_step == 0 and maker.start in SEED_KINDS:  # the network never beat its start
        return untrained, trained
    whole = ClassMaker(seeds, maker.network, maker.spans, maker.start, maker.d_noise, redrawing)
    whole.set_gaussians(maker.mean, maker.factor)
    return whole, trained


def _train(
    values: Tensor,
    visible: Tensor,
    classes: Tensor,
    encoder: TableEncoder,
    n_classes: int,
    slots: np.ndarray,
    settings: SamplerSettings,
    run: Run,
) -> tuple[ClassMaker, Trained]:
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
    """Mean over classes of the energy distance between synthetic rows and rows that training never saw."""
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


def _method(index: int, count: int, maker: ClassMaker, settings: SamplerSettings, was_trained: bool) -> str:
    """How rows of a class are made, in words."""
    again = bool(maker.redrawer.suits(torch.tensor([index])))
    if again and settings.start in SEED_KINDS:
        return "real rows, every cell drawn again by trees"
    start = _method_of_start(count, maker, settings, was_trained)
    return start + ", every cell drawn again by trees" if again else start


def _method_of_start(count: int, maker: ClassMaker, settings: SamplerSettings, was_trained: bool) -> str:
    closed = {
        "mixture": "kernel and segments between neighbours",
        "kernel": "smoothed bootstrap",
        "segments": "segments between neighbours",
        "copies": "repetition",
    }
    start = settings.start if settings.start in SEED_KINDS else "kernel"
    if maker.levels is not None and count > 1:
        return "labels drawn given all others"
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
    try:
        listed = [] if names is None else list(names)
    except TypeError as error:
        raise InvalidInputError(f"condition_columns={names!r} is no list of columns.") from error
    for name in listed:
        if not isinstance(name, Hashable) or name not in table.names:
            raise InvalidInputError(f"condition_columns names column {name!r}, but the table has {table.names}.")
        j = table.names.index(name)
        if j in encoder.schema_.encoded:
            span = encoder.spans_[encoder.schema_.encoded.index(j)]
            slots += range(span.start, span.stop)
    return np.array(slots, dtype=np.int64)


def gate_of(
    fitted: FittedSampler, wanted: Mapping[int, int], measure: str, run: Run, costs: np.ndarray | None = None
) -> GateDecision:
    """How many of the rows asked for a fitted sampler should make.

    Parameters
    ----------
    fitted : FittedSampler
        With the table, and the settings that its rows are made by.
    wanted : dict of int to int
        Rows asked for, by class.
    measure : str
        One of `tabgan.sampling.gate.GATES`, or expected cost.
    run : Run
        Randomness, device and deadline.
    costs : ndarray of float of shape (n_classes, n_classes), default=None
        See `tabgan.sampling.gate.decide`.

    Returns
    -------
    GateDecision

    Notes
    -----
    Closed-form starts are tried without the network's correction, which only stays where it brings rows nearer to real ones; the
    other starts are trained again in every fold.
    """
    settings = fitted.settings
    if settings.start in SEED_KINDS:
        settings = replace(settings, n_steps=0)
    n_classes = len(fitted.target.classes)
    codes = torch.from_numpy(fitted.target.codes)
    values, visible = torch.from_numpy(fitted.encoded.values), torch.from_numpy(fitted.encoded.mask).float()

    def make_rows(train: np.ndarray, asked: np.ndarray, seed: int) -> np.ndarray:
        part, generator = torch.from_numpy(train), make_generator(seed)
        own = codes[part]
        slots = fitted.condition_slots
        maker, _ = fit_maker(values[part], visible[part], own, fitted.encoder, n_classes, slots, settings, run)
        parents = maker.parents(torch.from_numpy(asked), generator, focus=settings.focus)
        trained = torch.bincount(own, minlength=n_classes) >= LEAST_ROWS_TO_TRAIN
        told = conditions(maker.seeds, slots)[parents]
        made = maker.near(parents, told, generator, trained=trained, focus=settings.focus)
        return completed(fitted, made.numpy(), train[parents.numpy()])

    rows = completed(fitted, fitted.encoded.values, np.arange(len(codes)))
    seed = int(torch.randint(2**31 - 1, (), generator=run.generator))
    codes_ = fitted.target.codes
    with stage_bar(run.verbose, most_folds(measure)) as entering:
        return decide(rows, codes_, wanted, make_rows, measure, seed, lambda: run.time_is_up, costs, entering)
