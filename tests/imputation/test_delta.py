"""Delta adjustment: draws moved by an amount that the user gives, and what else the row hides drawn given them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import tabgan
from tabgan import GAINImputer
from tabgan.exceptions import InvalidParameterError
from tests.conftest import make_mixed

QUICK = {"n_steps": 0, "n_trees": 0, "n_references": 0, "n_boosts": 0, "n_donor_trees": 5, "random_state": 0}
DELTAS = {
    "number": -1.5,
    "price": np.float32(0.25),
    "count": 3,
    "day": pd.Timedelta(days=-4),
    "wait": np.timedelta64(90, "m"),
}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return make_mixed(200)


@pytest.fixture(scope="module")
def imputer(table: pd.DataFrame) -> GAINImputer:
    return GAINImputer(**QUICK).fit(table)


def line(n: int = 1500, seed: int = 0) -> pd.DataFrame:
    """``z = 2 y + noise``; one is missing, or the other, or both."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = x + rng.normal(size=n)
    frame = pd.DataFrame({"x": x, "y": y, "z": 2 * y + rng.normal(size=n)})
    frame.loc[rng.random(n) < 0.3, "y"] = np.nan
    frame.loc[rng.random(n) < 0.3, "z"] = np.nan
    return frame


@pytest.mark.parametrize("name", DELTAS)
def test_imputed_cells_lie_delta_from_their_draws_and_nothing_else_moves(imputer, table, name):
    gap, delta = table[name].isna(), DELTAS[name]
    for plain, moved in zip(imputer.sample(table, 2), imputer.sample(table, 2, delta={name: delta}), strict=True):
        difference = (moved[name] - plain[name])[gap]
        if name in ("number", "price"):
            np.testing.assert_allclose(difference, delta, atol=0.0051 if name == "price" else 1e-9)
        else:
            assert (difference == delta).all()
        pd.testing.assert_frame_equal(moved[~gap], plain[~gap])
        pd.testing.assert_series_equal(moved.dtypes, table.dtypes)
        for column in table:  # whatever was observed
            pd.testing.assert_series_equal(moved[column][table[column].notna()], table[column].dropna())


def test_decimals_steps_signs_and_zero_to_one_are_kept(table):
    table = table[["price", "count", "wait"]].assign(share=1 / (1 + np.exp(-table["number"])))
    imputer = GAINImputer(**QUICK).fit(table)
    deltas = {"price": -5.123, "count": -2.4, "share": 0.5, "wait": pd.Timedelta(hours=-1, seconds=7)}
    gaps = {name: table[name].isna() for name in deltas}
    plain, moved = imputer.sample(table, 1)[0], imputer.sample(table, 1, delta=deltas)[0]
    np.testing.assert_array_equal(moved["price"], moved["price"].round(2))
    assert (moved["price"] >= 0).all()
    assert (moved["price"] < table["price"].min()).any()  # the observed range is no limit
    count = np.rint(np.maximum(plain["count"].astype(float) - 2.4, 0))
    np.testing.assert_array_equal(moved["count"][gaps["count"]], count[gaps["count"]])
    np.testing.assert_allclose(
        moved["share"][gaps["share"]], np.minimum(plain["share"] + 0.5, 1)[gaps["share"]], atol=1e-6
    )
    wait = (plain["wait"] - pd.Timedelta(hours=1)).clip(lower=pd.Timedelta(0))  # in steps of a minute
    pd.testing.assert_series_equal(moved["wait"][gaps["wait"]], wait[gaps["wait"]])


def test_what_else_the_row_hides_is_drawn_given_the_moved_value():
    frame = line()
    imputer = GAINImputer(**QUICK).fit(frame)
    both, other = frame["y"].isna() & frame["z"].isna(), frame["y"].notna() & frame["z"].isna()
    still, moved = (imputer.sample(frame, 5, delta={"y": by}) for by in (0.0, 3.0))
    for a, b in zip(still, moved, strict=True):
        # z goes on following y: a slope of 2, not that of z on x, nor none.
        assert (b["z"] - a["z"])[both].mean() == pytest.approx(6.0, abs=0.6)
        assert (b["z"] - 2 * b["y"])[both].std() == pytest.approx(1.0, abs=0.25)
        np.testing.assert_allclose((b["y"] - a["y"])[both], 3.0, atol=1e-5)
        np.testing.assert_array_equal(b["z"][other], a["z"][other])
    # A cell drawn again has the distribution it had.
    plain = imputer.sample(frame, 5)
    for a, b in zip(plain, still, strict=True):
        assert not a["z"][both].equals(b["z"][both])
        assert (b["z"] - 2 * b["y"])[both].std() == pytest.approx((a["z"] - 2 * a["y"])[both].std(), rel=0.25)
        assert np.corrcoef(b["y"][both], b["z"][both])[0, 1] > 0.85


def test_what_is_drawn_again_owes_nothing_to_what_was_drawn_before():
    frame = line(3000)
    both = frame["y"].isna() & frame["z"].isna()
    drawn = GAINImputer(**QUICK).fit(frame).sample(frame, 8, delta={"y": 0.0})
    own = pd.concat([t[both] for t in drawn])
    noise, y = own["z"] - 2 * own["y"], own["y"] - own["x"]
    # With the noise of the first draw again, z would know what y got from it: .12 to .21.
    assert abs(np.corrcoef(noise, y)[0, 1]) < 0.08


def test_others_see_values_beyond_the_observed_range(imputer):
    far = imputer._moved(0, 0.0, np.array([6.0, 0.5]))
    np.testing.assert_allclose(far, [6.0, 0.5], atol=1e-4)


def test_several_columns_move_together():
    frame = line(400)
    imputer = GAINImputer(**QUICK).fit(frame)
    (plain,), (moved,) = imputer.sample(frame, 1), imputer.sample(frame, 1, delta={"y": 1.0, "z": -2.0})
    for name, by in (("y", 1.0), ("z", -2.0)):
        gap = frame[name].isna()
        np.testing.assert_allclose((moved[name] - plain[name])[gap], by, atol=1e-5)


def test_tables_of_several_deltas_differ_by_the_deltas_alone():
    frame = line(400)
    imputer = GAINImputer(**QUICK).fit(frame)
    means = [
        np.mean([t["z"][frame["z"].isna()].mean() for t in imputer.sample(frame, 3, delta={"y": by})])
        for by in (0.0, 0.5, 1.0, 1.5)
    ]
    steps = np.diff(means)
    assert (steps > 0).all()
    np.testing.assert_allclose(steps, steps.mean(), rtol=0.2)


def test_without_donors_other_cells_stay():
    frame = line(300)
    imputer = GAINImputer(**QUICK | {"n_donor_trees": 0}).fit(frame)
    (plain,), (moved,) = imputer.sample(frame, 1), imputer.sample(frame, 1, delta={"y": 2.0})
    np.testing.assert_allclose((moved["y"] - plain["y"])[frame["y"].isna()], 2.0, atol=1e-9)
    pd.testing.assert_series_equal(moved["z"], plain["z"])


def test_rows_alone_arrays_and_saved_models(table, imputer, tmp_path):
    delta = {"number": 2.0, "day": pd.Timedelta(days=1)}
    whole = imputer.sample(table, 2, delta=delta)
    parts = [imputer.sample(table.iloc[k : k + 50], 2, delta=delta) for k in range(0, 200, 50)]
    for k in (0, 1):
        pd.testing.assert_frame_equal(pd.concat([part[k] for part in parts]), whole[k], rtol=1e-5, atol=1e-5)
    imputer.save(tmp_path / "model.tabgan")
    pd.testing.assert_frame_equal(tabgan.load(tmp_path / "model.tabgan").sample(table, 2, delta=delta)[1], whole[1])
    frame = line(100)
    by_position = GAINImputer(**QUICK).fit(frame.to_numpy()).sample(frame.to_numpy(), 1, delta={1: 5.0})[0]
    by_name = GAINImputer(**QUICK).fit(frame).sample(frame, 1, delta={"y": 5.0})[0]
    np.testing.assert_allclose(by_position, by_name, rtol=1e-5)


def test_a_rule_between_columns_wins():
    rng = np.random.default_rng(0)
    parts = rng.integers(1, 50, (200, 2)).astype(float)
    frame = pd.DataFrame({"one": parts[:, 0], "two": parts[:, 1], "sum": parts.sum(axis=1)})
    frame.loc[:60, "sum"] = np.nan
    frame.loc[40:90, "two"] = np.nan
    drawn = GAINImputer(**QUICK).fit(frame).sample(frame, 1, delta={"sum": 10})[0]
    np.testing.assert_array_equal(drawn["one"] + drawn["two"], drawn["sum"])
    np.testing.assert_array_equal(drawn["sum"][:40], parts[:40].sum(axis=1))  # what the others call for


def test_columns_without_missing_cells_and_empty_deltas_change_nothing(table, imputer):
    plain = imputer.sample(table, 1)[0]
    for delta in (None, {}, {"complete": 4.0}):
        pd.testing.assert_frame_equal(imputer.sample(table, 1, delta=delta)[0], plain)


@pytest.mark.parametrize(
    ("delta", "message"),
    [
        (-5000, "must be a dict"),
        ([("number", 1)], "must be a dict"),
        ({"weight": 1.0}, "delta names 'weight', which is no column"),
        ({"number": 1.0, 0: 2.0}, "names column 'number' twice"),
        ({"number": "much"}, r"delta\['number'\]='much' is not valid for column 'number'.*finite number"),
        ({"number": np.nan}, "finite number"),
        ({"number": True}, "finite number"),
        ({"count": pd.Timedelta(days=1)}, "finite number"),
        ({"day": 3}, "column 'day', which holds times.*timedelta"),
        ({"day": pd.NaT}, "must be a timedelta"),
        ({"flag": 1}, "column 'flag' is boolean"),
        ({"colour": 1}, "column 'colour' is categorical"),
        ({"size": 1}, "column 'size' is ordinal"),
        ({"same": 1}, "column 'same' held one value or none"),
    ],
)
def test_what_cannot_be_moved_is_refused_before_anything_is_drawn(table, imputer, monkeypatch, delta, message):
    monkeypatch.setattr(type(imputer._model), "draw", None)
    with pytest.raises(InvalidParameterError, match=message):
        imputer.sample(table, 2, delta=delta)
