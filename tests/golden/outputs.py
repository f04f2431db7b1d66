"""What the three families give for small tables and images, as named arrays; made through public names only."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from tabgan import BAGANOversampler, CGANSampler, GAINImputer
from tabgan.images import ImageGAN
from tests.conftest import make_mixed

__all__ = ["FILE", "digests", "outputs", "plain", "write"]

FILE = Path(__file__).with_name("outputs.npz")
MOST_COLUMNS = 12
"""Stored of a wide table."""
FEW = {"n_steps": 60, "n_trees": 6, "n_donor_trees": 3, "draw_steps": 30, "random_state": 0}


def outputs() -> dict[str, np.ndarray]:
    """Every golden output by name; numbers as float64, everything else as text."""
    found: dict[str, np.ndarray] = {}
    for name, part in {**_imputers(), **_samplers(), **_images()}.items():
        if isinstance(part, pd.DataFrame):
            found |= {f"{name}/{column}": plain(values) for column, values in list(part.items())[:MOST_COLUMNS]}
        else:
            found[name] = plain(part)
    return found


def digests(arrays: dict[str, np.ndarray]) -> dict[str, str]:
    """A short digest per output, to the bit."""
    return {name: hashlib.sha256(array.tobytes()).hexdigest()[:16] for name, array in arrays.items()}


def write(arrays: dict[str, np.ndarray]) -> None:
    """Store the outputs; numbers in single precision, which is finer than the tolerances."""
    stored = {name: array.astype(np.float32) if array.dtype == float else array for name, array in arrays.items()}
    np.savez_compressed(FILE, **stored)


def _imputers() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, table, parameters in (
        ("mixed", make_mixed(160), {}),
        ("numbers", _numbers(400, 6), {}),
        ("wide", _numbers(120, 70), {"n_trees": 0}),
    ):
        imputer = GAINImputer(**(FEW | parameters)).fit(table)
        found[f"imputer/{name}/filled"] = imputer.transform(table)
        found[f"imputer/{name}/scores"] = imputer.validation_scores_.drop(columns="kind")
        for k, drawn in enumerate(imputer.sample(table, 2)):
            found[f"imputer/{name}/draw {k}"] = drawn
        lower, upper = imputer.predict_interval(table)
        found[f"imputer/{name}/lower"], found[f"imputer/{name}/upper"] = lower, upper
    for variant in ("code", "paper"):
        imputer = GAINImputer.paper(variant, n_steps=100, random_state=0).fit(make_mixed(160))
        found[f"imputer/published {variant}/filled"] = imputer.transform(make_mixed(160))
    return found


def _samplers() -> dict[str, Any]:
    table = make_mixed(200, seed=1)
    y = np.where(table["complete"] + np.random.default_rng(0).normal(size=200) > 2, "rare", "common")
    found: dict[str, Any] = {}
    for name, sampler in (
        ("bagan", BAGANOversampler(random_state=0)),
        ("bagan autoencoder", BAGANOversampler(start="autoencoder", n_steps=40, autoencoder_steps=40, random_state=0)),
        ("cgan", CGANSampler(n_steps=60, random_state=0)),
        ("cgan noise", CGANSampler(start="noise", n_steps=60, loss="wasserstein", random_state=0)),
    ):
        X, labels = sampler.fit_resample(table, y)
        found[f"sampler/{name}/rows"] = X.iloc[len(table) :]
        found[f"sampler/{name}/labels"] = labels[len(table) :]
        found[f"sampler/{name}/sample"] = sampler.sample(10, y="rare")[0]
    return found


def _images() -> dict[str, Any]:
    digits = load_digits()
    images, labels = digits.images[:100] / 16, digits.target[:100]
    found: dict[str, Any] = {}
    for recipe in ("non-saturating", "wgan-gp", "acgan", "bagan", "pix2pix", "cyclegan"):
        gan = ImageGAN(recipe, n_steps=12, batch_size=16, random_state=0)
        if recipe in ("pix2pix", "cyclegan"):
            gan.fit(images, targets=1 - images)
            made = gan.transform(images[:3])
        else:
            gan.fit(images, labels)
            made = gan.sample(10, y=np.arange(10))
        found[f"images/{recipe}"] = np.asarray(made, dtype=float)
    return found


def _numbers(n: int, n_columns: int) -> pd.DataFrame:
    """Correlated numbers with tails, a fifth of them missing."""
    rng = np.random.default_rng(2)
    factors = rng.normal(size=(n, 3))
    values = factors @ rng.normal(size=(3, n_columns)) + 0.5 * rng.normal(size=(n, n_columns))
    values[:, 0] = np.exp(values[:, 0] / 2)
    values[rng.random(values.shape) < 0.2] = np.nan
    return pd.DataFrame(values, columns=[f"x{j}" for j in range(n_columns)])


def plain(values: Any) -> np.ndarray:
    """Numbers and times as float64, everything else as text; one-dimensional."""
    series = pd.Series(np.asarray(values).ravel()) if not isinstance(values, pd.Series) else values
    if pd.api.types.is_bool_dtype(series) or not pd.api.types.is_numeric_dtype(series):
        if pd.api.types.is_datetime64_any_dtype(series) or pd.api.types.is_timedelta64_dtype(series):
            return series.astype("int64").to_numpy(dtype=float)
        return series.astype(str).to_numpy(dtype=str)
    return series.to_numpy(dtype=float, na_value=np.nan)
