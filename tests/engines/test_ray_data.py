"""Tables on a cluster of Ray: the rows of one process, also where workers are killed; a step of CI runs this with the extra."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import tabgan.ray
from benchmarks.distributed.killer import Killer, ray_task
from tabgan import BAGANOversampler, GAINImputer, fit_batches, sample_batches, transform_batches
from tabgan.exceptions import InvalidInputError, InvalidParameterError, StalledError
from tests.engines.distributed_table import QUICK, SAMPLER, arrow_table
from tests.engines.how_to_pages import run_page

ray = pytest.importorskip("ray", reason="Ray is not installed (extra ray)")
pa = pytest.importorskip("pyarrow")


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    import ray.data  # a part of Ray that needs the extra's second half

    os.environ.setdefault("RAY_worker_niceness", "0")  # 15 of Ray's own accord: on a busy machine workers would starve
    ray.init(
        num_cpus=2, object_store_memory=200_000_000, include_dashboard=False, logging_level="error", log_to_driver=False
    )
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()


def dataset(*cuts: int, table: Any = None) -> Any:
    table = arrow_table() if table is None else table
    return ray.data.from_arrow([table.slice(a, b - a) for a, b in zip([0, *cuts], [*cuts, len(table)], strict=True)])


@pytest.fixture(scope="module")
def fitted() -> GAINImputer:
    return tabgan.ray.fit(GAINImputer(**QUICK), dataset(100, 101, 400), n_rows=300, keys="id")


@pytest.fixture(scope="module")
def model(fitted: GAINImputer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "m.tabgan"
    fitted.save(path)
    return path


def by_row(table: Any) -> pd.DataFrame:
    """Rows in an order of their own; Arrow's types may differ in the width of offsets alone."""
    frame = table.to_pandas() if not isinstance(table, pa.Table) else table.to_pandas(types_mapper=pd.ArrowDtype)
    frame = frame.astype({name: "string" for name in ("kind", "label") if name in frame})
    return frame.sort_values([k for k in ("draw", "id") if k in frame], ignore_index=True)


def same(found: Any, wanted: Any) -> None:
    pd.testing.assert_frame_equal(by_row(found), by_row(wanted), check_dtype=False)


def test_the_fit_is_that_of_one_process(fitted: GAINImputer) -> None:
    local = fit_batches(GAINImputer(**QUICK), [arrow_table()], n_rows=300, keys="id")
    content = arrow_table().drop_columns(["id"])
    pd.testing.assert_frame_equal(fitted.transform(content).to_pandas(), local.transform(content).to_pandas())
    assert fitted.n_rows_seen_ == 600
    assert tabgan.ray.sample_rows(dataset(200), n_rows=100, keys="id").column_names == content.column_names


def test_without_keys_the_place_counts() -> None:
    table = arrow_table().drop_columns(["id"])
    near, far = dataset(table=table), dataset(7, 300, table=table)
    one, two = (tabgan.ray.sample_rows(data, n_rows=50) for data in (near, far))
    assert one.equals(two)
    imputer = fit_batches(GAINImputer(**QUICK), [table], n_rows=300)
    found = tabgan.ray.sample(imputer, far, 1, timeout=120).to_pandas()
    (wanted,) = next(iter(sample_batches(imputer, [table], 1)))
    pd.testing.assert_frame_equal(
        found.drop(columns="draw"), wanted.to_pandas(types_mapper=pd.ArrowDtype), check_dtype=False
    )


@pytest.mark.parametrize("timeout", [None, 120])
def test_rows_are_filled_as_in_one_process(model: Path, fitted: GAINImputer, timeout: float | None) -> None:
    found = tabgan.ray.transform(model, dataset(1, 350), keys="id", timeout=timeout)
    assert found.schema().base_schema.equals(arrow_table().schema)
    same(found, pa.concat_tables(transform_batches(fitted, arrow_table(), keys="id")))


def test_draws_are_those_of_one_process(fitted: GAINImputer) -> None:
    found = tabgan.ray.sample(fitted, dataset(99, 350), 2, keys="id", random_state=4)
    draws = [d for piece in sample_batches(fitted, arrow_table(), 2, keys="id", random_state=4) for d in piece]
    same(found, pa.concat_tables([d.append_column("draw", pa.array([k] * 600)) for k, d in enumerate(draws)]))


def test_a_seed_is_drawn_once_for_all_blocks() -> None:
    imputer = fit_batches(GAINImputer(**{**QUICK, "random_state": None}), arrow_table(), n_rows=300, keys="id")
    found = tabgan.ray.sample(imputer, dataset(99, 350), 1, keys="id")
    same(found, found.materialize())
    pd.testing.assert_frame_equal(by_row(found), by_row(found))


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Cells in words, numbers as floats: blocks of pandas hold whole numbers with nulls as floats, and so does all of Ray 2.55."""
    numbers = dict.fromkeys(frame.select_dtypes("number"), "float64")
    return frame.astype(numbers).astype("string").fillna("")


@pytest.mark.parametrize("kind", ["arrow", "pandas"])
def test_classes_are_balanced_and_own_rows_untouched(kind: str) -> None:
    table = arrow_table()
    data = (
        dataset(200)
        if kind == "arrow"
        else ray.data.from_pandas([table.slice(0, 200).to_pandas(), table.slice(200).to_pandas()])
    )
    results = [
        tabgan.ray.fit_resample(BAGANOversampler(**SAMPLER), data, label="label", keys="id").to_pandas()
        for data in (data, data.repartition(5))
    ]
    for found in results:
        assert found["label"].value_counts().nunique() == 1
        own = found[found["id"].notna()].sort_values("id", ignore_index=True)
        wanted = data.to_pandas().sort_values("id", ignore_index=True)
        assert (as_text(own) == as_text(wanted)).all(axis=None)
        made = found[found["id"].isna()]
        assert set(made["label"]) == {"yes"}
    texts = [as_text(found).sort_values(list(found), ignore_index=True) for found in results]
    pd.testing.assert_frame_equal(*texts)


def test_nothing_to_make_gives_the_dataset_back() -> None:
    data = dataset(200)
    sampler = BAGANOversampler(**SAMPLER, sampling_strategy={"yes": data.to_pandas()["label"].eq("yes").sum()})
    assert tabgan.ray.fit_resample(sampler, data, label="label", keys="id") is data


@pytest.mark.parametrize("seed", [0, 1])
def test_killed_workers_lose_nothing_and_double_nothing(fitted: GAINImputer, seed: int) -> None:
    data = dataset(*range(60, 600, 60))
    with Killer(ray_task, 2, seed, (0.05, 0.4)):
        drawn = tabgan.ray.sample(fitted, data, 2, keys="id", timeout=120).to_pandas()
    assert sorted(zip(drawn["draw"], drawn["id"], strict=True)) == [(k, i) for k in range(2) for i in range(600)]
    same(ray.data.from_pandas(drawn), tabgan.ray.sample(fitted, data, 2, keys="id", timeout=120))


def test_a_bad_row_is_named(model: Path) -> None:
    table = arrow_table()
    x = pa.array([str(v) for v in table["x"].to_pylist()])
    bad = dataset(300, table=table.set_column(1, "x", x))
    with pytest.raises(InvalidInputError, match=r"(?s)the row with id=\d+: .*'x'"):
        tabgan.ray.transform(model, bad, keys="id", timeout=120)
    context = bad.context
    assert not context.raise_original_map_exception
    assert not context.execution_options.preserve_order
    with pytest.raises(Exception, match=r"(?s)the row with id=\d+: .*'x'"):
        tabgan.ray.transform(model, bad, keys="id").count()


def test_a_file_with_a_text_among_numbers_is_named(model: Path, tmp_path: Path) -> None:
    frame = arrow_table().select(["id", "x", "y"]).to_pandas()
    for k in range(3):
        part = frame.iloc[200 * k : 200 * k + 200].astype({"x": object})
        part.iloc[17, 1] = "oops" if k == 1 else 1.0
        part.to_csv(tmp_path / f"{k}.csv", index=False)
    data = ray.data.read_csv(str(tmp_path), include_paths=True)
    with pytest.raises(InvalidInputError, match=rf"1\.csv', id={frame['id'][217]} has 'oops' in column 'x'"):
        tabgan.ray.fit(GAINImputer(**QUICK), data, keys=["path", "id"], timeout=120)
    table = arrow_table().select(["id", "x"])
    mixed = table.set_column(1, "x", pa.array(["oops"] * 600))
    with pytest.raises(InvalidInputError, match=r"no one table: .*x"):
        tabgan.ray.fit(GAINImputer(**QUICK), ray.data.from_arrow([table, mixed]), keys="id")


def test_a_hang_becomes_an_error(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(block: Any) -> Any:
        import time

        time.sleep(5)
        return block

    with pytest.raises(StalledError, match="read the names of columns: nothing came"):
        tabgan.ray.transform(model, dataset().map_batches(slow), keys="id", timeout=0.5)
    monkeypatch.setattr(ray.data.Dataset, "columns", lambda self: arrow_table().column_names)
    with pytest.raises(StalledError, match="transform: nothing came"):
        tabgan.ray.transform(model, dataset().map_batches(slow), keys="id", timeout=0.5)


def test_models_have_to_be_where_all_machines_read_them(fitted: GAINImputer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "nodes", lambda: [{"Alive": True}, {"Alive": False}, {"Alive": True}])
    with pytest.raises(InvalidParameterError, match="imputer is an object, and the cluster has 2 machines"):
        tabgan.ray.transform(fitted, dataset())


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("fit", {"keys": "no"}, r"keys names \['no'\]"),
        ("fit", {"n_rows": 0}, "n_rows=0"),
        ("fit", {"timeout": 0}, "timeout=0"),
        ("fit", {"random_state": -1}, "random_state=-1"),
        ("fit_resample", {"label": "label", "random_state": "now"}, "random_state='now'"),
        ("fit_resample", {"label": "no"}, "label='no' is no column"),
        ("fit_resample", {"label": "id", "keys": "id"}, "label='id' is no column beside the keys"),
        ("transform", {"keys": "no"}, r"keys names \['no'\]"),
        ("sample", {"n_draws": 0}, "n_draws=0"),
    ],
)
def test_parameters_are_refused_by_name(name: str, options: dict, words: str, model: Path) -> None:
    given = {"fit": GAINImputer(), "fit_resample": BAGANOversampler()}.get(name, model)
    with pytest.raises(InvalidParameterError, match=words):
        getattr(tabgan.ray, name)(given, dataset(), **options)


def test_what_is_no_dataset_is_refused(model: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"dataset is Table; give a ray\.data\.Dataset"):
        tabgan.ray.transform(model, arrow_table())
    with pytest.raises(InvalidInputError, match="column 'draw'"):
        tabgan.ray.sample(model, dataset(table=arrow_table().append_column("draw", arrow_table()["x"])))
    with pytest.raises(InvalidInputError, match="no rows"):
        tabgan.ray.fit(GAINImputer(), dataset(table=arrow_table().slice(0, 0)), keys="id")


def test_gpus_are_asked_for(model: Path) -> None:
    plan = tabgan.ray.transform(model, dataset(), keys="id", num_gpus=1, num_cpus=2)
    operator = plan._logical_plan.dag
    assert {operator.ray_remote_args[name] for name in ("num_gpus", "num_cpus")} == {1, 2}


def test_the_how_to_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = run_page("ray", tmp_path, monkeypatch)
    filled = ray.data.read_parquet(str(tmp_path / "filled")).to_pandas()
    assert sorted(filled["id"]) == list(range(900))
    assert filled["y"].notna().all()
    counts = names["balanced"].to_pandas()["late"].value_counts()
    assert counts["yes"] == counts["no"] // 2
    assert len(set(names["means"])) == 3
