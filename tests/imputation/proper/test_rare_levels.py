"""Draws of labels in tables of few rows and many levels keep the shares of their levels where cells are missing at random."""

import numpy as np
import pandas as pd
import pytest

from tabgan import GAINImputer


@pytest.mark.parametrize("n_rows", [400, 1000])
def test_draws_of_labels_keep_their_shares(n_rows):
    rng = np.random.default_rng(0)
    shares = np.r_[0.8, np.full(10, 0.02)]
    full = pd.DataFrame({f"c{k}": rng.choice(list("abcdefghijk"), n_rows, p=shares) for k in range(8)})
    gaps = rng.random(full.shape) < 0.15
    imputer = GAINImputer(effort="fast", random_state=0).fit(full.mask(gaps))
    draws = imputer.sample(full.mask(gaps), n_draws=3, random_state=0)
    drawn = np.concatenate([draw.to_numpy()[gaps] for draw in draws])
    assert abs((drawn == "a").mean() - 0.8) < 0.08


def test_draws_beside_a_known_rare_level_keep_their_shares():
    """Each bootstrap sample knows other rare pairs of levels; none of them may outweigh what all rows say."""
    rng = np.random.default_rng(0)
    full = pd.DataFrame({name: rng.choice(list("abcdefghijk"), 3000, p=np.r_[0.8, np.full(10, 0.02)]) for name in "xy"})
    gaps = rng.random(full.shape) < [0.15, 0.0]
    imputer = GAINImputer(effort="fast", random_state=0).fit(full.mask(gaps))
    draws = imputer.sample(full.mask(gaps), n_draws=3, random_state=0)
    asked = gaps[:, 0] & (full["y"] != "a").to_numpy()
    assert abs(np.mean([(draw["x"][asked] == "a").mean() for draw in draws]) - 0.8) < 0.08
