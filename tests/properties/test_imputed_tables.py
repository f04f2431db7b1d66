"""Any table through `GAINImputer`: filled where it had no value, else as it was, in any batching and after any way of storing."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

from tabgan import GAINImputer
from tabgan.tables.frames import read_table
from tests.properties.promises import (
    by_rule,
    can_hold,
    columns_of,
    missing_in,
    outcome,
    same_cells,
    same_container,
    same_table,
    shown,
    through_a_file,
)
from tests.properties.tables import Drawn, examples, tables, take

FEW = {
    "n_steps": 3,
    "draw_steps": 3,
    "n_trees": 2,
    "n_boosts": 2,
    "n_donor_trees": 2,
    "network_steps": 2,
    "network_width": 8,
    "n_references": 16,
    "width": 8,
    "n_blocks": 1,
    "n_members": 2,
}
NONE = {
    "n_steps": 0,
    "draw_steps": 0,
    "n_trees": 0,
    "n_boosts": 0,
    "n_donor_trees": 0,
    "network_steps": 0,
    "n_references": 0,
}
STAGES: list[dict[str, Any]] = [
    NONE,
    NONE | {"n_trees": 2, "n_rounds": 2},
    NONE | {"n_references": 16, "n_steps": 3, "width": 8, "n_blocks": 1, "n_members": 2},
    NONE | {"network_steps": 2, "network_width": 8, "n_boosts": 2},
    NONE | {"draw_steps": 3, "n_donor_trees": 2},
    FEW,
]
CHOICES: list[dict[str, Any]] = [
    {},
    {"keep_empty_features": True},
    {"add_indicator": True},
    {"keep_empty_features": True, "add_indicator": True},
    {"round_like_observed": False},
    {"max_categories": 2},
    {"categorical_features": [0]},
    {"validation_fraction": 0.0},
    {"validation_fraction": 0.5},
    *({"numeric_transform": name} for name in ("robust", "quantile", "power", "minmax")),
    {"objective": "paper", "n_steps": 3},
]
PARAMETERS = st.builds(
    lambda stages, choice: {"random_state": 0} | stages | choice, st.sampled_from(STAGES), st.sampled_from(CHOICES)
)


def refused(drawn: Drawn) -> str:
    """Why the imputer refuses a table."""
    return drawn.refusal or ("no column has an observed cell" if drawn.empty.all() else "")


def fitted(drawn: Drawn, parameters: dict[str, Any]) -> GAINImputer | None:
    """A fitted imputer; None where the table is refused, as it must be."""
    imputer = GAINImputer(**parameters)
    done = outcome(lambda: imputer.fit(drawn.native), refused(drawn))
    assert done is imputer or not hasattr(imputer, "n_iter_"), "a failed fit leaves nothing that looks fitted"
    return done


def is_filled(drawn: Drawn, imputer: GAINImputer, filled: Any, *, draw: bool = False) -> None:
    """The promises about a table and its imputed copy, or a draw of one."""
    kept = [j for j in range(drawn.n_columns) if imputer.keep_empty_features or not drawn.empty[j]]
    gappy = [j for j in kept if drawn.missing[:, j].any()] if imputer.add_indicator else []
    known, made = shown(drawn.native), shown(filled)
    assert len(made) == len(kept) + len(gappy)
    same_container(drawn.native, filled)
    before, after = columns_of(drawn.native), columns_of(filled)
    computed = by_rule(imputer.schema_)
    as_one = isinstance(filled, np.ndarray) and bool(gappy)  # an array with indicators may need a wider dtype
    for place, j in enumerate(kept):
        gaps = drawn.missing[:, j]
        np.testing.assert_array_equal(known[j].missing, gaps)
        same_cells(before[j], after[place], ~gaps, dtype=not (known[j].all_missing or as_one))
        if not drawn.empty[j]:
            assert not missing_in(after[place]).any(), f"column {j} still has missing cells"
            if j not in computed:
                can_hold(known[j], made[place].values[gaps], rounded=imputer.round_like_observed, beyond=draw)
        elif known[j].family in ("number", "boolean"):
            assert (made[place].values == 0).all()
    for group in imputer.schema_.indicator_groups:
        sums = np.sum([made[kept.index(j)].values for j in group.columns], axis=0)
        assert (sums == 1).all() if group.always_one else (sums <= 1).all(), (
            f"columns {group.columns} are no longer one-hot"
        )
    for place, j in enumerate(gappy, start=len(kept)):
        shows = made[place].values
        shows = np.isin(shows, ["True", b"True"]) if shows.dtype == object else shows.astype(float)
        np.testing.assert_array_equal(shows, drawn.missing[:, j])


@examples(45)
@given(tables(), PARAMETERS)
def test_missing_cells_are_filled_and_nothing_else_changes(drawn, parameters):
    before = copy.deepcopy(drawn.native)
    imputer = fitted(drawn, parameters)
    if imputer is None:
        return
    filled = outcome(lambda: imputer.transform(drawn.native), "")
    is_filled(drawn, imputer, filled)
    same_table(drawn.native, before)
    names = imputer.get_feature_names_out()
    assert len(names) == len(columns_of(filled))


@examples(15)
@given(tables(), PARAMETERS, st.integers(1, 3))
def test_draws_are_cells_that_the_column_can_hold(drawn, parameters, n_draws):
    if parameters.get("objective") == "paper":
        return
    imputer = fitted(drawn, parameters | {"add_indicator": False})
    if imputer is None:
        return
    draws = outcome(lambda: imputer.sample(drawn.native, n_draws), "")
    assert len(draws) == n_draws
    posterior = imputer.set_params(sample_posterior=True)
    for filled in (*draws, outcome(lambda: posterior.transform(drawn.native), "")):
        is_filled(drawn, imputer, filled, draw=True)
    lower, upper = outcome(lambda: imputer.predict_interval(drawn.native), "")
    assert lower.shape == upper.shape
    assert len(lower) == drawn.n_rows
    assert np.isfinite(lower.to_numpy(dtype=float)).all()
    assert (lower.to_numpy(dtype=float) <= upper.to_numpy(dtype=float)).all()
    for shares in outcome(lambda: imputer.category_probabilities(drawn.native), "").values():
        assert ((shares >= 0) & (shares <= 1 + 1e-6)).all(axis=None)
        np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-6)


@examples(15)
@given(tables(), PARAMETERS, st.integers(0, 2**16))
def test_a_row_is_filled_the_same_alone_in_a_part_and_in_another_order(drawn, parameters, seed):
    imputer = fitted(drawn, parameters)
    if imputer is None:
        return
    whole = shown(imputer.transform(drawn.native))
    slots = predicted(imputer, drawn.native)
    rng = np.random.default_rng(seed)
    order = rng.permutation(drawn.n_rows)
    for rows in (order, order[: len(order) // 2 + 1], *order[:3, None]):
        part = take(drawn.native, rows)
        np.testing.assert_allclose(predicted(imputer, part), slots[rows], rtol=1e-3, atol=1e-3)
        exact = (predicted(imputer, part) == slots[rows]).all(axis=1)
        filled = outcome(lambda part=part: imputer.transform(part), "")
        for one, column in zip(shown(filled), whole, strict=True):
            if one.family == column.family and not (one.missing.all() or column.missing.all()):
                np.testing.assert_array_equal(one.missing, column.missing[rows])
                np.testing.assert_array_equal(one.values[exact], column.values[rows][exact])


@examples(10)
@given(tables(), PARAMETERS, st.integers(0, 2**16))
def test_rows_that_fit_never_saw_are_filled_with_what_it_saw(drawn, parameters, seed):
    if drawn.refusal or drawn.n_rows < 4:
        return
    order = np.random.default_rng(seed).permutation(drawn.n_rows)
    seen = Drawn(take(drawn.native, order[::2]), drawn.missing[order[::2]], "", f"half of {drawn.story}")
    imputer = fitted(seen, parameters | {"add_indicator": False})
    if imputer is None:
        return
    new = order[1::2]
    native, gaps = take(drawn.native, new), drawn.missing[new]
    known, given = shown(seen.native), shown(native)
    if any(a.family != b.family and not (a.all_missing or b.all_missing) for a, b in zip(known, given, strict=True)):
        return  # of a mixed column one half happened to be numbers only
    filled = outcome(lambda: imputer.transform(native), "")
    kept = [j for j in range(drawn.n_columns) if imputer.keep_empty_features or not seen.empty[j]]
    made, before, after = shown(filled), columns_of(native), columns_of(filled)
    for place, j in enumerate(kept):
        same_cells(before[j], after[place], ~gaps[:, j], dtype=not gaps[:, j].all() and not seen.empty[j])
        if not seen.empty[j]:
            assert not missing_in(after[place]).any()
            fills = made[place].values[gaps[:, j]]
            if made[place].family == known[j].family and made[place].unit == known[j].unit:
                if j not in by_rule(imputer.schema_):
                    can_hold(known[j], fills, rounded=imputer.round_like_observed)


@examples(10)
@given(tables(), st.integers(0, 2**16))
def test_a_marker_of_missing_cells_is_missing_wherever_it_stands(drawn, seed):
    if drawn.refusal or drawn.missing.all(axis=0).any():
        return
    rng = np.random.default_rng(seed)
    row, j = rng.choice(np.argwhere(~drawn.missing))
    column = columns_of(drawn.native)[j]
    if "ns" in str(getattr(column, "type", getattr(column, "dtype", ""))) and isinstance(
        column, pl.Series | pa.ChunkedArray
    ):
        return  # as a Python object it would lose its nanoseconds
    marker = (
        column[int(row)].as_py() if isinstance(column, pa.ChunkedArray) else getattr(column, "iloc", column)[int(row)]
    )
    missing = np.array([read.missing for read in read_table(drawn.native, missing_values=[marker]).columns]).T
    assert missing[row, j], f"the marker {marker!r} was not found where it stands"
    assert (missing >= drawn.missing).all()
    marked = Drawn(drawn.native, missing, "", f"marker {marker!r} in {drawn.story}")
    imputer = fitted(marked, NONE | {"random_state": 0, "missing_values": [marker]})
    if imputer is None:
        return
    filled = outcome(lambda: imputer.transform(drawn.native), "")
    kept = [k for k in range(drawn.n_columns) if not marked.empty[k]]
    known = read_table(drawn.native, missing_values=[marker]).columns
    before = columns_of(drawn.native)
    for k, made, after in zip(kept, shown(filled), columns_of(filled), strict=True):
        same_cells(before[k], after, ~missing[:, k])
        if k not in by_rule(imputer.schema_):
            can_hold(known[k], made.values[missing[:, k]])


def predicted(imputer: GAINImputer, native: Any) -> np.ndarray:
    """What the model says of each cell, before it becomes a value: rounding may move it, a level on the border must not hide that."""
    _, encoded = imputer._encoded(native)
    return imputer._model.predict(encoded.values, encoded.mask)


@examples(15)
@given(tables(), PARAMETERS, st.sampled_from(["file", "pickle", "deepcopy", "clone", "fit_transform"]))
def test_however_an_imputer_is_kept_it_gives_the_same(drawn, parameters, how):
    imputer = fitted(drawn, parameters)
    if imputer is None:
        return
    filled = imputer.transform(drawn.native)
    if how == "fit_transform":
        same_table(filled, outcome(lambda: GAINImputer(**parameters).fit_transform(drawn.native), ""))
        return
    kept = outcome(lambda: KEPT[how](imputer), "")
    if how == "clone":
        assert kept.get_params() == imputer.get_params()
        outcome(lambda: kept.fit(drawn.native), "")
    same_table(filled, kept.transform(drawn.native))
    if parameters.get("objective") != "paper":
        same_table(imputer.sample(drawn.native, 1)[0], kept.sample(drawn.native, 1)[0])


KEPT = {
    "file": through_a_file,
    "pickle": lambda imputer: pickle.loads(pickle.dumps(imputer)),
    "deepcopy": copy.deepcopy,
    "clone": clone,
}


@examples(10)
@given(tables(), st.integers(0, 2**16))
def test_distinct_rows_get_the_same_draws_in_any_batching(drawn, seed):
    imputer = fitted(drawn, {"random_state": 0} | FEW)
    if imputer is None:
        return
    _, encoded = imputer._encoded(drawn.native)
    rows_seen = pd.DataFrame(
        np.hstack([encoded.values, encoded.mask])
    )  # rows that the model cannot tell apart are equal
    distinct = np.flatnonzero(~rows_seen.duplicated(keep=False))
    if not len(distinct):
        return
    whole = shown(imputer.sample(take(drawn.native, distinct), 1)[0])
    order = np.random.default_rng(seed).permutation(len(distinct))
    for rows in (order, order[: len(order) // 2 + 1], *order[:3, None]):
        part = shown(imputer.sample(take(drawn.native, distinct[rows]), 1)[0])
        for one, column in zip(part, whole, strict=True):
            if {one.values.dtype.kind, column.values.dtype.kind} <= set("fiu"):
                spread = np.ptp(column.values.astype(float) / 2)
                np.testing.assert_allclose(
                    one.values.astype(float) / 2, column.values[rows].astype(float) / 2, atol=1e-3 * spread
                )
            else:
                assert np.mean(one.values == column.values[rows]) > 0.95
