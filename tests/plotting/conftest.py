"""A small table with gaps, an imputer and a sampler fitted on it; matplotlib without a window."""

import numpy as np
import pandas as pd
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    from matplotlib import pyplot

    pyplot.close("all")


@pytest.fixture(scope="session")
def gappy() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=120)
    table = pd.DataFrame(
        {
            "x": x,
            "$y_{$ <b>": 3 * x + rng.normal(size=120),
            "n": rng.poisson(3, size=120),
            "side": np.where(x > 0, "left", "right").astype(object),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.round(5 * x), unit="D"),
        }
    )
    for k, name in enumerate(["x", "$y_{$ <b>", "side", "day"]):
        table.loc[rng.random(120) < 0.1 + 0.05 * k, name] = None
    return table


@pytest.fixture(scope="session")
def imputer(gappy):
    from tabgan import GAINImputer

    return GAINImputer(n_steps=2, draw_steps=2, random_state=0).fit(gappy)


@pytest.fixture(scope="session")
def sampler(gappy):
    from tabgan import CGANSampler

    target = np.where(np.arange(120) % 4 == 0, "rare $", "common")
    return CGANSampler(n_steps=0, random_state=0).fit(gappy, target)
