"""Exact sums of several columns and strict orders: what is found, what is not, and that fills and synthetic rows keep them."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import tabgan
from tabgan import BAGANOversampler, CGANSampler, GAINImputer
from tabgan.tables.frames import read_table
from tabgan.tables.rules import OrderRule, Rules, SumRule, find_rules
from tabgan.tables.schema import TableSchema, infer_schema

DAY = pd.Timedelta(1, "D")


def summed(n: int = 400, seed: int = 0) -> pd.DataFrame:
    """Totals of three and four columns, odd weights, days between dates and between written dates, and strict orders."""
    rng = np.random.default_rng(seed)
    start, days = (
        pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 400, n), unit="D"),
        rng.integers(1, 60, n),
    )
    frame = pd.DataFrame(
        {
            "a": rng.integers(0, 30, n),
            "b": np.round(rng.gamma(2, 10, n), 2),
            "c": rng.integers(1, 9, n),
            "d": rng.integers(0, 200, n),
            "start": start,
            "days": days,
            "end": start + pd.to_timedelta(days, unit="D"),
            "from": start.strftime("%Y%m%d").astype(int),
            "lo": rng.integers(0, 20, n),
            "price": np.round(0.05 * rng.integers(0, 100, n), 2),
        }
    )
    frame["total"] = np.round(frame["a"] + frame["b"], 2)
    frame["all"] = frame["c"] + frame["d"] + frame["a"]
    frame["weighted"] = np.round(0.5 * frame["d"] + 0.3 * frame["c"] + 7, 1)
    frame["until"] = frame["end"].dt.strftime("%Y%m%d").astype(int)
    frame["due"] = (frame["start"] + 30 * DAY).dt.strftime("%Y%m%d").astype(int)
    frame["hi"] = frame["lo"] + rng.integers(1, 3, n)
    frame["dear"] = np.round(frame["price"] + 0.05 * rng.integers(1, 3, n), 2)
    return frame


WORDS = {
    "`total` = `a` + `b`",
    "`all` = `a` + `c` + `d`",
    "`weighted` = 0.3 `c` + 0.5 `d` + 7",
    "`end` = `start` + 1 day x `days`",
    "`due` = `from` + 30 days",
}


def test_large_totals_that_are_a_little_off_are_none():
    rng = np.random.default_rng(0)
    a, b = rng.integers(10**9, 10**10, (2, 200))
    exact = pd.DataFrame({"a": a, "b": b, "total": a + b})
    assert "`total` = `a` + `b`" in find_rules(read_table(exact)).words()
    off = exact.assign(total=exact["total"] + rng.integers(-3, 4, 200))
    assert not find_rules(read_table(off)).sums
    fixed = find_rules(read_table(exact.assign(total=exact["total"] + 5))).words()
    assert "`total` = `a` + `b` + 5" in fixed


def dates(column: pd.Series) -> pd.Series:
    return pd.to_datetime(column.astype("int64").astype(str), format="%Y%m%d")


def broken(frame: pd.DataFrame) -> dict[str, int]:
    """Rows that break each rule, by arithmetic of their own."""
    number = {name: frame[name].astype(float) for name in frame if name not in ("start", "end")}
    span = pd.to_timedelta(number["days"], unit="D")
    fails = {
        "total": np.abs(number["a"] + number["b"] - number["total"]) > 1e-9,
        "all": number["a"] + number["c"] + number["d"] != number["all"],
        "weighted": np.abs(0.5 * number["d"] + 0.3 * number["c"] + 7 - number["weighted"]) > 1e-9,
        "end": frame["start"] + span != frame["end"],
        "until": dates(frame["from"]) + span != dates(frame["until"]),
        "due": dates(frame["from"]) + 30 * DAY != dates(frame["due"]),
        "lo < hi": number["lo"] >= number["hi"],
        "price < dear": number["price"] >= number["dear"],
        "start < end": frame["start"] >= frame["end"],
        "from < until": number["from"] >= number["until"],
    }
    return {name: int(rows.sum()) for name, rows in fails.items() if rows.any()}


def gappy(frame: pd.DataFrame, rate: float, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    whole = {name: "Int64" for name in frame if frame[name].dtype.kind == "i"}
    return frame.astype(whole).mask(rng.random(frame.shape) < rate)


@pytest.fixture(scope="module")
def imputer():
    settings = {"n_steps": 2, "draw_steps": 2, "n_boosts": 0, "n_trees": 2, "n_references": 0, "random_state": 0}
    return GAINImputer(**settings).fit(gappy(summed(300, seed=5), 0.1))


def sums_of(frame: pd.DataFrame) -> set[str]:
    return {rule.words(tuple(frame.columns)) for rule in find_rules(read_table(frame)).sums}


@pytest.mark.parametrize("rate", [0.0, 0.25])
def test_sums_are_found_with_and_without_gaps(rate):
    frame = gappy(summed(600), rate) if rate else summed()
    found = find_rules(read_table(frame))
    words = {rule.words(tuple(frame.columns)) for rule in found.sums}
    assert words >= WORDS
    assert len(found.sums) == 6  # and one for `until`, by `from` or by `due`
    orders = {(frame.columns[rule.low], frame.columns[rule.high]) for rule in found.orders if rule.strict}
    assert orders >= {("lo", "hi"), ("price", "dear"), ("start", "end")}
    again = Rules.from_state(json.loads(json.dumps(found.to_state(), allow_nan=False)))
    assert again == found
    old = found.to_state() | {"orders": [[0, 10]]}
    del old["sums"]
    assert Rules.from_state(old).sums == ()
    assert Rules.from_state(old).orders == (OrderRule(0, 10, strict=False),)


def test_chance_and_rounding_make_no_sums():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        small = pd.DataFrame({f"n{k}": rng.integers(0, k + 2, 60) for k in range(10)})
        assert sums_of(small) == set()
        assert sums_of(pd.DataFrame(rng.integers(0, 100, (15, 6))).rename(columns=str)) == set()
        flags = pd.DataFrame((rng.random((200, 12)) < 0.3).astype(int)).rename(columns=str)
        assert sums_of(flags) == set()
    rng = np.random.default_rng(0)
    net, fee = np.round(rng.gamma(2, 50, 300), 2), np.round(rng.gamma(2, 5, 300), 2)
    frame = pd.DataFrame({"net": net, "fee": fee, "gross": np.round(1.19 * net + fee, 2)})
    assert sums_of(frame) == set()  # to the cent, but not exact
    frame["gross"] = np.where(np.arange(300) == 7, 1.0, np.round(net + fee, 2))
    assert sums_of(frame) == set()  # all rows but one
    level = rng.integers(0, 4, 300)
    assert sums_of(pd.DataFrame({"x": level, "square": level**2, "cube": level**3})) == set()  # too few values to tell
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, 300), unit="D")
    whole = ((days - days.min()) / DAY).to_numpy()
    twice = pd.DataFrame({"day": days, "n": rng.integers(0, 9, 300)})
    twice["m"] = whole + twice["n"]
    assert [rule.effect for rule in find_rules(read_table(twice)).sums] == [0]  # a date is what is computed


def test_a_sum_needs_rows_values_and_rows_that_could_break_it():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.integers(0, 90, 20), "b": rng.integers(0, 90, 20)})
    frame["c"] = frame["a"] + frame["b"]
    assert sums_of(frame) == {"`c` = `a` + `b`"}
    assert sums_of(frame[:19]) == set()
    few = pd.DataFrame({"a": rng.integers(0, 3, 300), "b": rng.integers(0, 2, 300)})
    assert sums_of(few.assign(c=few["a"] + few["b"])) == set()  # six combinations, four of which any weights fit
    # Nearly always 0: chance would break that in eight rows of 500.
    rest = pd.DataFrame({"a": rng.integers(0, 90, 500), "c": np.where(np.arange(500) < 496, 0, np.arange(500))})
    rest["b"] = rest["c"] - rest["a"]
    assert sums_of(rest) == set()


def test_the_effect_is_what_its_column_can_always_hold():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.integers(0, 90, 200), "b": rng.integers(0, 90, 200)})
    frame["half"] = (frame["a"] + frame["b"]) / 2
    assert sums_of(frame) == {"`half` = 0.5 `a` + 0.5 `b`"}  # not a whole number from halves


def test_sums_of_many_columns_are_independent_of_each_other():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(300, 50))).rename(columns=lambda j: f"v{j}")
    frame["v40"] = frame["v7"] - frame["v8"]
    frame["v41"] = frame["v40"] + frame["v9"]
    frame["v45"] = frame["v1"] + frame["v2"] + 2 * frame["v3"]
    assert len(sums_of(frame)) == 3
    one_hot = pd.get_dummies(pd.Series(rng.integers(0, 4, 300))).astype(int).rename(columns=str)
    assert sums_of(one_hot.assign(x=rng.normal(size=300))) == set()  # a group of its own


def test_one_missing_cell_is_what_the_others_call_for(imputer):
    frame = summed(400)
    for name in ("a", "b", "total", "days", "start", "end", "from", "until", "due", "weighted", "c"):
        holes = frame.astype({name: "Int64"} if frame[name].dtype.kind == "i" else {})
        holes.loc[300:, name] = None
        filled = imputer.transform(holes)[name]
        if filled.dtype.kind == "M":
            assert (filled == frame[name]).all()
        else:
            np.testing.assert_allclose(filled.astype(float), frame[name], rtol=1e-12)
    # What never occurred is right all the same where the others say so.
    row = frame[:1].astype({"a": "Int64", "total": float}).assign(a=None, total=frame["b"][0] + 77, all=None)
    assert imputer.transform(row.astype({"all": "Int64"}))["a"][0] == 77


@pytest.mark.parametrize("rate", [0.3, 0.6])
def test_no_imputed_or_drawn_row_is_broken(imputer, rate):
    table = gappy(summed(1000), rate)
    for filled in (imputer.transform(table), *imputer.sample(table, 2)):
        assert broken(filled) == {}
        assert filled.notna().all().all()
        assert (filled.select_dtypes("number") >= 0).all().all()
        assert (filled.dtypes == table.dtypes).all()
        for name in table:
            seen = table[name].notna()
            assert (filled[name][seen] == table[name][seen]).all()


def test_a_loaded_imputer_keeps_them_in_any_batching(imputer, tmp_path):
    assert set(imputer.schema_.rules.words()) >= WORDS
    imputer.save(tmp_path / "m.tabgan")
    loaded = tabgan.load(tmp_path / "m.tabgan")
    assert loaded.schema_ == imputer.schema_
    table = gappy(summed(300), 0.3)
    whole = imputer.transform(table)
    parts = pd.concat([loaded.transform(table[start : start + 77]) for start in range(0, 300, 77)])
    numbers = [name for name in table if table[name].dtype.kind != "M"]
    np.testing.assert_allclose(parts[numbers].astype(float), whole[numbers].astype(float), rtol=1e-4)


@pytest.mark.parametrize("sampler", [BAGANOversampler, CGANSampler])
def test_no_synthetic_row_is_broken(sampler):
    frame = summed(300)
    fitted = sampler(random_state=0, n_steps=5).fit(frame, np.repeat([0, 1], [220, 80]))
    rows, _ = fitted.sample(10_000, y=1)
    assert broken(rows) == {}
    assert rows["total"].nunique() > 1000  # not the parents' own
    assert rows["end"].between(frame["end"].min(), frame["end"].max()).all()
    assert set(fitted.schema_.rules.words()) >= WORDS
    assert "kept in every row" in fitted._repr_mimebundle_()["text/html"]
    asked, _ = fitted.sample(200, y=1, where={"days": 7})
    assert broken(asked) == {}
    assert set(asked["days"]) == {7}


def test_the_schema_keeps_and_tells_them():
    frame = summed()
    schema = infer_schema(read_table(frame))
    assert schema.rules is None
    schema = replace(schema, rules=find_rules(read_table(frame), schema=schema, amounts_only=True))
    assert TableSchema.from_json(json.loads(json.dumps(schema.to_json()))) == schema
    assert "`total` = `a` + `b`" in schema.words()
    ((name, value),) = schema.facts(2)
    assert name == "kept in every row"
    assert value.endswith(f"; {len(schema.words()) - 2} more in schema_")


def test_a_sum_by_hand():
    rule = SumRule(2, (0, 1), (1.0, -2.0), 3.0, 0.0, 50.0, decimals=1)
    cells = {0: np.array([1.0, 10.0, 90.0]), 1: np.array([0.5, 2.0, 1.0]), 2: np.array([3.0, 9.5, 91.0])}
    assert rule.computed(cells)[0].tolist() == [3.0, 9.0, 91.0]
    assert rule.violated(cells).tolist() == [False, True, True]  # the last one is beyond the range
    assert rule.holds(cells).tolist() == [True, False, True]
    assert rule.solved(0, cells).tolist() == [1.0, 10.5, 90.0]
    assert rule.solved(1, cells).tolist() == [0.5, 1.75, 1.0]
    assert rule.words(("x", "y", "z")) == "`z` = `x` - 2 `y` + 3"
    shifted = SumRule(2, (0, 1), (1.0, 86_400.0), -60, 0, 10**9, unit="s")
    times = {0: np.array([100, 200]), 1: np.array([1.0, 0.5]), 2: np.array([86_440, 43_340])}
    assert shifted.holds(times).tolist() == [True, True]
    assert shifted.solved(0, times).tolist() == [100, 200]
    assert shifted.solved(1, times).tolist() == [1.0, 0.5]
    assert shifted.words(("start", "days", "end")) == "`end` = `start` + 1 day x `days` - 0 days 00:01:00"


def test_repair_computes_the_effect_and_falls_back_to_the_parent_beyond_its_range():
    rules = Rules(("x", "y", "z"), sums=(SumRule(2, (0, 1), (1.0, 1.0), 0.0, 0.0, 50.0),))
    made = {0: np.array([1.0, 40.0]), 1: np.array([2.0, 30.0]), 2: np.array([9.0, 9.0])}
    parents = {0: np.array([5.0, 6.0]), 1: np.array([7.0, 8.0]), 2: np.array([12.0, 14.0])}
    repaired = rules.repair(made, parents)
    assert [repaired[j].tolist() for j in range(3)] == [[1.0, 6.0], [2.0, 8.0], [3.0, 14.0]]
