"""Draws, intervals and probabilities: what they promise, and a check that they mean it on a known distribution."""

import numpy as np
import pandas as pd
import pytest

import tabgan
from tabgan import GAINImputer
from tabgan.exceptions import InvalidInputError
from tests.conftest import make_mixed
from tests.imputation.test_gain import assert_observed_untouched

QUICK = {"n_steps": 40, "width": 16, "n_blocks": 1, "n_members": 2, "draw_steps": 20, "random_state": 0}


@pytest.fixture(scope="module")
def skewed():
    """A wide relation with skewed columns, a fifth of the cells hidden; and the truth."""
    rng = np.random.default_rng(0)
    factor = rng.normal(size=1500)
    truth = pd.DataFrame(
        {
            "a": factor + 0.5 * rng.normal(size=1500),
            "b": np.exp(factor + 0.5 * rng.normal(size=1500)),
            "zeros": np.where(factor + rng.normal(size=1500) > 0.5, np.exp(factor), 0.0),
        }
    )
    hidden = rng.random(truth.shape) < 0.2
    imputer = GAINImputer(n_steps=200, draw_steps=150, width=32, random_state=0)
    return truth, hidden, imputer.fit(truth.mask(hidden))


def test_draws_fill_every_gap_differ_and_repeat(mixed):
    imputer = GAINImputer(**QUICK).fit(mixed)
    draws = imputer.sample(mixed, 3)
    assert len(draws) == 3
    for draw in draws:
        assert not draw.isna().any().any()
        assert_observed_untouched(mixed, draw)
    assert not draws[0].equals(draws[1])
    for one, again in zip(draws, imputer.sample(mixed, 3), strict=True):
        pd.testing.assert_frame_equal(one, again)
    assert not imputer.sample(mixed, 1, random_state=7)[0].equals(draws[0])


def test_draws_have_the_columns_spread_and_keep_zeros(skewed):
    truth, hidden, imputer = skewed
    draws = imputer.sample(truth.mask(hidden), 5)
    point = imputer.transform(truth.mask(hidden))
    for j, column in enumerate(truth.columns):
        cells = hidden[:, j]
        spread = np.mean([draw.loc[cells, column].std() for draw in draws])
        assert spread == pytest.approx(truth.loc[cells, column].std(), rel=0.35)
        assert point.loc[cells, column].std() < truth.loc[cells, column].std()
    zeros = np.mean([(draw.loc[hidden[:, 2], "zeros"] == 0).mean() for draw in draws])
    assert zeros == pytest.approx((truth.loc[hidden[:, 2], "zeros"] == 0).mean(), abs=0.1)


def test_intervals_cover_what_they_say(skewed):
    truth, hidden, imputer = skewed
    for coverage in (0.5, 0.9):
        lower, upper = imputer.predict_interval(truth.mask(hidden), coverage)
        inside = ((truth >= lower - 1e-9) & (truth <= upper + 1e-9)).to_numpy()[hidden].mean()
        assert coverage - 0.06 < inside < 1 - (1 - coverage) / 4
        seen = ~hidden
        np.testing.assert_array_equal(lower.to_numpy()[seen], truth.to_numpy()[seen])
        np.testing.assert_array_equal(upper.to_numpy()[seen], truth.to_numpy()[seen])
    narrow, wide = (np.subtract(*imputer.predict_interval(truth.mask(hidden), c)[::-1]).to_numpy() for c in (0.5, 0.9))
    assert (wide[hidden] >= narrow[hidden] - 1e-12).all()


def test_probabilities_of_levels(mixed):
    imputer = GAINImputer(**QUICK).fit(mixed)
    probabilities = imputer.category_probabilities(mixed)
    assert set(probabilities) == {"flag", "colour", "size"}
    colours = probabilities["colour"]
    assert set(colours.columns) == {"red", "green", "blue"}
    pd.testing.assert_index_equal(colours.index, mixed.index[mixed["colour"].isna()])
    np.testing.assert_allclose(colours.sum(axis=1), 1.0)
    filled = imputer.transform(mixed)
    assert (colours.idxmax(axis=1) == filled.loc[colours.index, "colour"]).all()


def test_sample_posterior_and_saved_models_draw_the_same(mixed, tmp_path):
    imputer = GAINImputer(**QUICK, sample_posterior=True).fit(mixed)
    assert not imputer.transform(mixed).equals(imputer.set_params(sample_posterior=False).transform(mixed))
    imputer.save(tmp_path / "model.tabgan")
    loaded = tabgan.load(tmp_path / "model.tabgan")
    for left, right in zip(imputer.sample(mixed, 2), loaded.sample(mixed, 2), strict=True):
        pd.testing.assert_frame_equal(left, right)
    for left, right in zip(imputer.predict_interval(mixed), loaded.predict_interval(mixed), strict=True):
        pd.testing.assert_frame_equal(left, right)


def test_the_adversary_changes_the_draws_and_not_the_point_estimate(mixed):
    quick = QUICK | {"n_donor_trees": 0}
    with_it, without = (GAINImputer(**quick, adversarial_weight=w).fit(mixed) for w in (0.1, 0.0))
    pd.testing.assert_frame_equal(with_it.transform(mixed), without.transform(mixed))
    assert not with_it.sample(mixed, 1)[0].equals(without.sample(mixed, 1)[0])
    assert any("discriminator" in row for row in with_it.history_)
    assert not any("discriminator" in row for row in without.history_)


def test_bad_requests(mixed):
    imputer = GAINImputer(**QUICK).fit(mixed)
    with pytest.raises(ValueError, match="n_draws=0"):
        imputer.sample(mixed, 0)
    with pytest.raises(ValueError, match=r"coverage=1\.5"):
        imputer.predict_interval(mixed, 1.5)
    with pytest.raises(InvalidInputError, match="objective='paper'"):
        GAINImputer.paper(n_steps=5, random_state=0).fit(mixed).sample(mixed)


def test_nothing_to_learn_and_no_gaps():
    constant = pd.DataFrame({"a": [1.0, None, 1.0], "b": ["x", "x", None]})
    imputer = GAINImputer(**QUICK).fit(constant)
    assert not imputer.sample(constant, 2)[0].isna().any().any()
    complete = make_mixed(20, rate=0.0)
    fitted = GAINImputer(**QUICK).fit(make_mixed(60))
    pd.testing.assert_frame_equal(fitted.sample(complete, 1)[0], complete)
    assert fitted.category_probabilities(complete) == {}


def test_several_coverages_at_once_are_the_same_intervals(skewed):
    truth, hidden, imputer = skewed
    several = imputer.predict_interval(truth.mask(hidden), [0.5, 0.9])
    for coverage, pair in zip((0.5, 0.9), several, strict=True):
        for end, alone in zip(pair, imputer.predict_interval(truth.mask(hidden), coverage), strict=True):
            pd.testing.assert_frame_equal(end, alone)


@pytest.mark.parametrize("coverage", [0, 1.0, "most", [], [0.5, 2]])
def test_a_coverage_outside_its_range_is_refused(skewed, coverage):
    truth, hidden, imputer = skewed
    with pytest.raises(ValueError, match="coverage="):
        imputer.predict_interval(truth.mask(hidden), coverage)
