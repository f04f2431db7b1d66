"""The benchmark of inference: true values, mechanisms, pairing, resumption, and what its criteria say of made estimates."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from benchmarks.imputation.inference import __main__ as command
from benchmarks.imputation.inference.estimands import Estimate, estimate_from, mean
from benchmarks.imputation.inference.filling import each
from benchmarks.imputation.inference.measures import bars, criteria
from benchmarks.imputation.inference.methods import METHODS, _codes, _indicators, as_numbers, labelled, settings_of
from benchmarks.imputation.inference.mice import mice_version
from benchmarks.imputation.inference.page import page, write_page
from benchmarks.imputation.inference.running import estimates_frame, run_cell
from benchmarks.imputation.inference.scenarios import SCENARIOS
from benchmarks.rows import stored_rows
from tabgan.inference.analyses import read_analysis

LARGE = 40_000
CELL = {"scenario": "covariate", "n": 50, "method": "made", "m": 3}


@pytest.mark.parametrize("name", SCENARIOS)
def test_estimates_from_a_large_table_are_the_true_values(name):
    table = SCENARIOS[name].case(LARGE, 1).truth
    for estimand in SCENARIOS[name].estimands:
        found = estimate_from(estimand, [table])
        assert abs(found.estimate - estimand.truth) < 4 * found.error, estimand.name
        assert found.error < 0.1 * abs(estimand.truth)


@pytest.mark.parametrize("name", SCENARIOS)
def test_whether_a_cell_is_missing_depends_on_that_cell_in_the_warning_only(name):
    case = SCENARIOS[name].case(LARGE, 2)
    complete = case.truth.loc[:, ~case.hidden.any()]
    for column in case.hidden.columns[case.hidden.any()]:
        assert 0.15 < case.hidden[column].mean() < 0.55
        X = complete.assign(own=case.truth[column])
        y = case.hidden[column]
        model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-8).fit(X, y)
        own = read_analysis((model, X, y), None, None)
        z = own.estimates[-1] / np.sqrt(own.variances[-1])
        assert (abs(z) > 4) == (name == "mnar"), (column, z)


def test_a_repetition_is_the_same_for_every_method_and_differs_from_the_next():
    scenario = SCENARIOS["mixed"]
    one, again, other = scenario.case(60, 3), scenario.case(60, 3), scenario.case(60, 4)
    pd.testing.assert_frame_equal(one.truth, again.truth)
    pd.testing.assert_frame_equal(one.hidden, again.hidden)
    assert not one.truth.equals(other.truth)
    pd.testing.assert_frame_equal(one.given.isna(), one.hidden)


def test_labels_and_indicators_come_back_as_the_codes_they_were():
    scenario = SCENARIOS["mixed"]
    given = scenario.case(80, 0).given
    shown = labelled(given, scenario.kinds)
    assert shown["school"].dtype.ordered
    assert not shown["region"].dtype.ordered
    pd.testing.assert_frame_equal(as_numbers(shown, scenario.kinds), given)
    indicators = _indicators(given, scenario.kinds)
    assert indicators.shape == (80, 9)
    pd.testing.assert_frame_equal(_codes(indicators.dropna(), given.columns), given.dropna(), check_dtype=False)


@pytest.mark.filterwarnings("ignore:All 2 analyses are the same")
def test_a_single_table_is_analysed_as_if_nothing_had_been_missing():
    table = pd.DataFrame({"y": [1.0, 2.0, 4.0, 9.0]})
    single, pooled = (estimate_from(mean("y", 1.0), [table] * m) for m in (1, 2))
    assert (single.estimate, single.error, single.df) == (4.0, pytest.approx(table["y"].sem()), 3.0)
    assert (pooled.estimate, pooled.error) == (single.estimate, pytest.approx(single.error))
    assert pooled.df < 3
    reach = 3.182446 * single.error
    assert single.interval() == pytest.approx((4 - reach, 4 + reach), rel=1e-6)


def test_regressions_are_those_of_statsmodels():
    smf = pytest.importorskip("statsmodels.formula.api")
    table = SCENARIOS["mixed"].case(200, 0).truth
    linear = smf.ols("y ~ score + smoker + income + school + children + C(region)", table).fit()
    logit = smf.logit("smoker ~ age", table).fit(disp=0, tol=1e-12)
    for estimand in SCENARIOS["mixed"].estimands:
        kind, name = estimand.name.split()
        if kind != "mean":
            found, theirs = estimate_from(estimand, [table]), linear if kind == "slope" else logit
            assert (found.estimate, found.error) == pytest.approx((theirs.params[name], theirs.bse[name]))
            assert found.df == theirs.df_resid
    product = SCENARIOS["interaction"]
    table = product.case(200, 0).truth
    theirs = smf.ols("y ~ x * z", table).fit()
    found = estimate_from(product.estimands[0], [table])
    assert (found.estimate, found.error) == pytest.approx((theirs.params["x:z"], theirs.bse["x:z"]))


def made_estimates(**changes):
    """Complete data off by +-.1 around 1, a method off by .2 more; standard errors .1 and .15."""
    lines = [
        {"scenario": "covariate", "n": 50, "method": method, "m": 3, "estimand": "slope x", "seed": seed}
        | {"estimate": 1 + 0.1 * (-1) ** seed + shift * (seed != 3), "error": error, "df": np.inf, "fmi": fmi}
        for method, shift, error, fmi in (("complete data", 0.0, 0.1, 0.0), ("tabgan", 0.2, 0.15, 0.5))
        for seed in range(4)
    ]
    return pd.DataFrame(lines).assign(**changes)


def test_criteria_of_made_estimates():
    found = criteria(made_estimates()).set_index("method")
    ours = found.loc["tabgan"]
    assert ours["bias"] == pytest.approx(0.15)
    assert ours["bias_error"] == pytest.approx(0.1 / 2)
    assert (ours["percent"], ours["percent_error"]) == pytest.approx((15, 5))
    assert ours["coverage"] == 0.75 - 0.25  # 1.3, 1.1, 1.3, .9 with a reach of .294
    assert ours["width"] == pytest.approx(2 * 1.959964 * 0.15)
    assert ours["fmi"] == 0.5
    assert found.loc["complete data", ["bias", "coverage"]].tolist() == [0, 1]


def test_a_bias_downwards_is_a_bias_too():
    estimates = made_estimates()
    estimates.loc[estimates["method"] == "tabgan", "estimate"] -= 0.4
    reached = bars(estimates, "tabgan").iloc[0]
    assert reached["percent"] == pytest.approx(-25)
    assert not reached["unbiased"]


def test_a_failed_repetition_is_counted_and_leaves_the_others():
    estimates = made_estimates()
    estimates.loc[(estimates["method"] == "tabgan") & (estimates["seed"] == 0), ["estimate", "error", "df"]] = np.nan
    ours = criteria(estimates).set_index("method").loc["tabgan"]
    assert (ours["repeats"], ours["failed"]) == (3, 1)
    assert ours["coverage"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(("width", "narrow"), [(1.14, True), (1.16, False)])
def test_bars_compare_with_complete_data_and_with_those_of_mice_that_cover(width, narrow):
    lines = [
        {"scenario": "covariate", "n": 50, "method": method, "m": 3, "estimand": "slope x", "seed": seed}
        | {"estimate": 1 + shift + (seed < misses) * 9, "error": error, "df": np.inf, "fmi": 0.0}
        for method, shift, misses, error in (
            ("complete data", 0.0, 4, 0.05),
            ("tabgan", 0.04, 7, 0.1 * width),
            ("mice norm", 0.0, 4, 0.1),
            ("mice rf", 0.0, 40, 0.01),
        )
        for seed in range(100)
    ]
    reached = bars(pd.DataFrame(lines), "tabgan").iloc[0]
    assert reached["covers"]
    assert reached["narrow"] == narrow
    assert reached["width_ratio"] == pytest.approx(width)
    worse = pd.DataFrame(lines)
    worse.loc[(worse["method"] == "tabgan") & (worse["seed"] == 7), "estimate"] = 9.0
    worse.loc[worse["method"] == "tabgan", "estimate"] -= 0.2
    reached = bars(worse, "tabgan").iloc[0]
    assert not reached["covers"]
    assert not reached["unbiased"]
    # Repetitions that ours lacks do not count, what complete data miss is not asked for, and nothing is asked of mnar.
    rest = worse[worse["seed"].between(90, 99) & (worse["method"] != "tabgan")].assign(seed=lambda t: t["seed"] + 100)
    more = pd.concat([pd.DataFrame(lines), rest.assign(error=9.0), pd.DataFrame(lines).assign(scenario="mnar")])
    whole = (more["method"] == "complete data") & (more["seed"] < 9)
    more.loc[whole, "estimate"] = 9.0
    more.loc[(more["method"] == "tabgan") & (more["seed"] < 9), "estimate"] = 9.0
    (_, reached), *others = bars(more, "tabgan").iterrows()
    assert not others
    assert (reached["coverage"], reached["whole_coverage"], reached["covers"]) == (0.91, 0.91, True)


def test_a_run_goes_on_where_it_stopped_and_keeps_failures(tmp_path):
    path, seen = tmp_path / "made.jsonl", []

    def fill(case, seed, kinds, m):
        seen.append(seed)
        if seed == 1:
            raise ValueError("no such luck")
        return [case.truth] * m

    run_cell(path, CELL, 2, each(fill))
    run_cell(path, CELL, 12, each(fill))
    assert seen == list(range(12))
    run_cell(path, CELL, 12, lambda *given: pytest.fail("ran again"))
    rows = stored_rows(path)
    assert rows[0]["failures"] == {"1": "ValueError: no such luck"}
    frame = estimates_frame(rows).set_index("seed")
    assert frame["estimate"].isna().to_numpy().nonzero()[0].tolist() == [1]
    later = rows[0] | {"estimates": {"slope x": {part: [7.0, 7.0] for part in rows[0]["estimates"]["slope x"]}}}
    assert estimates_frame([*rows, later]).set_index("seed").loc[1, "estimate"] == 7
    whole = estimate_from(SCENARIOS["covariate"].estimands[0], [SCENARIOS["covariate"].case(50, 5).truth])
    assert frame.loc[5, "estimate"] == pytest.approx(whole.estimate, rel=1e-5)
    assert frame.loc[5, "error"] == pytest.approx(whole.error, rel=1e-5)


def test_competitors_that_are_not_installed_are_left_out_with_a_note(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TABGAN_BENCH_ENVS", str(tmp_path))
    mice_version.cache_clear()
    arguments = ["run", "--scenario", "covariate", "--n", "50", "--repeats", "1", "--m", "2"]
    monkeypatch.setattr(
        "sys.argv",
        ["inference", *arguments, "--method", "mice pmm", "miceforest", "complete cases", "--results", str(tmp_path)],
    )
    command.main()
    mice_version.cache_clear()
    told = capsys.readouterr().out
    assert "Left out: mice pmm. Rscript with" in told
    assert "Left out: miceforest. environment 'miceforest' is not at" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["complete_cases.jsonl", "complete_data.jsonl"]


@pytest.mark.skipif(shutil.which("Rscript") is None or mice_version() is None, reason="R's mice is not installed")
def test_mice_fills_labels_and_numbers_and_keeps_what_was_observed():
    scenario = SCENARIOS["mixed"]
    works = [(scenario.case(100, seed), seed) for seed in (0, 1)]
    found = list(METHODS["mice cart"](works, scenario.kinds, 2))
    for (case, _), tables in zip(works, found, strict=True):
        assert len(tables) == 2
        for table in tables:
            assert not table.isna().any(axis=None)
            assert table[["school", "region", "smoker"]].isin(range(4)).all(axis=None)
            pd.testing.assert_frame_equal(table.mask(case.hidden), case.given, check_exact=False)
    assert not found[0][0].equals(found[0][1])


def test_the_page_names_every_method_and_what_was_reached(tmp_path):
    estimates = made_estimates()
    text = page(estimates)
    assert "| covariate, slope x | 100 · 0.39 (4) | 15.0 ± 5.0 · 50 · 0.59 (4) |" in text
    assert "| covariate, slope x | 50 | 15.0 ± 5.0 | **no** | 50.0 (100.0) | **no** | - | - | 4 |" in text
    assert "| tabgan | 15.0 | 0 | 50.0 | 50 | 0 | 1.50 |" in text
    values = asdict_of(Estimate(1.0, 0.1, 20.0))
    row = {
        "scenario": "covariate",
        "n": 50,
        "m": 3,
        "seeds": [0],
        "package": "made 1.0",
        "estimates": {"slope x": values},
    }
    assert "made 1.0" in write_page([row | {"method": name} for name in ("complete data", "mice rf")], tmp_path)
    assert (tmp_path / "inference.png").stat().st_size > 5000


def asdict_of(estimate):
    return {part: [value] for part, value in vars(estimate).items()}


def test_settings_are_read_as_python_or_as_text():
    assert settings_of(["n_donor_trees=0", "effort=fast", "hide_rates=(0.1, 0.2)"]) == {
        "n_donor_trees": 0,
        "effort": "fast",
        "hide_rates": (0.1, 0.2),
    }
