"""The table of the tests of engines: a number of types, missing cells, keys in no order, and a rare class."""

from __future__ import annotations

import decimal
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import pyarrow as pa

QUICK = {"n_steps": 0, "n_trees": 0, "n_boosts": 0, "n_references": 0, "n_donor_trees": 2, "random_state": 0}
SAMPLER = {"gate": None, "n_steps": 5, "width": 16, "n_blocks": 1, "random_state": 0}


@lru_cache
def arrow_table(n: int = 600) -> pa.Table:
    import pyarrow as pa

    rng = np.random.default_rng(0)
    x = rng.normal(size=n).round(2)
    columns = {
        "id": pa.array(rng.permutation(n)),
        "x": pa.array(x, mask=rng.random(n) < 0.2),
        "y": pa.array((2 * x + rng.normal(size=n)).round(3), mask=rng.random(n) < 0.2),
        "kind": pa.array(np.where(x > 0, "up", "down").astype(object), mask=rng.random(n) < 0.2),
        "n": pa.array(rng.integers(0, 50, n), pa.int32(), mask=rng.random(n) < 0.2),
        "price": pa.array([decimal.Decimal(str(v)) if v > -1 else None for v in x], pa.decimal128(10, 2)),
        "day": pa.array((pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D")).date),
        "label": pa.array(np.where(rng.random(n) < 0.05, "yes", "no").astype(object)),
    }
    return pa.table(columns)
