"""Fit in one pass over batches, then fill and draw batch by batch: as in the whole table, whatever the batches are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from tabgan import GAINImputer, fit_batches, sample_batches, transform_batches
from tabgan.exceptions import InvalidInputError, InvalidParameterError

QUICK = {"n_steps": 0, "n_trees": 0, "n_boosts": 0, "n_references": 0, "n_donor_trees": 2, "random_state": 0}


def table(n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "x": x,
            "id": [f"row {i}" for i in rng.permutation(n)],
            "y": 2 * x + 0.1 * rng.normal(size=n),
            "kind": pd.Series(np.where(x > 0, "up", "down")).astype("str"),
        }
    )
    for name in ("x", "y", "kind"):
        frame.loc[rng.random(n) < 0.2, name] = np.nan
    return frame


def cut(frame: pd.DataFrame, *places: int) -> list[pd.DataFrame]:
    return [frame.iloc[a:b] for a, b in zip([0, *places], [*places, len(frame)], strict=True)]


@pytest.fixture(scope="module")
def fitted() -> GAINImputer:
    return fit_batches(GAINImputer(**QUICK), cut(table(), 150, 200), n_rows=200, keys="id")


def test_the_fit_depends_on_the_rows_alone(fitted: GAINImputer) -> None:
    shuffled = table().sample(frac=1, random_state=1)
    again = fit_batches(GAINImputer(**QUICK), cut(shuffled, 10, 390), n_rows=200, keys=["id"])
    probe = table().drop(columns="id")
    pd.testing.assert_frame_equal(again.transform(probe), fitted.transform(probe))
    assert again.n_rows_seen_ == fitted.n_rows_seen_ == 400
    assert list(fitted.feature_names_in_) == ["x", "y", "kind"]


def test_another_seed_is_another_sample() -> None:
    one, two = (
        fit_batches(GAINImputer(**QUICK), cut(table(), 150), n_rows=50, keys="id", random_state=seed) for seed in (0, 1)
    )
    probe = table().drop(columns="id")
    assert not one.transform(probe)["y"].equals(two.transform(probe)["y"])


def test_batches_are_filled_as_the_whole_table_is(fitted: GAINImputer) -> None:
    frame = table()
    parts = list(transform_batches(fitted, cut(frame, 3, 250), keys="id"))
    assert [len(part) for part in parts] == [3, 247, 150]
    found = pd.concat(parts)
    pd.testing.assert_frame_equal(found[["x", "y", "kind"]], fitted.transform(frame.drop(columns="id")))
    assert list(found.columns) == list(frame.columns)
    pd.testing.assert_series_equal(found["id"], frame["id"])
    assert not found.isna().any(axis=None)


@pytest.mark.parametrize("keys", ["id", None])
def test_draws_do_not_depend_on_batches(fitted: GAINImputer, keys: str | None) -> None:
    frame = table() if keys else table().drop(columns="id")
    one, several = (
        [pd.concat(k) for k in zip(*sample_batches(fitted, batches, 2, keys=keys), strict=True)]
        for batches in ([frame], cut(frame, 7, 100))
    )
    for a, b in zip(one, several, strict=True):
        pd.testing.assert_frame_equal(a, b)
    assert not one[0]["y"].equals(one[1]["y"])


def test_equal_rows_of_several_batches_get_draws_of_their_own(fitted: GAINImputer) -> None:
    equal = pd.DataFrame({"x": [0.3] * 4, "y": [np.nan] * 4, "kind": ["up"] * 4})
    found = pd.concat(draws[0] for draws in sample_batches(fitted, cut(equal, 2), 1))
    assert found["y"].nunique() == 4


def test_levels_and_ends_of_rows_outside_the_sample_are_known() -> None:
    frame = table().drop(columns="id")
    frame.loc[321, ["x", "kind"]] = [99.0, "sideways"]
    imputer = fit_batches(GAINImputer(**QUICK), cut(frame, 100), n_rows=30)
    x, _, kind = imputer.schema_.columns
    assert x.upper == 99.0
    assert "sideways" in kind.levels


def test_arrow_datasets_and_lazy_frames_are_read(tmp_path: object) -> None:
    pa, pl = pytest.importorskip("pyarrow"), pytest.importorskip("polars")
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    frame, path = table(), str(tmp_path)
    for k, part in enumerate(cut(frame, 130)):
        pq.write_table(pa.Table.from_pandas(part, preserve_index=False), f"{path}/{k}.parquet")
    dataset = ds.dataset(path)
    imputer = fit_batches(GAINImputer(**QUICK), dataset, n_rows=200, keys="id")
    parts = list(transform_batches(imputer, dataset, keys="id"))
    assert all(isinstance(part, pa.Table) for part in parts)
    filled = pa.concat_tables(parts)
    assert filled.schema.names == list(frame.columns)
    assert filled["id"].to_pylist() == frame["id"].tolist()
    assert sum(filled[name].null_count for name in filled.schema.names) == 0
    lazy = pl.scan_parquet(f"{path}/*.parquet")
    other = fit_batches(GAINImputer(**QUICK), lazy, n_rows=200, keys="id")
    (whole,) = transform_batches(other, lazy, keys="id")
    assert isinstance(whole, pl.DataFrame)
    np.testing.assert_allclose(whole["y"].to_numpy(), filled["y"].to_numpy(), rtol=1e-6)


def test_arrays_and_empty_batches() -> None:
    numbers = table()[["x", "y"]].to_numpy()
    imputer = fit_batches(GAINImputer(**QUICK), iter([numbers[:0], numbers[:300], numbers[300:]]), n_rows=500)
    parts = list(transform_batches(imputer, [numbers[:0], numbers[:5]]))
    assert [part.shape for part in parts] == [(5, 2)]
    assert not np.isnan(parts[0]).any()


def spent() -> Iterator[pd.DataFrame]:
    return iter(())


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ("big.parquet", "is a path; .*pyarrow.dataset"),
        (7, "no iterable of frames"),
        ([{"x": 1}], "holds dict"),
        ([np.zeros(3)], "holds ndarray"),
        (spent(), "no rows .*read once"),
        ([table(), table().drop(columns="y")], "batch 1 has the columns .*batch 0"),
        ([table(), table().assign(id=None)], "row 400 has no key"),
    ],
)
def test_what_is_no_table_in_batches_is_refused_by_name(batches: object, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        fit_batches(GAINImputer(**QUICK), batches, keys="id")


@pytest.mark.parametrize(
    "options",
    [
        {"n_rows": 0},
        {"n_rows": True},
        {"n_rows": 2.5},
        {"keys": "no"},
        {"keys": ["id", "no"]},
        {"keys": list(table())},
        {"random_state": -1},
        {"random_state": "now"},
    ],
)
def test_parameters_are_refused_by_name(options: dict) -> None:
    with pytest.raises(InvalidParameterError, match=next(iter(options))):
        fit_batches(GAINImputer(**QUICK), [table()], **options)


def test_arrays_have_no_key_columns() -> None:
    with pytest.raises(InvalidParameterError, match="keys"):
        fit_batches(GAINImputer(**QUICK), [np.zeros((3, 2))], keys="id")


def test_a_batch_that_does_not_fit_is_named(fitted: GAINImputer) -> None:
    bad = table().assign(y="text")
    with pytest.raises(InvalidInputError, match=r"(?s)batch 1: .*'y'"):
        list(transform_batches(fitted, [table(), bad], keys="id"))
    with pytest.raises(InvalidInputError, match=r"(?s)batch 0: .*'y'"):
        list(sample_batches(fitted, [bad], keys="id"))


def test_unfitted_estimators_are_refused_at_once() -> None:
    with pytest.raises(NotFittedError):
        transform_batches(GAINImputer(), [])
    with pytest.raises(NotFittedError):
        sample_batches(GAINImputer(), [])
