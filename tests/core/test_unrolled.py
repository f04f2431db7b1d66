"""The xy game (min over x, max over y of xy), and unrolling against finite differences and closed forms."""

import copy
import dataclasses
import math

import pytest
import torch
from torch import nn

from tabgan.core.cases import Shared
from tabgan.core.losses import ADVERSARIAL_LOSSES, BeganLoss
from tabgan.core.phases import DiscriminatorLoss, GeneratorLoss, OptimizerSpec, Phase, Term, TermLoss
from tabgan.core.tasks import GenerationTask, normal_prior
from tabgan.core.trainer import Trainer
from tabgan.core.unrolled import UnrolledGeneratorLoss
from tabgan.exceptions import InvalidParameterError
from tabgan.networks.conditioning import ConditionalMLPDiscriminator
from tabgan.verdict import Verdict


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


class Number(nn.Module):
    def __init__(self, at):
        super().__init__()
        self.at = nn.Parameter(torch.tensor(at, dtype=torch.float64))


class Nothing:
    def batch(self, generator):
        return None


class Optimistic:
    """Daskalakis et al. 2018: step along 2 g_t - g_{t-1}; an optimiser that the package does not have, plugged in."""

    learning_rate = 0.1

    def build(self, parameters):
        class Steps(torch.optim.SGD):
            @torch.no_grad()
            def step(self, closure=None):
                for p in self.param_groups[0]["params"]:
                    now = p.grad.clone()
                    p.grad.mul_(2).sub_(self.state[p].get("last", 0.0))
                    self.state[p]["last"] = now
                super().step()

        return Steps(parameters, lr=self.learning_rate)


def radii_after(optimizer, *n_steps, together=False):
    """Distances from the equilibrium after steps of 0.1 from radius 1."""
    players = {"x": Number(1.0), "y": Number(0.0)}
    x, y = (lambda p: p["x"].at), (lambda p: p["y"].at)
    terms = {
        "x": Term("x", lambda p, batch: x(p) * y(p).detach()),
        "y": Term("y", lambda p, batch: -x(p).detach() * y(p)),
    }
    if together:
        phases = [Phase(("x", "y"), TermLoss(list(terms.values())), optimizer)]
    else:
        phases = [Phase(name, TermLoss([term]), optimizer) for name, term in terms.items()]
    trainer, radii = Trainer(players, phases, Nothing(), generator=seeded()), []
    for n in n_steps:
        trainer.fit(n - trainer.step_count)
        radii.append(math.hypot(*(float(player.at.detach()) for player in players.values())))
    return radii


def test_radii_of_the_xy_game():
    """Simultaneous steps spiral out by sqrt(1 + h^2) each, alternating ones stay on an ellipse, optimistic ones come in."""
    sgd = OptimizerSpec("sgd", 0.1, (0.0, 0.0))
    assert radii_after(sgd, 200, together=True) == pytest.approx([(1 + 0.1**2) ** 100], rel=1e-12)  # 2.70
    radii = radii_after(sgd, *range(180, 212, 4))
    assert radii[5] == pytest.approx(1.02, abs=0.01)
    assert max(radii) < 1.06
    assert radii_after(Optimistic(), 200, together=True) == pytest.approx([0.37], abs=0.01)


class Shift(nn.Module):
    def __init__(self, at):
        super().__init__()
        self.at = nn.Parameter(torch.tensor(at, dtype=torch.float64))

    def forward(self, noise, condition):
        return self.at + noise


class Curve(nn.Module):
    """D(v) = a v + b v^2, or a v alone."""

    def __init__(self, a, b=None):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([a] if b is None else [a, b], dtype=torch.float64))
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, v, condition):
        self.calls += 1
        powers = torch.stack([v[:, 0] ** (k + 1) for k in range(len(self.weight))], 1)
        return Verdict(powers @ self.weight)


def xy_task(noise=0.0):
    """Data at 0: with a linear critic and Wasserstein's loss this is the xy game."""
    draw = lambda n, generator: noise * torch.randn(n, 1, generator=generator, dtype=torch.float64)  # noqa: E731
    return GenerationTask(torch.zeros(4, 1, dtype=torch.float64), draw, 3)


WASSERSTEIN = ADVERSARIAL_LOSSES["wasserstein"]


@pytest.mark.parametrize("n_unroll", [0, 1, 5])
@pytest.mark.parametrize("through_steps", [True, False])
def test_unrolled_xy_game_has_its_closed_form(n_unroll, through_steps):
    """D minimises xy: y_K = y - K h x. G minimises -x y_K = -xy + K h x^2, or, if y_K is taken as given, has slope -y_K."""
    players = {"generator": Shift(0.7), "discriminator": Curve(0.4)}
    inner = OptimizerSpec("sgd", 0.1, (0.0, 0.0))
    loss = UnrolledGeneratorLoss(WASSERSTEIN, xy_task(), n_unroll=n_unroll, inner=inner, through_steps=through_steps)
    (value,) = loss(players, loss.task.batch(seeded()), seeded(), 0).values()
    value.backward()
    turn = n_unroll * 0.1
    assert float(value.detach()) == pytest.approx(-0.7 * 0.4 + turn * 0.49)
    slope = -0.4 + (2 if through_steps else 1) * turn * 0.7
    assert float(players["generator"].at.grad) == pytest.approx(slope)


def imagined_loss(x, players, loss, batch, moments=None):
    """The generator's loss after K steps, with detached gradients and the trainer's own optimiser."""
    inner = loss.inner
    generator, judge = Shift(x), Curve(0.0, 0.0)
    batch = dataclasses.replace(batch, made=Shared())  # another generator makes other rows
    judge.load_state_dict(players["discriminator"].state_dict())
    optimizer = inner.build(list(judge.parameters()))
    if moments:
        optimizer.load_state_dict(copy.deepcopy(moments().state_dict()))
    both = {"generator": generator, "discriminator": judge}
    for _ in range(loss.n_unroll):
        optimizer.zero_grad()
        loss.loss.discriminator_loss(loss.task.discriminator_cases(both, batch)).backward()
        optimizer.step()
    return float(loss.loss.generator_loss(loss.task.generator_cases(both, batch)).detach())


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize(
    "inner",
    [
        OptimizerSpec("sgd", 0.2, (0.5, 0.0)),
        OptimizerSpec("adam", 0.05, (0.5, 0.999)),
        OptimizerSpec("adam", 0.05, (0.0, 0.9)),
    ],
)
def test_gradient_through_the_unrolled_steps_equals_finite_differences(inner, warm):
    task = xy_task(noise=0.5)
    players = {"generator": Shift(0.7), "discriminator": Curve(0.4, -0.3)}
    moments = None
    if warm:  # the real optimiser has made some steps
        real = inner.build(list(players["discriminator"].parameters()))
        for seed in range(4):
            real.zero_grad()
            cases = task.discriminator_cases(players, task.batch(seeded(seed)))
            ADVERSARIAL_LOSSES["non-saturating"].discriminator_loss(cases).backward()
            real.step()
        moments = lambda: real  # noqa: E731
    loss = UnrolledGeneratorLoss(ADVERSARIAL_LOSSES["non-saturating"], task, n_unroll=4, inner=inner, moments=moments)
    batch = task.batch(seeded(9))
    (value,) = loss(players, batch, seeded(), 0).values()
    (slope,) = torch.autograd.grad(value, [players["generator"].at])
    values = [imagined_loss(0.7 + d, players, loss, batch, moments) for d in (0.0, 1e-5, -1e-5)]
    assert float(value.detach()) == pytest.approx(values[0], rel=1e-7)
    assert float(slope) == pytest.approx((values[1] - values[2]) / 2e-5, rel=1e-4)
    short = UnrolledGeneratorLoss(
        ADVERSARIAL_LOSSES["non-saturating"], task, n_unroll=4, inner=inner, moments=moments, through_steps=False
    )
    (other,) = torch.autograd.grad(*short(players, batch, seeded(), 0).values(), [players["generator"].at])
    assert abs(float(other) - float(slope)) > 1e-4 * abs(float(slope))


def test_the_real_discriminator_stays_as_it_is():
    players = {"generator": Shift(0.7), "discriminator": Curve(0.4)}
    loss = UnrolledGeneratorLoss(WASSERSTEIN, xy_task())
    before = {name: value.clone() for name, value in players["discriminator"].state_dict().items()}
    for parameter in players["discriminator"].parameters():
        parameter.requires_grad_(False)  # as the trainer has it in the generator's phase
    sum(loss(players, loss.task.batch(seeded()), seeded(), 0).values()).backward()
    assert all(torch.equal(value, before[name]) for name, value in players["discriminator"].state_dict().items())
    assert players["discriminator"].weight.grad is None


def unrolled_trainer(n_unroll):
    players = {"generator": Shift(1.0), "discriminator": Curve(0.0)}
    task = xy_task()
    sgd = OptimizerSpec("sgd", 0.1, (0.0, 0.0))
    unrolled = UnrolledGeneratorLoss(WASSERSTEIN, task, n_unroll=n_unroll, inner=sgd)
    phases = [Phase("discriminator", DiscriminatorLoss(WASSERSTEIN, task), sgd), Phase("generator", unrolled, sgd)]
    return Trainer(players, phases, task, generator=seeded())


def test_unrolling_ends_the_circling():
    """One imagined step adds h x^2 to the generator's loss: a friction that brings both players to rest."""
    radii = []
    for n_unroll in (0, 5):
        trainer = unrolled_trainer(n_unroll)
        trainer.fit(120)
        x, y = trainer.players["generator"].at, trainer.players["discriminator"].weight[0]
        radii.append(math.hypot(float(x.detach()), float(y.detach())))
    assert radii[0] == pytest.approx(1, abs=0.1)
    assert radii[1] < 0.05


def test_training_goes_on_after_a_break_bit_for_bit():
    straight, first, second = (unrolled_trainer(3) for _ in range(3))
    straight.fit(20)
    first.fit(10)
    second.load_state_dict(first.state_dict())
    second.fit(10)
    for mine, theirs in zip(straight.players.values(), second.players.values(), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(mine.parameters(), theirs.parameters(), strict=True))


def test_spectral_norm_dropout_and_a_loss_with_a_state_can_be_unrolled():
    data = torch.randn(20, 2, generator=seeded())
    task = GenerationTask(data, normal_prior(2), 6)
    judge = ConditionalMLPDiscriminator(2, 0, 8, 2, "none", spectral_norm=True, generator=seeded())
    players = {"generator": Shift(0.5).float(), "discriminator": judge}
    loss = UnrolledGeneratorLoss(
        ADVERSARIAL_LOSSES["hinge"], task, n_unroll=3, terms=[Term("more", lambda p, b: p["generator"].at)]
    )
    before = {name: value.clone() for name, value in judge.state_dict().items()}
    terms = loss(players, task.batch(seeded()), seeded(), 0)
    assert set(terms) == {"generator", "more"}
    sum(terms.values()).backward()
    assert players["generator"].at.grad.isfinite()
    assert all(torch.equal(value, before[name]) for name, value in judge.state_dict().items())

    class Auto(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(0.5))

        def forward(self, x, condition):
            return Verdict(None, reconstruction=self.scale * x)

    balance = BeganLoss(rate=0.5)
    balance.k = torch.tensor(0.5)
    players["discriminator"] = Auto()
    UnrolledGeneratorLoss(balance, task, n_unroll=3)(players, task.batch(seeded()), seeded(), 0)
    assert float(balance.k) == 0.5  # the discriminator has made no real step yet


def test_ordinary_loss_is_the_case_of_no_steps():
    players = {"generator": Shift(0.7), "discriminator": Curve(0.4, 0.2)}
    task = xy_task(noise=1.0)
    batch = task.batch(seeded())
    plain = GeneratorLoss(ADVERSARIAL_LOSSES["non-saturating"], task)(players, batch, seeded(), 0)
    unrolled = UnrolledGeneratorLoss(ADVERSARIAL_LOSSES["non-saturating"], task, n_unroll=0)
    torch.testing.assert_close(unrolled(players, batch, seeded(), 0), plain)


def test_what_does_not_fit_is_refused():
    for settings, message in (
        ({"n_unroll": -1}, "n_unroll=-1"),
        ({"inner": OptimizerSpec("rmsprop")}, "inner.name='rmsprop'"),
        ({"inner": OptimizerSpec("adam", weight_decay=0.1)}, "inner.weight_decay=0.1"),
    ):
        with pytest.raises(InvalidParameterError, match=message):
            UnrolledGeneratorLoss(WASSERSTEIN, xy_task(), **settings)
