"""Scores of fills: numbers worked out by hand, scipy as oracle, and refusals."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, wasserstein_distance

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.metrics import coverage, error_rate, mean_wasserstein, rmse, wasserstein


@pytest.fixture
def mixed_tables():
    truth = pd.DataFrame(
        {
            "x": [0.0, 2.0, 4.0, 6.0],
            "colour": pd.Categorical(["red", "red", "blue", "green"]),
            "flag": pd.array([True, False, True, None], dtype="boolean"),
            "day": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]),
        }
    )
    filled = truth.copy()
    filled.loc[0, "x"], filled.loc[3, "x"] = 1.0, 9.0
    filled["colour"] = ["red", "blue", "blue", "blue"]
    filled.loc[0, "flag"] = False
    filled["day"] = filled["day"] + pd.Timedelta(days=1)
    hidden = pd.DataFrame(False, index=truth.index, columns=truth.columns)
    hidden.loc[[0, 3], "x"] = True
    hidden.loc[[0, 1, 3], "colour"] = True
    hidden.loc[[0], "flag"] = True
    return truth, filled, hidden


def test_rmse_by_hand(mixed_tables):
    truth, filled, hidden = mixed_tables
    assert rmse(truth, filled, hidden, scale=None) == pytest.approx(np.sqrt((1 + 9) / 2))
    assert rmse(truth, filled, hidden, scale="std") == pytest.approx(np.sqrt(5 / 5))  # the variance of 0, 2, 4, 6 is 5
    assert rmse(truth, filled, hidden, scale="range") == pytest.approx(np.sqrt(5) / 6)


def test_rmse_pools_cells_of_all_columns_and_counts_dates(mixed_tables):
    truth, filled, hidden = mixed_tables
    hidden["day"] = [True, False, False, False]
    # one day late, in ranges of three days; the others as above, in ranges of 6
    assert rmse(truth, filled, hidden, scale="range") == pytest.approx(np.sqrt((1 / 36 + 9 / 36 + 1 / 9) / 3))


def test_error_rate_by_hand(mixed_tables):
    assert error_rate(*mixed_tables) == pytest.approx(3 / 4)  # colour: 2 of 3 wrong, flag: 1 of 1


def test_integer_codes_count_as_categories_where_asked():
    truth, filled = np.array([[0, 1], [2, 3]]), np.array([[0, 1], [1, 3]])
    hidden = np.ones((2, 2), dtype=bool)
    assert np.isnan(error_rate(truth, filled, hidden))
    assert error_rate(truth, filled, hidden, categorical=[0]) == 0.5
    assert rmse(truth, filled, hidden, categorical=[0]) == 0.0


def test_nothing_hidden_gives_nan(mixed_tables):
    truth, filled, hidden = mixed_tables
    nothing = hidden & False
    assert np.isnan(rmse(truth, filled, nothing))
    assert np.isnan(error_rate(truth, filled, nothing))
    assert wasserstein(truth, filled, nothing).empty
    assert np.isnan(mean_wasserstein(truth, filled, nothing))
    assert coverage(truth, filled, filled, nothing).n_cells == 0


def test_perfect_fill_scores_zero(mixed_tables):
    truth, _, hidden = mixed_tables
    assert rmse(truth, truth, hidden) == 0
    assert error_rate(truth, truth, hidden) == 0
    assert (wasserstein(truth, truth, hidden) == 0).all()


def test_wasserstein_against_scipy():
    rng = np.random.default_rng(0)
    truth, filled = rng.normal(size=(300, 3)), rng.gamma(2.0, size=(300, 3))
    hidden = rng.random((300, 3)) < [0.3, 0.7, 0.0]
    distances = wasserstein(truth, filled, hidden)
    assert distances.index.tolist() == [0, 1]
    for j in (0, 1):
        cells = hidden[:, j]
        expected = wasserstein_distance(truth[cells, j], filled[cells, j]) / truth[:, j].std()
        assert distances[j] == pytest.approx(expected)
    assert mean_wasserstein(truth, filled, hidden) == pytest.approx(distances.mean())


def test_wasserstein_closed_form():
    truth = np.linspace(0, 1, 50)[:, None]
    everything = np.ones(truth.shape, dtype=bool)
    assert wasserstein(truth, truth + 3, everything, scale=None)[0] == pytest.approx(3)  # a shift moves all mass by 3
    middle = np.full(truth.shape, 0.5)
    assert wasserstein(truth, middle, everything, scale=None)[0] == pytest.approx(np.abs(truth - 0.5).mean())


def test_total_variation_of_categories(mixed_tables):
    truth, filled, hidden = mixed_tables
    # true shares red 2/3, green 1/3; filled red 1/3, blue 2/3
    assert wasserstein(truth, filled, hidden)["colour"] == pytest.approx((1 / 3 + 1 / 3 + 2 / 3) / 2)


def test_coverage_of_gaussian_intervals():
    rng = np.random.default_rng(1)
    truth = rng.normal(5, 2, size=(20_000, 1))
    reach = 2 * norm.ppf(0.95)
    ends = np.full(truth.shape, 5.0)
    result = coverage(truth, ends - reach, ends + reach, np.ones(truth.shape, dtype=bool))
    assert result.share == pytest.approx(0.9, abs=0.01)
    assert result.width == pytest.approx(2 * norm.ppf(0.95), abs=0.05)
    assert result.n_cells == 20_000


def test_columns_are_matched_by_name_not_by_place(mixed_tables):
    truth, filled, hidden = mixed_tables
    turned = filled[filled.columns[::-1]]
    assert rmse(truth, turned, hidden[hidden.columns[::-1]]) == pytest.approx(rmse(truth, filled, hidden))


def test_refusals(mixed_tables):
    truth, filled, hidden = mixed_tables
    with pytest.raises(InvalidInputError, match="1 hidden cells of column 'x' are missing in filled"):
        rmse(truth, filled.assign(x=[None, 2.0, 4.0, 6.0]), hidden)
    with pytest.raises(InvalidInputError, match="shape"):
        rmse(truth, filled.iloc[:2], hidden)
    with pytest.raises(InvalidInputError, match="other columns"):
        rmse(truth, filled.rename(columns={"x": "y"}), hidden)
    with pytest.raises(InvalidInputError, match="row index"):
        rmse(truth, filled.set_axis([3, 2, 1, 0]), hidden)
    with pytest.raises(InvalidInputError, match="boolean"):
        rmse(truth, filled, hidden.astype(int))
    with pytest.raises(InvalidInputError, match="lower lies above upper in 2 hidden cells of column 'x'"):
        coverage(truth, truth.assign(x=9.0), truth.assign(x=8.0), hidden)
    with pytest.raises(InvalidParameterError, match="scale='sd'"):
        rmse(truth, filled, hidden, scale="sd")
    with pytest.raises(InvalidParameterError, match="nope"):
        rmse(truth, filled, hidden, categorical=["nope"])
