"""Small tables and a way to run the command in this process."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from tabgan.cli.main import app


@pytest.fixture
def tabgan() -> Callable[..., Result]:
    """``tabgan(*arguments, input=None)`` in this process."""

    def run(*arguments: object, input: bytes | str | None = None) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments], input=input)

    return run


@pytest.fixture
def gappy() -> pd.DataFrame:
    """60 rows of numbers, labels and dates, with gaps in every column but the first."""
    rng = np.random.default_rng(0)
    size = rng.normal(10, 3, 60).round(2)
    table = pd.DataFrame(
        {
            "id": np.arange(60),
            "size": size,
            "count": pd.array((size * 2).round().astype(int), dtype="Int64"),
            "colour": np.where(size > 10, "red", "blue"),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 90, 60), unit="D"),
        }
    )
    for name in table.columns[1:]:
        table.loc[rng.choice(60, 8, replace=False), name] = pd.NA if name == "count" else None
    return table
