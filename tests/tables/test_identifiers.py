"""What looks like an identifier, and new ones."""

import numpy as np
import pandas as pd
import pytest

from tabgan.exceptions import InvalidParameterError
from tabgan.tables.frames import read_table
from tabgan.tables.identifiers import is_identifier, new_identifiers
from tabgan.tables.schema import infer_schema

N = 60
RNG = np.random.default_rng(0)
SHUFFLED = RNG.permutation(N)


def column_of(values):
    return read_table(pd.DataFrame({"x": values})).columns[0]


IDENTIFIERS = {
    "row numbers": np.arange(N),
    "falling": 1000 - 7 * np.arange(N),
    "shuffled": SHUFFLED + 500,
    "long numbers": RNG.choice(9_000_000, N, replace=False) + 1_000_000,
    "beyond floats": 2**60 + SHUFFLED.astype(np.int64) * 2**40,
    "names": [f"customer {k}" for k in SHUFFLED],
    "words": [f"{chr(97 + k % 26)}{chr(97 + k // 26)}" for k in SHUFFLED],
    "categories": pd.Categorical([f"c{k}" for k in range(N)]),
    "a few twice": ["again"] * 3 + [f"name {k}" for k in range(N - 3)],
    "with gaps": pd.array([None, *range(N - 1)], dtype="Int64"),
}
OTHERS = {
    "floats": RNG.normal(size=N),
    "whole floats": np.arange(N, dtype=float),
    "amounts": RNG.choice(5000, N, replace=False),
    "large amounts": RNG.choice(900_000, N, replace=False) + 99_999,
    "from nothing to millions": np.r_[5, RNG.choice(9_000_000, N - 1, replace=False) + 1_000_000],
    "many twice": ["again"] * 5 + [f"name {k}" for k in range(N - 5)],
    "counts": RNG.poisson(40, N),
    "few rows": np.arange(19),
    "flags": RNG.random(N) < 0.5,
    "days": pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(N), unit="D"),
}


@pytest.mark.parametrize("name", IDENTIFIERS)
def test_found(name):
    assert is_identifier(column_of(IDENTIFIERS[name]))


@pytest.mark.parametrize("name", OTHERS)
def test_not_found(name):
    assert not is_identifier(column_of(OTHERS[name]))


def test_twenty_cells_are_enough():
    assert is_identifier(column_of(np.arange(20)))


@pytest.mark.parametrize("name", ["row numbers", "falling", "shuffled", "long numbers", "beyond floats"])
def test_numbers_go_on(name):
    column = column_of(IDENTIFIERS[name])
    new = new_identifiers(column, np.zeros(9, dtype=int))
    assert new.tolist() == [int(column.values.max()) + k for k in range(1, 10)]
    assert new.dtype == column.values.dtype


def test_numbers_at_the_end_of_texts_go_on_with_their_zeros():
    column = column_of(["A-0007", "A-0009", "B-0002", None])
    assert new_identifiers(column, np.array([2, 0, 3])).tolist() == ["B-0010", "A-0011", None]


def test_where_there_can_be_no_new_ones():
    parents = np.array([0, 1])
    assert new_identifiers(column_of(["anna", "berta7"]), parents) is None
    assert new_identifiers(column_of(pd.Categorical(["c1", "c2"])), parents) is None
    for top, fits in ((125, True), (126, False)):
        assert (new_identifiers(column_of(np.array([5, top], dtype=np.int8)), parents) is not None) == fits
    assert new_identifiers(column_of(np.array([5, 253], dtype=np.uint8)), parents).tolist() == [254, 255]
    assert new_identifiers(column_of(np.array([5, 254], dtype=np.uint8)), parents) is None
    assert new_identifiers(column_of(pd.array([1, 2**53 - 1], dtype="Int64")), parents) is None


def test_wishes_win_and_a_column_is_left():
    table = read_table(pd.DataFrame({"id": np.arange(N), "name": IDENTIFIERS["names"], "x": OTHERS["floats"]}))

    def kinds(**wishes):
        return [column.kind for column in infer_schema(table, identifiers=True, **wishes).columns]

    assert kinds() == ["identifier", "identifier", "continuous"]
    assert kinds(column_kinds={"id": "integer"}, categorical_features=["name"]) == [
        "integer",
        "categorical",
        "continuous",
    ]
    assert kinds(column_kinds={"x": "identifier"})[2] == "identifier"
    assert infer_schema(table, identifiers=True).encoded == (2,)
    assert [column.kind for column in infer_schema(table).columns] == ["integer", "categorical", "continuous"]
    alone = read_table(pd.DataFrame({"id": np.arange(N)}))
    assert infer_schema(alone, identifiers=True).columns[0].kind == "integer"


def test_the_imputer_has_no_such_kind():
    with pytest.raises(InvalidParameterError, match=r"column_kinds\['x'\]='identifier' is not a kind"):
        infer_schema(read_table(pd.DataFrame({"x": [1.0, 2.0]})), column_kinds={"x": "identifier"})
