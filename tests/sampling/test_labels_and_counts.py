"""What users give as classes, counts and asked cells: each is taken for what it equals, or refused by name."""

import numpy as np
import pandas as pd
import pytest

import tabgan
from tabgan import BAGANOversampler, CGANSampler
from tabgan.exceptions import InvalidParameterError

FEW = {"n_steps": 3, "random_state": 0}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Sixty rows of one class and twenty of another, with categories of whole numbers and of text."""
    rng = np.random.default_rng(0)
    codes = pd.Series(rng.integers(0, 3, 80)).astype("category")
    return pd.DataFrame({"x": rng.normal(size=80), "code": codes, "text": np.array(list("uvw"))[codes.cat.codes]})


@pytest.mark.parametrize(
    ("column", "level"), [("code", np.int64(1)), ("code", 1), ("text", np.str_("u")), ("text", "u")]
)
def test_where_takes_numpy_scalars_for_what_they_equal(table, column, level):
    sampler = CGANSampler(**FEW).fit(table, [0] * 60 + [1] * 20)
    rows, _ = sampler.sample(4, y=0, where={column: level})
    assert rows[column].tolist() == [level] * 4


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_classes_that_are_times_keep_their_names_in_every_resolution(table, unit, tmp_path):
    early, late = pd.Timestamp("2020-01-01"), pd.Timestamp("2021-01-01")
    y = np.array([early] * 60 + [late] * 20, dtype=f"M8[{unit}]")
    sampler = BAGANOversampler(**FEW).fit(table, y)
    assert list(sampler.methods_) == [early, late]
    sampler.save(tmp_path / "m.tabgan")
    for one in (sampler, tabgan.load(tmp_path / "m.tabgan")):
        assert (one.sample(3, y=late)[1] == np.datetime64("2021-01-01")).all()


def test_intervals_are_classes(table):
    y = pd.cut(pd.Series(np.r_[np.full(60, 0.5), np.full(20, 1.5)]), [0, 1, 2])
    made = BAGANOversampler(**FEW).fit_resample(table, y)[1]
    assert made.dtype == y.dtype
    assert made.value_counts().tolist() == [60, 60]


def test_counts_may_be_whole_floats_and_nothing_else(table):
    y = np.array(["a"] * 60 + ["c"] * 20)
    assert len(BAGANOversampler(sampling_strategy={"c": 25.0}, **FEW).fit_resample(table, y)[1]) == 85
    for odd in (25.5, "25", float("nan"), float("inf")):
        with pytest.raises(InvalidParameterError, match="of class 'c'; use a whole number"):
            BAGANOversampler(sampling_strategy={"c": odd}, **FEW).fit(table, y)


def test_rows_for_a_class_of_one_row_are_no_copies_of_it(table):
    y = np.array([0] * 79 + [1])
    made = BAGANOversampler(**FEW).fit_resample(table, y)[0].iloc[80:]
    assert (made["x"] == table["x"].iloc[79]).mean() < 0.05


def test_whole_numbers_beyond_float64_survive_resampling(table):
    twice = np.arange(80) // 2  # numbers that name rows would be counted on
    frame = table.assign(id=2**62 + twice * 5, large=np.uint64(2**63) + twice.astype("uint64"))
    for sampler in (BAGANOversampler(**FEW), CGANSampler(**FEW)):
        made = sampler.fit_resample(frame, [0] * 60 + [1] * 20)[0]
        pd.testing.assert_frame_equal(made.iloc[:80][["id", "large"]], frame[["id", "large"]])
        for name in ("id", "large"):
            assert made[name].dtype == frame[name].dtype
            assert frame[name].min() <= made[name].min() <= made[name].max() <= frame[name].max()
