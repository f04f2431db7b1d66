"""Joint tests and pooled regressions, with the numbers that R gives for five imputations of one table by its package mice.

Made there by mice 3.15.0 and mitml 0.4-4: `pool()`, `pool.scalar()` and `testModels()`; the table is beside this file. What R's own
tests check is checked too: without missing values D3 is the likelihood-ratio test.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression, LogisticRegression

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.inference.combined_tests import pool_chi2, pool_likelihood_ratio
from tabgan.inference.pooling import pool

api = pytest.importorskip("statsmodels.api")
smf = pytest.importorskip("statsmodels.formula.api")


# Some analyses here use no column with missing values, or one table several times.
pytestmark = pytest.mark.filterwarnings("ignore:All . analyses are the same")


@pytest.fixture(scope="module")
def tables() -> list[pd.DataFrame]:
    long = pd.read_csv(Path(__file__).with_name("imputed_by_mice.csv"))
    return [part.reset_index(drop=True) for _, part in long.groupby("imputation")]


def linear(table):
    return smf.ols("y ~ x + z + w", table).fit()


def logit(table):
    return smf.logit("high ~ x + z + w", table.assign(high=(table["y"] > 1) * 1)).fit(disp=0, tol=1e-12)


def parts(test):
    return test.statistic, test.df1, test.df2, test.p_value, test.riv


def test_a_linear_regression_is_pooled_as_in_r(tables):
    pooled = pool(linear, tables).to_frame()
    in_r = {
        "estimate": [0.9044456890, 1.1211130117, -0.4561593711, 0.6363520459],
        "standard_error": [0.2336495935, 0.2061773642, 0.1866410049, 0.3676112927],
        "within": [0.04938637114, 0.03688249989, 0.02731590458, 0.12725566482],
        "between": [0.004338134497, 0.004688838009, 0.006265800121, 0.006568664740],
        "df": [28.86933434, 26.22887172, 20.41398252, 31.30533948],
        "p_value": [5.705602182e-04, 1.033382826e-05, 2.371220235e-02, 9.329021023e-02],
        "lower": [0.4264846484, 0.6974892827, -0.8449801590, -0.1130998486],
        "upper": [1.38240672959, 1.54473674077, -0.06733858312, 1.38580394047],
        "riv": [0.10540886637, 0.15255488722, 0.27525942345, 0.06194142869],
        "lambda": [0.09535735562, 0.13236236201, 0.21584582587, 0.05832847934],
        "fmi": [0.1521293380, 0.1917308964, 0.2828275257, 0.1132278935],
    }
    for name, values in in_r.items():
        assert pooled[name].to_numpy() == pytest.approx(np.array(values), rel=1e-7), name


def test_a_logistic_regression_is_pooled_as_in_r(tables):
    pooled = pool(logit, tables)
    estimates = np.array([0.1056175248, 1.9493371263, -0.7185074138, 0.1649964268])
    errors = np.array([0.5476972477, 0.6483507939, 0.4514038647, 0.8644798480])
    assert pooled.estimate == pytest.approx(estimates, rel=1e-6)
    assert pooled.standard_error == pytest.approx(errors, rel=1e-6)
    assert pooled.df == pytest.approx(np.array([29.78213933, 30.32867190, 25.32105463, 33.23560360]), rel=1e-6)


@pytest.mark.parametrize(
    ("complete", "in_r"),
    [
        (36, (4.076037664, 2, 24.23673736, 0.0297882135, 0.1765540719)),
        (np.inf, (4.076037664, 2, 114.1656123, 0.01950492842, 0.1765540719)),
    ],
)
def test_d1_of_a_linear_regression_as_in_r(tables, complete, in_r):
    test = pool(linear, tables, n_complete_df=complete).wald_test(["z", "w"])
    assert parts(test) == pytest.approx(in_r, rel=1e-7)
    assert (test.method, test.m) == ("D1", 5)


@pytest.mark.parametrize(
    ("complete", "df2", "p"), [(36, 29.74449831, 0.2711688294), (np.inf, 316.6682163, 0.2571384679)]
)
def test_d1_of_a_logistic_regression_as_in_r(tables, complete, df2, p):
    test = pool(logit, tables, n_complete_df=complete).wald_test(["z", "w"])
    assert parts(test) == pytest.approx((1.363982097, 2, df2, p, 0.09564846197), rel=1e-6)


def test_d1_of_one_parameter_is_its_own_test(tables):
    pooled = pool(linear, tables)
    test = pooled.wald_test(["w"])
    assert test.statistic == pytest.approx(2.996520143)
    assert (test.df2, test.p_value) == pytest.approx((pooled.df[3], pooled.p_value[3]))
    shifted = pooled.wald_test(["w"], null=pooled.estimate[3])
    assert shifted.statistic == pytest.approx(0, abs=1e-20)


def test_d1_with_few_imputations_takes_the_rule_for_them(tables):
    test = pool(linear, tables[:3]).wald_test(["z", "w"])
    assert test.df2 == pytest.approx(4 * 1.5 * (1 + 1 / test.riv) ** 2 / 2)


def test_scikit_learn_and_plain_numbers_are_tested_alike(tables):
    theirs = pool(linear, tables).wald_test(["z", "w"])
    X = ["x", "z", "w"]
    ours = pool(lambda t: (LinearRegression().fit(t[X], t["y"]), t[X], t["y"]), tables).wald_test(["z", "w"])
    assert parts(ours) == pytest.approx(parts(theirs))
    results = [linear(t) for t in tables]
    plain = pool([(r.params, r.cov_params()) for r in results], n_complete_df=36)
    assert parts(plain.wald_test(["z", "w"])) == pytest.approx(parts(theirs))
    all_but_intercept = pool(linear, tables).wald_test()
    assert parts(all_but_intercept) == pytest.approx(parts(plain.wald_test(["x", "z", "w"])))
    chosen = pool(linear, tables, parameters=["w", "z"])
    assert parts(chosen.wald_test()) == pytest.approx(parts(theirs))


def test_a_multinomial_covariance_is_in_the_order_of_its_names(tables):
    def fit(t):
        grade = pd.cut(t["y"], [-np.inf, 0, 1.5, np.inf], labels=False)
        return api.MNLogit(grade, api.add_constant(t[["x"]])).fit(disp=0)

    pooled = pool(fit, tables[:1] * 2, parameters=["x[0]", "x[1]"])
    matrix = fit(tables[0]).cov_params()
    own = [("1", "x"), ("2", "x")] if ("1", "x") in matrix.index else [k for k in matrix.index if k[1] == "x"]
    assert pooled.within_covariance == pytest.approx(matrix.loc[own, own].to_numpy())


@pytest.mark.parametrize(
    ("null", "use", "in_r"),
    [
        ("y ~ x", "wald", (3.414924205, 2, 41.05885273, 0.04247129111, 0.3396262406)),
        ("y ~ x", "likelihood", (3.642920173, 2, 65.95646699, 0.03157458026, 0.2500448399)),
    ],
)
def test_d2_as_in_r(tables, null, use, in_r):
    full = [linear(t) for t in tables]
    if use == "wald":
        block = [r.cov_params().loc[["z", "w"], ["z", "w"]].to_numpy() for r in full]
        estimates = [r.params[["z", "w"]].to_numpy() for r in full]
        statistics = [e @ np.linalg.solve(c, e) for e, c in zip(estimates, block, strict=True)]
    else:
        statistics = [2 * (r.llf - smf.ols(null, t).fit().llf) for r, t in zip(full, tables, strict=True)]
    assert parts(pool_chi2(statistics, 2)) == pytest.approx(in_r, rel=1e-6)


def test_d2_of_plain_numbers_as_in_r():
    test = pool_chi2([5.1, 7.3, 2.2, 9.9], 3)
    assert (test.statistic, test.df2, test.riv) == pytest.approx((0.6102678372, 8.833168765, 0.6286517364))
    assert test.method == "D2"
    assert pool_chi2([0.0, 9.0], 1).statistic == 0  # the formula gives less than nothing
    same = pool_chi2([6.0, 6.0], 2)
    assert (same.riv, same.p_value) == (0, pytest.approx(stats.chi2.sf(6, 2)))


def test_d3_of_a_linear_regression_as_in_r(tables):
    test = pool_likelihood_ratio(linear, lambda t: smf.ols("y ~ x", t).fit(), tables)
    assert parts(test) == pytest.approx((3.09823048, 2, 29.85605509, 0.05988905214, 0.4862417944), rel=1e-6)
    results = [linear(t) for t in tables], [smf.ols("y ~ x", t).fit() for t in tables]
    assert parts(pool_likelihood_ratio(*results)) == pytest.approx(parts(test))


def test_d3_of_a_logistic_regression_as_in_r_and_the_same_as_a_glm(tables):
    def null(t):
        return smf.logit("high ~ x", t.assign(high=(t["y"] > 1) * 1)).fit(disp=0, tol=1e-12)

    def glm(formula):
        family = api.families.Binomial()
        return lambda t: smf.glm(formula, t.assign(high=(t["y"] > 1) * 1), family=family).fit(tol=1e-12)

    test = pool_likelihood_ratio(logit, null, tables)
    # Meng and Rubin's formula over R's glm; mice's D3 fits the intercept anew at the pooled slopes, and gets 1.53
    in_r = (1.430876624, 2, 115.7789208, 0.2432953958, 0.1749770036)
    assert parts(test) == pytest.approx(in_r, rel=1e-6)
    assert parts(pool_likelihood_ratio(glm("high ~ x + z + w"), glm("high ~ x"), tables)) == pytest.approx(
        parts(test), rel=1e-5
    )


def test_d3_of_a_multinomial_regression_without_missing_values(tables):
    def fit(columns):
        def of(t):
            grade = pd.cut(t["y"], [-np.inf, 0, 1.5, np.inf], labels=False)
            return api.MNLogit(grade, api.add_constant(t[columns])).fit(disp=0)

        return of

    test = pool_likelihood_ratio(fit(["x", "z"]), fit(["x"]), tables[:1] * 2)
    ratio = 2 * (fit(["x", "z"])(tables[0]).llf - fit(["x"])(tables[0]).llf)
    assert (test.statistic * 2, test.df1, test.riv) == (pytest.approx(ratio), 2, pytest.approx(0, abs=1e-9))


def test_without_missing_values_d3_is_the_likelihood_ratio_test(tables):
    same = tables[:1] * 3
    test = pool_likelihood_ratio(linear, lambda t: smf.ols("y ~ x", t).fit(), same)
    ratio, p, k = linear(same[0]).compare_lr_test(smf.ols("y ~ x", same[0]).fit())
    assert (test.statistic * 2, test.p_value, test.df1) == pytest.approx((ratio, p, k))
    assert np.isinf(test.df2)


def test_intervals_of_predictions_are_pooled_as_in_r(tables):
    new = pd.DataFrame({"x": [-1.0, 0.0, 2.0], "z": [0.0, 1.0, -1.0], "w": [0, 1, 1]})

    def predict(table):
        found = linear(table).get_prediction(new)
        return found.predicted_mean, found.se_mean**2

    pooled = pool(predict, tables, n_complete_df=36)
    assert pooled.estimate == pytest.approx(np.array([-0.2166673228, 1.084638364, 4.239183129]))
    assert pooled.total == pytest.approx(np.array([0.0705664009, 0.09904246257, 0.3461682407]))
    assert pooled.df == pytest.approx(np.array([29.55025052, 27.74778289, 26.87736542]))


def test_a_covariance_that_does_not_fit_the_standard_errors_is_not_used(tables):
    class Robust:
        """Standard errors of one kind, a covariance matrix of another."""

        def __init__(self, result):
            self.params, self.bse, self.cov_params = result.params, 2 * result.bse, result.cov_params

    pooled = pool([Robust(linear(t)) for t in tables])
    assert pooled.within_covariance is None
    with pytest.raises(InvalidInputError, match="no covariance matrices"):
        pooled.wald_test()


def test_refusals(tables):
    with pytest.raises(InvalidInputError, match="no covariance matrices"):
        pool(lambda t: (t.mean(), t.var() + 1), tables).wald_test(["x"])
    with pytest.raises(InvalidParameterError, match=r"parameters=\['q'\]"):
        pool(linear, tables).wald_test(["q"])
    with pytest.raises(InvalidParameterError, match=r"parameters=\[\]"):
        pool(linear, tables).wald_test([])
    with pytest.raises(InvalidInputError, match="none below 0"):
        pool_chi2([1.0, -1.0], 2)
    with pytest.raises(InvalidInputError, match="at least 2"):
        pool_chi2([1.0], 2)
    with pytest.raises(InvalidParameterError, match="k=0"):
        pool_chi2([1.0, 2.0], 0)
    with pytest.raises(InvalidInputError, match="must be nested"):
        pool_likelihood_ratio(lambda t: smf.ols("y ~ x", t).fit(), linear, tables)
    with pytest.raises(InvalidInputError, match="must be nested"):
        pool_likelihood_ratio(lambda t: smf.ols("y ~ z + w", t).fit(), lambda t: smf.ols("y ~ x", t).fit(), tables)
    with pytest.raises(InvalidInputError, match="likelihood of RLM cannot"):
        pool_likelihood_ratio(lambda t: smf.rlm("y ~ x", t).fit(), lambda t: smf.rlm("y ~ 1", t).fit(), tables)
    gamma = api.families.Gamma(api.families.links.Log())
    positive = [smf.glm("y ~ x", t.assign(y=t["y"].abs() + 0.1), family=gamma).fit() for t in tables]
    with pytest.raises(InvalidInputError, match="likelihood of GLM cannot"):
        pool_likelihood_ratio(positive, positive)
    learnt = [LogisticRegression().fit(t[["x"]], t["w"]) for t in tables]
    with pytest.raises(InvalidInputError, match="likelihood of LogisticRegression cannot"):
        pool_likelihood_ratio(learnt, learnt)
    with pytest.raises(InvalidInputError, match="full has 5 and null 4"):
        pool_likelihood_ratio([linear(t) for t in tables], [linear(t) for t in tables[1:]])
    with pytest.raises(
        InvalidInputError, match="full has 1 and null 1 results; both must have one per completed table, at least"
    ):
        pool_likelihood_ratio(linear, lambda t: smf.ols("y ~ x", t).fit(), tables[:1])
    with pytest.raises(InvalidParameterError, match="tables=None, but full"):
        pool_likelihood_ratio(linear, linear)
    with pytest.raises(InvalidParameterError, match="tables goes with"):
        pool_likelihood_ratio([linear(t) for t in tables], linear, tables)


def test_likelihoods_of_different_rows_do_not_compare():
    smf = pytest.importorskip("statsmodels.formula.api")
    rng = np.random.default_rng(0)
    made = [pd.DataFrame(rng.normal(size=(60, 3)), columns=list("xyz")) for _ in range(3)]
    for table in made:
        table.loc[:4, "x"] = np.nan
    with pytest.raises(InvalidInputError, match="of table 0, full is fitted on 55 rows and null on 60"):
        pool_likelihood_ratio(lambda t: smf.ols("y ~ x + z", t).fit(), lambda t: smf.ols("y ~ z", t).fit(), made)
    pooled = pool(lambda t: smf.ols("y ~ z", t).fit(), made)
    assert pooled.wald_test("Intercept").df1 == 1
