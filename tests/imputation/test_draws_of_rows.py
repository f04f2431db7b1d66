"""A row's draws are its own: in any batching, in any call, and told apart by keys."""

import numpy as np
import pandas as pd
import pytest

from tabgan import GAINImputer
from tabgan.exceptions import InvalidInputError


def table(n=300, seed=0):
    """Numbers, a category with rare levels and indicators, all with missing cells."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    level = rng.integers(0, 3, n)
    frame = pd.DataFrame(
        {
            "x": x,
            "y": x + rng.normal(size=n),
            "place": rng.choice(list("aabbccdefghijklmnop"), n),
            "is a": (level == 0) * 1.0,
            "is b": (level == 1) * 1.0,
            "is c": (level == 2) * 1.0,
        }
    )
    return frame.mask(rng.random(frame.shape) < 0.25)


@pytest.fixture(scope="module")
def imputer():
    return GAINImputer(n_steps=0, n_trees=0, n_references=0, max_categories=9, random_state=0).fit(table())


def test_alone_in_chunks_and_together_rows_get_the_same_draws(imputer):
    frame = table(60, seed=1)
    whole = imputer.sample(frame, 2)
    for size in (1, 7):
        parts = [imputer.sample(frame.iloc[first : first + size], 2) for first in range(0, 60, size)]
        for k in (0, 1):
            joined = pd.concat([part[k] for part in parts])
            pd.testing.assert_frame_equal(joined, whole[k], rtol=1e-5, atol=1e-5)


def test_transform_draws_each_row_the_same_in_any_batching(imputer):
    frame = table(20, seed=2)
    drawing = GAINImputer(**imputer.get_params() | {"sample_posterior": True}).fit(table())
    joined = pd.concat([drawing.transform(frame.iloc[[i]]) for i in range(20)])
    pd.testing.assert_frame_equal(joined, drawing.transform(frame), rtol=1e-5, atol=1e-5)


@pytest.fixture(scope="module")
def one():
    """A row that lacks its y."""
    frame = table(200, seed=3)
    return frame[frame["x"].notna() & frame["y"].isna()].iloc[[0]]


@pytest.fixture(scope="module")
def spread(imputer, one):
    """Of many draws of that row; to 5 %, as that of as many equal rows."""
    return np.std([draw["y"].iloc[0] for draw in imputer.sample(one, 400)])


def test_equal_rows_differ_within_a_call_as_much_as_draws_do(imputer, one, spread):
    within = imputer.sample(pd.concat([one] * 400, ignore_index=True), 1)[0]["y"]
    assert within.nunique() > 150
    assert 0.8 < within.std() / spread < 1.25


def test_equal_rows_of_several_calls_differ_where_their_keys_do(imputer, one, spread):
    same = {imputer.sample(one, 1)[0]["y"].iloc[0] for _ in range(3)}
    assert len(same) == 1
    keys = [f"row {k}" for k in range(400)]
    together = imputer.sample(pd.concat([one] * 400), 1, row_keys=keys)[0]["y"].to_numpy()
    alone = [imputer.sample(one, 1, row_keys=[key])[0]["y"].iloc[0] for key in keys[:20]]
    some = [imputer.sample(pd.concat([one] * 38), 1, row_keys=keys[k : k + 38])[0]["y"] for k in range(20, 400, 38)]
    keyed = np.concatenate([alone, *some])
    np.testing.assert_allclose(keyed, together, rtol=1e-5)
    assert len(set(keyed)) > 150
    assert 0.8 < keyed.std() / spread < 1.25


def test_further_draws_leave_the_first_as_they_are(imputer):
    frame = table(30, seed=4)
    few, many = imputer.sample(frame, 2), imputer.sample(frame, 5)
    for a, b in zip(few, many, strict=False):
        pd.testing.assert_frame_equal(a, b)


@pytest.mark.parametrize("keys", [[1, 2], "ab", [[1, 2, 3]]])
def test_one_key_per_row(imputer, keys):
    with pytest.raises(InvalidInputError, match="row_keys has shape"):
        imputer.sample(table(3), 1, row_keys=keys)
