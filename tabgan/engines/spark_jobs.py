"""Jobs of Spark: Arrow tables in and out, rows numbered by place, small frames collected and watched."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from operator import methodcaller
from typing import Any

import numpy as np

import tabgan.exceptions
from tabgan.engines.block_work import PLACE, RowNames, with_places
from tabgan.engines.watchdog import watched
from tabgan.exceptions import StalledError

__all__ = ["collected", "column", "copied_schema", "in_arrow", "mapped_frame", "placed_frame", "tables_of"]

_OURS = re.compile(r"^tabgan\.exceptions\.(\w+): (.+?)(?=\n\s+at |\Z)", re.MULTILINE | re.DOTALL)


def tables_of(batches: Iterable[Any]) -> Iterator[Any]:
    """Record batches as tables."""
    import pyarrow as pa

    return (pa.Table.from_batches([batch]) for batch in batches)


def in_arrow(frame: Any, work: Callable[[Iterable[Any]], Iterable[Any]], schema: Any) -> Any:
    """``mapInArrow`` for columns of any name: it takes what follows a dot for a field of a struct (Spark 4.3)."""
    names = frame.columns
    if not any({".", "`"} & set(name) for name in names):
        return frame.mapInArrow(work, schema)

    def run(batches: Iterable[Any]) -> Iterable[Any]:
        return work(batch.rename_columns(names) for batch in batches)

    return frame.toDF(*map(str, range(len(names)))).mapInArrow(run, schema)


def mapped_frame(frame: Any, work: Callable[[Any], Iterable[Any]], schema: Any) -> Any:
    """The frame block by block, in the types that Spark sent and in the order of the schema."""
    names = schema.fieldNames()

    def run(batches: Iterable[Any]) -> Iterator[Any]:
        for block in tables_of(batches):
            if len(block):
                types = {field.name: field.type for field in block.schema}
                for table in work(block):
                    yield from _cast(table.select(names), types).to_batches()

    return in_arrow(frame, run, schema)


def _cast(table: Any, types: dict[str, Any]) -> Any:
    import pyarrow as pa

    return table.cast(pa.schema([(field.name, types.get(field.name, field.type)) for field in table.schema]))


def placed_frame(frame: Any, names: RowNames, timeout: float | None) -> Any:
    """The frame, with the place of each row as a column where there are no keys."""
    if names.keys:
        return frame
    from pyspark import TaskContext

    def here() -> int:
        context = TaskContext.get()
        assert context is not None
        return context.partitionId()

    def count(batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow as pa

        n = sum(batch.num_rows for batch in batches)
        yield pa.RecordBatch.from_pydict({"partition": pa.array([here()], pa.int64()), "n": pa.array([n], pa.int64())})

    counted = collected(in_arrow(frame, count, "partition long, n long"), timeout, "number rows")
    sizes = dict(sorted((row[0], row[1]) for row in counted))
    starts = dict(zip(sizes, np.cumsum([0, *sizes.values()]).tolist(), strict=False))

    def number(batches: Iterable[Any]) -> Iterator[Any]:
        start = starts[here()]
        for table in tables_of(batches):
            yield from with_places(table, start).to_batches()
            start += len(table)

    return in_arrow(frame, number, copied_schema(frame.schema).add(PLACE, "long"))


def copied_schema(schema: Any, nullable: bool | None = None) -> Any:
    """A schema that may be added to; with ``nullable`` that of all its columns."""
    from pyspark.sql.types import StructField, StructType

    fields = [
        StructField(field.name, field.dataType, field.nullable if nullable is None else nullable) for field in schema
    ]
    return StructType(fields)


def column(name: str) -> Any:
    """A column by its whole name, in which Spark would take a dot for a field of a struct."""
    from pyspark.sql.functions import col

    return col("`" + name.replace("`", "``") + "`")


def collected(frame: Any, timeout: float | None, what: str, how: str = "collect") -> Any:
    """The rows of a small frame, or what another method of it gives; a job that takes too long is cancelled.

    Raises
    ------
    TabganError
        What a task raised; Spark hands on its text alone.
    """
    from pyspark.errors import PySparkException

    spark, tag = frame.sparkSession, f"tabgan-{uuid.uuid4().hex}"

    def collect(_: None) -> Any:
        spark.addTag(tag)
        try:
            return methodcaller(how)(frame)
        finally:
            spark.removeTag(tag)

    try:
        return next(iter(watched(map(collect, [None]), timeout, what)))
    except StalledError:
        spark.interruptTag(tag)
        raise
    except PySparkException as error:
        found = _OURS.findall(str(error))
        kind = getattr(tabgan.exceptions, found[-1][0], None) if found else None
        if kind is None:
            raise
        raise kind(found[-1][1].strip()) from error
