"""Synthetic rows of mixed tables are no copies of real ones, but for what real rows repeat."""

import numpy as np
import pandas as pd
import pytest

from tabgan import BAGANOversampler, CGANSampler
from tabgan.sampling.fitted import MadeRows
from tabgan.sampling.row_copies import RealRows


def coarse(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Labels, small whole numbers and gaps: a draw near a row often is that row."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "visits": rng.poisson(2.0, n).astype(float),
            "score": np.round(rng.normal(size=n), 1),
            "sex": rng.choice(["f", "m"], n),
            "region": rng.choice(list("abcdef"), n),
            "state": rng.choice(["in", "out", "unknown"], n, p=[0.6, 0.3, 0.1]),
        }
    )
    table.loc[rng.random(n) < 0.3, ["visits", "score"]] = np.nan
    return table, np.where(np.arange(n) < n // 5, "rare", "common")


def rows_of(table: pd.DataFrame) -> list[tuple]:
    return list(table.astype(object).where(table.notna(), None).itertuples(index=False, name=None))


@pytest.mark.parametrize("sampler_class", [BAGANOversampler, CGANSampler])
@pytest.mark.parametrize("n_steps", [0, 5])
def test_no_row_equals_a_real_one_that_is_the_only_one_of_its_kind(sampler_class, n_steps):
    X, y = coarse(250, 0)
    sampler = sampler_class(n_steps=n_steps, width=16, n_blocks=1, random_state=0)
    X_more, y_more = sampler.fit_resample(X, y)
    counts = pd.Series(rows_of(X)).value_counts()
    made = [counts.get(row, 0) for row in rows_of(X_more.iloc[250:])]
    assert 1 not in made
    assert (np.asarray(y_more[250:]) == "rare").all()
    np.testing.assert_array_equal(X_more.iloc[250:].isna(), X.iloc[sampler.parents_].isna())
    assert (np.asarray(y)[sampler.parents_] == "rare").all()


def test_rows_that_were_drawn_again_have_the_cells_asked_for():
    X, y = coarse(250, 0)
    sampler = BAGANOversampler(n_steps=0, random_state=0).fit(X, y)
    rows, _ = sampler.sample(60, y="rare", where={"sex": "f"}, random_state=0)
    counts = pd.Series(rows_of(X)).value_counts()
    assert (rows["sex"] == "f").all()
    assert 1 not in [counts.get(row, 0) for row in rows_of(rows)]


def test_rows_that_real_rows_repeat_may_come_again():
    X, y = coarse(250, 0)
    X.loc[:49] = X.loc[[0] * 50].to_numpy()
    rows, _ = BAGANOversampler(n_steps=0, random_state=0).fit(X, y).sample(20, y="rare", random_state=0)
    assert rows_of(X.loc[:0])[0] in rows_of(rows)


def test_copies_are_made_where_they_are_asked_for():
    X, y = coarse(250, 0)
    rows, _ = BAGANOversampler(start="copies", n_steps=0, focus=0, random_state=0).fit(X, y).sample(50, y="rare")
    assert set(rows_of(rows)) <= set(rows_of(X))


def test_what_cannot_differ_is_left():
    X = pd.DataFrame({"same": ["a"] * 30, "number": [1.0] * 29 + [2.0]})
    X_more, _ = BAGANOversampler(n_steps=0, random_state=0).fit_resample(X, ["common"] * 29 + ["rare"])
    assert len(X_more) == 58


def test_real_rows_that_occur_once_are_found_again():
    rows = np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 2.0], [1.0, 0.0]], dtype=np.float32)
    asked = np.array([[0.0, 1.0], [0.0, 2.0], [1.0, 0.0 + 1e-6], [1.0, 1.0], [2.0, 0.0]], dtype=np.float32)
    assert RealRows(rows).copied_by(asked).tolist() == [True, False, True, False, False]
    assert RealRows(rows[1:3]).copied_by(asked).tolist() == [False] * 5


def test_replaced_rows_bring_their_cells_and_take_no_others():
    cells = {0: (np.array([0, 1, 3]), np.array([10, 11, 13])), 1: (np.array([1]), np.array(["b"], dtype=object))}
    made = MadeRows(np.zeros(4, int), np.arange(4), cells, np.zeros((4, 2), dtype=np.float32))
    new = {0: (np.array([1]), np.array([23])), 2: (np.array([0]), np.array([1.5]))}
    others = MadeRows(np.zeros(2, int), np.array([7, 8]), new, np.ones((2, 2), dtype=np.float32))
    found = made.replaced(np.array([1, 2]), others)
    assert found.parents.tolist() == [0, 7, 8, 3]
    assert found.values[:, 0].tolist() == [0, 1, 1, 0]
    assert {j: (rows.tolist(), values.tolist()) for j, (rows, values) in found.cells.items()} == {
        0: ([0, 2, 3], [10, 23, 13]),
        1: ([], []),
        2: ([1], [1.5]),
    }
    assert made.parents.tolist() == [0, 1, 2, 3]
