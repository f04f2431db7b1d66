"""Tables on a cluster of Spark: the rows and types of one process, also where Python workers are killed."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import tabgan.spark
from benchmarks.distributed.killer import Killer, spark_worker
from tabgan import BAGANOversampler, GAINImputer, fit_batches, sample_batches, transform_batches
from tabgan.exceptions import InvalidInputError, InvalidParameterError, SchemaMismatchError, StalledError
from tests.engines.distributed_table import QUICK, SAMPLER, arrow_table
from tests.engines.how_to_pages import run_page

pytest.importorskip("pyspark", reason="Spark is not installed (extra spark)")
pa = pytest.importorskip("pyarrow")
if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
    pytest.skip("Spark needs Java 17 or later, which is not installed here", allow_module_level=True)


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master("local[2,4]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.sql.shuffle.partitions", "2").config("spark.sql.session.timeZone", "UTC")
    builder = builder.config("spark.python.daemon.module", "benchmarks.distributed.spark_daemon")
    session = builder.config("spark.ui.showConsoleProgress", "false").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def frame(spark: Any) -> Any:
    return spark.createDataFrame(arrow_table()).repartition(3, "id").cache()


@pytest.fixture(scope="module")
def fitted(frame: Any) -> GAINImputer:
    return tabgan.spark.fit(GAINImputer(**QUICK), frame, n_rows=300, keys="id")


def by_row(table: Any) -> pd.DataFrame:
    return table.to_pandas().sort_values([k for k in ("draw", "id") if k in table.column_names], ignore_index=True)


def test_the_fit_is_that_of_one_process(fitted: GAINImputer, frame: Any) -> None:
    local = fit_batches(GAINImputer(**QUICK), [arrow_table()], n_rows=300, keys="id")
    content = arrow_table().drop_columns(["id"])
    pd.testing.assert_frame_equal(fitted.transform(content).to_pandas(), local.transform(content).to_pandas())
    assert fitted.n_rows_seen_ == 600
    many = tabgan.spark.sample_rows(frame.repartition(9), n_rows=100, keys="id")  # merged by tasks
    assert many.to_pylist() == tabgan.spark.sample_rows(frame, n_rows=100, keys="id").to_pylist()


def test_rows_and_types_are_those_of_one_process(fitted: GAINImputer, frame: Any, tmp_path: Path) -> None:
    fitted.save(tmp_path / "m.tabgan")
    wanted = by_row(pa.concat_tables(transform_batches(fitted, arrow_table(), keys="id")))
    for model in (fitted, tmp_path / "m.tabgan"):
        found = tabgan.spark.transform(model, frame, keys="id")
        assert found.schema == frame.schema
        assert dict(found.dtypes)["price"] == "decimal(10,2)"
        pd.testing.assert_frame_equal(by_row(found.toArrow()), wanted)


def test_columns_may_go_come_and_stand_in_another_order(frame: Any) -> None:
    from pyspark.sql.functions import lit

    more = frame.withColumn("nothing", lit(None).cast("double")).select("label", "nothing", "price", "id", "x")
    more = more.withColumnRenamed("price", "the.price")
    imputer = tabgan.spark.fit(GAINImputer(**QUICK, add_indicator=True), more, n_rows=300, keys="id")
    turned = more.select("x", "id", "`the.price`", "nothing", "label")
    found = tabgan.spark.transform(imputer, turned, keys="id").toArrow()
    assert found.column_names == ["x", "id", "the.price", "label", "missingindicator_the.price", "missingindicator_x"]
    local = next(transform_batches(imputer, [more.toArrow()], keys="id"))
    pd.testing.assert_frame_equal(by_row(found), by_row(local)[found.column_names])
    assert tabgan.spark.sample(imputer, turned, 1, keys="id").columns == ["x", "id", "the.price", "label", "draw"]
    with pytest.raises(SchemaMismatchError, match=r"the frame lacks the columns \['nothing'\]"):
        tabgan.spark.transform(imputer, more.drop("nothing"), keys="id")


def test_draws_are_those_of_one_process(fitted: GAINImputer, frame: Any) -> None:
    found = tabgan.spark.sample(fitted, frame, 2, keys="id", random_state=4)
    draws = [d for piece in sample_batches(fitted, arrow_table(), 2, keys="id", random_state=4) for d in piece]
    wanted = pa.concat_tables([d.append_column("draw", pa.array([k] * 600)) for k, d in enumerate(draws)])
    pd.testing.assert_frame_equal(by_row(found.toArrow()), by_row(wanted))


def test_without_keys_the_place_counts(spark: Any, tmp_path: Path) -> None:
    table = arrow_table().drop_columns(["id"])
    path = str(tmp_path / "table")
    spark.createDataFrame(table).coalesce(1).write.parquet(path)
    frames = [spark.createDataFrame(table).coalesce(1), spark.read.parquet(path)]
    imputer = tabgan.spark.fit(GAINImputer(**QUICK), frames[0], n_rows=300)
    (wanted,) = next(iter(sample_batches(imputer, [table], 1)))
    for frame in frames:
        found = tabgan.spark.sample(imputer, frame, 1).toArrow().drop_columns(["draw"])
        pd.testing.assert_frame_equal(found.to_pandas(), wanted.to_pandas())


def test_classes_are_balanced_and_own_rows_untouched(frame: Any) -> None:
    sampler = BAGANOversampler(**SAMPLER, sampling_strategy=0.5)
    balanced = tabgan.spark.fit_resample(sampler, frame, label="label", keys="id")
    found = balanced.toArrow().to_pandas()
    n_no = (found["label"] == "no").sum()
    assert (found["label"] == "yes").sum() == n_no // 2
    own = found[found["id"].notna()].sort_values("id", ignore_index=True).astype({"id": "int64"})
    pd.testing.assert_frame_equal(own, by_row(arrow_table()))
    assert [field.dataType for field in balanced.schema] == [field.dataType for field in frame.schema]
    dotted = frame.repartition(5).withColumnRenamed("label", "la.bel")
    again = tabgan.spark.fit_resample(sampler, dotted, label="la.bel", keys="id").toArrow().to_pandas()
    again = again.rename(columns={"la.bel": "label"})
    texts = [rows.astype("string").fillna("").sort_values(list(rows), ignore_index=True) for rows in (found, again)]
    pd.testing.assert_frame_equal(*texts)


def test_killed_workers_lose_nothing_and_double_nothing(fitted: GAINImputer, frame: Any) -> None:
    drawn = tabgan.spark.sample(fitted, frame.repartition(6), 2, keys="id")
    wanted = by_row(tabgan.spark.sample(fitted, frame, 2, keys="id").toArrow())
    with Killer(spark_worker, 2, 0, (0.2, 0.8)):
        found = drawn.toArrow()
    pd.testing.assert_frame_equal(by_row(found), wanted)


def test_a_bad_row_is_named(fitted: GAINImputer, frame: Any) -> None:
    from pyspark.sql.functions import when

    bad = frame.withColumn("x", frame.x.cast("string")).coalesce(1)  # one task that is tried again and again
    with pytest.raises(Exception, match=r"(?s)the row with id=\d+: .*'x'"):
        tabgan.spark.transform(fitted, bad, keys="id").collect()
    key = arrow_table()["id"][17].as_py()
    infinite = frame.withColumn("x", when(frame.id == key, float("inf")).otherwise(frame.x)).coalesce(1)
    with pytest.raises(
        InvalidInputError, match=rf"^the row with id={key}: column 'x' has inf in row .*missing_values\.$"
    ):
        tabgan.spark.fit(GAINImputer(**QUICK), infinite, keys="id")


def test_a_hang_becomes_an_error(spark: Any) -> None:
    def slow(batches: Any) -> Any:
        import time

        time.sleep(20)
        yield from batches

    hanging = spark.createDataFrame(arrow_table()).mapInArrow(slow, "id long, x double")
    with pytest.raises(StalledError, match="sample rows: nothing came"):
        tabgan.spark.fit(GAINImputer(), hanging, keys="id", timeout=0.5)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("fit", {"keys": "no"}, r"keys names \['no'\]"),
        ("fit", {"n_rows": 0}, "n_rows=0"),
        ("fit", {"timeout": 0}, "timeout=0"),
        ("fit", {"random_state": -1}, "random_state=-1"),
        ("fit_resample", {"label": "label", "random_state": "now"}, "random_state='now'"),
        ("fit_resample", {"label": "no"}, "label='no' is no column"),
        ("transform", {"keys": "no"}, r"keys names \['no'\]"),
        ("sample", {"n_draws": 0}, "n_draws=0"),
    ],
)
def test_parameters_are_refused_by_name(name: str, options: dict, words: str, fitted: GAINImputer, frame: Any) -> None:
    given = {"fit": GAINImputer(), "fit_resample": BAGANOversampler()}.get(name, fitted)
    with pytest.raises(InvalidParameterError, match=words):
        getattr(tabgan.spark, name)(given, frame, **options)


def test_what_is_no_frame_is_refused(fitted: GAINImputer, frame: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"frame is Table; give a pyspark\.sql\.DataFrame"):
        tabgan.spark.transform(fitted, arrow_table())
    remote = type("DataFrame", (type(frame),), {"__module__": "pyspark.sql.connect.dataframe"})
    with pytest.raises(InvalidInputError, match="frame is of Spark Connect"):
        tabgan.spark.transform(fitted, object.__new__(remote))
    with pytest.raises(InvalidInputError, match="column 'draw'"):
        tabgan.spark.sample(fitted, frame.withColumn("draw", frame.x))
    with pytest.raises(InvalidInputError, match="no rows"):
        tabgan.spark.fit(GAINImputer(), frame.limit(0), keys="id")
    with pytest.raises(InvalidInputError, match="rows have no label in 'kind'"):
        tabgan.spark.fit_resample(BAGANOversampler(), frame, label="kind", keys="id")


@pytest.mark.usefixtures("spark")
def test_the_how_to_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = run_page("spark", tmp_path, monkeypatch)
    counts = {row["late"]: row["count"] for row in names["balanced"].groupBy("late").count().collect()}
    assert counts["yes"] == counts["no"] // 2


def test_the_driver_is_no_worker() -> None:
    assert spark_worker("python -m benchmarks.distributed.spark_daemon pyspark.worker")
    assert spark_worker("python -m pyspark.daemon pyspark.worker")
    assert not spark_worker("java --conf spark.python.daemon.module=benchmarks.distributed.spark_daemon pyspark-shell")
