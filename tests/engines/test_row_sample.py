"""A sample of a table's rows is the same however the table is cut, and holds what is rare."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabgan.engines.row_sample import MOST_LEVELS, PER_COLUMN, PER_LEVEL, RowSample

SIZE = 40


def table(n: int = 1500, seed: int = 0) -> pd.DataFrame:
    """Columns of several kinds, with what is rare in each."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "number": rng.normal(size=n).round(1),
            "count": rng.poisson(3, size=n),
            "text": rng.choice(list("abc"), size=n),
            "many": [f"name {i}" for i in rng.integers(600, size=n)],
            "time": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(365, size=n), unit="D"),
            "seldom": np.full(n, np.nan),
        }
    )
    frame.loc[rng.permutation(n)[:12], "seldom"] = rng.normal(size=12)
    frame.loc[7, ["number", "text"]] = [123.456, "rare"]
    frame.loc[11, "number"] = -50.0
    frame.loc[13, "time"] += pd.Timedelta("5s")
    frame.loc[rng.random(n) < 0.1, "text"] = None
    return frame


def keys(frame: pd.DataFrame) -> np.ndarray:
    return frame.index.to_numpy().astype(np.uint64)


def sampled(frame: pd.DataFrame, cuts: list[int], order: list[int] | None = None, seed: int = 0) -> pd.DataFrame:
    """The sample of a frame that comes in pieces; the index is the key."""
    pieces = [frame.iloc[a:b] for a, b in zip([0, *cuts], [*cuts, len(frame)], strict=True)]
    sample = RowSample(SIZE, seed)
    for k in order or range(len(pieces)):
        sample.add(pieces[k].assign(key=pieces[k].index.astype(str)), keys(pieces[k]))
    assert sample.n_seen == len(frame)
    found = sample.table()
    return found.set_index(found["key"].astype(int)).drop(columns="key")


@settings(max_examples=12, deadline=None)
@given(cuts=st.lists(st.integers(1, 599), max_size=4, unique=True).map(sorted), seed=st.integers(0, 3), data=st.data())
def test_cuts_and_order_do_not_matter(cuts: list[int], seed: int, data: st.DataObject) -> None:
    frame = table(600)
    order = data.draw(st.permutations(range(len(cuts) + 1)))
    pd.testing.assert_frame_equal(sampled(frame, cuts, order, seed), sampled(frame, [], seed=seed))


def test_samples_of_parts_merge_to_the_sample_of_all() -> None:
    frame, parts = table().drop(columns="many"), []
    for part in (frame.iloc[:400], frame.iloc[400:450], frame.iloc[450:]):
        parts.append(RowSample(SIZE, 0))
        parts[-1].add(part, keys(part))
    whole = RowSample(SIZE, 0)
    whole.add(frame, keys(frame))
    last, middle, first = parts.pop(), parts.pop(), parts.pop()
    middle.merge(last)
    middle.merge(first)
    assert middle.n_seen == len(frame)
    pd.testing.assert_frame_equal(middle.table().reset_index(drop=True), whole.table().reset_index(drop=True))


def test_what_is_rare_is_in_the_sample() -> None:
    frame = table()
    found = sampled(frame, [300, 900])
    assert {7, 11, 13} <= set(found.index)
    assert found["seldom"].notna().sum() == 12
    assert (found["time"].min(), found["time"].max()) == (frame["time"].min(), frame["time"].max())
    for level, n in frame["count"].value_counts().items():
        assert (found["count"] == level).sum() >= min(n, PER_LEVEL)


def test_it_is_random_and_of_the_asked_size() -> None:
    frame = pd.DataFrame({"x": np.arange(20_000) / 7})
    sample = RowSample(5000, 0)
    for start in range(0, 20_000, 3000):
        part = frame.iloc[start : start + 3000]
        sample.add(part, keys(part))
    found = sample.table()["x"]
    assert 5000 <= len(found) <= 5000 + PER_COLUMN + PER_LEVEL * (MOST_LEVELS + 10)
    assert found.mean() == pytest.approx(frame["x"].mean(), rel=0.05)
    assert found.iloc[:500].mean() == pytest.approx(frame["x"].mean(), rel=0.1), "rows come in no order"
    assert set(sampled(frame, []).index) != set(sampled(frame, [], seed=1).index)


def test_of_many_levels_only_some_are_looked_after() -> None:
    frame = pd.DataFrame({"name": [f"n{i}" for i in range(10_000)]})
    sample = RowSample(SIZE, 0)
    sample.add(frame, keys(frame))
    assert len(sample.table()) <= SIZE + PER_COLUMN + MOST_LEVELS


def as_container(frame: pd.DataFrame, kind: str) -> object:
    if kind == "polars":
        return pytest.importorskip("polars").from_pandas(frame)
    if kind == "arrow":
        return pytest.importorskip("pyarrow").Table.from_pandas(frame, preserve_index=False)
    if kind == "categories":
        return frame.astype({"text": "category", "many": "category"})
    return frame[["number", "seldom"]].to_numpy()


@pytest.mark.parametrize("kind", ["array", "polars", "arrow", "categories"])
def test_pieces_of_other_containers_join(kind: str) -> None:
    frame = table(500)
    part, whole = RowSample(SIZE, 0), RowSample(SIZE, 0)
    whole.add(as_container(frame, kind), keys(frame))
    for piece in (frame.iloc[:200], frame.iloc[200:]):
        part.add(as_container(piece, kind), keys(piece))
    found, wanted = part.table(), whole.table()
    assert type(found) is type(wanted)
    if kind == "array":
        np.testing.assert_array_equal(found, wanted)
        return
    found, wanted = (one if isinstance(one, pd.DataFrame) else one.to_pandas() for one in (found, wanted))
    assert isinstance(found["text"].dtype, pd.CategoricalDtype) == (kind == "categories")
    found, wanted = (one.astype({"text": object, "many": object}).reset_index(drop=True) for one in (found, wanted))
    pd.testing.assert_frame_equal(found, wanted)
