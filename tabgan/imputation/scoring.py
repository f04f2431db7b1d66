"""Held-out cells: setting them aside before training, and the error per column afterwards."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from tabgan.imputation.model import ImputationModel
from tabgan.tables.encoder import TableEncoder
from tabgan.tables.frames import Table

__all__ = ["split_validation", "validation_scores"]

_COLUMNS = [
    "kind",
    "n_cells",
    "rmse",
    "rmse_mean",
    "nrmse",
    "error_rate",
    "error_rate_mode",
    "log_loss",
]


def split_validation(
    mask: np.ndarray, validation_fraction: float, generator: torch.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Part the observed cells into those to learn from and those to validate on.

    Parameters
    ----------
    mask : ndarray of shape (n, n_columns)
        True where observed.
    validation_fraction : float
        Share of observed cells to set aside. A row keeps at least one visible cell, a column at least two thirds.
    generator : torch.Generator
        Source of the choice.

    Returns
    -------
    training, validation : ndarray of bool
        Disjoint, together ``mask``.
    """
    drawn = torch.rand(mask.shape, generator=generator).numpy() < validation_fraction
    validation = drawn & mask
    bare = validation.any(axis=1) & ~(mask & ~validation).any(axis=1)
    validation[bare] = False
    starved = 3 * validation.sum(axis=0) > mask.sum(axis=0)
    validation[:, starved] = False
    return mask & ~validation, validation


def validation_scores(
    model: ImputationModel,
    encoder: TableEncoder,
    table: Table,
    values: np.ndarray,
    training: np.ndarray,
    validation: np.ndarray,
) -> pd.DataFrame:
    """Error per column on the cells set aside, beside the error of the column mean or mode.

    Returns
    -------
    pandas.DataFrame
        Indexed by column name; see `GAINImputer.validation_scores_`. NaN where a measure does not apply.
    """
    rows = np.flatnonzero(validation.any(axis=1))
    if not len(rows):
        return pd.DataFrame(columns=_COLUMNS)
    # The very cells, as they will be met: hidden from the model, everything else visible.
    predicted = model.predict(np.where(_spread(training, encoder)[rows], values[rows], 0), training[rows])
    records = {}
    for j, position in enumerate(encoder.schema_.encoded):
        cells = validation[rows, j]
        if not cells.any():
            continue
        span, column = encoder.spans_[j], encoder.schema_.columns[position]
        slots = slice(span.start, span.stop)
        raw = table.columns[position].values
        true, known, filled = (
            raw[rows][cells],
            raw[training[:, j]],
            encoder.decode_column(position, predicted[cells, slots]),
        )
        record = dict.fromkeys(_COLUMNS, np.nan) | {"kind": column.kind, "n_cells": int(cells.sum())}
        if span.kind == "numeric":
            true, known, filled = (part.astype(float) for part in (true, known, filled))
            rmse = _rms(filled - true)
            record |= {"rmse": rmse, "rmse_mean": _rms(known.mean() - true), "nrmse": rmse / (known.std() or 1.0)}
        else:
            codes = pd.factorize(known)
            mode = codes[1][np.bincount(codes[0]).argmax()]
            chosen = (predicted[cells, slots] * values[rows][cells, slots]).sum(axis=1)
            record |= {
                "error_rate": float(np.mean(filled != true)),
                "error_rate_mode": float(np.mean(true != mode)),
                "log_loss": float(-np.log(np.clip(chosen, 1e-7, 1.0)).mean()),
            }
        records[column.name] = record
    if not records:
        return pd.DataFrame(columns=_COLUMNS)
    return pd.DataFrame(list(records.values()), index=pd.Index(list(records), tupleize_cols=False), columns=_COLUMNS)


def _spread(mask: np.ndarray, encoder: TableEncoder) -> np.ndarray:
    return np.repeat(mask, [span.width for span in encoder.spans_], axis=1)


def _rms(error: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(error))))
