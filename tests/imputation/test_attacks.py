"""What broke the imputer under attack, each with its right outcome: torch's settings, containers, cells, parameters."""

from __future__ import annotations

import datetime
import io
import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch

import tabgan
from tabgan import GAINImputer
from tabgan.exceptions import EmptyColumnsWarning, InvalidInputError, InvalidParameterError
from tabgan.metrics import rmse
from tabgan.tables.amputation import ampute
from tests.torch_settings import SETTINGS

QUICK = {"effort": "fast", "random_state": 0}


def table(n: int = 60) -> pd.DataFrame:
    """Two numbers that depend on each other, and a label, with gaps."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    frame = pd.DataFrame({"x": x, "y": x + 0.1 * rng.normal(size=n), "c": np.where(x > 0, "up", "down")})
    return frame.mask(rng.random(frame.shape) < 0.2)


def settings_of_torch() -> tuple:
    """What a caller may have set."""
    return (
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.is_grad_enabled(),
        torch.is_autocast_enabled("cpu"),
    )


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_what_the_caller_set_in_torch_changes_nothing_and_is_as_it_was_afterwards(setting, tmp_path):
    frame = table()
    settings = {"random_state": 0, "draw_steps": 5, "n_steps": 5, "device": "cpu"}
    plain = GAINImputer(**settings).fit(frame)
    with setting():
        before = settings_of_torch()
        imputer = GAINImputer(**settings).fit(frame)
        imputer.save(tmp_path / "model.tabgan")
        again = tabgan.load(tmp_path / "model.tabgan")
        filled, drawn = again.transform(frame), again.sample(frame, 2)
        assert settings_of_torch() == before
    pd.testing.assert_frame_equal(filled, plain.transform(frame))
    for one, other in zip(drawn, plain.sample(frame, 2), strict=True):
        pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize("closed", [False, True])
def test_progress_is_not_shown_where_there_is_no_standard_error(monkeypatch, closed):
    stream = io.StringIO()
    stream.close()
    monkeypatch.setattr(sys, "stderr", stream if closed else None)
    GAINImputer(verbose=1, n_steps=5, draw_steps=5, random_state=0).fit(table())


def test_columns_without_a_value_are_named_and_a_table_of_them_is_refused():
    frame = table().assign(empty=np.nan)
    with pytest.warns(EmptyColumnsWarning, match=r"left out: \['empty'\]; keep_empty_features"):
        GAINImputer(**QUICK).fit(frame)
    with pytest.warns(EmptyColumnsWarning, match="filled with 0"):
        GAINImputer(keep_empty_features=True, **QUICK).fit(frame)
    with pytest.raises(InvalidInputError, match="no column of X has an observed cell"):
        GAINImputer(**QUICK).fit(frame[["empty"]].assign(other=None))


def test_python_types_come_back_whatever_the_batch_holds():
    days = [datetime.date(2020, 1, 1 + k % 28) for k in range(40)]
    moments = [datetime.datetime(2020, 1, 1, k % 24) for k in range(40)]
    spans = [datetime.timedelta(hours=k) for k in range(40)]
    columns = {
        "date": days,
        "datetime": moments,
        "timedelta": spans,
        "int": [k % 7 for k in range(40)],
        "Decimal": [Decimal(k) / 4 for k in range(40)],
    }
    frame = pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})
    frame["x"] = np.arange(40.0)
    imputer = GAINImputer(**QUICK).fit(frame)
    gaps = pd.DataFrame({name: pd.Series([None], dtype=object) for name in columns} | {"x": [3.0]})
    for batch in (gaps, pd.concat([frame.iloc[:1], gaps], ignore_index=True)):
        found = imputer.transform(batch).iloc[-1]
        assert {name: type(found[name]).__name__ for name in columns} == {name: name for name in columns}


@pytest.mark.parametrize("wanted", ["pandas", "polars"])
@pytest.mark.parametrize("given", ["pandas", "polars", "arrow"])
def test_observed_cells_survive_every_output_container(given, wanted):
    pl = pytest.importorskip("polars")
    pytest.importorskip("pyarrow")
    day = datetime.date(2020, 1, 1)
    cells = {
        "x": [1.5, None, 2.5, 4.0] * 5,
        "gappy": [True, None, False, True] * 5,
        "truth": [True, False, False, True] * 5,
        "whole": [2**60 + 1, None, 3, 4] * 5,
        "text": ["u", "v", None, "u"] * 5,
        "day": [day, None, day.replace(day=3), day.replace(day=5)] * 5,
        "moment": [datetime.datetime(2020, 1, 1, 5), None, datetime.datetime(2021, 1, 1, 7), None] * 5,
        "span": [datetime.timedelta(hours=1), datetime.timedelta(days=2), None, None] * 5,
    }
    frame = pl.DataFrame(cells)
    native = {"polars": frame, "arrow": frame.to_arrow(), "pandas": tabgan_pandas(frame)}[given]
    imputer = GAINImputer(**QUICK).set_output(transform=wanted).fit(native)
    filled = imputer.transform(native)
    assert type(filled).__module__.startswith(wanted)
    for name, column in cells.items():
        for before, after in zip(column, list(filled[name]), strict=True):
            assert after is not None
            if before is not None:
                assert after == before
    assert isinstance(next(iter(filled["truth"])), bool | np.bool_)


def tabgan_pandas(frame) -> pd.DataFrame:
    """The frame in pandas with nullable and object columns."""
    made = pd.DataFrame({name: pd.Series(frame[name].to_list(), dtype=object) for name in frame.columns})
    kinds = {"x": "float64", "gappy": "boolean", "truth": "bool", "whole": "Int64"}
    times = {"moment": pd.to_datetime(made["moment"]), "span": pd.to_timedelta(made["span"])}
    return made.astype(kinds).assign(**times)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: GAINImputer(column_kinds=["a"]).fit(table()), InvalidParameterError, "column_kinds"),
        (lambda: GAINImputer(column_kinds={"x": ["a"]}).fit(table()), InvalidParameterError, "column_kinds"),
        (lambda: GAINImputer(missing_values=10**400).fit(table()), InvalidParameterError, "missing_values"),
        (lambda: ampute(np.ones((9, 3)), "x"), InvalidParameterError, "rate='x'"),
        (lambda: ampute(np.ones((9, 1)), 0.3, mechanism="mar"), InvalidParameterError, "mechanism='mar'"),
    ],
)
def test_what_cannot_be_used_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_labels_that_no_file_can_hold_are_refused_before_training():
    class Odd:
        pass

    odd = [Odd(), Odd()]
    frame = pd.DataFrame({"odd": pd.Series([odd[k % 2] for k in range(20)], dtype=object), "x": np.arange(20.0)})
    with pytest.raises(InvalidInputError, match=r"column 'odd': the label .* cannot be stored"):
        GAINImputer(**QUICK).fit(frame)


def test_times_of_day_and_fractions_are_stored(tmp_path):
    cells = [datetime.time(1, 2), datetime.time(3, 4), None] * 10
    frame = pd.DataFrame({"t": cells, "f": [Fraction(1, 3), None, "third"] * 10, "x": np.arange(30.0)})
    imputer = GAINImputer(**QUICK).fit(frame)
    imputer.save(tmp_path / "m.tabgan")
    pd.testing.assert_frame_equal(tabgan.load(tmp_path / "m.tabgan").transform(frame), imputer.transform(frame))


def test_tensors_that_need_gradients_are_read_like_others():
    X = torch.arange(60.0).reshape(20, 3)
    with_gaps = X.masked_fill(torch.eye(20, 3) > 0, torch.nan)
    filled = GAINImputer(**QUICK).fit_transform(with_gaps.clone().requires_grad_())
    np.testing.assert_array_equal(filled, GAINImputer(**QUICK).fit_transform(with_gaps.numpy()))


@pytest.mark.parametrize("mechanism", ["mcar", "mnar", "mnar-quantile", "block"])
def test_a_single_column_is_amputed_at_the_rate_asked_for(mechanism):
    hidden = ampute(np.random.default_rng(0).normal(size=(100, 1)), 0.3, mechanism=mechanism, random_state=0)
    assert hidden.sum() == 30


@pytest.mark.parametrize("largest", [1e9, 1e300])
def test_columns_of_extreme_values_are_amputed_too(largest):
    X = np.random.default_rng(0).normal(size=(100, 3))
    X[0, 0] = largest
    assert ampute(X, 0.3, mechanism="mnar", random_state=0).sum() == 90


def test_whole_numbers_beyond_float64_are_imputed_within_their_range_and_reloaded(tmp_path):
    ids = [2**63 - 1 - k for k in range(40)]
    frame = pd.DataFrame({"id": pd.array([*ids, None, None], dtype="Int64"), "x": np.arange(42.0)})
    imputer = GAINImputer(random_state=0, n_steps=5, draw_steps=5).fit(frame)
    imputer.save(tmp_path / "m.tabgan")
    for filled in (
        imputer.transform(frame),
        tabgan.load(tmp_path / "m.tabgan").transform(frame),
        *imputer.sample(frame, 2),
    ):
        assert filled["id"].tolist()[:40] == ids
        assert all(min(ids) <= value <= max(ids) for value in filled["id"])
    assert np.isfinite(rmse(frame.fillna(0)[["x"]], imputer.transform(frame)[["x"]], np.ones((42, 1), dtype=bool)))
