"""Cells in which all rows of a class agree stay as they are in synthetic rows of it."""

import numpy as np
import pandas as pd
import pytest
import torch

from tabgan import BAGANOversampler, CGANSampler
from tabgan.sampling.seeds import ClassSeeds
from tabgan.spans import Span

N, N_RARE = 300, 60


def agreeing(seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """In the rare class a number, a count and a level are always the same; elsewhere they vary."""
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1], [N - N_RARE, N_RARE])
    frame = pd.DataFrame(
        {
            "free": rng.normal(size=N),
            "number": np.where(y == 1, 3.25, rng.normal(size=N)),
            "count": np.where(y == 1, 40, rng.poisson(30, N)),
            "level": np.where(y == 1, "b", rng.choice(["a", "b", "c"], N)),
        }
    )
    return frame, y


@pytest.mark.parametrize(
    "sampler",
    [
        BAGANOversampler(random_state=0, n_steps=20),
        BAGANOversampler(random_state=0, n_steps=0, start="segments"),
        BAGANOversampler(random_state=0, n_steps=20, start="autoencoder", autoencoder_steps=10),
        CGANSampler(random_state=0, n_steps=20),
    ],
    ids=["bagan", "segments", "autoencoder", "cgan"],
)
def test_what_is_the_same_in_a_class_stays_so(sampler):
    frame, y = agreeing()
    fitted = sampler.fit(frame, y)
    rows, _ = fitted.sample(2000, y=1)
    assert set(rows["number"]) == {3.25}
    assert set(rows["count"]) == {40}
    assert set(rows["level"]) == {"b"}
    assert rows["free"].nunique() > 1000
    others, _ = fitted.sample(200, y=0)
    assert others["number"].nunique() > 100


def seeds_of(values, classes, spans, visible=None):
    rows = torch.tensor(values, dtype=torch.float32)
    seen = torch.ones(len(rows), len(spans)) if visible is None else torch.tensor(visible, dtype=torch.float32)
    return ClassSeeds(rows, seen, torch.tensor(classes), spans, int(max(classes)) + 1)


def test_chance_does_not_settle_a_cell():
    spans = [Span("numeric", 0, 1), Span("numeric", 1, 2)]
    rng = np.random.default_rng(0)
    mostly_zero = np.where(rng.random(100) < 0.9, 0.0, rng.normal(size=100))
    mostly_zero[95:] = 0.0  # five zeros where nine of ten are: no wonder
    values = np.column_stack([np.append(rng.normal(size=95), [7.0] * 5), mostly_zero])
    classes = np.repeat([0, 1], [95, 5])
    assert seeds_of(values, classes, spans).settled.tolist() == [[False, False], [True, False]]
    alone = np.repeat([0, 1, 2], [97, 1, 2])  # one or two rows always agree with themselves
    assert not seeds_of(values, alone, spans).settled.any()
    unseen = np.ones((100, 2))
    unseen[95:98, 0] = 0  # two cells are left
    assert not seeds_of(values, classes, spans, unseen).settled.any()


def test_gaps_stay_gaps():
    frame, y = agreeing()
    frame.loc[y == 1, "number"] = [3.25, np.nan] * (N_RARE // 2)
    rows, _ = BAGANOversampler(random_state=0, n_steps=0).fit(frame, y).sample(500, y=1)
    assert rows["number"].isna().any()
    assert set(rows["number"].dropna()) == {3.25}
