"""The trainer's callbacks: time budget, early stopping, averaged weights, the guard against NaN, progress."""

import math

import pytest

from tabgan.core.callbacks import Callback, EarlyStopping, NanGuard, Progress, TimeBudget, WeightAverage
from tabgan.core.phases import OptimizerSpec
from tabgan.exceptions import TrainingDivergedError
from tests.core.points import Stopper, bowl, point_trainer, position, slide


def test_time_budget_in_the_past_stops_after_one_step():
    trainer = point_trainer(bowl, callbacks=[TimeBudget(-math.inf)])
    trainer.fit(10)
    assert trainer.step_count == 1
    assert "time" in trainer.stop_reason


def test_time_budget_in_the_far_future_does_not_stop():
    trainer = point_trainer(bowl, callbacks=[TimeBudget(math.inf)])
    trainer.fit(10)
    assert (trainer.step_count, trainer.stop_reason) == (10, None)


def early(scores, **settings):
    """A trainer of a sliding point, 1 - step / 10, whose scorings give ``scores`` in turn."""
    trainer = point_trainer(slide)
    scores = iter(scores)
    stopping = EarlyStopping(trainer.players["point"], lambda module: next(scores), **settings)
    trainer.callbacks.append(stopping)
    return trainer, stopping


def test_early_stopping_keeps_the_best_weights_and_stops_when_patience_is_used_up():
    trainer, stopping = early([5.0, 4.0, 3.0, 3.5, 3.2, 9.9], patience=2, every=2)
    trainer.fit(100)
    assert trainer.step_count == 8
    assert (stopping.best_score, stopping.best_step) == (3.0, 4)
    assert trainer.history["validation"] == [5.0, 4.0, 3.0, 3.5, 3.2]
    assert position(trainer) == pytest.approx(0.2, abs=1e-6)
    stopping.restore_best()
    assert position(trainer) == pytest.approx(0.6, abs=1e-6)


def test_early_stopping_counts_the_untrained_module():
    trainer, stopping = early([1.0, 2.0, 3.0], patience=2, every=1)
    trainer.fit(100)
    stopping.restore_best()
    assert (stopping.best_step, position(trainer)) == (0, 1.0)


def test_an_improvement_starts_patience_anew():
    trainer, _ = early([5.0, 6.0, 4.0, 6.0, 6.0, 0.0], patience=2, every=1)
    trainer.fit(100)
    assert trainer.step_count == 4


def test_less_than_min_delta_is_kept_but_does_not_buy_time():
    trainer, stopping = early([1.0, 0.99, 0.985, 0.5], patience=2, every=1, min_delta=0.1)
    trainer.fit(100)
    assert trainer.step_count == 2
    assert (stopping.best_score, stopping.best_step) == (0.985, 2)


def test_a_nan_score_is_never_the_best():
    trainer, stopping = early([1.0, math.nan, 0.5, math.nan, math.nan], patience=2, every=1)
    trainer.fit(100)
    assert (stopping.best_score, stopping.best_step, trainer.step_count) == (0.5, 2, 4)


def test_weight_average_equals_the_recursion_by_hand():
    trainer = point_trainer(slide)
    average = WeightAverage(trainer.players["point"], "point", decay=0.25)
    trainer.callbacks.append(average)
    trainer.players["point"].count.fill_(7.0)
    trainer.fit(4)
    expected = 1.0
    for t in (1, 2, 3, 4):
        decay = min(0.25, (1 + t) / (10 + t))  # 2/11, then 1/4
        expected = decay * expected + (1 - decay) * (1 - 0.1 * t)
    assert float(average.module.at) == pytest.approx(expected, rel=1e-6)
    assert average.module.count == 7.0
    assert not average.module.at.requires_grad
    assert not average.module.training
    assert position(trainer) == pytest.approx(0.6)


def nan_after(step, times):
    """A sliding loss that is NaN in ``times`` updates from update ``step`` on."""
    count = iter(range(10**6))
    return lambda players, batch: players["point"].at * (math.nan if step <= next(count) < step + times else 1.0)


def test_nan_guard_goes_back_to_the_last_good_state_at_half_the_learning_rate():
    trainer = point_trainer(nan_after(5, 1), callbacks=[NanGuard()], read_every=2)
    average = WeightAverage(trainer.players["point"], "point")
    trainer.callbacks.insert(0, average)
    trainer.fit(6)
    assert trainer.learning_rate_factor == 0.5
    assert position(trainer) == pytest.approx(0.6)  # as at step 4, the last good reading
    assert float(average.module.at) == pytest.approx(0.6)
    trainer.fit(4)
    assert position(trainer) == pytest.approx(0.4)
    assert average.module.at.isfinite()


def test_nan_guard_gives_up_after_its_restarts():
    guard = NanGuard(max_restarts=2)
    trainer = point_trainer(nan_after(3, 1000), callbacks=[guard], read_every=2)
    with pytest.raises(TrainingDivergedError, match="loss"):
        trainer.fit(100)
    assert guard.n_restarts == 3
    assert trainer.step_count == 8  # readings at 4, 6 and 8
    assert trainer.players["point"].at.requires_grad


def test_nan_guard_also_looks_at_the_optimizer_and_starts_from_the_first_state():
    """NaN in Adam's moments would poison every later step."""
    trainer = point_trainer(nan_after(0, 1), optimizer=OptimizerSpec("adam", 0.1), callbacks=[NanGuard()], read_every=1)
    trainer.fit(3)
    assert position(trainer) < 1.0


def test_nan_guard_sees_weights_spoilt_by_a_finite_loss():
    """The square root of 0 is finite, its derivative times 0 is not: no such state may be remembered as good."""
    count = iter(range(100))

    def loss(players, batch):
        at = players["point"].at
        return at + (0 * (at - at.detach())).sqrt() if next(count) == 3 else at

    trainer = point_trainer(loss, callbacks=[NanGuard()], read_every=2)
    trainer.fit(8)
    assert trainer.learning_rate_factor == 0.5
    assert math.isfinite(position(trainer))


def test_a_nan_just_before_a_stop_does_not_go_unnoticed():
    trainer = point_trainer(nan_after(2, 1), callbacks=[NanGuard(), Stopper(3)])
    trainer.fit(10)
    assert trainer.stop_reason == "first reason"
    assert math.isfinite(position(trainer))


class Bar:
    """Stands in for tqdm."""

    made: list = []  # noqa: RUF012 - refilled by the fixture

    def __init__(self, total, desc, **options):
        self.total, self.desc, self.n, self.closed, self.postfix = total, desc, 0, 0, {}
        Bar.made.append(self)

    def update(self, n):
        self.n += n

    def set_postfix(self, values, refresh):
        self.postfix = values

    def close(self):
        self.closed += 1


@pytest.fixture
def bars(monkeypatch):
    Bar.made = []
    monkeypatch.setattr("tqdm.auto.tqdm", Bar)
    return Bar.made


def test_progress_counts_steps_and_shows_the_losses(bars):
    trainer = point_trainer(lambda players, batch: 0 * players["point"].at + 1 / 3, callbacks=[Progress("fitting")])
    trainer.fit(7)
    (bar,) = bars
    assert (bar.total, bar.desc, bar.n, bar.closed) == (7, "fitting", 7, 1)
    assert bar.postfix == {"loss": "0.333"}


class Failing(Callback):
    """Raises at an event."""

    def __init__(self, event):
        setattr(self, event, self.fail)

    def fail(self, *arguments):
        raise RuntimeError("a fault")


@pytest.mark.parametrize("event", ["on_fit_begin", "on_step_end", "on_read"])
def test_progress_closes_its_bar_on_an_error(bars, event):
    trainer = point_trainer(bowl, callbacks=[Progress("fitting"), Failing(event)])
    trainer.players["point"].eval()
    with pytest.raises(RuntimeError, match="a fault"):
        trainer.fit(50)
    assert [bar.closed for bar in bars] == [1]
    assert not trainer.players["point"].training


def test_progress_that_never_began_does_not_hide_the_error(bars):
    trainer = point_trainer(bowl, callbacks=[Failing("on_fit_begin"), Progress("fitting")])
    with pytest.raises(RuntimeError, match="a fault"):
        trainer.fit(5)
    assert bars == []
