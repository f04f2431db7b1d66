"""Warnings: each sign forced once, and none in a healthy training."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from tabgan.core.callbacks import Callback
from tabgan.core.health import HealthWatch, Recorder, mean_pair_distance
from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.core.phases import DiscriminatorLoss, GeneratorLoss, OptimizerSpec, Phase
from tabgan.core.tasks import GenerationTask, normal_prior
from tabgan.core.trainer import Trainer
from tabgan.exceptions import InvalidParameterError
from tabgan.verdict import Verdict


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


class Maker(nn.Module):
    def __init__(self, scale=1.0, shift=0.0):
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.tensor(scale)), nn.Parameter(torch.tensor(shift))
        self.norm = nn.BatchNorm1d(2)

    def forward(self, noise, condition):
        self.norm(noise)
        return self.scale * noise + self.shift


class Judge(nn.Module):
    def __init__(self, slope=0.1, bias=0.0):
        super().__init__()
        self.bias = bias
        self.slope = nn.Parameter(torch.full((2,), slope))

    def forward(self, x, condition):
        return Verdict(x @ self.slope + self.bias)


NOISE = torch.randn(100, 2, generator=seeded(3))
REAL = torch.randn(400, 2, generator=seeded(4))


def trained(
    watch, *, generator=None, judge=None, loss="non-saturating", rate=1e-3, n_steps=20, others=(), read_every=2
):
    task = GenerationTask(REAL, normal_prior(2), 16)
    players = {"generator": generator or Maker(), "discriminator": judge or Judge()}
    pair = ADVERSARIAL_LOSSES[loss]
    phases = [
        Phase("discriminator", DiscriminatorLoss(pair, task), OptimizerSpec("sgd", rate, (0.0, 0.0))),
        Phase("generator", GeneratorLoss(pair, task), OptimizerSpec("sgd", rate, (0.0, 0.0))),
    ]
    trainer = Trainer(players, phases, task, generator=seeded(), callbacks=[*others, watch], read_every=read_every)
    trainer.fit(n_steps)
    return trainer


def watch_all(**settings):
    return HealthWatch(inputs=[NOISE, None], reference=REAL, **settings)


def test_a_healthy_training_gives_no_warning():
    watch = watch_all()
    trained(watch)
    assert watch.warnings == []


def test_an_exploding_gradient_is_reported_once_with_its_player():
    watch = watch_all()
    trained(watch, judge=Judge(500.0))
    assert len(watch.warnings) == 1
    assert "gradient norm of the generator" in watch.warnings[0]
    assert watch.warnings[0].startswith("step 2:")


class Spike(Callback):
    """Makes the discriminator steep for the fifth step only."""

    done = False

    def on_step_end(self, trainer):
        self.done = self.done or trainer.step_count == 4
        with torch.no_grad():
            trainer.players["discriminator"].slope.fill_(100.0 if trainer.step_count == 4 else 0.1)


def test_a_spike_between_two_readings_is_seen():
    watch = HealthWatch(max_gradient_norm=5.0)
    spike = Spike()
    trained(watch, n_steps=10, others=[spike], read_every=10)
    assert spike.done
    assert any("generator" in warning for warning in watch.warnings)


def test_a_discriminator_that_has_won_is_reported_after_its_patience():
    watch = HealthWatch(patience=3)
    trained(watch, generator=Maker(1.0, -40.0), judge=Judge(1.0, 20.0), n_steps=20)
    assert ["discriminator's loss" in warning for warning in watch.warnings] == [True]
    assert watch.warnings[0].startswith("step 6:")
    silent = HealthWatch(lowest_loss=None)
    trained(silent, generator=Maker(1.0, -40.0), judge=Judge(1.0, 20.0))
    assert silent.warnings == []


def test_a_negative_critic_loss_is_no_victory():
    watch = HealthWatch()
    trained(watch, loss="wasserstein", generator=Maker(1.0, -5.0))
    assert watch.warnings == []


def test_a_forced_collapse_is_reported():
    watch = watch_all()
    trained(watch, generator=Maker(0.01))
    assert len(watch.warnings) == 1
    assert "collapsed" in watch.warnings[0]
    assert "rows lie 0.0" in watch.warnings[0]


def test_watching_changes_nothing():
    """Neither the random stream nor batch-norm statistics: the watched weights are the unwatched ones."""
    plain, watched = trained(Recorder({})), trained(watch_all())
    for name, player in plain.players.items():
        for key, value in player.state_dict().items():
            assert torch.equal(value, watched.players[name].state_dict()[key]), (name, key)


def test_state_goes_through_a_checkpoint():
    watch, other = watch_all(), watch_all()
    trained(watch, generator=Maker(0.01))
    other.load_state_dict(watch.state_dict())
    assert other.warnings == watch.warnings
    trained(other, generator=Maker(0.01))
    assert other.warnings == watch.warnings  # each kind once


def test_one_row_per_class_is_a_collapse_though_classes_differ():
    classes = torch.arange(60) % 3
    real = classes[:, None] * 10.0 + torch.randn(60, 1, generator=torch.Generator().manual_seed(0))
    for made, warned in ((classes[:, None] * 10.0, True), (real.flip(0), False)):
        for groups, expected in ((classes, warned), (None, False)):
            watch = HealthWatch(
                patience=1, inputs=[made], reference=real, groups=groups, reference_groups=classes, lowest_loss=None
            )

            class Same(torch.nn.Module):
                def forward(self, rows):
                    return rows

            watch.on_read(SimpleNamespace(players={"generator": Same()}, step_count=1), {}, True)
            assert bool(watch.warnings) == expected, (warned, groups is None)
            if expected:
                assert "rows of one class lie 0 times" in watch.warnings[0]


def test_groups_without_a_pair_on_both_sides_are_ignored():
    rows = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
    watch = HealthWatch(
        inputs=[rows], reference=rows, groups=torch.arange(4), reference_groups=torch.tensor([0, 0, 1, 1])
    )
    assert watch.groups is None
    assert watch.spread == pytest.approx(float(mean_pair_distance(rows)))


def test_pair_distance_is_the_mean_over_pairs():
    rows = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 0.0]])
    assert float(mean_pair_distance(rows)) == pytest.approx((5 + 0 + 5) / 3)
    assert float(mean_pair_distance(rows[:1])) == 0
    assert float(mean_pair_distance(rows, torch.tensor([0, 0, 1]))) == pytest.approx(5)
    assert float(mean_pair_distance(rows, torch.arange(3))) == 0
    assert float(mean_pair_distance(rows.reshape(3, 1, 2))) == pytest.approx(10 / 3)


def test_recorder_writes_into_the_rows_and_leaves_out_what_is_not_there_yet():
    values = iter([None, torch.tensor(0.5)])
    trainer = trained(Recorder({"k": lambda: next(values), "two": lambda: 2}), n_steps=4)
    assert trainer.history["k"] == [0.5]
    assert trainer.history["two"] == [2.0, 2.0]
    assert [set(row) for row in trainer.history][1] == {"step", "discriminator", "generator", "k", "two"}


def test_what_does_not_fit_is_refused():
    for settings, message in (
        ({"max_gradient_norm": 0}, "max_gradient_norm=0"),
        ({"patience": 0}, "patience=0"),
        ({"inputs": [NOISE]}, "reference"),
    ):
        with pytest.raises(InvalidParameterError, match=message):
            HealthWatch(**settings)
