"""Keys of rows: the same number in every library and width, named where they are missing, warned of where they repeat."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from tabgan import GAINImputer, fit_batches
from tabgan.engines.batches import keys_of
from tabgan.engines.block_work import RowNames, drawn_pieces, summaries_of
from tabgan.engines.mergeable_samples import SampleSettings, Strata
from tabgan.engines.model_files import stored
from tabgan.exceptions import InvalidInputError, RepeatedKeysWarning
from tests.engines.distributed_table import QUICK, arrow_table

pa = pytest.importorskip("pyarrow", reason="engines send Arrow tables (extra parquet)")

TIMES = [dt.datetime(1960, 1, 1, 3, 4, 5), dt.datetime(2020, 1, 1), dt.datetime(2024, 2, 3, 4, 5, 6, 789000)]
DAYS = [dt.date(1960, 1, 1), dt.date(2020, 1, 1), dt.date(2024, 2, 29)]


@pytest.mark.parametrize(
    "convert",
    [
        lambda table: table,
        lambda table: table.to_pandas(),
        lambda table: table.to_pandas(types_mapper=pd.ArrowDtype),
        pl.from_arrow,
    ],
    ids=["arrow", "pandas", "pandas with Arrow's types", "polars"],
)
@pytest.mark.parametrize(
    ("cells", "kinds"),
    [
        ([-1, 2, 300], ["int16", "int32", "int64"]),
        (TIMES, ["timestamp[ms]", "timestamp[us]", "timestamp[ns]"]),
        (DAYS, ["date32", "timestamp[s]", "timestamp[us]"]),
        (["a", "b", ""], ["string", "large_string"]),
    ],
    ids=["numbers", "times", "days", "texts"],
)
def test_a_key_is_one_number_in_all_libraries_and_widths(convert: Callable, cells: list[Any], kinds: list[str]) -> None:
    columns = [pa.array(cells).cast(pa.type_for_alias(kind)) for kind in kinds]
    if isinstance(cells[0], dt.datetime):
        columns.append(pa.array(cells, pa.timestamp("us")).cast(pa.timestamp("us", "UTC")))
    found = [keys_of(convert(pa.table({"x": [1, 2, 3], "id": column})), "id", 0).tolist() for column in columns]
    wanted = keys_of(pa.table({"id": columns[0], "x": [1, 2, 3]}), "id", 0).tolist()
    assert found == [wanted] * len(found)
    assert len(set(wanted)) == 3


def test_a_row_without_a_key_is_named_by_its_cells() -> None:
    table = arrow_table()
    ids = [None if k == 310 else key for k, key in enumerate(table["id"].to_pylist())]
    bad = table.set_column(0, "id", pa.array(ids)).append_column("path", pa.array(["b.csv"] * 600))
    names, x = RowNames(("path", "id")), table["x"][310].as_py()
    words = rf"the row with path='b\.csv', id=None, x={x}, .* has no key in \['path', 'id'\]"
    with pytest.raises(InvalidInputError, match=words):
        summaries_of([bad.slice(0, 300), bad.slice(300)], names, Strata((SampleSettings(60, 3, np.nan),)))
    model = stored(fit_batches(GAINImputer(**QUICK), table, n_rows=300, keys="id"))
    with pytest.raises(InvalidInputError, match=words):
        list(drawn_pieces(bad, model, names, 1, 0))


def test_rows_with_the_keys_of_others_are_warned_of() -> None:
    table = arrow_table()
    twice = table.set_column(0, "id", pa.array([k // 2 for k in range(600)]))
    with pytest.warns(RepeatedKeysWarning, match="300 of 600 rows that were sampled have the keys of another one"):
        fit_batches(GAINImputer(**QUICK), twice, n_rows=600, keys="id")
    with warnings.catch_warnings():
        warnings.simplefilter("error", RepeatedKeysWarning)
        fit_batches(GAINImputer(**QUICK), table, n_rows=600, keys="id")
