"""A product of two columns, one of which has missing cells, stays in draws of that one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tabgan import GAINImputer
from tabgan.imputation.proper.curvature import FEW
from tests.imputation.proper.test_curvature import fitted


def slope_of_product(table: pd.DataFrame) -> float:
    x, z, y = (table[name].to_numpy() for name in "xzy")
    return float(np.linalg.lstsq(np.column_stack([np.ones(len(x)), x, z, x * z]), y, rcond=None)[0][3])


def missing_given_outcome(seed: int, n: int = 200) -> tuple[pd.DataFrame, pd.DataFrame]:
    """y = x + z + .7 x z + e; z is missing where y is large, which is where the product is."""
    rng = np.random.default_rng(seed)
    x, z, e = rng.normal(size=(3, n))
    whole = pd.DataFrame({"x": x, "z": z, "y": x + z + 0.7 * x * z + e})
    return whole, whole.assign(z=whole["z"].mask(rng.random(n) < 1 / (1 + np.exp(0.8 - 0.5 * whole["y"]))))


def test_draws_of_small_tables_keep_a_product_that_first_draws_hide() -> None:
    found, wanted = [], []
    for seed in range(4):
        whole, given = missing_given_outcome(seed)
        imputer = GAINImputer(n_steps=0, n_trees=0, n_references=0, random_state=seed).fit(given)
        hidden = given["z"].isna()
        found += [slope_of_product(draw[hidden]) for draw in imputer.sample(given, 8)]
        wanted.append(slope_of_product(whole))
    assert np.mean(found) > 0.75 * np.mean(wanted)


def test_weak_products_judge_draws_of_small_tables_only() -> None:
    small, large = (fitted(lambda x, z: 0.3 * x * z, n_rows=n_rows, seed=2)[0] for n_rows in (FEW, FEW + 1))
    assert small is not None
    assert large is not None
    assert small.is_strong
    assert not large.is_strong
