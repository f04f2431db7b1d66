"""The MLflow flavour, in a store that is a folder: what is logged comes back, as the estimator and as a served function."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

import tabgan.mlflow as flavour
from tabgan import BAGANOversampler, GAINImputer, load
from tabgan.exceptions import InvalidInputError, InvalidParameterError, MissingExtraError
from tests.conftest import make_mixed

QUICK = {"n_steps": 2, "n_trees": 2, "n_boosts": 2, "n_donor_trees": 1, "random_state": 0}


@pytest.fixture
def mlflow(tmp_path, monkeypatch):
    """MLflow with a store of its own."""
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow = pytest.importorskip("mlflow", reason="MLflow is not installed (extra mlflow)")
    mlflow.set_tracking_uri((tmp_path / "store").as_uri())
    yield mlflow
    mlflow.set_tracking_uri(None)


@pytest.fixture(scope="module")
def imputer():
    return GAINImputer(**QUICK).fit(make_mixed())


@pytest.fixture(scope="module")
def sampler():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=60), "colour": np.where(rng.random(60) < 0.5, "red", "blue")})
    labels = pd.Series(np.where(np.arange(60) < 48, "many", "few"), name="kind")
    return BAGANOversampler(n_steps=2, autoencoder_steps=2, random_state=0).fit(table, labels)


def test_a_logged_imputer_comes_back_and_its_served_predict_is_transform(mlflow, imputer, mixed):
    with mlflow.start_run():
        logged = flavour.log_model(imputer, "imputer")
    filled = imputer.transform(mixed)
    pd.testing.assert_frame_equal(flavour.load_model(logged.model_uri).transform(mixed), filled)
    pd.testing.assert_frame_equal(mlflow.pyfunc.load_model(logged.model_uri).predict(mixed), filled)
    assert logged.flavors["tabgan"]["kind"] == "GAINImputer"


def test_a_saved_model_is_a_folder_without_pickle_that_tabgan_load_reads(mlflow, imputer, mixed, tmp_path):
    flavour.save_model(imputer, tmp_path / "model")
    names = {path.name for path in (tmp_path / "model").rglob("*") if path.is_file()}
    assert "MLmodel" in names
    assert "model.tabgan" in names
    assert not any(name.endswith((".pkl", ".pickle", ".joblib")) for name in names)
    again = load(tmp_path / "model" / "data" / "model.tabgan")
    pd.testing.assert_frame_equal(again.transform(mixed), imputer.transform(mixed))
    assert "tabgan-learn==" in (tmp_path / "model" / "requirements.txt").read_text()
    assert (
        "torch" not in (tmp_path / "model" / "requirements.txt").read_text()
    )  # nothing is guessed from what is imported


def test_requirements_and_example_go_to_mlflow(mlflow, tmp_path):
    table = make_mixed()[["number", "price", "colour"]]
    imputer = GAINImputer(**QUICK).fit(table)
    flavour.save_model(imputer, tmp_path / "model", pip_requirements=["tabgan-learn>=0.1"], input_example=table.head(5))
    assert (tmp_path / "model" / "requirements.txt").read_text().split()[-1] == "tabgan-learn>=0.1"
    served = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    assert served.metadata.get_input_schema().input_names() == ["number", "price", "colour"]
    pd.testing.assert_frame_equal(
        served.predict(table), imputer.transform(table)
    )  # the signature lets missing cells through


def test_a_served_sampler_draws_a_row_for_each_label(mlflow, sampler):
    logged = flavour.log_model(sampler)
    served = mlflow.pyfunc.load_model(logged.model_uri)
    drawn = served.predict(pd.DataFrame({"kind": ["few", "many", "few"]}))
    assert list(drawn.columns) == ["x", "colour", "kind"]
    assert list(drawn["kind"]) == ["few", "many", "few"]
    assert drawn["x"].notna().all()
    assert type(flavour.load_model(logged.model_uri)) is BAGANOversampler


def test_a_sampler_given_a_table_says_what_it_takes(sampler):
    with pytest.raises(InvalidInputError, match=r"BAGANOversampler draws a row for each label.*shape \(2, 2\)"):
        flavour._Served(sampler).predict(pd.DataFrame({"x": [1.0, 2.0], "colour": ["red", "blue"]}))
    with pytest.raises(InvalidInputError, match="asks for class 'neither'"):
        flavour._Served(sampler).predict(["neither"])


def test_what_cannot_be_logged_says_so(mlflow, tmp_path):
    with pytest.raises(InvalidParameterError, match="must be a GAINImputer"):
        flavour.save_model(object(), tmp_path / "model")
    with pytest.raises(NotFittedError):
        flavour.save_model(GAINImputer(), tmp_path / "model")


def test_a_model_of_another_flavour_says_so(mlflow, tmp_path):
    model = mlflow.models.Model()
    model.add_flavor("sklearn", pickled_model="model.pkl")
    Path(tmp_path / "other").mkdir()
    model.save(str(tmp_path / "other" / "MLmodel"))
    with pytest.raises(InvalidInputError, match="the flavours sklearn but not 'tabgan'"):
        flavour.load_model(str(tmp_path / "other"))


def test_without_mlflow_the_error_names_the_extra(monkeypatch, imputer):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    for call in (
        lambda: flavour.save_model(imputer, "x"),
        lambda: flavour.log_model(imputer),
        lambda: flavour.load_model("x"),
    ):
        with pytest.raises(MissingExtraError, match=r"tabgan-learn\[mlflow\]"):
            call()
