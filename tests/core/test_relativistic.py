"""The relativistic pairing loss and its two penalties, against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from tabgan.core.cases import Case
from tabgan.core.conditional import ConditionalTask
from tabgan.core.penalties import PENALTIES, CasePenalty
from tabgan.core.phases import DiscriminatorLoss, GeneratorLoss
from tabgan.core.relativistic import RelativisticLoss
from tabgan.core.stabilisers import FlippedLabels, SmoothedLabels
from tabgan.core.tasks import GenerationTask, normal_prior
from tabgan.verdict import Verdict

LOSS = RelativisticLoss()


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def case(scores, target=1.0):
    return Case(Verdict(torch.tensor(scores, dtype=torch.float64)), target)


def test_the_loss_is_the_logarithm_of_the_odds_of_each_pair():
    real, fake = case([2.0, -1.0]), case([0.5, 1.0], 0.0)
    expected = (math.log1p(math.exp(-1.5)) + math.log1p(math.exp(2.0))) / 2
    assert float(LOSS.discriminator_loss([real, fake])) == pytest.approx(expected, rel=1e-12)
    won = (math.log1p(math.exp(1.5)) + math.log1p(math.exp(-2.0))) / 2
    assert float(LOSS.generator_loss([case([0.5, 1.0]), case([2.0, -1.0], 0.0)])) == pytest.approx(won, rel=1e-12)


def test_only_differences_count():
    value = LOSS.discriminator_loss([case([0.3, 0.1]), case([0.0, -2.0], 0.0)])
    moved = LOSS.discriminator_loss([case([7.3, -3.9]), case([7.0, -6.0], 0.0)])
    assert float(value) == pytest.approx(float(moved), rel=1e-12)


@pytest.mark.parametrize("target", [0.9, 0.0, torch.tensor([1.0, 0.3])])
def test_a_target_says_how_sure_the_win_should_be(target):
    real, fake = case([1.0, -0.5], target), case([0.2, 0.4], 0.0)
    t = torch.as_tensor(target).double().expand(2)
    d = torch.tensor([0.8, -0.9], dtype=torch.float64)
    expected = (t * torch.log1p(torch.exp(-d)) + (1 - t) * torch.log1p(torch.exp(d))).mean()
    assert float(LOSS.discriminator_loss([real, fake])) == pytest.approx(float(expected), rel=1e-12)


def test_the_best_discriminator_of_two_points_has_no_end_but_the_penalties_give_it_one():
    """One real row at 1, one fake at 0, D(x) = w x: slope sigmoid(-w) against weight * w of R1, and of R2."""
    weight, w = 0.25, torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
    for _ in range(3000):
        x, y = (torch.tensor([[v]], dtype=torch.float64, requires_grad=True) for v in (1.0, 0.0))
        cases = [Case(Verdict((w * v)[:, 0]), target, data=v) for v, target in ((x, 1.0), (y, 0.0))]
        loss = LOSS.discriminator_loss(cases) + sum(weight * CasePenalty(n, weight)(cases) for n in ("r1", "r2"))
        (slope,) = torch.autograd.grad(loss, w)
        w = (w - 0.1 * slope).detach().requires_grad_()
    w = float(w.detach())
    assert 1 / (1 + math.exp(w)) == pytest.approx(2 * weight * w, rel=1e-6)


class Square(nn.Module):
    """D(x) = a |x|^2 / 2, whose slope is a x."""

    def __init__(self, a=1.0):
        super().__init__()
        self.a = nn.Parameter(torch.tensor(a))

    def forward(self, x, condition=None):
        return Verdict(0.5 * self.a * x.square().flatten(1).sum(1), features=x.flatten(1))


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.b = nn.Parameter(torch.tensor(2.0))

    def forward(self, noise, condition=None):
        return self.b * noise


def players():
    return {"generator": Scaled(), "discriminator": Square(3.0)}


@pytest.mark.parametrize(("name", "place"), [("r1", 0), ("r2", 1)])
def test_penalties_are_half_the_mean_squared_slope_at_their_own_rows(name, place):
    task = GenerationTask(torch.randn(50, 4, generator=seeded()), normal_prior(4), 16, paired=True)
    batch, both = task.batch(seeded(1)), players()
    cases = task.discriminator_cases(both, batch)
    rows = [batch.real, 2 * batch.noise][place]
    expected = 0.5 * 9 * float(rows.square().sum(1).mean())
    value = CasePenalty(name, 1.0)(cases)
    assert float(value.detach()) == pytest.approx(expected, rel=1e-5)
    same = PENALTIES[name](both["discriminator"], batch.real, rows, seeded())
    assert float(value.detach()) == pytest.approx(float(same.detach()), rel=1e-5)
    (slope,) = torch.autograd.grad(value, both["discriminator"].a)
    assert float(slope) == pytest.approx(2 * expected / 3, rel=1e-5)  # it is quadratic in a


def test_the_discriminators_phase_weighs_both_penalties_and_leaves_the_generator_alone():
    task = GenerationTask(torch.randn(50, 4, generator=seeded()), normal_prior(4), 16, paired=True)
    both = players()
    terms = DiscriminatorLoss(LOSS, task, [CasePenalty("r1", 0.5), CasePenalty("r2", 0.25)])(
        both, batch := task.batch(seeded(1)), seeded(), 0
    )
    assert list(terms) == ["discriminator", "discriminator/r1", "discriminator/r2"]
    for name, weight, rows in (("r1", 0.5, batch.real), ("r2", 0.25, 2 * batch.noise)):
        expected = weight * 0.5 * 9 * float(rows.square().sum(1).mean())
        assert float(terms[f"discriminator/{name}"].detach()) == pytest.approx(expected, rel=1e-5)
    sum(terms.values()).backward()
    assert both["generator"].b.grad is None


def test_the_generators_phase_compares_with_real_rows_and_moves_the_generator():
    task = GenerationTask(torch.randn(50, 4, generator=seeded()), normal_prior(4), 16, paired=True)
    both, batch = players(), task.batch(seeded(1))
    for p in both["discriminator"].parameters():
        p.requires_grad_(False)
    (loss,) = GeneratorLoss(LOSS, task)(both, batch, seeded(), 0).values()
    lead = 1.5 * ((2 * batch.noise).square().sum(1) - batch.real.square().sum(1))
    assert float(loss.detach()) == pytest.approx(float(nn.functional.softplus(-lead).mean()), rel=1e-5)
    loss.backward()
    # d lead / d b = 3 * b |z|^2
    slope = (-torch.sigmoid(-lead) * 3 * 2 * batch.noise.square().sum(1)).mean()
    assert float(both["generator"].b.grad) == pytest.approx(float(slope), rel=1e-4)


def test_pairs_are_of_one_class():
    classes = torch.arange(60) % 3
    task = ConditionalTask(
        torch.randn(60, 4, generator=seeded()),
        classes,
        normal_prior(4),
        16,
        n_classes=3,
        fake_classes="rows",
        paired=True,
    )
    batch = task.batch(seeded(1))
    assert torch.equal(batch.classes, batch.fake_classes)
    assert torch.equal(batch.condition, batch.fake_condition)
    first, second = task.generator_cases(players(), batch)
    assert (first.target, second.target) == (1.0, 0.0)
    assert second.data is batch.real
    assert not second.verdict.adversarial.requires_grad


def test_smoothing_and_flips_reach_the_pairs():
    inner = GenerationTask(torch.randn(50, 4, generator=seeded()), normal_prior(4), 16, paired=True)
    for task in (SmoothedLabels(inner, 0.8), FlippedLabels(inner, 0.49)):
        batch = task.batch(seeded(1))
        plain, changed = (t.discriminator_cases(players(), b) for t, b in ((inner, batch.inner), (task, batch)))
        assert float(LOSS.discriminator_loss(plain).detach()) != float(LOSS.discriminator_loss(changed).detach())


def test_verdicts_without_scores_are_refused():
    blind = Case(Verdict(None, features=torch.zeros(2, 1)), 1.0)
    with pytest.raises(ValueError, match="adversarial"):
        LOSS.discriminator_loss([blind, blind])
    with pytest.raises(ValueError, match="adversarial"):
        CasePenalty("r1", 1.0)([blind, blind])
