"""The training loop and its callbacks, on players so small that every step can be checked by hand."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from tabgan.core.callbacks import Callback, EarlyStopping, NanGuard, Progress, TimeBudget, WeightAverage
from tabgan.core.cases import Batch
from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.core.penalties import Penalty
from tabgan.core.phases import (
    DiscriminatorLoss,
    GeneratorLoss,
    OptimizerSpec,
    Phase,
    Term,
    TermLoss,
    cosine_schedule,
)
from tabgan.core.tasks import GenerationTask, normal_prior
from tabgan.core.trainer import Trainer
from tabgan.exceptions import TrainingDivergedError
from tabgan.networks.blocks import init_linear, mlp
from tabgan.verdict import Verdict


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


class Point(nn.Module):
    """One number to train."""

    def __init__(self, at=1.0):
        super().__init__()
        self.at = nn.Parameter(torch.tensor(float(at)))
        self.register_buffer("count", torch.zeros(()))


class Counting:
    """A task that counts its batches."""

    def __init__(self):
        self.n_batches = 0

    def batch(self, generator):
        self.n_batches += 1
        return Batch(noise=torch.rand((), generator=generator))


class Watch:
    """A phase loss pulling its player towards 0 that notes when it was called and what could learn then."""

    def __init__(self, name, log):
        self.name, self.log = name, log

    def __call__(self, players, batch, generator, step):
        learning = {name for name, player in players.items() if player.at.requires_grad}
        self.log.append((step, self.name, learning, float(batch.noise)))
        return {self.name: sum(player.at for player in players.values()) ** 2}


SGD = OptimizerSpec("sgd", 0.1, (0.0, 0.0))


def point_trainer(loss, *, optimizer=SGD, callbacks=(), read_every=50, at=1.0, **phase):
    """A trainer of one `Point` under ``loss(players, batch)``."""
    return Trainer(
        {"point": Point(at)},
        [Phase("point", TermLoss([Term("loss", loss)]), optimizer, **phase)],
        Counting(),
        generator=seeded(),
        callbacks=callbacks,
        read_every=read_every,
    )


def slide(players, batch):
    """A loss of slope 1: every step moves by the learning rate exactly."""
    return players["point"].at


def bowl(players, batch):
    return players["point"].at ** 2


def position(trainer):
    return float(trainer.players["point"].at.detach())


def duel(log, **second):
    players = {"first": Point(), "second": Point(2.0)}
    phases = [
        Phase("first", Watch("first", log), SGD, n_steps=5),
        Phase("second", Watch("second", log), SGD, **second),
    ]
    return Trainer(players, phases, Counting(), generator=seeded())


def test_five_critic_steps_to_one_generator_step_each_on_a_fresh_batch():
    log = []
    trainer = duel(log)
    trainer.fit(3)
    assert [name for _, name, _, _ in log] == (["first"] * 5 + ["second"]) * 3
    assert [step for step, *_ in log] == [0] * 6 + [1] * 6 + [2] * 6
    assert trainer.task.n_batches == 18
    assert len({noise for *_, noise in log}) == 18
    assert trainer.step_count == 3


def test_a_phase_runs_from_start_to_before_stop_on_every_kth_step():
    log = []
    trainer = duel(log, start=2, stop=9, every=3)
    trainer.fit(4)
    trainer.fit(8)
    assert [step for step, name, *_ in log if name == "second"] == [3, 6]


def test_only_the_moving_player_learns():
    log = []
    trainer = duel(log)
    trainer.fit(2)
    assert all(learning == {name} for _, name, learning, _ in log)


def test_a_frozen_player_neither_changes_nor_gets_gradients():
    log = []
    trainer = duel(log, start=1)
    trainer.fit(1)
    assert trainer.players["second"].at == 2.0
    assert trainer.players["second"].at.grad is None
    assert trainer.players["first"].at != 1.0


def test_several_players_under_one_optimiser_move_together():
    log = []
    players = {"first": Point(), "second": Point(2.0), "third": Point(3.0)}
    trainer = Trainer(players, [Phase(("first", "second"), Watch("both", log), SGD)], Counting(), generator=seeded())
    trainer.fit(1)
    assert log[0][2] == {"first", "second"}
    assert [float(player.at.detach()) for player in players.values()] == pytest.approx([1 - 1.2, 2 - 1.2, 3.0])


@pytest.mark.parametrize("fails", [False, True])
def test_what_was_trainable_and_the_modes_are_restored(fails):
    """Also a parameter that the user froze before: a pre-trained part must not thaw."""

    def loss(players, batch):
        if fails:
            raise ArithmeticError("on purpose")
        assert players["net"].training
        assert players["net"][0].bias.requires_grad is False
        return players["net"](torch.ones(1, 2)).sum()

    net, other = nn.Sequential(nn.Linear(2, 1)), nn.Linear(1, 1)
    net[0].bias.requires_grad_(False)
    net.eval()
    bias = net[0].bias.clone()
    phases = [Phase("net", TermLoss([Term("loss", loss)]))]
    trainer = Trainer({"net": net, "other": other}, phases, Counting(), generator=seeded())
    if fails:
        with pytest.raises(ArithmeticError):
            trainer.fit(2)
    else:
        trainer.fit(2)
    assert [p.requires_grad for p in net.parameters()] == [True, False]
    assert all(p.requires_grad for p in other.parameters())
    assert torch.equal(net[0].bias, bias)
    assert not net.training
    assert other.training


def test_the_schedule_multiplies_the_learning_rate():
    trainer = point_trainer(slide, schedule=lambda step: [1.0, 0.5, 0.25][step])
    trainer.fit(3)
    assert position(trainer) == pytest.approx(1 - 0.1 * 1.75)


def test_cosine_schedule_warms_up_then_falls_to_zero():
    factor = cosine_schedule(110, warmup=10)
    assert [factor(step) for step in (0, 4, 9)] == pytest.approx([0.1, 0.5, 1.0])
    assert [factor(step) for step in (10, 60, 110, 999)] == pytest.approx([1.0, 0.5, 0.0, 0.0])


def test_gradients_are_clipped_and_hooks_called_after_each_update():
    seen = []
    trainer = point_trainer(
        lambda players, batch: 1000 * players["point"].at,
        max_grad_norm=2.0,
        n_steps=2,
        after_step=[lambda player: seen.append(float(player.at.detach()))],
    )
    trainer.fit(2)
    assert seen == pytest.approx([0.8, 0.6, 0.4, 0.2], rel=1e-4)


@pytest.mark.parametrize("name", ["adam", "rmsprop", "sgd"])
def test_every_optimizer_goes_downhill(name):
    trainer = point_trainer(bowl, optimizer=OptimizerSpec(name, 0.01))
    trainer.fit(30)
    assert abs(position(trainer)) < 0.95


def test_an_unknown_optimizer_is_refused_by_name():
    with pytest.raises(ValueError, match="adagrad"):
        OptimizerSpec("adagrad").build([nn.Parameter(torch.zeros(1))])


class Net(nn.Module):
    """A conditional player; a critic if ``judges``."""

    def __init__(self, d_in, d_out, draw, judges):
        super().__init__()
        self.layers, self.judges = mlp([d_in, 8, d_out]), judges
        init_linear(self, draw)

    def forward(self, x, condition):
        out = self.layers(torch.cat([x, condition], 1))
        return Verdict(out[:, 0]) if self.judges else out


def gan(seed):
    draw = seeded(seed)
    data = torch.randn(64, 2, generator=draw)
    task = GenerationTask(data, normal_prior(3), 16, (data[:, :1] > 0).float())
    players = {"generator": Net(4, 2, draw, False), "discriminator": Net(3, 1, draw, True)}
    loss = ADVERSARIAL_LOSSES["wasserstein"]
    optimizer = OptimizerSpec("adam", 1e-3, (0.0, 0.9))
    phases = [
        Phase("discriminator", DiscriminatorLoss(loss, task, [Penalty("gradient")]), optimizer, n_steps=2),
        Phase("generator", GeneratorLoss(loss, task), optimizer),
    ]
    average = WeightAverage(players["generator"], "generator")
    return Trainer(players, phases, task, generator=draw, callbacks=[average, NanGuard()], read_every=5)


def weights(trainer):
    return torch.cat([p.detach().flatten() for player in trainer.players.values() for p in player.parameters()])


def test_building_and_fitting_a_gan_leaves_the_global_generators_alone():
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    gan(0).fit(12)
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert np.array_equal(np.random.get_state()[1], numpy_before)


def test_one_seed_one_result_whatever_the_global_generator_says():
    runs = []
    for seed, noise in ((0, 1), (0, 2), (1, 1)):
        torch.manual_seed(noise)
        trainer = gan(seed)
        trainer.fit(12)
        runs.append((weights(trainer), trainer.history.rows))
    assert torch.equal(runs[0][0], runs[1][0])
    assert runs[0][1] == runs[1][1]
    assert not torch.equal(runs[0][0], runs[2][0])


def test_history_rows_are_means_since_the_last_reading():
    values = iter(range(100))
    trainer = point_trainer(lambda players, batch: 0 * players["point"].at + next(values), read_every=4, n_steps=2)
    trainer.fit(10)
    assert trainer.history.rows == [
        {"step": 4, "loss": sum(range(8)) / 8},
        {"step": 8, "loss": sum(range(8, 16)) / 8},
        {"step": 10, "loss": sum(range(16, 20)) / 4},
    ]


def test_a_phase_that_runs_rarely_is_averaged_over_its_own_steps():
    trainer = point_trainer(lambda players, batch: 0 * players["point"].at + 3.0, read_every=4, every=3)
    trainer.fit(4)
    assert trainer.history["loss"] == [3.0]


def test_fit_goes_on_where_it_stopped():
    trainer = point_trainer(slide)
    trainer.fit(2)
    history = trainer.fit(3)
    assert trainer.step_count == 5
    assert position(trainer) == pytest.approx(0.5)
    assert history is trainer.history


class Stopper(Callback):
    """Stops at a step, twice, for two reasons."""

    def __init__(self, step):
        self.step = step

    def on_step_end(self, trainer):
        if trainer.step_count == self.step:
            trainer.stop("first reason")
            trainer.stop("second reason")


def test_stop_ends_after_the_step_keeps_the_first_reason_and_reads_what_is_left():
    trainer = point_trainer(bowl, callbacks=[Stopper(3)])
    trainer.fit(10)
    assert (trainer.step_count, trainer.stop_reason) == (3, "first reason")
    assert [row["step"] for row in trainer.history] == [3]
    trainer.fit(2)
    assert (trainer.step_count, trainer.stop_reason) == (5, None)


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
