"""Pairwise rules: what is found, what is not, and that repaired rows break none."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.tables.frames import read_table
from tabgan.tables.rules import DecidesRule, LineRule, OrderRule, Rules, find_rules

COUNTRY = {f"city{k}": f"country{k // 3}" for k in range(12)}
CONTINENT = {f"country{k}": f"continent{k // 2}" for k in range(4)}


def ruled(n=300, seed=0, gaps=0.0):
    """A table with rules of every kind between its columns, and free columns."""
    rng = np.random.default_rng(seed)
    city = pd.Series([f"city{k}" for k in rng.integers(0, 12, n)], dtype=object)
    low = rng.gamma(2.0, size=n)
    celsius = np.round(rng.normal(15, 8, n), 1)
    start = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D")
    frame = pd.DataFrame(
        {
            "city": city,
            "country": city.map(COUNTRY),
            "continent": city.map(COUNTRY).map(CONTINENT),
            "low": low,
            "middle": low + rng.gamma(1.0, size=n),
            "free": rng.normal(size=n),
            "celsius": celsius,
            "fahrenheit": np.round(1.8 * celsius + 32, 2),
            "start": start,
            "due": start + pd.Timedelta("30D"),
            "paid": start + pd.to_timedelta(rng.integers(0, 200, n), unit="D"),
        }
    )
    frame["high"] = frame["middle"] + rng.gamma(1.0, size=n)
    for name in frame.columns:
        frame.loc[rng.random(n) < gaps, name] = None
    return frame


def words_of(frame, **parameters):
    return set(find_rules(read_table(frame), **parameters).words())


def test_the_rules_put_in_are_found_and_no_others():
    assert words_of(ruled()) == {
        "`city` decides `country`",
        "`country` decides `continent`",
        "`low` < `middle`",
        "`middle` < `high`",
        "`fahrenheit` = 1.8 `celsius` + 32",
        "`due` = `start` + 30 days 00:00:00",
        "`start` <= `paid`",
    }


def test_gaps_keep_what_no_complete_column_carries():
    found = words_of(ruled(1000, gaps=0.3))
    assert {"`low` < `high`", "`city` decides `continent`", "`fahrenheit` = 1.8 `celsius` + 32"} <= found
    assert not any("free" in rule for rule in found)


def test_one_row_against_a_rule_ends_it():
    frame = ruled(3000)
    frame.loc[2999, ["low", "country", "fahrenheit"]] = [1e6, "nowhere", 0.0]
    lost = {"`low` < `middle`", "`city` decides `country`", "`fahrenheit` = 1.8 `celsius` + 32"}
    # What still holds: the odd temperature is a level of its own, and the city's continent is as before.
    left = {"`city` decides `continent`", "`fahrenheit` decides `celsius`"}
    assert words_of(frame) == (words_of(ruled(3000)) - lost) | left


def test_chance_and_bounds_are_no_rules():
    rng = np.random.default_rng(1)
    n = 200
    apart = pd.DataFrame({"small": rng.uniform(0, 1, n), "large": rng.uniform(2, 3, n)})
    assert words_of(apart) == set(), "implied by the bounds"
    rare = pd.DataFrame({"a": np.arange(n) % 5, "b": np.where(np.arange(n) == 0, "x", "y")})
    rare.loc[0, "a"] = 5
    assert words_of(rare) == set(), "one rare level fits by chance"
    few = pd.DataFrame({"x": rng.normal(size=19)})
    few["y"] = 2 * few["x"]
    assert words_of(few) == set(), "19 rows are too few"
    key = pd.DataFrame({"name": [f"n{k}" for k in range(n)], "b": rng.integers(0, 2, n)})
    assert words_of(key) == set(), "a key decides everything and says nothing"


def test_copies_of_rows_make_no_rules():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.normal(size=(100, 3)), columns=list("abc")).assign(d=rng.integers(0, 3, 100))
    assert words_of(pd.concat([frame] * 4, ignore_index=True)) == set()


def test_independent_tables_have_no_rules():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame({f"n{k}": rng.integers(0, k + 2, 60) for k in range(8)})
        frame = frame.assign(**{f"c{k}": rng.choice(list("abcd"), 60) for k in range(4)}, x=rng.normal(size=60))
        assert words_of(frame) == set()


@pytest.mark.parametrize("first", [202400000001, 4500012345678, 2**53 + 1])
def test_long_numbers_that_count_up_lie_on_no_line(first):
    # A billionth of 202400000001 is more than the 160 numbers are apart.
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"order": first + np.arange(160), "age": rng.integers(20, 70, 160)})
    assert words_of(frame) == set()
    offset = pd.DataFrame({"far": 1.7e15 + rng.integers(0, 86400, 160), "y": rng.normal(size=160)})
    assert words_of(offset) == set()
    doubled = frame.assign(double=2 * frame["order"] + 7)
    if first < 2**53:
        assert words_of(doubled) == {"`double` = 2 `order` + 7"}


def test_a_line_follows_the_coarser_column_and_minimal_sets_are_chains():
    whole = np.arange(100) % 37
    frame = pd.DataFrame({"double": 2.0 * whole + 1, "whole": whole, "third": -0.5 * whole})
    assert words_of(frame) == {"`double` = 2 `whole` + 1", "`third` = -0.5 `whole`"}
    assert words_of(frame, max_columns=1) == set()
    twin = frame[["whole"]].assign(same=whole, more=whole + np.arange(100) % 3)
    assert words_of(twin) == {"`same` = `whole`", "`whole` <= `more`"}


def test_columns_that_decide_each_other_give_one_rule():
    frame = pd.DataFrame({"code": np.arange(60) % 4, "name": [f"n{k % 4}" for k in range(60)]})
    rules = find_rules(read_table(frame))
    assert rules.words() == ["`code` decides `name`"]
    codes = np.array([0.0, 1.0, 2.0, 3.0, 9.0])
    names = np.array(["n0", "n0", None, "other", "n0"], dtype=object)
    assert rules.broken({0: codes, 1: names}).tolist() == [False, True, False, True, True]


def test_order_is_refused_between_zoned_and_plain_times_and_units():
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(200) * 7 % 190, unit="D")
    late = days + pd.to_timedelta(np.arange(200) % 9, unit="D")
    assert words_of(pd.DataFrame({"a": days, "b": late})) == {"`a` <= `b`"}
    assert words_of(pd.DataFrame({"a": days, "b": late.tz_localize("UTC")})) == set()
    assert words_of(pd.DataFrame({"a": days, "b": late.as_unit("ns" if late.unit != "ns" else "ms")})) == set()


def test_state_is_strict_json_and_comes_back_equal():
    rules = find_rules(read_table(ruled()))
    stored = json.loads(json.dumps(rules.to_state(), allow_nan=False))
    again = Rules.from_state(stored)
    assert again == rules
    assert str(again) == str(rules)
    with pytest.raises(InvalidInputError, match="not stored rules"):
        Rules.from_state({key: stored[key] for key in ("names", "orders")})
    assert str(Rules(("a",))) == "no rules"


def synthetic_rows(table, n, rng):
    """Cells of each column drawn apart from the others, some never seen before, some missing."""
    made, parents, missing, parents_missing = {}, {}, {}, {}
    parent = rng.integers(0, table.n_rows, n)
    for j, column in enumerate(table.columns):
        rows = np.flatnonzero(~column.missing)
        cells = column.values[rng.choice(rows, n)]
        odd = rng.random(n) < 0.2
        if cells.dtype == object:
            cells[odd] = "never seen"
        else:
            cells = cells + (odd * rng.integers(-40, 40, n)).astype(cells.dtype)
        made[j], missing[j] = cells, rng.random(n) < 0.1
        parents[j], parents_missing[j] = column.values[parent], column.missing[parent]
    return made, parents, missing, parents_missing


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), gaps=st.sampled_from([0.0, 0.3]))
def test_after_repair_nothing_is_broken(seed, gaps):
    table = read_table(ruled(200, seed=seed % 3, gaps=gaps))
    rules = find_rules(table)
    assert len(rules) >= 7
    made, parents, missing, parents_missing = synthetic_rows(table, 60, np.random.default_rng(seed))
    assert not rules.broken(
        {j: c.values for j, c in enumerate(table.columns)}, {j: c.missing for j, c in enumerate(table.columns)}
    ).any()
    assert not rules.broken(parents, parents_missing).any()
    before = {j: cells.copy() for j, cells in made.items()}
    whole = rules.broken(made, missing)
    assert whole.mean() > 0.5
    repaired = rules.repair(made, parents, missing, parents_missing)
    assert not rules.broken(repaired, missing).any()
    free = table.names.index("free")
    for j, cells in made.items():
        assert (cells == before[j]).all(), "handed-in cells were changed"
        assert (repaired[j][~whole] == cells[~whole]).all(), "a row that broke nothing was changed"
        assert repaired[j].dtype == cells.dtype
    assert repaired[free] is made[free]


def test_repair_recomputes_along_chains_and_takes_the_parent_where_it_must():
    table = read_table(ruled())
    rules, at = find_rules(table), {name: j for j, name in enumerate(table.names)}
    rows = np.arange(4)
    values = {j: column.values[rows].copy() for j, column in enumerate(table.columns)}
    parents = {j: column.values[rows + 100] for j, column in enumerate(table.columns)}
    values[at["city"]][0] = next(c for c in COUNTRY if COUNTRY[c] != values[at["country"]][0])
    values[at["city"]][1] = "never seen"
    values[at["celsius"]][2] = 20.0
    values[at["low"]][3] = values[at["middle"]][3] + 0.5
    fixed = rules.repair(values, parents)
    country = COUNTRY[values[at["city"]][0]]
    assert fixed[at["country"]][0] == country
    assert fixed[at["continent"]][0] == CONTINENT[country]
    assert fixed[at["city"]][0] == values[at["city"]][0], "a cause that is known stays"
    for name in ("city", "country", "continent"):
        assert fixed[at[name]][1] == parents[at[name]][1] or COUNTRY[parents[at["city"]][1]] == fixed[at["country"]][1]
    assert fixed[at["city"]][1] == parents[at["city"]][1]
    assert fixed[at["fahrenheit"]][2] == 68.0
    assert fixed[at["low"]][3] == parents[at["low"]][3]
    assert fixed[at["middle"]][3] == parents[at["middle"]][3]
    assert fixed[at["city"]][3] == values[at["city"]][3], "what is not connected stays as made"


def test_off_grid_lines_take_the_parents_pair():
    rules = Rules(("x", "y"), lines=(LineRule(0, 1, 0.5, 0.0, decimals=0),))
    values = {0: np.array([3.0, 4.0]), 1: np.array([9.0, 9.0])}
    fixed = rules.repair(values, {0: np.array([10.0, 10.0]), 1: np.array([5.0, 5.0])})
    assert fixed[0].tolist() == [10.0, 4.0]
    assert fixed[1].tolist() == [5.0, 2.0]


def test_causes_at_odds_and_missing_parents():
    rules = Rules(
        ("a", "b", "c"),
        orders=(OrderRule(2, 1),),
        decides=(DecidesRule(0, 1, ("p", "q"), (1.0, 2.0)),),
    )
    values = {0: np.array(["p", "p"], dtype=object), 1: np.array([1.0, 2.0]), 2: np.array([1.5, 0.0])}
    parents = {0: np.array(["q", "q"], dtype=object), 1: np.array([2.0, 2.0]), 2: np.array([np.nan, 1.0])}
    fixed = rules.repair(values, parents)
    assert fixed[0].tolist() == ["q", "p"]
    assert fixed[1].tolist() == [2.0, 1.0]
    assert np.isnan(fixed[2][0])
    assert fixed[2][1] == 0.0


def test_what_is_handed_in_wrongly_is_named():
    rules = Rules(("a", "b"), orders=(OrderRule(0, 1),))
    bad = {0: np.array([2.0]), 1: np.array([1.0])}
    with pytest.raises(InvalidInputError, match=r"`a` <= `b`.*parents"):
        rules.repair(bad, bad)
    with pytest.raises(InvalidInputError, match="'b'"):
        rules.repair(bad, {0: bad[0]})
    with pytest.raises(InvalidParameterError, match="max_columns=0"):
        find_rules(read_table(np.eye(3)), max_columns=0)
    assert rules.broken({0: np.array([2.0])}).tolist() == [False], "a rule about an absent column is passed over"


def test_tables_without_anything_to_find():
    assert len(find_rules(read_table(pd.DataFrame({"a": [1, 1, 1], "b": [None, None, None]})))) == 0
    assert len(find_rules(read_table(np.zeros((1, 2))))) == 0


def test_levels_beside_missing_values_only_are_no_reason_to_give_up():
    """Sixty levels where the effect is missing, four where it is not: these decide it."""
    cause = [f"level{k % 4}" for k in range(40)] + [f"once{k}" for k in range(60)]
    effect = [f"value{k % 4 // 2}" for k in range(40)] + [None] * 60
    frame = pd.DataFrame({"cause": cause, "effect": effect})
    assert [(rule.cause, rule.effect) for rule in find_rules(read_table(frame)).decides] == [(0, 1)]
