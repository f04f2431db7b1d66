"""Draw the pictures of ``plots.md`` from real tables: ``python -m docs.renew_pictures [NAME ...]``."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.data import load_frame
from tabgan import BAGANOversampler, GAINImputer
from tabgan.plotting import DrawsDisplay, ImputationDisplay, PredictionDisplay, PropensityDisplay, ResamplingDisplay

FOLDER = Path(__file__).parent / "images"


def adult(n_rows: int = 500) -> pd.DataFrame:
    """Some rows of adult without its label."""
    return load_frame("adult_train").drop(columns="income").iloc[:n_rows]


def with_gaps(table: pd.DataFrame, rate: float) -> pd.DataFrame:
    """The table with so large a share of its cells hidden at random."""
    return table.mask(np.random.default_rng(0).random(table.shape) < rate)


def fitted(table: pd.DataFrame) -> GAINImputer:
    """A quickly fitted imputer."""
    return GAINImputer(effort="fast", random_state=0).fit(table)


def imputation() -> Any:
    """Columns of adult."""
    table = with_gaps(adult(), 0.15)
    return ImputationDisplay.from_estimator(fitted(table), table)


def prediction() -> Any:
    """Hidden cells of titanic."""
    table = load_frame("titanic").drop(columns=["Name", "Ticket"]).iloc[:500]
    return PredictionDisplay.from_estimator(fitted(table), table, random_state=0)


def draws() -> Any:
    """Twenty draws for adult."""
    table = with_gaps(adult(), 0.15)
    return DrawsDisplay.from_estimator(fitted(table), table, n_draws=20, random_state=0)


def propensity() -> Any:
    """Penguins whose heavy ones miss more."""
    from palmerpenguins import load_penguins

    table = load_penguins().dropna().reset_index(drop=True)
    heavy = table["body_mass_g"].rank(pct=True).to_numpy()
    rng = np.random.default_rng(0)
    for name in ("bill_length_mm", "flipper_length_mm"):
        table[name] = table[name].mask(rng.random(len(table)) < 0.6 * heavy)
    return PropensityDisplay.from_estimator(fitted(table), table, n_draws=5, random_state=0)


def resampling() -> Any:
    """Synthetic rows of adult's higher income class."""
    table = load_frame("adult_train").iloc[:500]
    sampler = BAGANOversampler(random_state=0)
    sampler.fit_resample(table.drop(columns="income"), table["income"])
    return ResamplingDisplay.from_estimator(sampler, label=">50K")


PICTURES: dict[str, Callable[[], Any]] = {
    made.__name__: made for made in (imputation, prediction, draws, propensity, resampling)
}


def main(*names: str) -> None:
    """Draw those that are named, or all."""
    for name in names or PICTURES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            figure = PICTURES[name]().figure_
        figure.savefig(FOLDER / f"{name}.png", dpi=100, bbox_inches="tight", facecolor="white")


if __name__ == "__main__":
    main(*sys.argv[1:])
