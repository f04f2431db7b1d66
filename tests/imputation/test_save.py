"""Saved imputers: exact round trips."""

import numpy as np
import pandas as pd
import pytest

import tabgan

QUICK = {"n_steps": 30, "draw_steps": 5, "width": 16, "n_blocks": 1, "n_members": 2, "random_state": 0}


@pytest.mark.parametrize("objective", ["remask", "paper"])
def test_round_trip(objective, mixed, tmp_path):
    imputer = tabgan.GAINImputer(**QUICK, objective=objective, categorical_features=["count"]).fit(mixed)
    path = tmp_path / "model.tabgan"
    imputer.save(path)
    loaded = tabgan.load(path)
    pd.testing.assert_frame_equal(loaded.transform(mixed), imputer.transform(mixed))
    pd.testing.assert_frame_equal(loaded.validation_scores_, imputer.validation_scores_, check_dtype=False)
    assert loaded.history_ == imputer.history_
    assert loaded.schema_ == imputer.schema_
    left, right = loaded.get_params(), imputer.get_params()
    assert np.isnan(left.pop("missing_values"))
    assert np.isnan(right.pop("missing_values"))
    assert left == right
    assert list(loaded.get_feature_names_out()) == list(imputer.get_feature_names_out())
    assert [p.name for p in tmp_path.iterdir()] == ["model.tabgan"]


def test_array_without_names_and_nothing_to_learn(tmp_path):
    for number, array in enumerate([np.array([[1.0, np.nan], [2.0, 3.0], [4.0, 5.0]]), np.ones((4, 2))]):
        imputer = tabgan.GAINImputer(**QUICK).fit(array)
        imputer.save(tmp_path / f"{number}.tabgan")
        np.testing.assert_array_equal(
            tabgan.load(tmp_path / f"{number}.tabgan").transform(array), imputer.transform(array)
        )
