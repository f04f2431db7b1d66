"""What `GAINImputer` promises: observed cells, dtypes, seeds, pipelines, copies, budgets."""

import copy
import random

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder

from tabgan import GAINImputer
from tests.conftest import make_mixed
from tests.rounding import SINGLE

QUICK = {"n_steps": 40, "draw_steps": 5, "width": 16, "n_blocks": 1, "n_members": 2, "random_state": 0}
BOTH = [GAINImputer(**QUICK), GAINImputer.paper(**QUICK), GAINImputer.paper("paper", **QUICK)]
NAMES = ["remask", "paper-code", "paper-text"]


def assert_observed_untouched(before: pd.DataFrame, after: pd.DataFrame) -> None:
    for column in before.columns:
        seen = before[column].notna()
        pd.testing.assert_series_equal(after.loc[seen, column], before.loc[seen, column])
    pd.testing.assert_index_equal(after.index, before.index)
    assert list(after.dtypes) == list(before.dtypes)


@pytest.mark.parametrize("imputer", BOTH, ids=NAMES)
def test_fills_every_gap_and_touches_nothing_else(imputer, mixed):
    filled = imputer.fit_transform(mixed)
    assert not filled.isna().any().any()
    assert_observed_untouched(mixed, filled)
    assert set(filled["colour"]) <= {"red", "green", "blue"}
    assert (filled["price"] * 100 % 1).round(6).isin([0.0, 1.0]).all(), "decimals of the column are kept"
    assert (filled["day"].dt.tz_convert("Europe/Berlin").dt.hour.isin([0, 1, 23])).all()


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), rate=st.floats(0.0, 0.9), n=st.integers(1, 30))
def test_any_pattern_of_gaps_is_filled(seed, rate, n):
    fitted = GAINImputer(**QUICK | {"n_steps": 5}).fit(make_mixed(60))
    table = make_mixed(n, seed=seed, rate=rate)
    filled = fitted.transform(table)
    assert not filled.isna().any().any()
    assert_observed_untouched(table, filled)


def test_same_seed_same_answer_and_global_states_stay(mixed):
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    first = GAINImputer(**QUICK).fit_transform(mixed)
    torch.manual_seed(99)
    np.random.seed(99)
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    second = GAINImputer(**QUICK).fit_transform(mixed)
    pd.testing.assert_frame_equal(first, second)
    assert torch.equal(torch.get_rng_state(), torch_before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)
    torch.set_rng_state(states[0])
    one, other = (
        GAINImputer(**QUICK | {"random_state": seed}, sample_posterior=True).fit_transform(mixed) for seed in (0, 1)
    )
    assert not one.equals(other)


def test_containers_agree(mixed):
    pl = pytest.importorskip("polars")
    numbers = mixed[["number", "price", "complete"]].astype(float)
    settings_ = QUICK | {"round_like_observed": False}
    from_pandas = GAINImputer(**settings_).fit_transform(numbers)
    from_numpy = GAINImputer(**settings_).fit_transform(numbers.to_numpy())
    from_list = GAINImputer(**settings_).fit_transform(numbers.to_numpy().tolist())
    from_polars = GAINImputer(**settings_).fit_transform(pl.from_pandas(numbers.reset_index(drop=True)))
    assert isinstance(from_polars, pl.DataFrame)
    assert isinstance(from_list, np.ndarray)
    for other in (from_numpy, from_list, from_polars.to_numpy()):
        np.testing.assert_allclose(other, from_pandas.to_numpy(), rtol=0, atol=SINGLE)


def test_set_output(mixed):
    pl = pytest.importorskip("polars")
    numbers = mixed[["number", "price", "complete"]].astype(float)
    imputer = GAINImputer(**QUICK, add_indicator=True).fit(numbers)
    expected = ["number", "price", "complete", "missingindicator_number", "missingindicator_price"]
    assert list(imputer.get_feature_names_out()) == expected
    as_pandas = imputer.set_output(transform="pandas").transform(numbers)
    pd.testing.assert_index_equal(as_pandas.index, numbers.index)
    as_polars = imputer.set_output(transform="polars").transform(numbers)
    assert isinstance(as_polars, pl.DataFrame)
    assert list(as_pandas.columns) == list(as_polars.columns) == expected
    np.testing.assert_array_equal(as_pandas["missingindicator_price"], numbers["price"].isna())
    array = GAINImputer(**QUICK, add_indicator=True).fit_transform(numbers.to_numpy())
    np.testing.assert_array_equal(array[:, 3:], numbers[["number", "price"]].isna().to_numpy(float))


def test_gaps_first_seen_in_transform_and_unseen_levels(mixed):
    imputer = GAINImputer(**QUICK).fit(mixed)
    new = make_mixed(20, seed=5)
    new.iloc[:3, new.columns.get_loc("complete")] = np.nan
    new.iloc[4, new.columns.get_loc("colour")] = "violet"
    filled = imputer.transform(new)
    assert not filled.isna().any().any()
    assert filled["colour"].iloc[4] == "violet", "an observed cell comes back as it was, known level or not"
    strict = GAINImputer(**QUICK, unseen_categories="error").fit(mixed)
    with pytest.raises(ValueError, match="'colour' has 'violet'"):
        strict.transform(new)


def test_empty_columns():
    table = pd.DataFrame({"a": [1.0, None, 3.0] * 5, "void": [np.nan] * 15, "b": [1.0, 2.0, None] * 5})
    dropped = GAINImputer(**QUICK).fit(table)
    assert list(dropped.transform(table).columns) == ["a", "b"] == list(dropped.get_feature_names_out())
    kept = GAINImputer(**QUICK, keep_empty_features=True).fit_transform(table)
    assert (kept["void"] == 0).all()


def test_missing_values_markers():
    array = np.array([[1, -999], [2, 5], [-999, 6], [4, 7]] * 5)
    filled = GAINImputer(**QUICK, missing_values=-999).fit_transform(array)
    assert (filled != -999).all()
    np.testing.assert_array_equal(filled[array != -999], array[array != -999])
    frame = pd.DataFrame({"a": ["x", "?", "y", "x"] * 5, "b": [1.0, 2.0, np.nan, 3.0] * 5})
    assert set(GAINImputer(**QUICK, missing_values="?").fit_transform(frame)["a"]) == {"x", "y"}


def test_in_scikit_learn_company(mixed):
    X = mixed[["number", "price", "complete", "colour"]]
    y = (mixed["complete"] > 0).to_numpy()
    numeric = Pipeline([("impute", GAINImputer(**QUICK)), ("model", LogisticRegression())])
    search = GridSearchCV(numeric, {"impute__n_steps": [5, 10]}, n_jobs=2, cv=2).fit(X.drop(columns="colour"), y)
    assert search.best_score_ > 0.5
    columns = ColumnTransformer([("impute", GAINImputer(**QUICK), ["number", "price", "complete"])])
    assert np.isfinite(cross_val_score(make_pipeline(columns, LogisticRegression()), X, y, cv=2)).all()
    encode = ColumnTransformer([("levels", OneHotEncoder(), ["colour"])], remainder="passthrough")
    make_pipeline(GAINImputer(**QUICK), encode, LogisticRegression()).fit(X, y).predict(X)


def test_copies_give_the_same_answers(mixed, tmp_path):
    imputer = GAINImputer(**QUICK).fit(mixed)
    expected = imputer.transform(mixed)
    joblib.dump(imputer, tmp_path / "imputer.joblib")
    for twin in (copy.deepcopy(imputer), joblib.load(tmp_path / "imputer.joblib")):
        pd.testing.assert_frame_equal(twin.transform(mixed), expected)
    assert not hasattr(clone(imputer), "schema_")


def test_validation_scores(mixed):
    imputer = GAINImputer(**QUICK | {"validation_fraction": 0.3}).fit(make_mixed(400))
    scores = imputer.validation_scores_
    assert set(scores.index) == set(mixed.columns) - {"same"}
    numbers = scores.loc[["number", "price", "complete"]]
    assert (numbers["nrmse"] < 1).all(), "related columns are predicted better than by their mean"
    assert (numbers["rmse"] < numbers["rmse_mean"]).all()
    assert scores.loc[["colour", "flag", "size"], "log_loss"].notna().all()
    assert GAINImputer.paper(**QUICK).fit(mixed).validation_scores_.empty


def test_time_budget_and_warm_start(mixed):
    short = GAINImputer(**QUICK | {"n_steps": 100_000}, max_time=0.5).fit(mixed)
    assert short.stop_reason_ == "time budget used up"
    assert short.n_iter_ < 100_000
    warm = GAINImputer(**QUICK, warm_start=True).fit(mixed)
    lasting = ("closed form", "correction")  # neighbours, forests, draws and donors are of the table of each fit
    weights = {name: copy.deepcopy(warm._model.stages[name].state_dict()) for name in lasting}
    encoder = warm.encoder_
    warm.set_params(n_steps=1, learning_rate=1e-12).fit(mixed)
    assert warm.encoder_ is encoder
    for stage in lasting:
        found = warm._model.stages[stage].state_dict()
        assert found.keys() == weights[stage].keys()
        for name, value in found.items():
            torch.testing.assert_close(value, weights[stage][name], rtol=1e-4, atol=1e-5)


def test_a_warm_start_cannot_change_the_objective(mixed):
    for first, then in (("remask", "paper"), ("paper", "remask")):
        imputer = GAINImputer(**QUICK | {"n_steps": 2}, objective=first, warm_start=True).fit(mixed)
        with pytest.raises(ValueError, match="warm_start=True cannot change `objective`"):
            imputer.set_params(objective=then).fit(mixed)


def test_a_warm_start_of_the_published_model_goes_on_from_its_weights(mixed):
    imputer = GAINImputer.paper(**QUICK, warm_start=True).fit(mixed)
    weights = copy.deepcopy(imputer._model.module.state_dict())
    imputer.set_params(n_steps=1, learning_rate=1e-12).fit(mixed)
    for name, value in imputer._model.module.state_dict().items():
        torch.testing.assert_close(value, weights[name], rtol=1e-5, atol=1e-6)


def test_tiny_tables_fall_back_to_the_closed_form():
    filled = GAINImputer(random_state=0).fit_transform(np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 10.0]]))
    assert np.isfinite(filled).all()
    assert GAINImputer(random_state=0).fit_transform(np.array([[1.0, np.nan]])).shape == (1, 1)
    alone = GAINImputer(random_state=0).fit_transform(np.array([[1.0], [np.nan], [3.0]] * 20))
    assert alone.shape == (60, 1)


def test_quiet_unless_asked(mixed, capsys):
    GAINImputer(**QUICK).fit_transform(mixed)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
    GAINImputer(**QUICK, verbose=1).fit(mixed)
    assert "GAINImputer" in capsys.readouterr().err


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_fitted_on_cuda_used_on_cpu(mixed, tmp_path):
    import tabgan

    imputer = GAINImputer(**QUICK, device="cuda").fit(mixed)
    imputer.save(tmp_path / "model.tabgan")
    loaded = tabgan.load(tmp_path / "model.tabgan").set_params(device="cpu")
    pd.testing.assert_frame_equal(loaded.transform(mixed), imputer.transform(mixed))
