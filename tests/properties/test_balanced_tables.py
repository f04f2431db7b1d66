"""Any table through the samplers: its own rows first and untouched, then rows that its columns can hold, as many as asked for."""

from __future__ import annotations

import copy
import pickle
from collections import Counter
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

from tabgan import BAGANOversampler, CGANSampler
from tests.properties.promises import can_hold, columns_of, outcome, same_cells, same_table, shown, through_a_file
from tests.properties.tables import Drawn, examples, tables, take
from tests.properties.targets import Labels, in_rows, labels_of

FEW: dict[str, Any] = {"width": 8, "n_blocks": 1, "d_noise": 4, "random_state": 0}
SAMPLERS = st.sampled_from(
    [
        BAGANOversampler(n_steps=0, **FEW),
        CGANSampler(n_steps=0, **FEW),
        BAGANOversampler(n_steps=3, **FEW),
        CGANSampler(n_steps=3, **FEW),
        CGANSampler(n_steps=3, start="noise", **FEW),
        BAGANOversampler.paper(**FEW | {"n_steps": 3, "autoencoder_steps": 3}),
        BAGANOversampler(n_steps=3, start="segments", max_categories=2, focus=1.0, **FEW),
    ]
)
LABELLED = tables().flatmap(lambda drawn: st.tuples(st.just(drawn), labels_of(drawn.n_rows)))


def holds(drawn: Drawn, made: Any, first: int, sampler: Any, *, parents: np.ndarray | None = None) -> None:
    """Rows of a table from the ``first`` on are rows that its columns can hold, with gaps only where their parents have them.

    Names of rows are those of their parents, or new.
    """
    known_columns = shown(drawn.native)
    if isinstance(made, list) and known_columns[0].dtype == "object":  # a few rows may happen to be numbers only
        made = np.array(made, dtype=object)
    for j, (known, column) in enumerate(zip(known_columns, shown(made), strict=True)):
        new = column.missing[first:]
        if parents is not None:
            np.testing.assert_array_equal(new, drawn.missing[parents, j])
        if j in sampler._fitted.identifiers:
            cells = column.values[first:][~new]
            is_old = np.isin(cells, known.values[~known.missing])
            assert is_old.all() or (not is_old.any() and len(np.unique(cells)) == len(cells))
        elif not known.all_missing:
            can_hold(known, column.values[first:][~new], like="synthetic cell")


def keeps_rows(drawn: Drawn, more: Any) -> None:
    """The table's own rows come first, untouched, in the same container and dtypes."""
    assert type(more) is type(drawn.native)
    own = np.arange(drawn.n_rows)
    for j, (before, after) in enumerate(zip(columns_of(drawn.native), columns_of(take(more, own)), strict=True)):
        if isinstance(after, list):  # a list of whole numbers and others is one of floats
            cells = np.empty(len(after), dtype=object)
            cells[:] = [np.float64(cell) if isinstance(cell, float) else cell for cell in after]
            after = cells
        same_cells(before, after, ~drawn.missing[:, j])
    for known, column in zip(shown(drawn.native), shown(more), strict=True):
        np.testing.assert_array_equal(column.missing[: drawn.n_rows], known.missing)


def fitted(labelled: tuple[Drawn, Labels], sampler: Any) -> Any:
    drawn, labels = labelled
    sampler = clone(sampler)
    return outcome(lambda: sampler.fit(drawn.native, labels.native), drawn.refusal or labels.refusal)


@examples(40)
@given(LABELLED, SAMPLERS)
def test_own_rows_come_first_and_synthetic_ones_are_such_as_the_columns_hold(labelled, sampler):
    drawn, labels = labelled
    before = copy.deepcopy((drawn.native, labels.native))
    sampler = fitted(labelled, sampler)
    if sampler is None:
        return
    X, y = outcome(sampler.resample, "")
    keeps_rows(drawn, X)
    holds(drawn, X, drawn.n_rows, sampler, parents=sampler.parents_)
    n_largest = np.bincount(labels.codes).max()
    found = Counter(map(repr, in_rows(y, 10**6)))
    assert set(found.values()) == {n_largest}
    assert set(found) == set(map(repr, in_rows(labels.native, 10**6)))
    assert type(y) is type(labels.native)
    assert list(map(repr, in_rows(y, drawn.n_rows))) == list(map(repr, in_rows(labels.native, drawn.n_rows)))
    if hasattr(labels.native, "dtype"):
        assert y.dtype == labels.native.dtype
    np.testing.assert_array_equal(sampler.synthetic_mask_, np.arange(len(sampler.synthetic_mask_)) >= drawn.n_rows)
    same_table(drawn.native, before[0])
    assert in_rows(labels.native, 10**6) == in_rows(before[1], 10**6)


@examples(15)
@given(LABELLED, SAMPLERS, st.integers(1, 9), st.data())
def test_rows_asked_for_are_as_many_and_of_their_class(labelled, sampler, n, data):
    drawn, _ = labelled
    sampler = fitted(labelled, sampler)
    if sampler is None:
        return
    rows, _ = outcome(lambda: sampler.sample(n), "")
    assert len(columns_of(rows)[0]) == n
    holds(drawn, rows, 0, sampler)
    names = list(sampler.methods_)
    name = data.draw(st.sampled_from(names))
    rows, y = outcome(lambda: sampler.sample(n, y=name), "")
    holds(drawn, rows, 0, sampler)
    assert len(in_rows(y, 10**6)) == n
    assert len(set(map(repr, in_rows(y, 10**6)))) == 1
    wanted = {name: int(sampler._fitted.target.counts[names.index(name)]) + n}
    X, y = outcome(lambda: sampler.resample(wanted), "")
    assert len(columns_of(X)[0]) == len(in_rows(y, 10**6)) == drawn.n_rows + n


@examples(15)
@given(LABELLED, SAMPLERS, st.sampled_from(["file", "pickle", "deepcopy", "clone", "fit_resample"]))
def test_however_a_sampler_is_kept_it_gives_the_same(labelled, sampler, how):
    drawn, labels = labelled
    plain = sampler
    sampler = fitted(labelled, sampler)
    if sampler is None:
        return
    if how in ("clone", "fit_resample"):
        kept = clone(plain)
        assert kept.get_params() == sampler.get_params()
        X, y = outcome(lambda: kept.fit_resample(drawn.native, labels.native), "")
    else:
        kept = outcome(lambda: KEPT[how](sampler), "")
        X, y = kept.resample()
    wanted, wanted_y = sampler.resample()
    if how != "file":  # a file gives pandas for every kind of frame
        same_table(wanted, X)
        assert list(map(repr, in_rows(y, 10**6))) == list(map(repr, in_rows(wanted_y, 10**6)))
    for one, other in zip(shown(wanted), shown(X), strict=True):
        np.testing.assert_array_equal(one.missing, other.missing)
        if one.values.dtype == other.values.dtype and one.unit == other.unit:
            np.testing.assert_array_equal(one.values, other.values)


KEPT = {
    "file": through_a_file,
    "pickle": lambda sampler: pickle.loads(pickle.dumps(sampler)),
    "deepcopy": copy.deepcopy,
}
