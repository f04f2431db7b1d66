"""Samplers and columns that name rows: no distance, no copies, said aloud."""

import warnings

import numpy as np
import pandas as pd
import pytest

import tabgan
from tabgan import BAGANOversampler, CGANSampler
from tabgan.exceptions import IdentifierWarning, InvalidParameterError

N, N_RARE = 90, 20


def table(seed=0):
    rng = np.random.default_rng(seed)
    y = np.array(["rare"] * N_RARE + ["common"] * (N - N_RARE))
    return pd.DataFrame(
        {
            "id": np.arange(N) + 1000,
            "key": [f"K{k:04d}" for k in range(N)],
            "name": [f"{chr(97 + k % 26)}{chr(97 + k // 26)}" for k in range(N)],
            "x": rng.normal(size=N),
            "z": rng.normal(size=N),
        }
    ), y


@pytest.mark.parametrize(
    "sampler", [BAGANOversampler(n_steps=0, random_state=0), CGANSampler(n_steps=0, random_state=0)]
)
def test_they_are_named_left_out_and_new(sampler):
    X, y = table()
    with pytest.warns(IdentifierWarning, match=r"\['id', 'key', 'name'\]: taken for identifiers.*column_kinds=\{'id'"):
        X_more, _ = sampler.fit_resample(X, y)
    made = X_more.iloc[N:]
    assert sampler.schema_.encoded == (3, 4)
    assert made["id"].tolist() == list(range(1000 + N, 1000 + N + len(made)))
    assert X_more["id"].dtype == X["id"].dtype
    assert X_more["id"].is_unique
    assert X_more["key"].is_unique
    assert made["key"].iloc[0] == "K0090"
    np.testing.assert_array_equal(made["name"], X["name"].iloc[sampler.parents_])
    said = sampler.report_.warnings
    assert any(w.startswith("['id', 'key']") and "have new ones" in w for w in said)
    assert any(w.startswith("['name']") and "set them yourself" in w for w in said)
    plain = type(sampler)(n_steps=0, random_state=0)
    rows, _ = plain.fit_resample(X[["x", "z"]], y)
    np.testing.assert_allclose(made[["x", "z"]], rows.iloc[N:], err_msg="as if there were no identifiers")


def test_declared_ones_are_taken_without_a_word_and_features_stay_features():
    X, y = table()
    kinds = {"id": "identifier", 1: "identifier", "name": "categorical"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sampler = BAGANOversampler(n_steps=0, random_state=0, column_kinds=kinds).fit(X, y)
        again = BAGANOversampler(n_steps=0, column_kinds={"id": "integer"}, categorical_features=["key", "name"])
        again.fit(X, y)
    assert sampler.schema_.encoded == (2, 3, 4)
    assert again.schema_.encoded == (0, 1, 2, 3, 4)
    made, _ = again.sample(200, y="rare")
    assert made["id"].between(1000, 1000 + N - 1).all()


def test_gaps_and_asked_cells_stay():
    X, y = table()
    X["id"] = X["id"].astype("Int64").mask(X.index % 4 == 0)
    X["key"] = X["key"].mask(X.index % 3 == 0, None)
    kinds = dict.fromkeys(["id", "key", "name"], "identifier")
    sampler = BAGANOversampler(n_steps=0, random_state=0, column_kinds=kinds)
    X_more, _ = sampler.fit_resample(X, y)
    parents = X.iloc[sampler.parents_].reset_index(drop=True)
    made = X_more.iloc[N:].reset_index(drop=True)
    pd.testing.assert_frame_equal(made.isna(), parents.isna())
    assert X_more["key"].dropna().is_unique
    asked, _ = sampler.sample(5, y="rare", where={"id": 1001})
    assert asked["id"].tolist() == [1001] * 5


def test_an_unknown_kind_and_column_are_named():
    X, y = table()
    with pytest.raises(InvalidParameterError, match=r"column_kinds\['id'\]='identity' is not a kind.*'identifier'"):
        BAGANOversampler(column_kinds={"id": "identity"}).fit(X, y)
    with pytest.raises(InvalidParameterError, match="column_kinds names 'nobody'"):
        BAGANOversampler(column_kinds={"nobody": "identifier"}).fit(X, y)


@pytest.mark.filterwarnings("ignore::tabgan.exceptions.IdentifierWarning")
def test_saved_samplers_remember(tmp_path):
    X, y = table()
    sampler = BAGANOversampler(n_steps=0, random_state=0).fit(X, y)
    sampler.save(tmp_path / "ids.tabgan")
    loaded = tabgan.load(tmp_path / "ids.tabgan")
    pd.testing.assert_frame_equal(loaded.resample()[0], sampler.resample()[0])


def test_a_table_of_names_only_keeps_them():
    X, y = table()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows, _ = BAGANOversampler(n_steps=0, random_state=0).fit(X[["id"]], y).sample(50, y="rare")
    assert rows["id"].between(1000, 1000 + N_RARE).all()
