"""Model files: exact round trips, and clear errors for files that were damaged, changed or are too new."""

import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open
from safetensors.torch import save_file

import tabgan
from tabgan.exceptions import ModelFileError

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


def test_damaged_changed_and_newer_files(mixed, tmp_path):
    path = tmp_path / "model.tabgan"
    tabgan.GAINImputer(**QUICK).fit(mixed).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelFileError, match="truncated"):
        tabgan.load(path)
    path.write_bytes(whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:])
    with pytest.raises(ModelFileError, match="changed"):
        tabgan.load(path)
    path.write_bytes(whole)
    with safe_open(str(path), "pt") as opened:
        metadata = opened.metadata()
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}
    save_file(tensors, str(path), metadata | {"format_version": "99"})
    with pytest.raises(ModelFileError, match="upgrade"):
        tabgan.load(path)
    from tabgan.core.checkpoint import write_model_file

    write_model_file(path, "GAINImputer", {"parameters": {}})
    with pytest.raises(ModelFileError, match="no GAINImputer that this tabgan can read: it holds no 'encoder'"):
        tabgan.load(path)
    write_model_file(path, "Somebody", {})
    with pytest.raises(ModelFileError, match="does not know"):
        tabgan.load(path)


def test_no_file_and_no_fit(tmp_path):
    from sklearn.exceptions import NotFittedError

    with pytest.raises(FileNotFoundError, match="no model file"):
        tabgan.load(tmp_path / "nothing.tabgan")
    with pytest.raises(NotFittedError):
        tabgan.GAINImputer().save(tmp_path / "x.tabgan")
    assert not list(tmp_path.iterdir())
