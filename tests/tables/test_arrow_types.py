"""Every Arrow type in data frames and Arrow tables: filled and of the same type, or refused before training by column name."""

import narwhals as nw
import numpy as np
import pandas as pd
import pytest

from tabgan import CGANSampler, GAINImputer
from tabgan.exceptions import InvalidInputError
from tests.arrow_cases import GAPS, N, filled, of_moments, pa, refused, views


def imputer():
    return GAINImputer(effort="fast", n_steps=1, draw_steps=0, random_state=0)


def as_pandas(array):
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([array])))


def same_cells(before, after):
    return all(new == old for k, (old, new) in enumerate(zip(before, after, strict=True)) if k not in GAPS)


def test_pandas_frames_come_back_filled_and_of_the_same_types():
    columns = filled()
    X = pd.DataFrame({"x": np.arange(N) * 1.0} | {name: as_pandas(cells) for name, cells in columns.items()})
    done = imputer().fit_transform(X)
    assert done.dtypes.equals(X.dtypes)
    for name, cells in columns.items():
        assert done[name].isna().sum() == 0, name
        assert same_cells(cells.to_pylist(), done[name].array.__arrow_array__().to_pylist()), name


def known_to_narwhals(name, cells):
    """Whether narwhals tells the type: more of them in later versions."""
    return nw.from_native(pa.table({"c": cells})).schema["c"] not in (nw.Unknown, nw.Binary)


def test_arrow_tables_come_back_filled_and_of_the_same_types():
    columns = {name: cells for name, cells in (filled() | of_moments()).items() if known_to_narwhals(name, cells)}
    assert len(columns) > 35
    X = pa.table({"x": np.arange(N) * 1.0} | columns)
    done = imputer().fit_transform(X)
    assert done.schema.equals(X.schema)
    for name, cells in columns.items():
        assert done[name].null_count == 0, name
        assert same_cells(cells.to_pylist(), done[name].to_pylist()), name


@pytest.mark.parametrize("case", [*refused(), *views(), *of_moments()])
@pytest.mark.parametrize("container", ["pandas", "arrow"])
@pytest.mark.parametrize("estimator", ["imputer", "sampler"])
def test_other_types_are_refused_by_name(case, container, estimator):
    cells = (refused() | views() | of_moments())[case]
    if container == "pandas":
        X = pd.DataFrame({"x": np.arange(N) * 1.0, "the column": as_pandas(cells)})
    else:
        X = pa.table({"x": np.arange(N) * 1.0, "the column": cells})
    if case in of_moments() and container == "arrow":
        pytest.skip("filled there")
    chosen = imputer() if estimator == "imputer" else CGANSampler(n_steps=1, random_state=0)
    with pytest.raises(InvalidInputError, match="'the column'"):
        chosen.fit(X, ["a", "a", "b"] * 10)


@pytest.mark.parametrize("name", [name for name, cells in filled().items() if not known_to_narwhals(name, cells)])
def test_arrow_tables_refuse_by_name_what_narwhals_does_not_know(name):
    with pytest.raises(InvalidInputError, match="'the column'"):
        imputer().fit(pa.table({"x": np.arange(N) * 1.0, "the column": filled()[name]}))


def test_fills_of_decimals_keep_to_their_digits():
    from tabgan.tables.arrow_types import as_decimals

    kind = pa.decimal128(4, 2)
    fills = as_decimals(np.array([99.999, -1e9, 0.005001, 12.344]), kind)
    assert pa.array(fills, type=kind).to_pylist() == [*fills]
    assert list(map(str, fills)) == ["99.99", "-99.99", "0.01", "12.34"]
