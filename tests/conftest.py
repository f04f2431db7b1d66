"""Shared fixtures: small tables, the number of threads, and the shared data folder where it is present."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import settings

# Nothing is timed in tests: a deadline per example is, and fails on a busy machine. The same examples in every run, and none kept;
# ``--hypothesis-profile=long`` draws 10,000 tables in tests/properties, others with every ``--hypothesis-seed``.
settings.register_profile("tabgan", deadline=None, derandomize=True, database=None)
settings.register_profile("long", deadline=None, database=None, max_examples=3334, print_blob=True)
settings.load_profile("tabgan")


@pytest.fixture(autouse=True, scope="session")
def _threads():
    """One thread of torch: small sums are fastest so. ``TABGAN_TEST_THREADS=2`` shows that no test depends on it."""
    torch.set_num_threads(int(os.environ.get("TABGAN_TEST_THREADS", "1")))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real tables; tests that need it are skipped where it is absent."""
    named = os.environ.get("TABGAN_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not (folder / "manifest.json").is_file():
        pytest.skip(f"no shared data at {folder}; set TABGAN_DATA to the folder that holds manifest.json")
    return folder


@pytest.fixture(scope="session")
def shared_cases() -> Path:
    """The folder of awkward files; tests that need it are skipped where it is absent."""
    named = os.environ.get("TABGAN_CASES")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "cases" / "files"
    if not folder.is_dir():
        pytest.skip(f"no awkward files at {folder}; set TABGAN_CASES to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def read_shared(shared_data):
    """Read a shared table by its name in the manifest."""
    manifest = json.loads((shared_data / "manifest.json").read_text())
    return lambda name: pd.read_csv(shared_data / manifest[name]["file"], **manifest[name]["read_csv"])


def make_mixed(n: int = 80, seed: int = 0, rate: float = 0.2) -> pd.DataFrame:
    """A table with a column of every kind, related to each other, and gaps in all columns but one."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    table = pd.DataFrame(
        {
            "number": x,
            "price": np.round(10 + 3 * x + rng.normal(size=n), 2),
            "count": pd.array(rng.poisson(4, size=n), dtype="Int64"),
            "flag": pd.array(x > 0, dtype="boolean"),
            "colour": np.where(x > 0.5, "red", np.where(x < -0.5, "blue", "green")).astype(object),
            "size": pd.Categorical.from_codes((x > -0.5).astype(int) + (x > 0.5), ["S", "M", "L"], ordered=True),
            "day": pd.Timestamp("2024-03-01", tz="Europe/Berlin") + pd.to_timedelta(np.round(10 * x), unit="D"),
            "wait": pd.to_timedelta(rng.integers(0, 100, size=n), unit="min"),
            "same": "constant",
            "complete": rng.normal(size=n) + x,
        },
        index=pd.Index(np.arange(n) * 3 + 7, name="row"),
    )
    for column in table.columns.drop("complete"):
        table.loc[rng.random(n) < rate, column] = None
    return table


@pytest.fixture
def mixed() -> pd.DataFrame:
    """`make_mixed` with its defaults."""
    return make_mixed()
