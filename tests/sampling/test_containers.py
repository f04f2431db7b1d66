"""Any container in, the same out: dtypes, originals to the bit, and an answer that does not depend on the container."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
import torch
from imblearn.pipeline import Pipeline, make_pipeline
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from tabgan import BAGANOversampler, CGANSampler, GAINImputer
from tests.conftest import make_mixed

QUICK = {"n_steps": 5, "width": 16, "n_blocks": 1, "random_state": 0}
SAMPLERS = [
    BAGANOversampler(**QUICK),
    BAGANOversampler.paper(**QUICK, d_noise=8, autoencoder_steps=5),
    CGANSampler(**QUICK),
    CGANSampler(**QUICK, start="noise"),
]
NAMES = ["bagan", "paper", "cgan", "noise"]


@pytest.fixture(scope="module")
def numbers():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [40, 15, 4])
    return np.round(rng.normal(size=(59, 4)) + y[:, None], 3), y


@pytest.fixture(scope="module")
def dense(numbers):
    return BAGANOversampler(**QUICK).fit_resample(*numbers)


def label_of(frame):
    return np.where(np.arange(len(frame)) % 5 == 0, "rare", "common")


@pytest.mark.parametrize("sampler", SAMPLERS, ids=NAMES)
def test_a_pandas_table_of_every_kind(sampler):
    table = make_mixed(80)
    table["single"] = np.linspace(0, 1, 80, dtype="float32")
    table["word"] = pd.array(["x", "y", None, "z"] * 20, dtype="string")
    table["odds"] = pd.arrays.SparseArray(np.where(np.arange(80) % 3, 0.0, 1.5))
    table["small"] = np.arange(80, dtype="int8")
    before, y = table.copy(deep=True), pd.Series(label_of(table), name="kind", dtype="category", index=table.index)
    X_more, y_more = clone(sampler).fit_resample(table, y)
    pd.testing.assert_frame_equal(table, before)
    assert (X_more.dtypes == table.dtypes).all()
    assert list(X_more.columns) == list(table.columns)
    pd.testing.assert_frame_equal(X_more.iloc[:80], table.reset_index(drop=True))
    pd.testing.assert_series_equal(y_more.iloc[:80], y.reset_index(drop=True))
    assert len(X_more) == len(y_more) == 128
    assert (y_more.iloc[80:] == "rare").all()
    made = X_more.iloc[80:]
    parents = table.iloc[sampler_parents(sampler, table, y)].reset_index(drop=True)
    np.testing.assert_array_equal(made.isna().to_numpy(), parents.isna().to_numpy())


def sampler_parents(sampler, table, y):
    fitted = clone(sampler).fit(table, y)
    fitted.resample()
    return fitted.parents_


def test_polars_comes_back_as_polars():
    table = make_mixed(80).reset_index(drop=True)
    frame = pl.DataFrame(
        {
            "number": pl.Series(table["number"].tolist(), dtype=pl.Float32),
            "count": pl.Series([None if pd.isna(v) else int(v) for v in table["count"]], dtype=pl.Int16),
            "flag": pl.Series([None if pd.isna(v) else bool(v) for v in table["flag"]]),
            "colour": pl.Series(["red", "blue", None, "green"] * 20, dtype=pl.Categorical),
            "size": pl.Series(["S", "M", "L", None] * 20, dtype=pl.Enum(["S", "M", "L"])),
            "day": pl.Series(np.arange(80).astype("M8[D]")),
        }
    )
    for y in (pl.Series("kind", label_of(table)), pl.Series("kind", label_of(table), dtype=pl.Categorical)):
        X_more, y_more = BAGANOversampler(**QUICK).fit_resample(frame, y)
        assert X_more.schema == frame.schema
        assert X_more.head(80).equals(frame)
        assert (y_more.dtype, y_more.name, len(y_more)) == (y.dtype, "kind", 128)
        assert y_more.head(80).to_list() == y.to_list()
    _, y_more = BAGANOversampler(**QUICK).fit_resample(frame, pl.DataFrame({"kind": label_of(table)}))
    assert isinstance(y_more, pl.DataFrame)
    assert y_more.columns == ["kind"]


@pytest.mark.parametrize("dtype", ["float64", "float32", "int32", object])
def test_arrays_keep_their_dtype(numbers, dtype):
    X, y = numbers
    X = (10 * X).astype(dtype) if dtype == "int32" else X.astype(dtype)
    before = X.copy()
    X_more, y_more = BAGANOversampler(**QUICK).fit_resample(X, y)
    assert X_more.dtype == X.dtype
    assert y_more.dtype == y.dtype
    np.testing.assert_array_equal(X_more[:59], X)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("kind", [sp.csr_matrix, sp.csc_matrix, sp.csr_array, sp.csc_array])
def test_sparse_matrices(numbers, dense, kind):
    X, y = numbers
    X_more, y_more = BAGANOversampler(**QUICK).fit_resample(kind(X), y)
    assert type(X_more) is kind
    np.testing.assert_allclose(X_more.toarray(), dense[0], rtol=1e-6)
    np.testing.assert_array_equal(y_more, dense[1])


def sparse_frame(X):
    return pd.DataFrame.sparse.from_spmatrix(sp.csr_matrix(X))


@pytest.mark.parametrize(
    ("wrap", "unwrap"),
    [
        (np.ndarray.tolist, np.asarray),
        (pd.DataFrame, pd.DataFrame.to_numpy),
        (lambda X: pl.DataFrame(X), lambda frame: frame.to_numpy()),
        (lambda X: X.astype(object), lambda X: X.astype(float)),
        (sparse_frame, lambda frame: frame.sparse.to_dense().to_numpy()),
    ],
    ids=["list", "pandas", "polars", "object", "pandas sparse"],
)
def test_the_answer_does_not_depend_on_the_container(numbers, dense, wrap, unwrap):
    X, y = wrap(numbers[0]), numbers[1]
    X_more, y_more = BAGANOversampler(**QUICK).fit_resample(X, y)
    assert type(X_more) is type(X)
    np.testing.assert_allclose(unwrap(X_more), dense[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(y_more, dense[1])
    if isinstance(X, pd.DataFrame):
        assert (X_more.dtypes == X.dtypes).all()


WORDS = np.array(["no", "yes", "zebra"])
TARGETS = {
    "list": lambda y: y.tolist(),
    "words": lambda y: WORDS[y],
    "list of words": lambda y: WORDS[y].tolist(),
    "series": lambda y: pd.Series(y, name="t", index=y + 7),
    "nullable": lambda y: pd.Series(y, name="t", dtype="Int64"),
    "string": lambda y: pd.Series(WORDS[y], name="t", dtype="string"),
    "category of numbers": lambda y: pd.Series(y, name="t", dtype="category"),
    "category of words": lambda y: pd.Series(WORDS[y], dtype="category").cat.set_categories(
        ["zebra", "no", "yes", "never"]
    ),
    "frame": lambda y: pd.DataFrame({"t": y}),
    "float": lambda y: y.astype(float),
    "object": lambda y: WORDS[y].astype(object),
    "polars": lambda y: pl.Series("t", y),
    "one-hot": lambda y: np.eye(3, dtype=int)[y],
    "one-hot frame": lambda y: pd.DataFrame(np.eye(3, dtype="int8")[y], columns=list("abc")),
    "one-hot list": lambda y: np.eye(3, dtype=int)[y].tolist(),
    "one-hot sparse": lambda y: sp.csr_matrix(np.eye(3, dtype=int)[y]),
}


def as_codes(y):
    values = y.toarray() if sp.issparse(y) else np.asarray(y)
    values = values.argmax(1) if values.ndim == 2 and values.shape[1] == 3 else values.ravel()
    return np.unique(values.tolist(), return_inverse=True)[1]


@pytest.mark.parametrize("name", TARGETS)
def test_targets_of_every_kind(numbers, dense, name):
    X, codes = numbers
    y = TARGETS[name](codes)
    X_more, y_more = BAGANOversampler(**QUICK).fit_resample(X, y)
    assert type(y_more) is type(y)
    np.testing.assert_array_equal(as_codes(y_more), dense[1])
    np.testing.assert_array_equal(X_more, dense[0])
    if hasattr(y, "iloc"):
        pd.testing.assert_index_equal(y_more.index, pd.RangeIndex(len(y_more)))
        same = pd.testing.assert_frame_equal if isinstance(y, pd.DataFrame) else pd.testing.assert_series_equal
        same(y_more.iloc[:59], y.reset_index(drop=True))
    elif hasattr(y, "dtype"):
        assert y_more.dtype == y.dtype


def test_two_indicator_columns_stay_two(numbers):
    X, codes = numbers
    _, y_more = BAGANOversampler(**QUICK).fit_resample(X, np.eye(2, dtype=int)[(codes > 0).astype(int)])
    assert y_more.shape == (80, 2)
    assert y_more.sum(0).tolist() == [40, 40]


def test_a_column_vector_of_labels(numbers, dense):
    _, y_more = BAGANOversampler(**QUICK).fit_resample(numbers[0], numbers[1][:, None])
    np.testing.assert_array_equal(y_more.ravel(), dense[1])


@pytest.mark.parametrize("sampler", SAMPLERS, ids=NAMES)
def test_seeds_and_global_random_states(sampler, numbers):
    np.random.seed(1)
    torch.manual_seed(1)
    states = np.random.get_state()[1].copy(), torch.get_rng_state()
    first, _ = clone(sampler).fit_resample(*numbers)
    np.testing.assert_array_equal(np.random.get_state()[1], states[0])
    assert torch.equal(torch.get_rng_state(), states[1])
    again, _ = clone(sampler).fit_resample(*numbers)
    np.testing.assert_array_equal(first, again)
    other, _ = clone(sampler).set_params(random_state=1).fit_resample(*numbers)
    assert not np.array_equal(first, other)


def test_sample_goes_on_but_repeats_from_run_to_run(numbers):
    fitted = [BAGANOversampler(**QUICK).fit(*numbers) for _ in range(2)]
    first, second = (fitted[0].sample(5, y=2)[0] for _ in range(2))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(fitted[1].sample(5, y=2)[0], first)
    np.testing.assert_array_equal(fitted[1].sample(5, y=2)[0], second)
    seeded = [fitted[0].sample(5, y=2, random_state=3)[0] for _ in range(2)]
    np.testing.assert_array_equal(*seeded)


def test_sample_draws_classes_as_frequent_as_in_fit(numbers):
    _, y = BAGANOversampler(**QUICK).fit(*numbers).sample(4000)
    np.testing.assert_allclose(np.bincount(y) / 4000, np.array([40, 15, 4]) / 59, atol=0.03)


def test_sample_takes_a_label_for_each_row(numbers):
    X, y = BAGANOversampler(**QUICK).fit(*numbers).sample(y=[2, 0, 0, 1])
    assert y.tolist() == [2, 0, 0, 1]
    assert X.shape == (4, 4)


def test_what_happens_to_the_table_after_fit_does_not_matter(numbers):
    for wrap in (np.array, pd.DataFrame):
        X, y = wrap(numbers[0].copy()), numbers[1]
        fitted = BAGANOversampler(start="copies", n_steps=0).fit(X, y)
        before = np.asarray(fitted.sample(5, random_state=0)[0])
        X[:] = 1000.0
        assert np.asarray(X).min() == 1000
        np.testing.assert_array_equal(np.asarray(fitted.sample(5, random_state=0)[0]), before)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=NAMES)
def test_clone_and_pickle(sampler, numbers):
    assert clone(sampler).get_params() == sampler.get_params()
    fitted = clone(sampler).fit(*numbers)
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copy.sample(4)[0], fitted.sample(4)[0])
    assert fitted.set_params(n_steps=3).n_steps == 3


def test_pipelines_and_grid_search(numbers):
    X, y = numbers
    pipeline = Pipeline([("balance", BAGANOversampler(**QUICK)), ("model", LogisticRegression())])
    grid = {"balance__start": ["kernel", "segments"], "balance__sampling_strategy": ["auto", "minority"]}
    search = GridSearchCV(pipeline, grid, cv=2, scoring="balanced_accuracy").fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    holed = X.copy()
    holed[::7, 1] = np.nan
    imputer = GAINImputer(n_steps=5, draw_steps=0, n_members=2, width=16, random_state=0)
    model = make_pipeline(imputer, BAGANOversampler(**QUICK), LogisticRegression()).fit(holed, y)
    assert set(model.predict(holed)) <= {0, 1, 2}
