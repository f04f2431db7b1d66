"""Held-out cells: setting them aside before training, and the error per column afterwards."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from tabgan.imputation.predicting import HeldOut
from tabgan.tables.encoder import TableEncoder
from tabgan.tables.frames import Table
from tabgan.tables.kinds import ColumnSchema
from tabgan.tables.numeric import unit_of
from tabgan.tables.written_times import WRITTEN

__all__ = ["learnt_columns", "relative_errors", "split_validation", "tick", "validation_scores"]

_MOST_SHOWN = 8

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
    held_out: HeldOut | None, encoder: TableEncoder, table: Table, values: np.ndarray, training: np.ndarray
) -> pd.DataFrame:
    """Error per column on the cells set aside, beside the error of the column mean or mode.

    Parameters
    ----------
    held_out : HeldOut or None
        Cells set aside, and what was predicted for them; of large tables, those of some rows.
    encoder : TableEncoder
        Back to the table's own units.
    table : Table
        The truth.
    values : ndarray of shape (n, width)
        The same, encoded.
    training : ndarray of bool of shape (n, n_columns)
        The cells that means and modes are taken of.

    Returns
    -------
    pandas.DataFrame
        Indexed by column name; see `GAINImputer.validation_scores_`. NaN where a measure does not apply.
    """
    if held_out is None or not len(held_out.rows):
        return pd.DataFrame(columns=_COLUMNS)
    rows, predicted = held_out.rows, held_out.predicted
    records = {}
    for j, position in enumerate(encoder.schema_.encoded):
        cells = held_out.cells[:, j]
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
            if column.written is not None:  # errors in days or minutes, not in the digits that write them
                true, known, filled = (WRITTEN[column.written].ticks(part)[0] for part in (true, known, filled))
            unit = unit_of(np.concatenate([true, known]).astype(float))
            true, known, filled = (part.astype(float) / unit for part in (true, known, filled))
            rmse, rmse_mean = _rms(filled - true), _rms(known.mean() - true)
            unit *= tick(column)
            record |= {"rmse": rmse * unit, "rmse_mean": rmse_mean * unit, "nrmse": rmse / (known.std() or 1.0)}
        else:
            codes, levels = pd.factorize(known)
            mode = np.empty(1, dtype=levels.dtype)
            mode[0] = levels[np.bincount(codes).argmax()]  # alone, a tuple would be compared part by part
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


_SECONDS = {"M": 30.436875 * 86_400, "D": 86_400, "h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
"""Of each unit in which times are counted."""


def tick(column: ColumnSchema) -> float:
    """What one tick of a column is in the unit of its errors: days for dates and times of day, seconds for durations, else 1."""
    ticks = column.unit if column.written is None else WRITTEN[column.written].unit
    if ticks is None or column.kind not in ("datetime", "timedelta"):
        return 1.0
    return _SECONDS[ticks] / (86_400 if column.kind == "datetime" else 1)


def _rms(error: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(error))))


def relative_errors(scores: pd.DataFrame) -> pd.Series:
    """Error over that of the mean or mode; 1 plus the error where these make none; left out where neither makes any.

    Parameters
    ----------
    scores : pandas.DataFrame
        What `validation_scores` returned.

    Returns
    -------
    pandas.Series of float
        By column.
    """
    if not len(scores):
        return pd.Series(dtype=float)
    error = scores["rmse"].fillna(scores["error_rate"]).astype(float)
    baseline = scores["rmse_mean"].fillna(scores["error_rate_mode"]).astype(float)
    relative = (error / baseline.where(baseline > 0)).where((baseline > 0) | (error == 0), 1 + error)
    return relative.dropna()


def learnt_columns(scores: pd.DataFrame) -> tuple[list[Sequence[str]], str]:
    """The columns that were learnt worst as rows of text with a heading, and what the numbers mean.

    Parameters
    ----------
    scores : pandas.DataFrame
        What `validation_scores` returned.
    """
    relative = relative_errors(scores)
    if not len(relative):
        return [], "No cell was held out, so how good fills are is not known."
    worst = np.argsort(-relative.to_numpy(), kind="stable")[:_MOST_SHOWN]
    kinds, cells = (dict(zip(scores.index, scores[name], strict=True)) for name in ("kind", "n_cells"))
    rows: list[Sequence[str]] = [("column", "kind", "relative error", "held-out cells")]
    for k in worst:
        name = relative.index[k]
        rows.append((str(name), str(kinds[name]), f"{relative.iloc[k]:.2f}", f"{cells[name]:,}"))
    shown = f"The {len(worst)} worst of {len(relative)} columns. " if len(worst) < len(relative) else ""
    note = f"{shown}Error on held-out cells over that of the mean or mode: median {relative.median():.2f}; below 1 is better."
    return rows, note
