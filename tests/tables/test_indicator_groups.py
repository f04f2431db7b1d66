"""One-hot columns: found by evidence, filled and synthesised so that they stay one-hot."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import OneHotEncoder

import tabgan
from tabgan import BAGANOversampler, CGANSampler, GAINImputer
from tabgan.tables.frames import read_table
from tabgan.tables.indicator_groups import IndicatorGroup, keep_parents_indicators
from tabgan.tables.schema import TableSchema, infer_schema


def one_hot(n: int = 400, *, drop: str | None = None, kind: str = "float64", seed: int = 0) -> pd.DataFrame:
    """Two encoded categories of three and four levels, and a number that depends on the first."""
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 3, n), rng.integers(0, 4, n)
    encoder = OneHotEncoder(drop=drop, sparse_output=False)
    columns = encoder.fit_transform(np.column_stack([first, second])).astype(kind)
    frame = pd.DataFrame(columns, columns=[f"i{j}" for j in range(columns.shape[1])])
    return frame.assign(x=first + 0.1 * rng.normal(size=n))


def groups_of(frame: pd.DataFrame) -> tuple[IndicatorGroup, ...]:
    return infer_schema(read_table(frame)).indicator_groups


@pytest.mark.parametrize("kind", ["float64", "int64", "bool"])
def test_groups_are_found_and_told_apart(kind):
    frame = one_hot(kind=kind)
    wanted = (IndicatorGroup((0, 1, 2), True), IndicatorGroup((3, 4, 5, 6), True))
    assert groups_of(frame) == wanted
    gappy = frame.astype(object).mask(np.random.default_rng(1).random(frame.shape) < 0.2).infer_objects()
    assert groups_of(gappy) == wanted
    schema = infer_schema(read_table(frame))
    assert TableSchema.from_json(json.loads(json.dumps(schema.to_json()))) == schema


def test_a_dropped_level_leaves_at_most_one():
    frame = one_hot(drop="first")
    assert groups_of(frame[["i0", "i1", "x"]]) == (IndicatorGroup((0, 1), False),)


def test_rare_indicators_that_never_met_are_no_group():
    rng = np.random.default_rng(0)
    rare = (rng.random((300, 3)) < 0.02).astype(float)
    rare[rare.sum(1) > 1] = 0
    assert groups_of(pd.DataFrame(rare).assign(x=rng.normal(size=300)).rename(columns=str)) == ()
    independent = (rng.random((300, 3)) < 0.5).astype(float)
    assert groups_of(pd.DataFrame(independent).rename(columns=str)) == ()
    assert groups_of(one_hot(15)) == ()  # too few rows to tell


def members(frame: pd.DataFrame) -> list[tuple[list[str], bool]]:
    return [([str(frame.columns[j]) for j in group.columns], group.always_one) for group in groups_of(frame)]


def test_members_may_stand_apart_and_levels_without_rows_are_passed_over():
    frame = one_hot(300)
    first, second = ["i0", "i1", "i2"], ["i3", "i4", "i5", "i6"]
    for order in (["i0", "x", "i1", "i2"], ["i2", "i0", "x", "i1"]):
        assert members(frame[order]) == [([name for name in order if name != "x"], True)]
    mixed = ["i3", "i0", "i4", "x", "i1", "i5", "i2", "i6"]
    assert members(frame[mixed]) == [(second, True), (first, True)]
    dropped = one_hot(300, drop="first")
    assert members(dropped[["i0", "i2", "i1", "i3", "x", "i4"]]) == [(["i0", "i1"], False), (["i2", "i3", "i4"], False)]
    frame.insert(1, "absent", np.where(np.arange(300) % 5, 0.0, np.nan))
    assert members(frame) == [(first, True), (second, True)]


@pytest.mark.parametrize("dropped", [False, True])
def test_rows_with_gaps_tell_whether_a_level_was_dropped(dropped):
    """Of ten columns with a third of their cells missing hardly a row is complete."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        hot = np.eye(10)[rng.integers(0, 10, 500)][:, int(dropped) :]
        gappy = pd.DataFrame(hot).mask(rng.random(hot.shape) < 0.33).rename(columns=str)
        assert gappy.notna().all(axis=1).sum() < 20
        assert [group.always_one for group in groups_of(gappy)] == [not dropped]


def test_orders_of_indicators_are_kept_without_breaking_groups():
    """A flag that only one level has, and counts that are 0 where a level is not there."""
    rng = np.random.default_rng(0)
    level = rng.integers(0, 3, 300)
    names = ["d0", "d1", "d2"]
    truth = pd.DataFrame(np.eye(3)[level], columns=names).assign(x=level + 5 * rng.normal(size=300))
    truth["flag"] = ((level == 0) & (rng.random(300) < 0.5)).astype(float)
    truth["count"] = (level > 0) * rng.integers(1, 5, 300)
    truth["most"] = truth["count"] + rng.integers(0, 3, 300) * (level > 0)
    gappy = truth.mask(rng.random(truth.shape) < 0.3)
    imputer = GAINImputer(effort="fast", random_state=0, n_steps=5, draw_steps=5).fit(gappy)
    assert {"`flag` <= `d0`", "`d1` <= `count`", "`d1` <= `most`"} <= set(imputer.schema_.rules.words())
    for filled in (imputer.transform(gappy), *imputer.sample(gappy, 3)):
        assert (filled[names].sum(axis=1) == 1).all()
        assert (filled["flag"] <= filled["d0"]).all()
        assert (filled["d1"] <= filled["count"]).all()
        assert (filled["d2"] <= filled["count"]).all()
        assert (filled["count"] <= filled["most"]).all()


@pytest.mark.parametrize("kind", ["float64", "bool"])
@pytest.mark.parametrize("whole", [True, False])
def test_no_imputed_or_drawn_row_is_broken(kind, whole, tmp_path):
    """Rows that lack a whole group, and rows that lack some of its columns."""
    truth = one_hot(1000, kind=kind)
    rng = np.random.default_rng(2)
    hidden = np.zeros(truth.shape, dtype=bool)
    if whole:
        hidden[:, :3] = rng.random((1000, 1)) < 0.3
        hidden[:, 3:7] = rng.random((1000, 1)) < 0.3
    else:
        hidden[:, :7] = rng.random((1000, 7)) < 0.3
    gappy = truth.astype(object).mask(hidden).astype({"x": float})
    gappy = gappy.astype(dict.fromkeys(truth.columns[:7], "boolean" if kind == "bool" else float))
    imputer = GAINImputer(random_state=0, n_steps=5, draw_steps=5).fit(gappy)
    imputer.save(tmp_path / "m.tabgan")
    for filled in (
        imputer.transform(gappy),
        *imputer.sample(gappy, 2),
        tabgan.load(tmp_path / "m.tabgan").transform(gappy),
    ):
        numbers = filled.astype(float)
        for group in (["i0", "i1", "i2"], ["i3", "i4", "i5", "i6"]):
            assert (numbers[group].sum(axis=1) == 1).all()
            assert np.isin(numbers[group], (0.0, 1.0)).all()
    known = imputer.transform(gappy).astype(float)[["i0", "i1", "i2"]].to_numpy()[hidden[:, :3].all(axis=1)]
    right = known.argmax(1) == truth[["i0", "i1", "i2"]].to_numpy(float)[hidden[:, :3].all(axis=1)].argmax(1)
    assert right.mean() > 0.9  # x tells


@pytest.mark.parametrize("sampler", [BAGANOversampler, CGANSampler])
def test_no_synthetic_row_is_broken(sampler):
    frame = one_hot(600)
    fitted = sampler(random_state=0, n_steps=20).fit(frame, np.repeat([0, 1], [480, 120]))
    rows, _ = fitted.sample(10_000, y=1)
    for group in (["i0", "i1", "i2"], ["i3", "i4", "i5", "i6"]):
        assert (rows[group].sum(axis=1) == 1).all()
        assert np.isin(rows[group], (0.0, 1.0)).all()


def test_settled_by_hand():
    group = IndicatorGroup((0, 1, 2), True)
    likely = np.array([[1.0, 0.9, 0.2], [0.0, 0.3, 0.4], [0.2, 0.1, 0.05]])
    observed = np.array([[True, False, False], [True, False, False], [False, False, False]])
    assert group.settled(likely, observed).tolist() == [[1, 0, 0], [0, 0, 1], [1, 0, 0]]
    some = IndicatorGroup((0, 1, 2), False)
    assert some.settled(likely, observed).tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert some.settled(np.array([[0.6, 0.5, 0.1]]), np.zeros((1, 3), dtype=bool)).tolist() == [[1, 0, 0]]


def test_contradicting_synthetic_rows_take_their_parents_indicators_but_what_was_asked_stays():
    group = (IndicatorGroup((0, 1, 2), True),)
    parents = {0: np.array([1.0, 1.0]), 1: np.zeros(2), 2: np.zeros(2)}
    none = {j: np.zeros(2, dtype=bool) for j in range(3)}
    cells = {0: np.array([1.0, 0.0]), 1: np.array([1.0, 1.0]), 2: np.zeros(2)}
    keep_parents_indicators(group, cells, parents, none)
    assert np.column_stack([cells[j] for j in range(3)]).tolist() == [[1, 0, 0], [0, 1, 0]]
    cells = {0: np.array([1.0, 0.0]), 1: np.ones(2), 2: np.zeros(2)}
    keep_parents_indicators(group, cells, parents, none, asked={1})
    assert np.column_stack([cells[j] for j in range(3)]).tolist() == [[0, 1, 0], [0, 1, 0]]
