"""The energy-I-Score of the imputers in a comparison: how well each draws the missing values of the user's own table."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from tabgan.metrics.i_score import energy_i_score
from tabgan.model_selection.working_table import as_completed

__all__ = ["FEWEST_MISSING", "draw_score"]

FEWEST_MISSING = 10
"""Columns with fewer missing values are not scored."""


def draw_score(make: Callable[[int], Any], frame: pd.DataFrame, n_draws: int, seed: int) -> float:
    """Energy-I-Score of one method; lower is better.

    Draws come from ``sample`` where the imputer has it, else from fits with ``sample_posterior=True`` where it has that
    parameter, each with a seed of its own; any other imputer repeats its fill, as its draws have no spread.

    Parameters
    ----------
    make : callable
        ``make(seed)`` gives a fresh imputer.
    frame : pandas.DataFrame of shape (n_rows, n_columns)
        With missing values; numbers as float, labels as text.
    n_draws : int
    seed : int

    Returns
    -------
    float
    """

    def draw(table: pd.DataFrame, m: int) -> list[pd.DataFrame]:
        seeds = [int(word) for word in np.random.SeedSequence(seed).generate_state(m)]
        imputer = make(seed)
        if hasattr(imputer, "sample"):
            return list(imputer.fit(table).sample(table, n_draws=m))
        switches = [name for name in _parameters(imputer) if name.split("__")[-1] == "sample_posterior"]
        if not switches:
            return [_filled(imputer, table)] * m
        return [_filled(make(one).set_params(**dict.fromkeys(switches, True)), table) for one in seeds]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return energy_i_score(frame, draw, n_draws=n_draws, min_missing=FEWEST_MISSING).score


def _parameters(imputer: Any) -> dict[str, Any]:
    return imputer.get_params(deep=True) if hasattr(imputer, "get_params") else {}


def _filled(imputer: Any, table: pd.DataFrame) -> pd.DataFrame:
    return as_completed(imputer.fit_transform(table.copy()), table)
