"""Any table through the encoder and the choice of cells to hide: what goes in comes out, and nothing is lost on the way."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabgan.exceptions import InvalidParameterError
from tabgan.tables.amputation import MECHANISMS, ampute
from tabgan.tables.encoder import TableEncoder
from tabgan.tables.frames import read_table
from tabgan.tables.numeric import NUMERIC_TRANSFORMS
from tabgan.tables.schema import TableSchema, infer_schema
from tests.properties.cells import NUMBERS, as_floats
from tests.properties.promises import by_rule, can_hold, columns_of, missing_in, outcome, same_cells, shown
from tests.properties.tables import Drawn, examples, tables

ENCODERS = st.builds(
    lambda transform, most, rounded: TableEncoder(
        numeric_transform=transform, max_categories=most, round_like_observed=rounded
    ),
    st.sampled_from(sorted(NUMERIC_TRANSFORMS)),
    st.sampled_from([32, 1, 3]),
    st.booleans(),
)


def needs_schema(drawn: Drawn) -> str:
    """Names are compared by scikit-learn, not here."""
    return "" if drawn.refusal.startswith("some names") else drawn.refusal


@examples(50)
@given(tables(), ENCODERS, st.sampled_from([0.0, 1.0, 1e6, np.nan, np.inf, -np.inf]), st.integers(0, 2**16))
def test_whatever_a_model_says_decodes_to_cells_that_the_column_can_hold(drawn, encoder, largest, seed):
    encoder = outcome(
        lambda: encoder.fit(read_table(drawn.native), infer_schema(read_table(drawn.native))), needs_schema(drawn)
    )
    if encoder is None:
        return
    table = read_table(drawn.native)
    encoded = outcome(lambda: encoder.encode(table), "")
    assert np.isfinite(encoded.values).all()
    np.testing.assert_array_equal(encoded.mask, ~drawn.missing[:, list(encoder.schema_.encoded)])
    rng = np.random.default_rng(seed)
    said = largest * rng.normal(size=encoded.values.shape)
    for values, choose in ((encoded.values, "mode"), (said, "mode"), (said, rng)):
        filled = outcome(lambda values=values, choose=choose: encoder.decode(table, values, choose=choose), "")
        made = shown(filled)
        for j, (before, after) in enumerate(zip(columns_of(drawn.native), columns_of(filled), strict=True)):
            gaps = drawn.missing[:, j]
            same_cells(before, after, ~gaps, dtype=not drawn.empty[j])
            if not drawn.empty[j]:
                assert not missing_in(after).any()
                if j not in by_rule(encoder.schema_):
                    can_hold(table.columns[j], made[j].values[gaps], rounded=encoder.round_like_observed)


@examples(20)
@given(tables(), ENCODERS)
def test_a_stored_encoder_encodes_and_decodes_the_same(drawn, encoder):
    if drawn.refusal:
        return
    table = read_table(drawn.native)
    encoder.fit(table, infer_schema(table))
    again = TableEncoder.from_state(json.loads(json.dumps(encoder.to_state(), allow_nan=False)))
    assert again.schema_ == encoder.schema_ == TableSchema.from_json(encoder.schema_.to_json())
    one, other = encoder.encode(table), again.encode(table)
    np.testing.assert_array_equal(one.values, other.values)
    np.testing.assert_array_equal(one.mask, other.mask)
    noise = np.random.default_rng(0).normal(size=one.values.shape)
    for first, second in zip(shown(encoder.decode(table, noise)), shown(again.decode(table, noise)), strict=True):
        np.testing.assert_array_equal(first.values, second.values)


@st.composite
def matrices(draw) -> np.ndarray:
    """Numbers of every magnitude, with cells that are missing."""
    n_rows, n_columns = draw(st.integers(0, 50)), draw(st.integers(1, 30))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    styles = draw(
        st.lists(st.sampled_from(sorted(set(NUMBERS) - {"infinite"})), min_size=n_columns, max_size=n_columns)
    )
    X = np.array([as_floats(style, rng, n_rows) for style in styles]).T.reshape(n_rows, n_columns)
    X[rng.random(X.shape) < draw(st.sampled_from([0.0, 0.3, 0.9, 1.0]))] = np.nan
    return X


def in_part(gaps: np.ndarray) -> np.ndarray:
    """Which rows miss some of their cells, but not all."""
    return gaps.any(axis=1) & ~gaps.all(axis=1)


@examples(40)
@given(matrices(), st.floats(1e-3, 0.999), st.sampled_from(MECHANISMS), st.integers(0, 2**16))
def test_the_rate_asked_for_is_hidden_among_observed_cells(X, rate, mechanism, seed):
    observed = ~np.isnan(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if (mechanism == "mar" and X.shape[1] < 2) or (
            mechanism == "copy" and observed.any() and not in_part(~observed).any()
        ):
            with pytest.raises(InvalidParameterError, match="mechanism"):
                ampute(X, rate, mechanism=mechanism, random_state=seed)
            return
        hidden = ampute(X, rate, mechanism=mechanism, random_state=seed)
    assert hidden.shape == X.shape
    assert hidden.dtype == bool
    assert not (hidden & ~observed).any()
    if X.shape[1] > 1:
        assert (observed & ~hidden).any(axis=1)[observed.any(axis=1)].all(), "a row lost all its cells"
    if mechanism in ("mcar", "mnar", "mnar-quantile", "block"):
        most = observed.sum() - (observed.any(axis=1).sum() if X.shape[1] > 1 else 0)
        assert hidden.sum() == min(round(rate * observed.sum()), most)
    np.testing.assert_array_equal(hidden, ampute(X, rate, mechanism=mechanism, random_state=seed))


def test_a_broken_promise_would_be_noticed():
    """The checks themselves are checked: a fill outside the range, off the levels, not whole, with too many decimals."""
    table = read_table([[1.25, "a"], [2.5, "b"], [None, None]])
    number, label = table.columns
    for column, wrong in ((number, 3.0), (number, 1.999), (label, "c")):
        with pytest.raises(AssertionError, match="column"):
            can_hold(column, np.array([wrong], dtype=column.values.dtype))
    with pytest.raises(AssertionError, match="not whole"):
        can_hold(read_table([[1.0], [4.0]]).columns[0], np.array([1.5]))
    with pytest.raises(AssertionError, match="became"):
        same_cells(np.array([1.0, 2.0]), np.array([1.0, 3.0], dtype="f4"), np.ones(2, dtype=bool))
    with pytest.raises(AssertionError, match="foreign warning"):
        outcome(lambda: np.log(np.array(0.0)), "")
    with pytest.raises(AssertionError, match="raw ValueError"):
        outcome(lambda: [].index(1), "anything")
    with pytest.raises(AssertionError, match="accepted"):
        outcome(lambda: 1, "no rows")
