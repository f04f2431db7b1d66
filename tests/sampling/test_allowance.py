"""`max_time` bounds all of `fit_resample`: what can be left out is, rows are made in any case, and a warning says what took longer."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from tabgan import BAGANOversampler, CGANSampler
from tabgan.core.callbacks import OUT_OF_TIME
from tabgan.sampling import allowance as allowance_module
from tabgan.sampling.allowance import Allowance
from tabgan.sampling.borders import Borders


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(allowance_module, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    return now


def table(n=160, rare=40):
    rng = np.random.default_rng(0)
    y = (np.arange(n) < rare).astype(int)
    return rng.normal(size=(n, 3)) + 0.5 * y[:, None], y


def test_as_much_as_reading_took_is_kept_back(clock):
    allowance = Allowance(10.0)
    assert allowance.deadline == 1010.0
    clock.seconds += 3
    allowance.end_reading()
    assert allowance.deadline == 1007.0
    assert not allowance.is_used_up
    clock.seconds = 1007.5
    assert allowance.is_used_up


def test_without_a_limit_nothing_is_used_up(clock):
    allowance = Allowance(None)
    clock.seconds += 1e9
    assert allowance.deadline is None
    assert not allowance.is_used_up
    assert allowance.overrun(5, 5) is None


@pytest.mark.parametrize(("allowed", "taken", "is_over"), [(1, 1.9, 0), (1, 2.1, 1), (100, 109, 0), (100, 111, 1)])
def test_a_second_or_a_tenth_more_is_no_overrun(clock, allowed, taken, is_over):
    allowance = Allowance(allowed)
    clock.seconds += taken
    assert (allowance.overrun(5, 5) is not None) == bool(is_over)


@pytest.mark.parametrize("sampler", [BAGANOversampler, CGANSampler])
def test_no_time_still_makes_the_rows_asked_for(sampler, monkeypatch):
    def fail(*args):
        raise AssertionError("rows are not drawn in once time is up")

    monkeypatch.setattr(Borders, "strays", fail)
    X, y = table()
    made = sampler(max_time=1e-9, random_state=0)
    X_more, y_more = made.fit_resample(X, y)
    assert np.bincount(y_more).tolist() == [120, 120]
    assert np.isfinite(X_more).all()
    assert (made.n_iter_, made.stop_reason_) == (0, OUT_OF_TIME)
    with pytest.raises(AssertionError, match="once time is up"):
        BAGANOversampler(n_steps=0, random_state=0).fit_resample(X, y)


def test_starts_that_are_nothing_without_a_network_train_one_step():
    made = CGANSampler(start="noise", max_time=1e-9, random_state=0)
    _, y_more = made.fit_resample(*table())
    assert np.bincount(y_more).tolist() == [120, 120]
    assert (made.n_iter_, made.stop_reason_) == (1, OUT_OF_TIME)


def test_a_gate_without_time_makes_no_rows_and_says_so():
    made = BAGANOversampler(gate="f1", max_time=1e-9, random_state=0)
    X, y = table()
    X_more, _ = made.fit_resample(X, y)
    assert len(X_more) == len(X)
    assert "time was up" in made.gate_.reason
    assert "max_time" in str(made.report_)


def test_where_the_table_alone_takes_longer_a_warning_says_so(monkeypatch):
    ticks = iter(np.arange(0, 1000, 4.0))
    monkeypatch.setattr(allowance_module, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    with pytest.warns(UserWarning, match=r"max_time=1 was too short by .* 160 rows and 3 columns alone took 4.0 s"):
        BAGANOversampler(max_time=1, random_state=0).fit_resample(*table())


def test_enough_time_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = BAGANOversampler(n_steps=2, max_time=1e6, random_state=0)
        made.fit_resample(*table())
    assert made.stop_reason_ is None
