"""Each detection: what it must see, and what looks alike and must be left in peace."""

import numpy as np
import pandas as pd
import pytest

from tabgan.checks.code_columns import find_codes, order_of_levels
from tabgan.checks.findings import Finding, first_of_each
from tabgan.checks.first_row import find_first_row
from tabgan.checks.missing_patterns import missing_patterns
from tabgan.checks.odd_cells import find_odd_cells
from tabgan.checks.repeats import find_repeats
from tabgan.checks.row_names import find_identifiers
from tabgan.checks.sentinels import find_sentinels
from tabgan.tables.frames import read_table
from tabgan.tables.schema import infer_schema

RNG = np.random.default_rng(0)
AGES = RNG.integers(18, 91, 200).astype(float)
PRESSURES = np.clip(RNG.normal(72, 10, 200).round(), 40, None)
AMOUNTS = np.round(RNG.gamma(2.0, 50.0, 200) + 0.01, 2)
DAYS = pd.to_datetime("2020-01-01") + pd.to_timedelta(RNG.integers(0, 900, 200), unit="D")


def of(find, **columns):
    table = read_table(pd.DataFrame(columns))
    return find(table, infer_schema(table).columns) if find in (find_sentinels, find_codes) else find(table)


def with_value(values, value, n):
    changed = values.copy()
    changed[:n] = value
    return changed


@pytest.mark.parametrize(
    ("values", "value", "n"),
    [
        (AGES, -999, 1),
        (AGES, 9999, 2),
        (AGES, 999, 1),
        (AGES, -1, 3),
        (AGES, -9, 4),
        (AMOUNTS, -99, 3),
        (AMOUNTS, 99999, 2),
        (AGES, 99, 60),
        (PRESSURES, 0, 5),
        (1000 + AGES, 0, 8),
    ],
)
def test_sentinels(values, value, n):
    (found,) = of(find_sentinels, c=with_value(values, value, n))
    assert f"holds {value} in {n} cells" in found.what
    assert f"all others lie from {values[n:].min():g} to {values[n:].max():g}" in found.what
    assert found.flags == ("--missing", f"c={value}")
    assert found.parameters == ({} if value == 0 else {"missing_values": [value]})


def test_two_sentinels_of_a_column():
    values = with_value(with_value(AGES, -998 - 1, 5), 9999, 2)
    assert sorted(one.parameters["missing_values"][0] for one in of(find_sentinels, c=values)) == [-999, 9999]


@pytest.mark.parametrize(
    ("values", "value", "n"),
    [
        (AGES, 95, 3),  # an old one
        (AGES, 99, 1),  # at the end, as often as others
        (AMOUNTS, 0, 30),  # amounts go down to zero
        (PRESSURES, 0, 4),  # too few to tell from a slip
        (AGES - 50, -9, 5),  # negative ones are usual
        (AMOUNTS, 1234, 3),  # far outside, but no marker
        (np.arange(200.0), -1, 2),
        (AGES, 99, 8),  # more than others, but no pile
        (AGES - 25, -9, 5),  # at the end of other negative ones
        (np.linspace(40, 160, 200), 0, 8),  # a wide heap may reach so far
        (np.r_[PRESSURES[:-1], 5.0], 0, 8),  # others are nearly as low
        (np.linspace(0, 1, 200), -9, 1),  # outside, but a small number and a single cell
        (1000 * AGES, 99999, 3),  # not far outside
    ],
)
def test_no_sentinels(values, value, n):
    assert of(find_sentinels, c=with_value(values, value, n)) == []


def test_few_rows_prove_no_sentinel():
    assert of(find_sentinels, c=np.array([1.0, 2.0, 3.0, -999.0])) == []


@pytest.mark.parametrize(("day", "n"), [("1900-01-01", 1), ("9999-12-31", 3), ("1970-01-01", 2)])
def test_sentinel_dates(day, n):
    days = DAYS.to_numpy().astype("M8[s]").copy()
    days[:n] = np.datetime64(day)
    (found,) = of(find_sentinels, c=pd.Series(days))
    assert found.flags == ("--missing", f"c={day}")
    assert f"holds {day} in {n} cells" in found.what


def test_a_first_of_january_among_births_is_a_date():
    days = pd.to_datetime("1890-01-01") + pd.to_timedelta(RNG.integers(0, 9000, 200), unit="D")
    days = pd.Series([*days, pd.Timestamp("1900-01-01"), pd.Timestamp("2013-01-01")])
    assert of(find_sentinels, c=days) == []


def test_a_day_is_a_marker_where_it_piles_up_or_stands_apart():
    days = pd.Series(pd.to_datetime("1900-01-02") + pd.to_timedelta(RNG.integers(0, 9000, 200), unit="D"))
    assert of(find_sentinels, c=pd.concat([days, pd.Series([pd.Timestamp("1900-01-01")] * 2)])) == []
    piled = pd.concat([days, pd.Series([pd.Timestamp("1900-01-01")] * 40)])
    assert len(of(find_sentinels, c=piled)) == 1


def test_identifiers():
    names = pd.Series([f"person {k}" for k in range(100)])
    names[90:99] = "person 0"
    found = of(
        find_identifiers,
        row=np.arange(5, 105),
        shuffled=np.random.default_rng(0).permutation(100),
        name=names,
        patient_id=np.arange(100) // 2 * 7,
        personId=np.arange(100) * 3,
    )
    assert [one.columns[0] for one in found] == ["row", "shuffled", "name", "patient_id", "personId"]
    assert found[0].flags == ("--leave", "row")
    assert "all whole numbers from 5 to 104, once each" in found[0].what


def test_no_identifiers():
    price = np.random.default_rng(0).permutation(3000)[:100]
    assert (
        of(
            find_identifiers,
            price=price,
            weight=np.arange(100) + 0.5,
            town=[f"town {k % 80}" for k in range(100)],
            paid_id=np.arange(100) // 3,
            valid=np.random.default_rng(0).permutation(1000)[:100],
            day=pd.date_range("2024-01-01", periods=100),
        )
        == []
    )
    assert of(find_identifiers, row=np.arange(19)) == []


def test_numbers_kept_from_being_numbers_by_a_marker_name_no_rows():
    assert of(find_identifiers, size=[f"{k * 0.37:.3f}" for k in range(99)] + ["?"]) == []


def test_an_identifier_may_have_gaps():
    rows = np.arange(100.0)
    rows[99] = np.nan
    assert len(of(find_identifiers, row=rows)) == 1


@pytest.mark.parametrize(
    ("cells", "what", "flags"),
    [
        (["1.5", "2", "3e4", "-7"] * 5 + ["n/k", "n/k"], "numbers: 2 do not ('n/k')", ("--missing", "c=n/k")),
        (
            ["1", "2", "3", "4"] * 5 + ["a", "b", "b"],
            "whole numbers: 3 do not ('b', 'a')",
            ("--missing", "c=b", "--missing", "c=a"),
        ),
        (["1", "2", "3", "4"] * 5 + list("abcd"), "4 do not ('a', 'b', 'c' and others)", ()),
        (
            ["2024-01-31", "2024-02-01"] * 6 + ["soon"],
            "dates written as %Y-%m-%d: 1 do not ('soon')",
            ("--missing", "c=soon"),
        ),
        (
            ["1", "2", "3", "4"] * 5 + ["."] * 2,
            "whole numbers: 2 do not ('.')",
            ("--missing", "c=."),
        ),  # as Stata and SAS write it
        (["2024-01-31", "2024-02-01"] * 6 + ["spring 2024"], "1 do not ('spring 2024')", ()),  # a date all the same
        (["31.01.2024", "01.02.2024"] * 6 + ["00.00.0000"], "1 do not ('00.00.0000')", ("--missing", "c=00.00.0000")),
    ],
)
def test_text_that_mostly_reads_as_numbers_or_dates(cells, what, flags):
    (found,) = of(find_odd_cells, c=cells)
    assert what in found.what
    assert found.flags == flags


@pytest.mark.parametrize(
    "cells",
    [
        ["red", "blue"] * 10,
        ["1", "2", "3"] * 5 + ["x"] * 4,  # less than four fifths
        ["007", "12", "13"] * 5 + ["x"],  # codes
        ["1", "2", "3", "4", "5", "6", "x"],  # too few
    ],
)
def test_text_that_is_text(cells):
    assert of(find_odd_cells, c=cells) == []


def test_all_cells_read_as_numbers():
    (found,) = of(find_odd_cells, c=["1", "2"] * 10)
    assert "all 20 cells read as whole numbers" in found.what
    assert "convert it" in found.advice


def test_numbers_and_dates_as_people_write_them():
    (found,) = of(find_odd_cells, c=["30,05", "2,5"] * 10)
    assert "read as numbers with a decimal comma" in found.what
    (found,) = of(find_odd_cells, c=["31/12/2020", "01/02/2020", "?"] * 2 + ["30/01/2019"] * 10)
    assert "dates written as %d/%m/%Y: 2 do not ('?')" in found.what
    (found,) = of(find_odd_cells, c=["1,234", "3,456"] * 10)
    assert "numbers, '1,234' as 1234 or 1.234" in found.what


def test_amounts_in_several_units_are_told():
    (found,) = of(find_odd_cells, c=["12 km", "800 m", "3 km"] * 10)
    assert (
        found.what == "column 'c' is treated as text, as its amounts have several units: km (20 cells) and m (10 cells)"
    )
    assert "convert them to one" in found.text()
    assert "in the file" in found.text(command_line=True)
    assert of(find_odd_cells, c=["12 km", "800 m", "far"] * 10) == []
    assert of(find_identifiers, c=[f"{k} {'km' if k % 3 else 'm'}" for k in range(60)]) == []
    assert of(find_odd_cells, c=["2A", "3B", "4C"] * 10) == []
    assert of(find_odd_cells, c=["2 A", "3 D", "4 C"] * 10) == []


def test_a_first_row_taken_for_names():
    cells = {"red": ["red", "blue"] * 5, "12": range(10), "7.5": np.arange(10) / 2}
    (found,) = of(find_first_row, **cells)
    assert found.flags == ("--no-header",)
    assert of(find_first_row, **{"colour": cells["red"], "12": cells["12"]}) == []
    assert of(find_first_row, **{"red": cells["red"], "size": cells["12"]}) == []
    assert find_first_row(read_table(np.zeros((3, 2)))) == []


def codes(n=2000, levels=6):
    """Numbers of levels, and a number that follows them in no order."""
    rng = np.random.default_rng(1)
    level = rng.integers(1, levels + 1, n)
    effect = np.array([0.0, 3.0, -2.0, 2.5, -3.0, 1.0])[level - 1] + rng.normal(size=n)
    return level, effect, level + rng.normal(size=n)


def test_codes_that_others_follow_in_no_order():
    level, effect, _ = codes()
    (found,) = of(find_codes, region=level, effect=effect)
    assert found.columns == ("region",)
    assert "another column follows them in no order" in found.what
    assert "--categorical 'region'" in found.option


def test_amounts_are_no_codes():
    level, _, rising = codes()
    gappy = np.where(np.arange(len(level)) % 7 == 0, np.nan, level)
    assert of(find_codes, stars=level, rising=rising) == []
    assert of(find_codes, stars=gappy, rising=rising) == []
    assert of(find_codes, stars=level, noise=np.random.default_rng(0).normal(size=len(level))) == []


def test_few_numbers_with_gaps_are_asked_about_where_nothing_tells():
    level, _, _ = codes()
    gappy = np.where(np.arange(len(level)) % 7 == 0, np.nan, level)
    (found,) = of(find_codes, stars=gappy, noise=np.random.default_rng(0).normal(size=len(level)))
    assert "6 different whole numbers" in found.what
    assert len(of(find_codes, stars=gappy)) == 1
    assert of(find_codes, year=2000 + gappy) == []
    assert len(of(find_codes, product=3000 + gappy)) == 1
    assert len(of(find_codes, holes=2000 + np.where(gappy > 3, gappy + 4, gappy))) == 1


def test_what_a_label_tells_is_no_order():
    """A label is rare among low and high numbers alike."""
    years = np.repeat(np.arange(1, 11), 50)
    assert of(find_codes, years=years, school=np.where(years == 5, "middle", "other")) == []


def test_numbers_that_all_read_as_times_of_day_may_be_codes():
    every = [10000 * h + 100 * k + m for h in range(6, 10) for k in range(60) for m in range(60)]
    zips = np.random.default_rng(0).permutation(every)[:300]
    (found,) = of(find_codes, zip=zips)
    assert "times of day written as HHMMSS" in found.what


def test_the_order_of_levels():
    level, effect, rising = (part.astype(float) for part in codes())
    assert order_of_levels(level, effect[:, None]) == "none"
    assert order_of_levels(level, rising[:, None]) == "rises"
    assert order_of_levels(level, -rising[:, None]) == "rises"
    assert order_of_levels(level, np.random.default_rng(0).normal(size=(2000, 3))) is None
    assert order_of_levels(level[:90], effect[:90, None]) is None  # 15 rows a level
    assert order_of_levels(np.where(level > 2, np.nan, level), effect[:, None]) is None  # two levels have no order


def test_a_small_or_a_doubtful_disorder_proves_nothing():
    level, _, rising = (part.astype(float) for part in codes())
    assert order_of_levels(level, (rising + 1.6 * (level == 3))[:, None]) == "rises"  # above the next level, by little
    level = np.repeat([1.0, 2.0, 3.0], 20)
    spread = np.tile(np.linspace(-1, 1, 20), 3)
    assert (
        order_of_levels(level, (spread + 0.789 * (level == 2))[:, None]) is None
    )  # chance does so once in 5,000 columns
    assert order_of_levels(level, (spread + 2 * (level == 2))[:, None]) == "none"
    level, spread = np.repeat(level, 20), np.repeat(spread, 20)
    assert order_of_levels(level, (spread + 1.2 * (level == 2) + 0.7 * (level == 3))[:, None]) is None


def test_rows_and_columns_that_repeat_others():
    frame = pd.DataFrame({"a": [1.0, 2.0, 1.0, np.nan, np.nan], "b": [*"xyx", None, None]})
    frame["c"] = frame["a"]
    found = find_repeats(read_table(frame))
    assert [one.what for one in found] == [
        "2 of 5 rows equal an earlier row",
        "2 rows hold no value at all",
        "columns 'a', 'c' are equal in every row",
    ]
    assert not any(one.is_suspicion for one in found)
    frame["c"] = [1.0, 3.0, 1.0, np.nan, np.nan]  # the same rows, other values
    assert len(find_repeats(read_table(frame))) == 2
    assert find_repeats(read_table(pd.DataFrame({"a": [1, 2], "one": 1, "same": 1}))) == []


def test_patterns_of_missing_cells():
    frame = pd.DataFrame({"a": [1, None, None, 2], "b": [1, None, None, 2], "c": [1, 2, 3, None]})
    found = [(pattern.columns, pattern.n_rows) for pattern in missing_patterns(read_table(frame))]
    assert found == [(("a", "b"), 2), ((), 1), (("c",), 1)]


def test_two_of_each_kind_are_told_first():
    findings = [Finding("id", (k,), f"{k}") for k in range(3)] + [Finding("codes", (9,), "9")]
    shown, left = first_of_each(findings)
    assert [one.what for one in shown] == ["0", "1", "9"]
    assert left == 1
