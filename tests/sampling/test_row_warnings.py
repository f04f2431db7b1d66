"""The report warns of what it knows: classes nobody can tell, few parents, gaps in other shares."""

import numpy as np
import pandas as pd
import pytest

from tabgan import BAGANOversampler
from tabgan._runtime import make_generator
from tabgan.sampling.fitted import MadeRows
from tabgan.sampling.row_report import build_report
from tabgan.sampling.row_warnings import class_warnings


def numbers(n_rare=20, n_common=80, width=3, seed=0, distance=6.0):
    rng = np.random.default_rng(seed)
    y = np.array(["rare"] * n_rare + ["common"] * n_common)
    return pd.DataFrame(rng.normal(size=(len(y), width)) + distance * (y == "rare")[:, None]), y


def said(report, words):
    return [warning for warning in report.warnings if words in warning]


def test_too_few_rows_for_the_width_is_said():
    X, y = numbers(20, 80, width=600, distance=0.0)
    sampler = BAGANOversampler(n_steps=0, random_state=0)
    sampler.fit_resample(X, y)
    assert sampler.report_.table.loc["rare", "consistency_real"] < 0.25
    warnings = said(sampler.report_, "guessing would find 50%")
    assert len(warnings) == 1
    assert warnings[0].endswith("20 rows may be too few for 600 columns.")
    assert not said(sampler.report_, "of the synthetic rows look like"), "a comparison with nothing says nothing"


@pytest.mark.parametrize(
    ("real", "n_classes", "warned"), [(0.24, 2, True), (0.26, 2, False), (0.12, 4, True), (0.13, 4, False)]
)
def test_half_of_what_guessing_finds_is_the_bound(real, n_classes, warned):
    line = {"n_real": 50, "consistency_real": real, "consistency": real}
    warnings = class_warnings("a", line, n_classes=n_classes, n_columns=50)
    assert bool(warnings) == warned
    assert "too few" not in "".join(warnings), "no more columns than rows"


def made_from(fitted, parents, cells=None):
    rare = int(np.flatnonzero(fitted.target.classes == "rare")[0])
    rng = np.random.default_rng(0)
    values = fitted.encoded.values[parents] + rng.normal(size=(len(parents), fitted.encoded.values.shape[1])) / 3
    made = MadeRows(np.full(len(parents), rare), np.asarray(parents), cells or {}, values.astype(np.float32))
    return build_report(fitted, made, make_generator(0))


@pytest.mark.parametrize(
    ("shares", "warned"),
    [
        ([16, 15, 15, 15, *[4] * 10], "4 of its 20"),  # 61 of 101
        ([51, *[5] * 10], "1 of its 20"),
        ([10, 10, 10, 10, *[4] * 15], None),  # 40 of 100: the fifth brings them to 44
        ([26, 25, *[7] * 7], "2 of its 20"),  # 51 of 100
        ([25, 25, *[5] * 10], "3 of its 20"),  # half is not more than half
        ([5, 5, 5, 4], None),  # too few rows to tell
    ],
)
def test_a_few_parents_that_carry_most_rows_are_said(shares, warned):
    X, y = numbers()
    fitted = BAGANOversampler(n_steps=0, random_state=0).fit(X, y)._fitted
    found = said(made_from(fitted, np.repeat(np.arange(len(shares)), shares)), "start from")
    assert bool(found) == (warned is not None)
    assert all(f": {warned} real rows" in warning for warning in found)


def test_a_class_of_few_rows_is_not_blamed_for_its_parents():
    fitted = BAGANOversampler(n_steps=0, random_state=0).fit(*numbers(9))._fitted
    assert not said(made_from(fitted, np.repeat([0, 1], 40)), "start from")
    fitted = BAGANOversampler(n_steps=0, random_state=0).fit(*numbers(10))._fitted
    assert said(made_from(fitted, np.repeat([0, 1], 40)), "start from")


def test_gaps_in_other_shares_are_said():
    X, y = numbers(20, 80)
    X.columns = ["a", "b", "c"]
    X.loc[:9, "a"] = np.nan
    X.loc[:1, "b"] = np.nan
    fitted = BAGANOversampler(n_steps=0, random_state=0).fit(X, y)._fitted
    assert not said(made_from(fitted, np.tile(np.arange(20), 20)), "missing in other shares")
    found = said(made_from(fitted, np.tile(np.arange(5, 20), 30)), "missing in other shares")
    assert len(found) == 1
    assert "'a' (33%, real rows 50%)" in found[0]
    assert "'b' (0%, real rows 10%)" not in found[0], "ten per cent may be chance or rounding"
    filled = {0: (np.arange(400), np.zeros(400))}
    assert "'a' (0%, real rows 50%)" in said(made_from(fitted, np.tile(np.arange(20), 20), filled), "other shares")[0]


def test_at_most_three_columns_with_gaps_are_listed():
    X, y = numbers(20, 80, width=5)
    X.iloc[:10] = np.nan
    fitted = BAGANOversampler(n_steps=0, random_state=0).fit(X, y)._fitted
    found = said(made_from(fitted, np.tile(np.arange(10, 20), 30)), "other shares")
    assert "2 (0%, real rows 50%) and 2 more." in found[0]


def test_gaps_of_few_rows_may_differ_by_chance():
    X, y = numbers(20, 80)
    X.iloc[:10, 0] = np.nan
    fitted = BAGANOversampler(n_steps=0, random_state=0).fit(X, y)._fitted
    assert not said(made_from(fitted, np.r_[np.arange(10, 15), np.arange(3)]), "other shares")
