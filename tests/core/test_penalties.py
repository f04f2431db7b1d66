"""Penalties and the weight clip against closed forms for linear critics."""

import math

import pytest
import torch
from torch import nn

from tabgan.core.cases import Case
from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.core.penalties import PENALTIES, Penalty, WeightClip, gradient_penalty, r1_penalty
from tabgan.core.phases import DiscriminatorLoss, OptimizerSpec, Phase
from tabgan.core.tasks import GenerationTask, normal_prior
from tabgan.core.trainer import Trainer
from tabgan.verdict import Verdict
from tests.rounding import SINGLE


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def linear_judge(w):
    return lambda x: Verdict((x * w).flatten(1).sum(1))


def rows(*shape, seed=0):
    draw = seeded(seed)
    return torch.randn(*shape, generator=draw), 5 + 3 * torch.randn(*shape, generator=draw)


@pytest.mark.parametrize("shape", [(64, 3), (1, 3), (8, 2, 4, 5)])
@pytest.mark.parametrize("length", [0.2, 1.0, 3.0])
def test_gradient_penalty_of_a_linear_critic_is_the_distance_of_its_slope_from_one(shape, length):
    w = torch.randn(shape[1:], generator=seeded(1))
    w = length * w / w.norm()
    value = gradient_penalty(linear_judge(w), *rows(*shape), seeded())
    assert float(value) == pytest.approx((length - 1) ** 2, abs=SINGLE)


@pytest.mark.parametrize("shape", [(64, 3), (8, 2, 4, 5)])
def test_r1_of_a_linear_critic_is_half_its_squared_slope(shape):
    w = torch.randn(shape[1:], generator=seeded(1))
    value = r1_penalty(linear_judge(w), *rows(*shape), seeded())
    assert float(value) == pytest.approx(0.5 * float(w.square().sum()), rel=1e-5)


def test_r1_looks_at_real_rows_only():
    """D(x) = |x|^2 / 2 has the gradient x: R1 is half the mean squared length of the real rows, and needs no fakes."""
    real, _ = rows(32, 3)
    value = r1_penalty(lambda x: Verdict(0.5 * x.square().sum(1)), real, None, seeded()).detach()
    assert float(value) == pytest.approx(0.5 * float(real.square().sum(1).mean()), rel=1e-5)
    assert not real.requires_grad


def test_minimising_the_gradient_penalty_leads_to_slope_one_per_row():
    real, fake = rows(64, 4)
    w = torch.tensor([0.1, -0.2, 0.3, 0.05], requires_grad=True)
    solver = torch.optim.SGD([w], lr=0.1)
    for step in range(200):
        solver.zero_grad()
        gradient_penalty(linear_judge(w), real, fake, seeded(step)).backward()
        solver.step()
    assert float(w.detach().norm()) == pytest.approx(1.0, abs=1e-4)


def test_the_norm_is_not_taken_over_the_whole_batch():
    """Over a batch of 64 it would be 8 |w|: a slope of 1 would cost 49, and 1/8 nothing."""
    real, fake = rows(64, 4)
    w = torch.tensor([0.5, -0.5, 0.5, 0.5])
    assert float(gradient_penalty(linear_judge(w), real, fake, seeded())) < 1e-9
    assert float(gradient_penalty(linear_judge(w / 8), real, fake, seeded())) == pytest.approx((7 / 8) ** 2, rel=1e-4)


def test_inputs_lie_between_their_own_real_and_fake_rows_with_one_weight_per_row():
    seen = []

    def judge(x):
        seen.append(x.detach())
        return Verdict(x.flatten(1).sum(1))

    real, fake = rows(200, 2, 3)
    gradient_penalty(judge, real, fake, seeded())
    mix = ((seen[0] - fake) / (real - fake)).flatten(1)
    assert (mix - mix[:, :1]).abs().max() < 1e-3
    assert mix.min() >= -1e-4
    assert mix.max() <= 1 + 1e-4
    assert mix[:, 0].std() == pytest.approx(1 / math.sqrt(12), abs=0.04)


def test_gradients_reach_the_critic_but_neither_kind_of_row():
    real, fake = (part.requires_grad_() for part in rows(8, 2))
    w = torch.tensor([2.0, 0.0], requires_grad=True)
    gradient_penalty(linear_judge(w), real, fake, seeded()).backward()
    torch.testing.assert_close(w.grad, torch.tensor([2.0, 0.0]))  # d (|w| - 1)^2 = 2 (|w| - 1) w / |w|
    assert real.grad is None
    assert fake.grad is None


@pytest.mark.parametrize("name", PENALTIES)
def test_a_flat_critic_has_a_finite_gradient(name):
    w = torch.zeros(3, requires_grad=True)
    PENALTIES[name](linear_judge(w), *rows(8, 3), seeded()).backward()
    assert w.grad.isfinite().all()


@pytest.mark.parametrize("name", PENALTIES)
def test_a_verdict_without_scores_is_refused(name):
    with pytest.raises(ValueError, match="adversarial"):
        PENALTIES[name](lambda x: Verdict(None, features=x), *rows(4, 2), seeded())


class Recorder(nn.Module):
    """A linear critic that keeps what it was asked."""

    def __init__(self, d_in):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d_in))
        self.calls = []

    def forward(self, x, condition):
        self.calls.append((x.detach(), condition))
        return Verdict(torch.cat([x, condition], 1) @ self.weight)


class Mover(nn.Module):
    """A generator that shifts its noise."""

    def __init__(self, shift=0.0):
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(shift))

    def forward(self, noise, condition):
        return noise + self.shift


def test_conditions_are_bound_and_never_interpolated():
    data, condition = rows(30, 2)[0], torch.randint(0, 2, (30, 3), generator=seeded(2)).float()
    task = GenerationTask(data, normal_prior(2), 16, condition)
    players = {"generator": Mover(), "discriminator": Recorder(5)}
    batch = task.batch(seeded())
    gradient_penalty(*task.penalty_inputs(players, batch), seeded())
    (x, seen), *_ = players["discriminator"].calls
    assert torch.equal(seen, batch.condition)
    assert not torch.equal(x, batch.real)


@pytest.mark.parametrize(("condition", "n_synthetic"), [(None, 1), (torch.zeros(30, 1), 2)])
def test_a_penalty_looks_at_the_rows_that_were_judged(condition, n_synthetic):
    """Under a condition it wants rows of the real ones' conditions, which the judged rows need not have."""
    task = GenerationTask(rows(30, 2)[0], normal_prior(2), 8, condition)
    made, judged = [], []

    def maker(noise, condition):
        made.append(noise + 1)
        return made[-1]

    def judge(x, condition):
        judged.append(x.detach())
        return Verdict(x.sum(1))

    players, batch = {"generator": maker, "discriminator": judge}, task.batch(seeded())
    DiscriminatorLoss(ADVERSARIAL_LOSSES["wasserstein"], task)(players, batch, seeded(), 0)
    assert torch.equal(task.penalty_inputs(players, batch)[2], judged[1])
    assert len(made) == n_synthetic


def test_a_lazy_penalty_is_paid_k_fold_on_every_kth_step():
    data = rows(30, 2)[0]
    task = GenerationTask(data, normal_prior(2), 8, torch.zeros(30, 1))
    players = {"generator": Mover(), "discriminator": Recorder(3)}
    loss = DiscriminatorLoss(ADVERSARIAL_LOSSES["wasserstein"], task, [Penalty("r1", weight=2.0, every=3)])
    batch = task.batch(seeded())
    paid = [loss(players, batch, seeded(), step).get("discriminator/r1") for step in range(6)]
    paid = [None if value is None else value.detach() for value in paid]
    assert [value is not None for value in paid] == [True, False, False] * 2
    assert float(paid[0]) == pytest.approx(2.0 * 3 * 0.5 * 2.0, rel=1e-5)  # |gradient|^2 = 2: the condition has none


def test_weight_clip_bounds_parameters_and_leaves_buffers():
    player = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    with torch.no_grad():
        player[0].weight.copy_(torch.linspace(-1, 1, 12).reshape(4, 3))
    player[1].running_var.fill_(7.0)
    WeightClip(0.25)(player)
    assert all(p.abs().max() <= 0.25 for p in player.parameters())
    torch.testing.assert_close(player[0].weight, torch.linspace(-1, 1, 12).reshape(4, 3).clamp(-0.25, 0.25))
    assert (player[1].running_var == 7.0).all()


def test_clipped_critic_gap_grows_with_the_shift_while_the_jensen_shannon_divergence_does_not():
    """Two point masses at 0 and t: the best clipped linear critic has the gap c t; JS is log 2 for every t > 0."""
    gaps, divergences = [], []
    for shift in (1.0, 2.0, 4.0):
        task = GenerationTask(torch.full((8, 1), shift), lambda n, generator: torch.zeros(n, 1), 8, torch.zeros(8, 1))
        players = {"generator": Mover(), "discriminator": Recorder(2)}
        phase = Phase(
            "discriminator",
            DiscriminatorLoss(ADVERSARIAL_LOSSES["wasserstein"], task),
            OptimizerSpec("rmsprop", 0.01),
            after_step=[WeightClip(0.1)],
        )
        Trainer(players, [phase], task, generator=seeded()).fit(20)
        slope = players["discriminator"].weight[0].item()
        assert abs(slope) <= 0.1 + 1e-8
        real, fake = task.discriminator_cases(players, task.batch(seeded()))
        gaps.append(float((real.verdict.adversarial.mean() - fake.verdict.adversarial.mean()).detach()))
        # A discriminator that tells them apart for sure reaches -log 4 + 2 JS = 0 from below.
        sure = Case(Verdict(torch.tensor([50.0 * shift])), 1.0), Case(Verdict(torch.tensor([-50.0 * shift])), 0.0)
        divergences.append((math.log(4) - float(ADVERSARIAL_LOSSES["minimax"].discriminator_loss(sure))) / 2)
    assert gaps == pytest.approx([0.1, 0.2, 0.4], rel=1e-4)
    assert divergences == pytest.approx([math.log(2)] * 3, abs=1e-6)
