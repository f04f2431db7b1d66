"""Every mistake ends in an error that names the parameter or column, before any training and without a partial file."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from tabgan import GAINImputer
from tabgan.imputation.chain import Chain
from tabgan.imputation.published import PublishedGain


def table(**columns):
    return pd.DataFrame({"a": [1.0, None, 3.0, 4.0], "b": ["x", "y", None, "x"]} | columns)


# (what is wrong, parameters, table, words the message must hold)
AT_FIT = [
    ("objective", {"objective": "gan"}, table(), "objective='gan'.*'remask', 'paper'"),
    ("n_steps", {"n_steps": -1}, table(), "n_steps=-1.*integer >= 0"),
    ("n_steps as text", {"n_steps": "many"}, table(), "n_steps='many'"),
    ("batch_size", {"batch_size": -4}, table(), "batch_size=-4"),
    ("learning_rate", {"learning_rate": 0.0}, table(), "learning_rate=0.0.*> 0"),
    ("learning_rate nan", {"learning_rate": float("nan")}, table(), "learning_rate=nan"),
    ("hide_rates order", {"hide_rates": (0.6, 0.1)}, table(), r"hide_rates=\(0.6, 0.1\)"),
    ("hide_rates number", {"hide_rates": 0.5}, table(), "hide_rates=0.5.*two rates"),
    ("validation_fraction", {"validation_fraction": 0.9}, table(), "validation_fraction=0.9.*<= 0.5"),
    ("hint", {"hint": "none"}, table(), "hint='none'"),
    ("hint_rate", {"hint_rate": 1.5}, table(), "hint_rate=1.5"),
    ("numeric_transform", {"numeric_transform": "log"}, table(), "numeric_transform='log'.*'quantile'"),
    ("max_categories", {"max_categories": 0}, table(), "max_categories=0"),
    ("unseen_categories", {"unseen_categories": "ignore"}, table(), "unseen_categories='ignore'"),
    ("random_state", {"random_state": -1}, table(), "random_state=-1"),
    ("device unknown", {"device": "gpu"}, table(), "device='gpu'"),
    ("device absent", {"device": "cuda:99"}, table(), "device='cuda:99'"),
    ("max_time", {"max_time": 0}, table(), "max_time=0.*seconds"),
    ("add_indicator", {"add_indicator": "yes"}, table(), "add_indicator='yes'"),
    ("column_kinds name", {"column_kinds": {"zz": "integer"}}, table(), "zz"),
    ("column_kinds kind", {"column_kinds": {"a": "float"}}, table(), "a.*float|float.*a"),
    ("column_kinds impossible", {"column_kinds": {"b": "continuous"}}, table(), "'b'"),
    ("categorical_features name", {"categorical_features": ["zz"]}, table(), "zz"),
    ("categorical_features mask", {"categorical_features": [True]}, table(), "categorical_features"),
    ("infinity", {}, table(c=[1.0, 2.0, np.inf, 3.0]), "'c' has inf in row 2"),
    ("repeated names", {}, pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), "unique.*'a'"),
    ("complex numbers", {}, pd.DataFrame({"z": [1j, 2j]}), "'z'"),
    ("no rows", {}, table().iloc[:0], r"0 sample\(s\)"),
    ("no columns", {}, table()[[]], r"0 feature\(s\)"),
    ("one dimension", {}, np.array([1.0, np.nan]), "2D array"),
    ("three dimensions", {}, np.zeros((2, 2, 2)), "dim 3"),
    ("sparse matrix", {}, sp.csr_matrix(np.eye(3)), "[Ss]parse"),
    ("periods", {}, table(p=pd.period_range("2024", periods=4, freq="D")), "'p'"),
    ("no table", {}, "table.csv", "table.csv|[Ee]xpected 2D array|scalar"),
]

AT_TRANSFORM = [
    ("missing column", lambda t: t[["a"]], "b"),
    ("extra column", lambda t: t.assign(extra=1), "extra"),
    ("reordered columns", lambda t: t[["b", "a"]], "order"),
    ("text where numbers were", lambda t: t.assign(a=["one", "two", None, "four"]), "'a'"),
    ("numbers where text was", lambda t: t.assign(b=[1.0, 2.0, None, 4.0]), "'b'"),
    ("too few columns in an array", lambda t: np.ones((3, 1)), "1 features?"),
    ("infinity", lambda t: t.assign(a=[1.0, -np.inf, 3.0, 4.0]), "'a' has -inf in row 1"),
]


@pytest.fixture
def no_training(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("training started")

    for model in (Chain, PublishedGain):
        monkeypatch.setattr(model, "fit", refuse)


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize("objective", ["remask", "paper"])
def test_the_refusal_would_be_noticed(objective):
    with pytest.raises(AssertionError, match="training started"):
        GAINImputer(objective=objective).fit(table())


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(("parameters", "X", "words"), [case[1:] for case in AT_FIT], ids=[case[0] for case in AT_FIT])
def test_fit_refuses(parameters, X, words):
    imputer = GAINImputer(**parameters)
    with pytest.raises((ValueError, TypeError), match=words):  # TypeError: scikit-learn on sparse input
        imputer.fit(X)
    assert not hasattr(imputer, "n_iter_"), "a failed fit leaves nothing that looks fitted"


@pytest.mark.parametrize(
    ("change", "words"), [case[1:] for case in AT_TRANSFORM], ids=[case[0] for case in AT_TRANSFORM]
)
def test_transform_refuses(change, words):
    imputer = GAINImputer(n_steps=2, draw_steps=0, random_state=0).fit(table())
    with pytest.raises(ValueError, match=words):
        imputer.transform(change(table()))


def test_failed_save_leaves_the_old_file(tmp_path):
    imputer = GAINImputer(n_steps=2, draw_steps=0, random_state=0).fit(table())
    path = tmp_path / "model.tabgan"
    imputer.save(path)
    before = path.read_bytes()
    imputer.column_kinds = {"a": object()}
    with pytest.raises(TypeError, match="cannot hold"):
        imputer.save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model.tabgan"]
    with pytest.raises(FileNotFoundError):
        imputer.set_params(column_kinds=None).save(tmp_path / "no_folder" / "model.tabgan")
