"""Saved samplers: what comes back draws the same rows, in the same dtypes."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from imblearn.pipeline import Pipeline
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import OrdinalEncoder

import tabgan
from tabgan.core.checkpoint import read_model_file, write_model_file
from tabgan.exceptions import InvalidInputError, ModelFileError
from tabgan.tables.stored import container_from_state, container_to_state

QUICK = {"n_steps": 5, "patience": 0, "width": 16, "n_blocks": 1, "random_state": 0}
LABELS = np.array(["rare"] * 15 + ["tiny"] * 3 + ["common"] * 62)

WAYS = {
    "bagan": (tabgan.BAGANOversampler, {}),
    "bagan kept at its start": (tabgan.BAGANOversampler, {"n_steps": 0}),
    "bagan with an autoencoder": (tabgan.BAGANOversampler, {"start": "autoencoder", "autoencoder_steps": 3}),
    "cgan with conditions": (tabgan.CGANSampler, {"condition_columns": ["colour", "price"]}),
    "cgan from noise": (tabgan.CGANSampler, {"start": "noise", "sampling_strategy": {"tiny": np.int64(9)}}),
}


@pytest.fixture
def messy() -> pd.DataFrame:
    """Missing cells, strings, dates, integers, and columns that pandas holds in its own ways."""
    from tests.conftest import make_mixed

    table = make_mixed(80)
    rng = np.random.default_rng(1)
    table["big"] = rng.integers(2**60, 2**62, size=80)
    table["small"] = rng.normal(size=80).astype(np.float32)
    table["text"] = pd.array(rng.choice(["a", "b"], 80), dtype=pd.StringDtype("python"))
    table["sparse"] = pd.arrays.SparseArray(rng.integers(0, 2, 80).astype(float), fill_value=0.0)
    table["arrow"] = pd.Series(np.round(rng.random(80), 1), index=table.index).astype("float64[pyarrow]")
    table["cells"] = pd.Series([1, 2.5, None, "x"] * 20, index=table.index, dtype=object)
    return table


def saved_and_loaded(sampler, tmp_path):
    sampler.save(tmp_path / "model.tabgan")
    return tabgan.load(tmp_path / "model.tabgan")


def assert_same(left, right):
    pd.testing.assert_frame_equal(left[0], right[0])
    pd.testing.assert_series_equal(left[1], right[1])


@pytest.mark.parametrize("way", WAYS)
def test_a_loaded_sampler_makes_the_same_rows(way, messy, tmp_path):
    cls, parameters = WAYS[way]
    y = pd.Series(pd.Categorical(LABELS), name="kind")
    sampler = cls(**QUICK | parameters).fit(messy, y)
    loaded = saved_and_loaded(sampler, tmp_path)
    assert type(loaded) is cls
    assert_same(sampler.sample(30, random_state=0), loaded.sample(30, random_state=0))
    wanted = {"y": "tiny", "where": {"colour": "red"}, "random_state": np.random.RandomState(3)}
    assert_same(sampler.sample(4, **wanted), loaded.sample(4, **wanted | {"random_state": np.random.RandomState(3)}))
    assert_same(sampler.resample(), loaded.resample())
    pd.testing.assert_frame_equal(sampler.report_.table, loaded.report_.table)
    assert loaded.history_ == sampler.history_
    assert loaded.schema_ == sampler.schema_
    assert loaded.methods_ == sampler.methods_
    assert loaded.sampling_strategy_ == sampler.sampling_strategy_
    assert list(loaded.feature_names_in_) == list(messy.columns)
    assert loaded._fitted.rules.to_state() == sampler._fitted.rules.to_state()
    # The sequence of unseeded draws goes on where it was.
    first = sampler.sample(5)
    assert_same(first, loaded.sample(5))
    assert_same(sampler.sample(5), saved_and_loaded(loaded, tmp_path).sample(5))
    assert [path.name for path in tmp_path.iterdir()] == ["model.tabgan"]


def test_a_loaded_sampler_fits_anew(messy, tmp_path):
    sampler = tabgan.CGANSampler(**QUICK, betas=(0.4, 0.8), sampling_strategy="minority").fit(messy, LABELS)
    loaded = saved_and_loaded(sampler, tmp_path)
    X, y = loaded.fit_resample(messy, LABELS)
    X_again, y_again = sampler.fit_resample(messy, LABELS)
    pd.testing.assert_frame_equal(X, X_again)
    np.testing.assert_array_equal(y, y_again)
    left, right = loaded.get_params(), sampler.get_params()
    assert np.isnan(left.pop("missing_values"))
    assert np.isnan(right.pop("missing_values"))
    assert left == right


def test_parameters_changed_after_fit_do_not_change_what_was_learnt(messy, tmp_path):
    sampler = tabgan.BAGANOversampler(**QUICK).fit(messy, LABELS)
    before = sampler.sample(5, random_state=1)[0]
    loaded = saved_and_loaded(sampler.set_params(width=99), tmp_path)
    pd.testing.assert_frame_equal(loaded.sample(5, random_state=1)[0], before)
    assert loaded.width == 99


CONTAINERS = {
    "array": (lambda X: X, lambda y: y, np.ndarray, np.ndarray),
    "masked array": (lambda X: np.ma.masked_less(X, -1.5), lambda y: y.tolist(), np.ma.MaskedArray, list),
    "list": (lambda X: X.tolist(), lambda y: y.tolist(), list, list),
    "sparse": (scipy.sparse.csc_array, lambda y: y, scipy.sparse.csc_array, np.ndarray),
    "polars": (lambda X: pl.DataFrame(X, schema=["a", "b"]), lambda y: pl.Series("k", y), pd.DataFrame, pd.Series),
    "one column per class": (lambda X: X, lambda y: np.stack([y == 0, y == 1, y == 2], 1) * 1, np.ndarray, np.ndarray),
    "one-column frame": (
        pd.DataFrame,
        lambda y: pd.DataFrame({"k": y.astype(np.int8)}),
        pd.DataFrame,
        pd.DataFrame,
    ),
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_containers(kind, tmp_path):
    to_X, to_y, X_type, y_type = CONTAINERS[kind]
    rng = np.random.default_rng(0)
    X = to_X(rng.normal(size=(60, 2)))
    y = to_y(np.repeat([0, 1, 2], [40, 15, 5]))
    sampler = tabgan.BAGANOversampler(**QUICK).fit(X, y)
    loaded = saved_and_loaded(sampler, tmp_path)
    (X_new, y_new), (X_mine, y_mine) = loaded.sample(12, random_state=2), sampler.sample(12, random_state=2)
    assert type(X_new) is X_type
    assert type(y_new) is y_type

    def dense(made):
        return np.ma.filled(made.toarray() if hasattr(made, "toarray") else np.asarray(made), np.nan)

    np.testing.assert_array_equal(dense(X_new), dense(X_mine))
    np.testing.assert_array_equal(np.asarray(y_new), np.asarray(y_mine))
    if y_type is pd.DataFrame:
        assert y_new.dtypes.to_dict() == {"k": np.int8}


def test_polars_dtypes_become_those_of_pandas(tmp_path):
    table = pl.DataFrame(
        {
            "whole": pl.Series([1, 2, None] * 20, dtype=pl.Int16),
            "day": pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 2, 29), eager=True),
            "moment": pl.Series(["2024-01-01 10:00:00", None] * 30).str.to_datetime(time_zone="Asia/Tokyo"),
            "text": ["a", "b", None] * 20,
            "fixed": pl.Series(["x", "y", "x"] * 20, dtype=pl.Enum(["y", "x"])),
            "flag": [True, None] * 30,
            "money": pl.Series(["1.10", "2.25"] * 30).cast(pl.Decimal(10, 2)),
        }
    )
    sampler = tabgan.BAGANOversampler(**QUICK).fit(table, pl.Series("k", ["a"] * 12 + ["b"] * 48))
    X, y = saved_and_loaded(sampler, tmp_path).sample(40, random_state=0)
    theirs, labels = sampler.sample(40, random_state=0)
    assert {name: str(dtype) for name, dtype in X.dtypes.items()} == {
        "whole": "Int16",
        "day": "object",
        "moment": "datetime64[us, Asia/Tokyo]",
        "text": str(pd.Series(["a"]).dtype),
        "fixed": "category",
        "flag": "boolean",
        "money": "object",
    }
    assert list(X["fixed"].cat.categories) == ["y", "x"]
    for name in X.columns:
        mine = [None if pd.isna(cell) else cell for cell in X[name]]
        assert mine == theirs[name].to_list(), name
    assert y.tolist() == labels.to_list()


def test_frames_come_back_cell_for_cell(messy):
    messy = messy.reset_index(drop=True)
    messy["stamps"] = pd.Series([pd.Timestamp("2024-01-01"), pd.NaT, pd.NA, None] * 20, dtype=object)
    messy["interval"] = pd.cut(messy["complete"], 3)
    messy["arrow day"] = pd.Series(pd.date_range("2024-01-01", periods=80)).astype("date32[day][pyarrow]")
    messy.columns = pd.MultiIndex.from_tuples([("a", name) for name in messy.columns], names=["x", None])
    again = container_from_state(container_to_state(messy))
    pd.testing.assert_frame_equal(again, messy, check_exact=True)
    kinds = [[type(cell) for cell in frame["a", "stamps"]] for frame in (again, messy)]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=">i2").reshape(2, 3),
        np.array([["ä", "b"], ["", "long"]]),
        np.array([[1, "a", None], [True, 1.0, b"x"]], dtype=object),
        np.array([["2024-01", "NaT"]], dtype="M8[M]"),
        np.zeros((0, 3), dtype=np.float16),
    ],
)
def test_arrays_come_back_cell_for_cell(array):
    again = container_from_state(container_to_state(array))
    np.testing.assert_array_equal(again, array)
    assert again.dtype == array.dtype
    assert [type(cell) for cell in again.ravel()] == [type(cell) for cell in array.ravel()]


def test_what_cannot_be_saved_is_named(messy, tmp_path):
    sampler = tabgan.BAGANOversampler(**QUICK, sampling_strategy=lambda y: {"tiny": 5}).fit(messy, LABELS)
    with pytest.raises(InvalidInputError, match="sampling_strategy is a function"):
        sampler.save(tmp_path / "x.tabgan")
    sampler.set_params(sampling_strategy=sampler.sampling_strategy_).save(tmp_path / "x.tabgan")
    with pytest.raises(InvalidInputError, match="'odd' has dtype period"):
        container_to_state(pd.DataFrame({"odd": pd.period_range("2024", periods=2)}))
    with pytest.raises(NotFittedError):
        tabgan.BAGANOversampler().save(tmp_path / "y.tabgan")
    assert [path.name for path in tmp_path.iterdir()] == ["x.tabgan"]


def test_a_stored_dtype_that_holds_objects_is_refused(messy, tmp_path):
    path = tmp_path / "model.tabgan"
    tabgan.CGANSampler(**QUICK).fit(messy, LABELS).save(path)
    kind, content = read_model_file(path)
    content["table"]["columns"][0]["cells"]["dtype"] = "|O"
    write_model_file(path, kind, content)
    with pytest.raises(ModelFileError, match="no dtype of a stored array"):
        tabgan.load(path)


@pytest.mark.parametrize("X", [np.zeros((20, 2)), np.zeros((20, 2)).tolist(), scipy.sparse.csr_matrix(np.eye(20))])
def test_fitted_samplers_can_be_pickled_by_their_owner(X):
    sampler = tabgan.BAGANOversampler(**QUICK).fit(X, [0] * 15 + [1] * 5)
    again = pickle.loads(pickle.dumps(sampler))
    assert type(again.sample(2)[0]) is type(sampler.sample(2)[0])


def test_a_messy_table_goes_through_a_pipeline(messy):
    table = messy[["number", "price", "count", "colour", "size", "day"]]
    assert table.isna().any().all()
    days = ["day"]

    def coded(frame):
        numbers = frame.assign(**{name: frame[name].astype("int64") for name in days})
        labels = numbers.select_dtypes(exclude="number").columns
        return numbers.assign(**dict(zip(labels, OrdinalEncoder().fit_transform(numbers[labels]).T, strict=True)))

    from sklearn.preprocessing import FunctionTransformer

    imputer = tabgan.GAINImputer(n_steps=5, draw_steps=0, n_members=1, width=8, n_blocks=1, random_state=0)
    sampler = tabgan.BAGANOversampler(**QUICK)
    pipeline = Pipeline(
        [
            ("fill", imputer),
            ("balance", sampler),
            ("code", FunctionTransformer(coded)),
            ("classify", HistGradientBoostingClassifier(max_iter=5, random_state=0)),
        ]
    ).fit(table, LABELS)
    assert set(pipeline.predict(table)) <= set(LABELS)
    resampled = pipeline.named_steps["balance"].resample()
    assert pd.Series(resampled[1]).value_counts().to_dict() == {"common": 62, "rare": 62, "tiny": 62}
    assert not resampled[0].isna().any().any()
    assert resampled[0].dtypes.to_dict() == table.dtypes.to_dict()
