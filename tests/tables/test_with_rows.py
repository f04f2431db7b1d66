"""`Table.with_rows`: further rows at the end, as copies of rows with some cells overwritten."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tabgan.exceptions import InvalidInputError
from tabgan.tables.frames import read_table
from tests.conftest import make_mixed

PARENTS = np.array([3, 3, 0])


@pytest.mark.parametrize("only", [False, True])
def test_a_pandas_frame_of_every_kind(only):
    table = make_mixed(20)
    before = table.copy(deep=True)
    column = list(table.columns).index("complete")
    longer = read_table(table).with_rows(PARENTS, {column: (np.array([1, 2]), np.array([7.5, -1.0]))}, only=only)
    own = 0 if only else 20
    expected = table.iloc[[*range(own), *PARENTS]].reset_index(drop=True)
    expected.loc[own + 1, "complete"], expected.loc[own + 2, "complete"] = 7.5, -1.0
    pd.testing.assert_frame_equal(longer, expected)
    pd.testing.assert_frame_equal(table, before)


def test_cells_are_written_in_the_columns_own_type():
    table = pd.DataFrame(
        {
            "i": np.array([1, 2, 3, 4], dtype="int8"),
            "c": pd.Categorical(["a", "b", "a", "b"]),
            "b": [True, False, True, False],
            "t": pd.Series(np.arange(4).astype("M8[s]")),
            "s": pd.array(["u", "v", "u", None], dtype="string"),
        }
    )
    word = np.array(["b"], dtype=object)
    cells = {
        0: (np.array([0]), np.array([2.6])),
        1: (np.array([0]), word),
        2: (np.array([0]), np.array([0.0])),
        3: (np.array([0]), np.array([86_400])),
        4: (np.array([0]), np.array(["w"], dtype=object)),
    }
    longer = read_table(table).with_rows(np.array([0]), cells)
    assert (longer.dtypes == table.dtypes).all()
    assert longer.iloc[-1].tolist() == [3, "b", False, pd.Timestamp("1970-01-02"), "w"]
    new = {1: (np.array([0]), np.array(["z"], dtype=object))}
    assert read_table(table).with_rows(np.array([0]), new)["c"].tolist() == ["a", "b", "a", "b", "z"]
    ordered = table.assign(c=table["c"].cat.as_ordered())
    with pytest.raises(InvalidInputError, match="'c'"):
        read_table(ordered).with_rows(np.array([0]), new)


@pytest.mark.parametrize("dtype", ["float32", "int16", object, "U3"])
def test_arrays(dtype):
    array = np.arange(12).reshape(4, 3).astype(dtype)
    longer = read_table(array).with_rows(PARENTS, {})
    np.testing.assert_array_equal(longer, array[[0, 1, 2, 3, 3, 3, 0]])
    assert longer.dtype == array.dtype


def test_polars_and_arrow():
    frame = pl.DataFrame(
        {"x": [1, 2, None, 4], "w": ["a", None, "c", "d"]}, schema={"x": pl.Int16, "w": pl.Categorical}
    )
    cells = {0: (np.array([2]), np.array([9.0]))}
    longer = read_table(frame).with_rows(PARENTS, cells)
    assert longer.schema == frame.schema
    assert longer.rows() == [*frame.rows(), (4, "d"), (4, "d"), (9, "a")]
    arrow = read_table(pa.table({"x": [1, 2, None, 4]})).with_rows(PARENTS, cells)
    assert arrow.to_pydict() == {"x": [1, 2, None, 4, 4, 4, 9]}


def test_masked_arrays_and_markers():
    masked = np.ma.MaskedArray(np.arange(8.0).reshape(4, 2), mask=[[0, 1], [0, 0], [1, 0], [0, 0]])
    longer = read_table(masked).with_rows(np.array([2, 0]), {0: (np.array([1]), np.array([50.0]))})
    assert longer.mask[4:].tolist() == [[True, False], [False, True]]
    assert longer[5, 0] == 50
    marked = pd.DataFrame({"x": [1, -9, 3]})
    longer = read_table(marked, missing_values=-9).with_rows(np.array([1]), {})
    assert longer["x"].tolist() == [1, -9, 3, -9]


def test_no_new_rows():
    table = make_mixed(5)
    pd.testing.assert_frame_equal(read_table(table).with_rows(np.zeros(0, int), {}), table.reset_index(drop=True))
    assert len(read_table(table).with_rows(np.zeros(0, int), {}, only=True)) == 0
