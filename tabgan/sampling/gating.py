"""The gate of a fitted sampler: the same way of making rows, tried inside its training table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from tabgan._runtime import make_generator
from tabgan.core.run import Run
from tabgan.networks.class_seeds import SEED_KINDS
from tabgan.networks.tabular import span_index
from tabgan.sampling.fitting import LEAST_ROWS_TO_TRAIN, FittedSampler, conditions, fit_maker
from tabgan.sampling.gate import GateDecision, decide

__all__ = ["completed", "gate_of"]


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


def gate_of(fitted: FittedSampler, wanted: Mapping[int, int], measure: str, run: Run) -> GateDecision:
    """How many of the rows asked for a fitted sampler should make.

    Parameters
    ----------
    fitted : FittedSampler
        With the table, and the settings that its rows are made by.
    wanted : dict of int to int
        Rows asked for, by class.
    measure : str
        One of `tabgan.sampling.gate.GATES`.
    run : Run
        Randomness, device and deadline.

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
        parents = maker.seeds.parents(torch.from_numpy(asked), generator, focus=settings.focus)
        trained = torch.bincount(own, minlength=n_classes) >= LEAST_ROWS_TO_TRAIN
        told = conditions(maker.seeds, slots)[parents]
        made = maker.near(parents, told, generator, trained=trained, focus=settings.focus)
        return completed(fitted, made.numpy(), train[parents.numpy()])

    rows = completed(fitted, fitted.encoded.values, np.arange(len(codes)))
    seed = int(torch.randint(2**31 - 1, (), generator=run.generator))
    return decide(rows, fitted.target.codes, wanted, make_rows, measure, seed)
