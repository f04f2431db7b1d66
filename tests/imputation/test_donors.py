"""Draws as real cells: every made number is some training row's, of a row like the one that asks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tabgan
from tabgan import GAINImputer
from tabgan.imputation.stages.donors import Donors, grow_donors
from tabgan.spans import Span

SPANS = (Span("numeric", 0, 1), Span("categorical", 1, 3), Span("numeric", 3, 4))


def table(n: int = 300, seed: int = 0) -> np.ndarray:
    """A number, a category, and a number that is 0 for one level and far from 0 for the other."""
    rng = np.random.default_rng(seed)
    level = rng.integers(0, 2, n)
    values = np.stack([rng.normal(size=n), level, 1 - level, level * (5 + rng.normal(size=n))], 1)
    return values.astype(np.float32)


def noise(values: np.ndarray, mask: np.ndarray, n_draws: int) -> torch.Tensor:
    """Draws that know nothing."""
    drawn = np.repeat(values[np.newaxis].astype(np.float64), n_draws, axis=0)
    shown = np.repeat(mask, [span.width for span in SPANS], axis=1)
    return torch.from_numpy(np.where(shown, drawn, np.random.default_rng(0).normal(size=drawn.shape)))


def grown(values: np.ndarray, mask: np.ndarray | None = None, n_trees: int = 6) -> Donors:
    """Trees for the numbers of `table`."""
    mask = np.ones((len(values), 3), bool) if mask is None else mask
    drawn = noise(values, mask, n_trees)
    return grow_donors(torch.from_numpy(values), torch.from_numpy(mask), drawn, SPANS, np.random.default_rng(0))


@given(st.integers(0, 2**20))
@settings(max_examples=10)
def test_made_numbers_are_real_ones_and_other_cells_stay(seed: int) -> None:
    values, rng = table(), np.random.default_rng(seed)
    mask = rng.random((len(values), 3)) < 0.7
    step = grown(values, mask)
    drawn = noise(values, mask, 1)[0]
    moved = step.replaced(drawn, torch.from_numpy(mask).double(), torch.Generator().manual_seed(seed))
    shown = np.repeat(mask, [1, 2, 1], axis=1)
    np.testing.assert_array_equal(moved.numpy()[shown], drawn.numpy()[shown])
    np.testing.assert_array_equal(moved.numpy()[:, 1:3], drawn.numpy()[:, 1:3])
    for j, slot in ((0, 0), (2, 3)):
        assert set(moved.numpy()[~mask[:, j], slot]) <= set(values[mask[:, j], slot].astype(np.float64))


def test_donors_are_like_the_row_that_asks() -> None:
    values = table(600)
    step = grown(values)
    visible = torch.ones(600, 3, dtype=torch.float64)
    visible[:, 2] = 0
    moved = step.replaced(torch.from_numpy(values).double(), visible, torch.Generator().manual_seed(0))
    np.testing.assert_array_equal(moved[:, 3].numpy() == 0, values[:, 1] == 0)


def test_a_donor_speaks_for_rows_that_are_alike_not_their_mean() -> None:
    values = table()
    values[:, 0], values[:, 1], values[:, 2] = 1.0, 1.0, 0.0
    values[:, 3] = np.where(np.arange(len(values)) % 2 == 0, -1.0, 1.0)
    visible = torch.ones(len(values), 3, dtype=torch.float64)
    visible[:, 2] = 0
    generator = torch.Generator().manual_seed(0)
    made = grown(values, n_trees=30).replaced(torch.from_numpy(values).double(), visible, generator)[:, 3]
    assert set(made.tolist()) == {-1.0, 1.0}
    assert 0.2 < float((made > 0).double().mean()) < 0.8


def test_columns_with_too_few_cells_keep_their_draws() -> None:
    values = table()
    mask = np.ones((len(values), 3), bool)
    mask[20:, 0] = False
    step = grown(values, mask)
    assert [0 if trees is None else len(trees) for trees in step.trees] == [0, 0, 6]


def mixture(n: int = 400) -> pd.DataFrame:
    """A number that is 0 where another is negative, with gaps."""
    rng = np.random.default_rng(1)
    a = rng.normal(size=n)
    frame = pd.DataFrame({"a": a, "b": np.where(a < 0, 0.0, np.exp(a + 0.1 * rng.normal(size=n)))})
    frame.loc[rng.random(n) < 0.3, "b"] = np.nan
    return frame


@pytest.fixture(scope="module")
def fitted() -> GAINImputer:
    """An imputer of `mixture`."""
    return GAINImputer(n_steps=60, draw_steps=20, random_state=0).fit(mixture())


def test_draws_of_the_imputer_are_observed_numbers(fitted: GAINImputer) -> None:
    frame = mixture()
    gaps = frame["b"].isna()
    observed = np.sort(frame["b"].dropna().unique())
    agree = []
    for draw in fitted.sample(frame, 5):
        distance = np.abs(observed[:, np.newaxis] - draw["b"][gaps].to_numpy()).min(axis=0)
        assert distance.max() < 1e-5  # single precision on the way
        agree.append(((draw["b"][gaps] < 1e-5) == (frame["a"][gaps] < 0)).mean())
    assert np.mean(agree) > 0.95


def test_without_donors_draws_are_the_networks(fitted: GAINImputer) -> None:
    frame = mixture()
    plain = GAINImputer(**(fitted.get_params() | {"n_donor_trees": 0})).fit(frame)
    pd.testing.assert_frame_equal(plain.transform(frame), fitted.transform(frame))
    assert not plain.sample(frame, 1)[0].equals(fitted.sample(frame, 1)[0])


def test_a_saved_imputer_draws_the_same(fitted: GAINImputer, tmp_path: object) -> None:
    path = f"{tmp_path}/imputer.tabgan"
    fitted.save(path)
    first, second = (one.sample(mixture(), 2, random_state=3) for one in (fitted, tabgan.load(path)))
    for a, b in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(a, b)
