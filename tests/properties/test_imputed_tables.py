"""Any table through `GAINImputer`: filled where it had no value, else as it was, in any batching and after any way of storing."""

from __future__ import annotations

import copy
import pickle
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

import tabgan
from tabgan import GAINImputer
from tests.properties.promises import (
    can_hold,
    columns_of,
    missing_in,
    outcome,
    same_cells,
    same_container,
    same_table,
    shown,
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


def is_filled(drawn: Drawn, imputer: GAINImputer, filled: Any) -> None:
    """The promises about a table and its imputed copy."""
    kept = [j for j in range(drawn.n_columns) if imputer.keep_empty_features or not drawn.empty[j]]
    gappy = [j for j in kept if drawn.missing[:, j].any()] if imputer.add_indicator else []
    known, made = shown(drawn.native), shown(filled)
    assert len(made) == len(kept) + len(gappy)
    same_container(drawn.native, filled)
    before, after = columns_of(drawn.native), columns_of(filled)
    as_one = isinstance(filled, np.ndarray) and bool(gappy)  # an array with indicators may need a wider dtype
    for place, j in enumerate(kept):
        gaps = drawn.missing[:, j]
        np.testing.assert_array_equal(known[j].missing, gaps)
        same_cells(before[j], after[place], ~gaps, dtype=not (known[j].all_missing or as_one))
        if not drawn.empty[j]:
            assert not missing_in(after[place]).any(), f"column {j} still has missing cells"
            can_hold(known[j], made[place].values[gaps], rounded=imputer.round_like_observed)
        elif known[j].family in ("number", "boolean"):
            assert (made[place].values == 0).all()
    for place, j in enumerate(gappy, start=len(kept)):
        np.testing.assert_array_equal(made[place].values.astype(float), drawn.missing[:, j])


@examples(60)
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


@examples(25)
@given(tables(), PARAMETERS, st.integers(1, 3))
def test_draws_are_cells_that_the_column_can_hold(drawn, parameters, n_draws):
    if parameters.get("objective") == "paper":
        return
    imputer = fitted(drawn, parameters | {"add_indicator": False})
    if imputer is None:
        return
    draws = outcome(lambda: imputer.sample(drawn.native, n_draws), "")
    assert len(draws) == n_draws
    for filled in draws:
        is_filled(drawn, imputer, filled)
    is_filled(drawn, imputer, imputer.set_params(sample_posterior=True).transform(drawn.native))
    lower, upper = outcome(lambda: imputer.predict_interval(drawn.native), "")
    assert lower.shape == upper.shape
    assert len(lower) == drawn.n_rows
    assert np.isfinite(lower.to_numpy(dtype=float)).all()
    assert (lower.to_numpy(dtype=float) <= upper.to_numpy(dtype=float)).all()
    for shares in outcome(lambda: imputer.category_probabilities(drawn.native), "").values():
        assert ((shares >= 0) & (shares <= 1 + 1e-6)).all(axis=None)
        np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-6)


@examples(25)
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


def predicted(imputer: GAINImputer, native: Any) -> np.ndarray:
    """What the model says of each cell, before it becomes a value: rounding may move it, a level on the border must not hide that."""
    _, encoded = imputer._encoded(native)
    return imputer._model.predict(encoded.values, encoded.mask)


@examples(25)
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
        kept.fit(drawn.native)
    same_table(filled, kept.transform(drawn.native))
    if parameters.get("objective") != "paper":
        same_table(imputer.sample(drawn.native, 1)[0], kept.sample(drawn.native, 1)[0])


def through_a_file(imputer: GAINImputer) -> GAINImputer:
    with tempfile.TemporaryDirectory() as folder:
        imputer.save(Path(folder) / "model.tabgan")
        return tabgan.load(Path(folder) / "model.tabgan")


KEPT = {
    "file": through_a_file,
    "pickle": lambda imputer: pickle.loads(pickle.dumps(imputer)),
    "deepcopy": copy.deepcopy,
    "clone": clone,
}


@pytest.mark.skip(reason="noise still depends on a row's place in its batch")
@examples(10)
@given(tables(), st.integers(0, 2**16))
def test_distinct_rows_get_the_same_draws_in_any_batching(drawn, seed):
    imputer = fitted(drawn, {"random_state": 0} | FEW)
    if imputer is None:
        return
    text = [
        repr([column.values[row] if not column.missing[row] else None for column in shown(drawn.native)])
        for row in range(drawn.n_rows)
    ]
    distinct = np.flatnonzero(~pd.Series(text).duplicated(keep=False))
    if not len(distinct):
        return
    whole = shown(imputer.sample(take(drawn.native, distinct), 1)[0])
    order = np.random.default_rng(seed).permutation(len(distinct))
    for rows in (order, order[: len(order) // 2 + 1], *order[:3, None]):
        part = shown(imputer.sample(take(drawn.native, distinct[rows]), 1)[0])
        for one, column in zip(part, whole, strict=True):
            if one.values.dtype.kind in "fiu":
                spread = np.ptp(column.values.astype(float) / 2)
                np.testing.assert_allclose(
                    one.values.astype(float) / 2, column.values[rows].astype(float) / 2, atol=1e-3 * spread
                )
            else:
                assert np.mean(one.values == column.values[rows]) > 0.95
