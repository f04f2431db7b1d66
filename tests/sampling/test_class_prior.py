"""`ClassPriorTask`: latent draws of the class asked for, its energy score, and penalties on pairs of one class."""

import numpy as np
import pytest
import torch
from torch import nn

from tabgan._runtime import make_generator
from tabgan.core.energy import energy_score
from tabgan.sampling.class_prior import ClassPriorTask

DATA = torch.arange(12.0)[:, None].repeat(1, 2)
CLASSES = torch.tensor([0] * 6 + [1] * 4 + [2] * 2)
CONDITION = torch.cat([torch.eye(3)[CLASSES], DATA[:, :1]], 1)


class Add(nn.Module):
    """Fakes that tell which row they were drawn for."""

    def forward(self, noise, condition):
        return noise + 0.25


class Heard(nn.Module):
    def __init__(self):
        super().__init__()
        self.conditions = []

    def forward(self, x, condition):
        self.conditions.append(condition)
        return x[:, 0]


def task_of(**settings):
    return ClassPriorTask(
        DATA,
        CLASSES,
        lambda rows, generator: DATA[rows] + torch.rand(len(rows), 1, generator=generator) / 8,
        12,
        n_classes=3,
        **{"condition": CONDITION, "neighbours": lambda rows, generator: rows ^ 1, **settings},
    )


@pytest.mark.parametrize("condition", [CONDITION, None])
def test_noise_condition_and_class_of_fakes_belong_together(condition):
    task = task_of(condition=condition)
    batch = task.batch(make_generator(0))
    rows = batch.fake_rows
    assert torch.equal(CLASSES[rows], batch.inner.fake_classes)
    assert ((batch.inner.noise - DATA[rows]).abs() <= 0.125).all()
    told = CONDITION[rows] if condition is not None else torch.eye(3)[CLASSES[rows]]
    assert torch.equal(batch.inner.fake_condition, told)
    assert torch.bincount(CLASSES[rows]).tolist() == [4, 4, 4], "balanced"


def test_penalty_pairs_have_one_class_and_the_fakes_condition():
    task, players = task_of(), {"generator": Add(), "discriminator": Heard()}
    batch = task.batch(make_generator(0))
    judge, real, fake = task.penalty_inputs(players, batch)
    assert torch.equal(real, DATA[batch.fake_rows])
    assert (((fake - 0.25 - real) >= 0) & ((fake - 0.25 - real) <= 0.125)).all()
    judge(real)
    assert torch.equal(players["discriminator"].conditions[-1], CONDITION[batch.fake_rows])
    assert not fake.requires_grad


def test_energy_is_the_score_of_two_draws_against_a_neighbour():
    task, players = task_of(), {"generator": Add(), "discriminator": Heard()}
    batch = task.batch(make_generator(0))
    rows = batch.fake_rows
    state = batch.generator.get_state()
    energy = task.energy(players, batch)
    replay = make_generator(0)
    replay.set_state(state)
    second = task.class_prior(rows, replay) + 0.25
    expected = energy_score(batch.inner.noise + 0.25, second, DATA[rows ^ 1], torch.ones(12, 2))
    np.testing.assert_allclose(energy, expected, rtol=1e-6)


def test_one_step_makes_its_fakes_once():
    calls = []

    class Counting(Add):
        def forward(self, noise, condition):
            calls.append(torch.is_grad_enabled())
            return super().forward(noise, condition)

    task, players = task_of(), {"generator": Counting(), "discriminator": Heard()}
    batch = task.batch(make_generator(0))
    for _ in range(2):
        task.fakes(players, batch)
        with torch.no_grad():
            task.fakes(players, batch)
    assert calls == [True, False]
