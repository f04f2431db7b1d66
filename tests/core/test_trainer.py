"""The training loop, on players so small that every step can be checked by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from tabgan.core.callbacks import NanGuard, WeightAverage
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
from tabgan.networks.blocks import init_linear, mlp
from tabgan.verdict import Verdict
from tests.core.points import SGD, Counting, Point, Stopper, bowl, point_trainer, position, seeded, slide


class Watch:
    """A phase loss pulling its player towards 0 that notes when it was called and what could learn then."""

    def __init__(self, name, log):
        self.name, self.log = name, log

    def __call__(self, players, batch, generator, step):
        learning = {name for name, player in players.items() if player.at.requires_grad}
        self.log.append((step, self.name, learning, float(batch)))
        return {self.name: sum(player.at for player in players.values()) ** 2}


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


def test_stop_ends_after_the_step_keeps_the_first_reason_and_reads_what_is_left():
    trainer = point_trainer(bowl, callbacks=[Stopper(3)])
    trainer.fit(10)
    assert (trainer.step_count, trainer.stop_reason) == (3, "first reason")
    assert [row["step"] for row in trainer.history] == [3]
    trainer.fit(2)
    assert (trainer.step_count, trainer.stop_reason) == (5, None)
