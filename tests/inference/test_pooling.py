"""Rubin's rules: mice's printed tables, formulas worked by hand, statsmodels as oracle, and a simulation."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.cluster import KMeans
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.inference.pooled_predictions import pool_predictions
from tabgan.inference.pooling import pool, pool_scalars

# What R mice printed for pool(): term, estimate, ubar, b, t, df, riv, lambda, fmi. mice prints no single analyses, so the tests
# make up m estimates with this mean and this variance b, each with variance ubar.
# m = 5, dfcom = 29: documentation of the R package marginaleffects, multiple imputation of mtcars, "slopes without weights".
MTCARS = [
    ("cyl", -0.134280454, 7.093304e-04, 2.347331e-03, 3.526128e-03, 2.920745, 3.971065, 0.7988359, 0.8667882),
    ("hp", 0.001649773, 5.708603e-07, 1.375452e-06, 2.221403e-06, 3.556844, 2.891325, 0.7430181, 0.8214040),
    ("mpg", 0.006082804, 1.080454e-04, 2.722234e-04, 4.347135e-04, 3.458294, 3.023434, 0.7514561, 0.8284250),
]
# m = 50, dfcom = 148: public course notes (in Spanish) that pool lm(Temp ~ Ozone + Solar.R + Wind) over R's airquality.
AIRQUALITY = [
    ("(Intercept)", 72.6409950, 6.805400e00, 1.082784e00, 7.909840e00, 119.6660, 0.1622887, 0.1396286, 0.1536564),
    ("Ozone", 0.1636463, 5.224431e-04, 1.390522e-04, 6.642763e-04, 103.7690, 0.2714807, 0.2135154, 0.2282479),
    ("Solar.R", 0.0115144, 4.461246e-05, 7.239493e-06, 5.199674e-05, 119.1549, 0.1655207, 0.1420143, 0.1560619),
    ("Wind", -0.3357630, 4.024084e-02, 6.924729e-03, 4.730407e-02, 117.5870, 0.1755237, 0.1493153, 0.1634244),
]
AIRQUALITY_SUMMARY = {  # std.error, statistic, p.value
    "(Intercept)": (2.812443743, 25.828426, 9.143086e-51),
    "Ozone": (0.025773558, 6.349388, 5.800127e-09),
    "Solar.R": (0.007210876, 1.596810, 1.129568e-01),
    "Wind": (0.217494982, -1.543774, 1.253302e-01),
}


def with_moments(mean: np.ndarray, variance: np.ndarray, m: int) -> np.ndarray:
    """Array (m, p) with exactly this mean and this variance (``ddof=1``) per column."""
    pattern = np.arange(m) - (m - 1) / 2
    return mean + np.outer(pattern / pattern.std(ddof=1), np.sqrt(variance))


@pytest.mark.parametrize(("printed", "m", "dfcom"), [(MTCARS, 5, 29), (AIRQUALITY, 50, 148)])
def test_as_mice_printed(printed, m, dfcom):
    names = [row[0] for row in printed]
    estimate, ubar, b, t, df, riv, lambda_, fmi = np.array([row[1:] for row in printed]).T
    estimates = with_moments(estimate, b, m)
    pooled = pool_scalars(estimates, np.tile(ubar, (m, 1)), n_complete_df=dfcom, names=names)
    assert pooled.estimate == pytest.approx(estimate)
    assert pooled.total == pytest.approx(t, rel=1e-5)
    assert pooled.df == pytest.approx(df, rel=1e-5)
    assert pooled.riv == pytest.approx(riv, rel=1e-5)
    assert pooled.lambda_ == pytest.approx(lambda_, rel=1e-5)
    assert pooled.fmi == pytest.approx(fmi, rel=1e-5)
    if m == 50:
        error, statistic, p_value = np.array([AIRQUALITY_SUMMARY[name] for name in names]).T
        assert pooled.standard_error == pytest.approx(error, rel=1e-5)
        assert pooled.statistic == pytest.approx(statistic, rel=1e-5)
        assert pooled.p_value == pytest.approx(p_value, rel=1e-3, abs=0)


def test_the_example_of_mice_pool_scalar_by_hand():
    # Input: ?mice::pool.scalar, pool.scalar(Q = c(-1.5457, -1.428), U = c(0.9723^2, 1.041^2), n = 25, k = 2).
    # mice prints no output there; the numbers below are the formulas of Rubin 1987 and Barnard-Rubin 1999 by hand:
    # U = (0.94536729 + 1.083681) / 2 = 1.014524145; B = 0.1177^2 / 2 = 0.006926645; T = U + 1.5 B = 1.0249141125.
    u, b, t = 1.014524145, 0.006926645, 1.0249141125
    lambda_ = 1.5 * b / t
    old, observed = 1 / lambda_**2, 24 / 26 * 23 * (1 - lambda_)
    pooled = pool_scalars([-1.5457, -1.428], [0.9723**2, 1.041**2], n_complete_df=23)
    assert pooled.estimate[0] == pytest.approx(-1.48685)
    assert (pooled.within[0], pooled.between[0], pooled.total[0]) == pytest.approx((u, b, t))
    assert pooled.df[0] == pytest.approx(old * observed / (old + observed))
    assert pooled.df[0] == pytest.approx(20.97, abs=0.02)
    assert pooled.fmi[0] == pytest.approx((pooled.riv[0] + 2 / (pooled.df[0] + 3)) / (pooled.riv[0] + 1))


def test_large_sample_by_hand():
    # Q = 1, 2, 3, U = 1: B = 1, T = 1 + 4/3 = 7/3, riv = 4/3, lambda = 4/7, df = 2 (7/4)^2 = 6.125 (Rubin 1987, 3.1.6)
    pooled = pool_scalars([1.0, 2.0, 3.0], [1.0, 1.0, 1.0])
    assert pooled.total[0] == pytest.approx(7 / 3)
    assert pooled.riv[0] == pytest.approx(4 / 3)
    assert pooled.lambda_[0] == pytest.approx(4 / 7)
    assert pooled.df[0] == pytest.approx(6.125)
    assert pooled.fmi[0] == pytest.approx((4 / 3 + 2 / 9.125) / (7 / 3))
    reach = stats.t.ppf(0.975, 6.125) * np.sqrt(7 / 3)
    assert (pooled.lower[0], pooled.upper[0]) == pytest.approx((2 - reach, 2 + reach))
    assert pool_scalars([1.0, 2.0, 3.0], [1.0, 1.0, 1.0], n_complete_df=np.inf).df == pytest.approx(pooled.df)


def test_nothing_missing():
    # R mice's test-barnard.rubin.R: as lambda goes to 0 the degrees of freedom go to dfcom (dfcom + 1) / (dfcom + 3)
    assert pool_scalars([2.0, 2.0], [4.0, 4.0], n_complete_df=100).df[0] == pytest.approx(100 * 101 / 103)
    large = pool_scalars([2.0, 2.0], [4.0, 4.0])
    assert np.isinf(large.df[0])
    assert large.fmi[0] == 0
    assert large.p_value[0] == pytest.approx(2 * stats.norm.sf(1))
    assert large.upper[0] == pytest.approx(2 + 2 * stats.norm.ppf(0.975))


def test_frame_and_repr():
    pooled = pool_scalars(np.ones((3, 2)) * [1, 2], np.ones((3, 2)), names=["a", "b"], n_complete_df=10)
    frame = pooled.to_frame()
    assert frame.index.tolist() == ["a", "b"]
    assert {"estimate", "within", "between", "total", "df", "riv", "lambda", "fmi", "lower", "upper"} < {*frame.columns}
    assert "m=3" in repr(pooled)
    assert "standard_error" in repr(pooled)


# Analyses of columns in which nothing was missing.
SAME = pytest.mark.filterwarnings("ignore:All . analyses are the same")


@pytest.fixture(scope="module")
def tables() -> list[pd.DataFrame]:
    """Five completions of one table: y depends on x and z, z is partly made up."""
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, 120))
    y = 1 + 2 * x - z + rng.normal(size=120)
    known = rng.random(120) > 0.3
    return [pd.DataFrame({"x": x, "z": np.where(known, z, rng.normal(size=120)), "y": y}) for _ in range(5)]


def test_linear_regression_has_the_standard_errors_of_statsmodels(tables):
    api = pytest.importorskip("statsmodels.api")
    X = ["x", "z"]
    theirs = pool(lambda t: api.OLS(t["y"], api.add_constant(t[X])).fit(), tables)
    assert theirs.n_complete_df == 117
    assert theirs.names == ["const", "x", "z"]
    ours = pool(lambda t: (LinearRegression().fit(t[X], t["y"]), t[X], t["y"]), tables)
    assert ours.names == ["intercept", "x", "z"]
    pd.testing.assert_frame_equal(ours.to_frame().reset_index(drop=True), theirs.to_frame().reset_index(drop=True))
    again = pool([api.OLS(t["y"], api.add_constant(t[X])).fit() for t in tables])
    pd.testing.assert_frame_equal(again.to_frame(), theirs.to_frame())


def test_logistic_regression_has_the_standard_errors_of_statsmodels(tables):
    api = pytest.importorskip("statsmodels.api")
    X = ["x", "z"]
    theirs = pool(lambda t: api.Logit((t["y"] > 1) * 1, api.add_constant(t[X])).fit(disp=0), tables)
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    ours = pool(lambda t: (LogisticRegression(**model.get_params()).fit(t[X], t["y"] > 1), t[X], t["y"] > 1), tables)
    for column in ("estimate", "standard_error", "df", "fmi"):
        assert getattr(ours, column) == pytest.approx(getattr(theirs, column), rel=1e-3)


@SAME
def test_pipelines_numpy_and_no_intercept(tables):
    def scaled(t):
        model = make_pipeline(StandardScaler(), LinearRegression()).fit(t[["x", "z"]], t["y"])
        return model, t[["x", "z"]], t["y"]

    def plain(t):
        return LinearRegression().fit(t[["x", "z"]], t["y"]), t[["x", "z"]], t["y"]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one, two = pool(scaled, tables, parameters=["x1"]), pool(plain, tables, parameters=["z"])
    # standardising changes the unit, not the t value of a single table
    single = [pool([scaled(t)] * 2).statistic[2] / pool([plain(t)] * 2).statistic[2] for t in tables]
    assert single == pytest.approx([1.0] * 5)
    assert (one.names, two.names) == (["x1"], ["z"])
    bare = pool(
        lambda t: (LinearRegression(fit_intercept=False).fit(t[["x"]].to_numpy(), t["y"]), t[["x"]].to_numpy(), t["y"]),
        tables,
    )
    x, y = tables[0]["x"], tables[0]["y"]
    residual = y - x * (x @ y) / (x @ x)
    assert bare.within[0] == pytest.approx((residual @ residual) / 119 / (x @ x))
    assert bare.between[0] == pytest.approx(0, abs=1e-20)


@SAME
def test_ridge_shrinks_to_least_squares_and_its_variance_by_hand(tables):
    def ridge(alpha):
        return lambda t: (Ridge(alpha, fit_intercept=False).fit(t[["x"]], t["y"]), t[["x"]], t["y"])

    x, y = tables[0]["x"].to_numpy(), tables[0]["y"].to_numpy()
    s, alpha = x @ x, 30.0
    df = 120 - s / (s + alpha)
    residual = y - x * (x @ y) / (s + alpha)
    pooled = pool(ridge(alpha), tables)
    assert pooled.within[0] == pytest.approx((residual @ residual) / df * s / (s + alpha) ** 2)
    assert pooled.n_complete_df == pytest.approx(df)
    ols = pool(lambda t: (LinearRegression(fit_intercept=False).fit(t[["x"]], t["y"]), t[["x"]], t["y"]), tables)
    assert pool(ridge(1e-9), tables).within == pytest.approx(ols.within)


@SAME
def test_any_model_with_a_variance_function(tables):
    def fit(t):
        return LinearRegression().fit(t[["x"]], t["y"])

    pooled = pool(fit, tables, variance=lambda model, t: [1 / len(t), 4 / len(t)])
    assert pooled.names == ["intercept", "x"]
    assert pooled.within == pytest.approx([1 / 120, 4 / 120])
    with pytest.raises(InvalidInputError, match=r"no standard errors.*\(model, X, y\)"):
        pool(fit, tables)


def test_named_estimates_and_variances(tables):
    pooled = pool(lambda t: (t.mean(), t.var() / len(t)), tables, n_complete_df=119, parameters=["z"])
    assert pooled.names == ["z"]
    assert pooled.estimate[0] == pytest.approx(np.mean([t["z"].mean() for t in tables]))


def test_a_single_imputation_is_called_unfit_for_inference(tables):
    def fit(t):
        return t[["z"]].mean(), t[["z"]].var() / len(t)

    with pytest.warns(UserWarning, match="single imputation is unfit for inference") as told:
        pool(fit, tables[:1] * 5)
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pool(fit, tables)
    with pytest.raises(InvalidInputError, match="a single imputation is unfit for inference"):
        pool(fit, tables[:1])


def test_a_covariance_matrix_in_place_of_variances(tables):
    pooled = pool(lambda t: (t.mean(), t.cov() / len(t)), tables, n_complete_df=119)
    plain = pool(lambda t: (t.mean(), t.var() / len(t)), tables, n_complete_df=119)
    pd.testing.assert_frame_equal(pooled.to_frame(), plain.to_frame())
    assert plain.within_covariance is None
    assert np.diag(pooled.within_covariance) == pytest.approx(pooled.within)
    assert np.diag(pooled.between_covariance) == pytest.approx(pooled.between)


def test_names_of_estimates_and_their_covariance_must_agree(tables):
    with pytest.raises(InvalidInputError, match="different names"):
        pool(lambda t: (t.mean(), t[["z", "x", "y"]].cov() / len(t)), tables)


def test_no_intercept_with_a_variance_function(tables):
    pooled = pool(
        lambda t: LinearRegression(fit_intercept=False).fit(t[["x", "z"]], t["y"]),
        tables,
        variance=lambda model, t: [1.0, 2.0],
    )
    assert pooled.names == ["x", "z"]


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (lambda t: None, "fit returned None, perhaps for want of a return; return a fitted"),
        (lambda t: stats.ttest_1samp(t["y"], 0), "TtestResult is a test, and p-values cannot be averaged"),
        (lambda t: stats.pearsonr(t["x"], t["y"]), "PearsonRResult is a test"),
        (lambda t: t.mean(), "type Series has estimates without standard errors"),
        (lambda t: t["x"].mean(), "estimates without standard errors"),
        (
            lambda t: (LinearRegression(), t[["x"]], t["y"]),
            r"LinearRegression is not fitted; let fit return model\.fit",
        ),
        (lambda t: GridSearchCV(Ridge(), {"alpha": [1, 2]}).fit(t[["x"]], t["y"]), "chooses by the data"),
        (lambda t: KMeans(2, n_init=1).fit(t), "KMeans has no standard errors"),
        (lambda t: {"x": 1.0}, "type dict cannot be pooled; return a fitted"),
    ],
)
def test_what_cannot_be_pooled_is_told_apart(tables, result, message):
    with pytest.raises(InvalidInputError, match=message):
        pool(result, tables)


def test_a_model_of_statsmodels_that_was_not_fitted(tables):
    api = pytest.importorskip("statsmodels.api")
    with pytest.raises(InvalidInputError, match=r"OLS is a model that was not fitted; call its fit\(\), and return"):
        pool(lambda t: api.OLS(t["y"], t[["x"]]), tables)


def test_intervals_cover():
    # The mean of y, 40 % missing at random given x, imputed by proper Bayesian regression draws (Rubin 1987, example 5.1).
    rng = np.random.default_rng(1)
    hits, n, m = [], 60, 10
    for _ in range(400):
        x = rng.normal(size=n)
        y = x + rng.normal(size=n)
        seen = rng.random(n) < 1 / (1 + np.exp(-0.4 - x))
        design = np.column_stack([np.ones(n), x])
        inverse = np.linalg.inv(design[seen].T @ design[seen])
        beta = inverse @ design[seen].T @ y[seen]
        rest = ((y[seen] - design[seen] @ beta) ** 2).sum()
        q, u = [], []
        for _ in range(m):
            sigma = np.sqrt(rest / rng.chisquare(seen.sum() - 2))
            drawn = design @ (beta + sigma * np.linalg.cholesky(inverse) @ rng.normal(size=2)) + sigma * rng.normal(
                size=n
            )
            filled = np.where(seen, y, drawn)
            q.append(filled.mean())
            u.append(filled.var(ddof=1) / n)
        pooled = pool_scalars(q, u, n_complete_df=n - 1)
        hits.append(pooled.lower[0] <= 0 <= pooled.upper[0])
    assert np.mean(hits) == pytest.approx(0.95, abs=0.03)


def test_predictions():
    pooled = pool_predictions([np.array([0.0, 1.0]), np.array([1.0, 1.0]), np.array([2.0, 1.0])])
    assert pooled.mean.tolist() == [1, 1]
    assert pooled.between.tolist() == [1, 0]
    with pytest.raises(InvalidInputError, match="labels"):
        pool_predictions([["a"], ["b"]])
    with pytest.raises(InvalidInputError, match="shapes"):
        pool_predictions([[1.0], [1.0, 2.0]])
    with pytest.raises(InvalidInputError, match="m=1"):
        pool_predictions([[1.0]])


def test_refusals_of_scalars():
    with pytest.raises(InvalidInputError, match="m=1"):
        pool_scalars([1.0], [1.0])
    with pytest.raises(InvalidInputError, match="above 0"):
        pool_scalars([1.0, 2.0], [1.0, 0.0])
    with pytest.raises(InvalidInputError, match="finite"):
        pool_scalars([1.0, np.nan], [1.0, 1.0])
    with pytest.raises(InvalidInputError, match="shape"):
        pool_scalars([1.0, 2.0], [1.0, 1.0, 1.0])
    with pytest.raises(InvalidInputError, match="names has 2"):
        pool_scalars([1.0, 2.0], [1.0, 1.0], names=["a", "b"])
    with pytest.raises(InvalidParameterError, match="confidence=95"):
        pool_scalars([1.0, 2.0], [1.0, 1.0], confidence=95)
    with pytest.raises(InvalidParameterError, match="n_complete_df=0"):
        pool_scalars([1.0, 2.0], [1.0, 1.0], n_complete_df=0)


def test_refusals_of_pool(tables):
    X = ["x", "z"]

    with pytest.raises(InvalidInputError, match="m=1"):
        pool(lambda t: (t.mean(), t.var()), tables[:1])
    with pytest.raises(InvalidInputError, match=r"Table 1 has parameters \['b'\]"):
        pool([(pd.Series({"a": 1.0}), [1.0]), (pd.Series({"b": 1.0}), [1.0])])
    with pytest.raises(InvalidParameterError, match="parameters names"):
        pool(lambda t: (t.mean(), t.var()), tables, parameters=["w"])
    with pytest.raises(InvalidParameterError, match="tables=None"):
        pool(lambda t: t)
    with pytest.raises(InvalidParameterError, match="callable fit"):
        pool([1, 2], tables)
    with pytest.raises(InvalidInputError, match="type str"):
        pool(lambda t: "text", tables)
    for result, message in [
        (lambda t: (LogisticRegression().fit(t[X], t["y"] > 0), t[X], t["y"] > 0), "penalised"),
        (lambda t: (Lasso().fit(t[X], t["y"]), t[X], t["y"]), "No standard errors are known for Lasso"),
        (lambda t: (LinearRegression(positive=True).fit(t[X], t["y"]), t[X], t["y"]), "positive"),
        (
            lambda t: (LinearRegression().fit(t[["x", "x"]].to_numpy(), t["y"]), t[["x", "x"]].to_numpy(), t["y"]),
            "dependent",
        ),
        (lambda t: DecisionTreeRegressor().fit(t[X], t["y"]), "no standard errors"),
        (lambda t: ([1.0, 2.0], [1.0]), "2 estimates and 1 variances"),
    ]:
        with pytest.raises(InvalidInputError, match=message):
            pool(result, tables)
    with pytest.raises(InvalidInputError, match="no coefficients"):
        pool(lambda t: DecisionTreeRegressor().fit(t[X], t["y"]), tables, variance=lambda model, t: [1.0])
