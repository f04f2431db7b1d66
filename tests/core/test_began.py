"""BEGAN: its loss and control by hand, its balance in training, and a break in training that changes no bit."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tabgan.core.cases import Case
from tabgan.core.checkpoint import read_model_file, write_model_file
from tabgan.core.health import HealthWatch, Recorder
from tabgan.core.losses import ADVERSARIAL_LOSSES, BeganLoss, LossPair
from tabgan.core.phases import DiscriminatorLoss, GeneratorLoss, OptimizerSpec, Phase
from tabgan.core.stabilisers import FlippedLabels, InstanceNoise, ReplayPool, SmoothedLabels
from tabgan.core.tasks import GenerationTask, normal_prior
from tabgan.core.trainer import Trainer
from tabgan.exceptions import InvalidParameterError
from tabgan.networks.blocks import init_linear, mlp
from tabgan.verdict import Verdict


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def case(data, reconstruction, target=1.0, **fields):
    data, reconstruction = (torch.tensor(part, dtype=torch.float64) for part in (data, reconstruction))
    return Case(Verdict(None, reconstruction=reconstruction), target, data=data, **fields)


REAL = case([[1.0, 2.0], [3.0, 5.0]], [[0.0, 2.0], [3.0, 2.0]])  # |.| per element 1 0 0 3: L = 1
FAKE = case([[1.0, 1.0]], [[0.0, 4.0]], 0.0)  # 1 3: L = 2


def test_losses_are_the_papers():
    loss = BeganLoss()
    loss.k = torch.tensor(0.25)
    assert float(loss.discriminator_loss([REAL, FAKE])) == pytest.approx(1 - 0.25 * 2)
    assert float(loss.generator_loss([FAKE])) == pytest.approx(2)
    squared = BeganLoss(power=2)
    assert float(squared.generator_loss([FAKE])) == pytest.approx((1 + 9) / 2)
    assert float(squared.discriminator_loss([REAL, FAKE])) == pytest.approx((1 + 9) / 4)  # k starts at 0


def test_k_moves_after_the_generators_step_by_the_lead_of_the_discriminator():
    """k' = k + rate (gamma L(x) - L(G)) and M = L(x) + |gamma L(x) - L(G)|."""
    loss = BeganLoss(balance=0.75, rate=0.1)
    loss.k = torch.tensor(0.5)
    loss.discriminator_loss([REAL, FAKE])
    loss.after_phase("discriminator", [REAL, FAKE])
    assert float(loss.k) == 0.5
    assert loss.convergence is None
    loss.generator_loss([FAKE])
    loss.after_phase("generator", [FAKE])
    assert float(loss.k) == pytest.approx(0.5 + 0.1 * (0.75 * 1 - 2))
    assert float(loss.convergence) == pytest.approx(1 + abs(0.75 - 2))


def test_a_loss_that_is_only_looked_at_moves_nothing():
    loss = BeganLoss(rate=1.0)
    for _ in range(3):
        loss.discriminator_loss([REAL, FAKE])
        loss.generator_loss([FAKE])
    assert float(loss.k) == 0


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=1, max_size=20),
    st.floats(0.1, 1),
    st.floats(0, 10),
)
def test_k_stays_between_0_and_1(errors, balance, rate):
    loss = BeganLoss(balance, rate)
    for real, fake in errors:
        for method, name, value in (
            (loss.discriminator_loss, "discriminator", real),
            (loss.generator_loss, "generator", fake),
        ):
            cases = [case([[value]], [[0.0]])]
            method(cases)
            loss.after_phase(name, cases)
        assert 0 <= float(loss.k) <= 1
        assert loss.convergence.isfinite()


def test_rows_of_weight_zero_and_smoothed_targets():
    loss = BeganLoss()
    loss.k = torch.tensor(0.5)
    weighted = case([[1.0], [9.0]], [[0.0], [0.0]], weight=torch.tensor([1.0, 0.0], dtype=torch.float64))
    assert float(loss.discriminator_loss([weighted])) == pytest.approx(1)
    smoothed = case([[1.0]], [[0.0]], 0.9)
    assert float(loss.discriminator_loss([smoothed])) == pytest.approx(0.9 - 0.5 * 0.1)
    flipped = case([[1.0], [4.0]], [[0.0], [0.0]], torch.tensor([1.0, 0.0]))
    assert float(loss.discriminator_loss([flipped])) == pytest.approx((1 - 0.5 * 4) / 2)


class Autoencoder(nn.Module):
    """An autoencoder through one unit."""

    def __init__(self, d, draw):
        super().__init__()
        self.layers = nn.Sequential(mlp([d, 16, 1]), mlp([1, 16, d]))
        init_linear(self, draw)

    def forward(self, x, condition):
        return Verdict(None, reconstruction=self.layers(x))


class Maker(nn.Module):
    def __init__(self, d_noise, d, draw):
        super().__init__()
        self.layers = mlp([d_noise, 16, d])
        init_linear(self, draw)

    def forward(self, noise, condition):
        return self.layers(noise)


def curve(n=400):
    """Points near an arc in four dimensions."""
    draw = seeded(5)
    angle = 2 * torch.rand(n, 1, generator=draw)
    points = torch.cat([angle.cos(), angle.sin(), (2 * angle).cos(), (2 * angle).sin()], 1)
    return points + 0.3 * torch.randn(n, 4, generator=draw)


def began(seed, wrap=lambda task: task, **settings):
    draw = seeded(seed)
    task = wrap(GenerationTask(curve(), normal_prior(2), 32))
    players = {"generator": Maker(2, 4, draw), "discriminator": Autoencoder(4, draw)}
    loss = BeganLoss(**settings)
    phases = [
        Phase("discriminator", DiscriminatorLoss(loss, task), OptimizerSpec("adam", 5e-3)),
        Phase("generator", GeneratorLoss(loss, task), OptimizerSpec("adam", 5e-3)),
    ]
    callbacks = [Recorder({"k": lambda: loss.k, "convergence": lambda: loss.convergence}), HealthWatch()]
    return Trainer(players, phases, task, generator=draw, callbacks=callbacks, read_every=10)


def test_training_holds_the_balance_and_the_measure_falls():
    """L(G) / L(x) comes to gamma under control; without it (rate 0) the generator wins and the ratio falls further."""
    ratios = {}
    for rate in (0.05, 0.0):
        trainer = began(0, balance=0.7, rate=rate)
        trainer.fit(500)
        loss, task, draw, found = trainer.phases[0].loss.loss, trainer.task, seeded(1), []
        for _ in range(30):
            real, fake = task.discriminator_cases(trainer.players, task.batch(draw))
            found.append(float((loss.generator_loss([fake]) / loss.generator_loss([real])).detach()))
        ratios[rate] = sum(found) / 30
        k, measure = trainer.history["k"], trainer.history["convergence"]
        assert sum(measure[-20:]) / 20 < 0.8 * sum(measure[:5]) / 5
        assert (min(k[10:]) > 0) is (rate > 0)
        assert max(k) < 1
    assert ratios[0.05] == pytest.approx(0.7, rel=0.25)
    assert ratios[0.0] < 0.4


def test_the_generators_loss_moves_the_generator_alone_and_noise_is_drawn_per_phase():
    trainer = began(0)
    seen = []

    class Watched(GenerationTask):
        def batch(self, generator):
            seen.append(super().batch(generator))
            return seen[-1]

    watched = Watched(curve(), normal_prior(2), 32)
    trainer.task = watched
    for phase in trainer.phases:
        phase.loss.task = watched
    before = {name: [p.detach().clone() for p in player.parameters()] for name, player in trainer.players.items()}
    trainer.phases = trainer.phases[1:]
    trainer.optimizers = trainer.optimizers[1:]
    trainer._parameters = trainer._parameters[1:]
    trainer.fit(2)
    same = {
        name: all(torch.equal(a, b) for a, b in zip(before[name], player.parameters(), strict=True))
        for name, player in trainer.players.items()
    }
    assert same == {"generator": False, "discriminator": True}
    assert all(p.grad is None for p in trainer.players["discriminator"].parameters())
    assert not torch.equal(seen[0].noise, seen[1].noise)


def differing(a, b, path=""):
    """Paths at which two state trees differ, to the bit."""
    if isinstance(a, torch.Tensor):
        same = isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)
        return [] if same else [path]
    if isinstance(a, dict):
        if not isinstance(b, dict) or list(a) != list(b):
            return [path]
        return [found for key in a for found in differing(a[key], b[key], f"{path}/{key}")]
    if isinstance(a, (list, tuple)):
        if type(a) is not type(b) or len(a) != len(b):
            return [path]
        return [found for k, (x, y) in enumerate(zip(a, b, strict=True)) for found in differing(x, y, f"{path}/{k}")]
    return [] if a == b else [path]


def everything(task):
    """All wrappers at once, around a pool that fills up after a few steps."""
    return SmoothedLabels(FlippedLabels(InstanceNoise(ReplayPool(task, capacity=150), 0.05, 500), 0.1))


@pytest.mark.parametrize("wrap", [ReplayPool, everything])
def test_a_break_changes_no_bit(wrap, tmp_path):
    straight = began(0, wrap, rate=0.05)
    straight.fit(200)

    first = began(0, wrap, rate=0.05)
    first.fit(100)
    write_model_file(tmp_path / "half.tabgan", "Trainer", first.state_dict())
    _, state = read_model_file(tmp_path / "half.tabgan")
    assert differing(first.state_dict(), state) == []

    second = began(999, wrap, rate=0.05)
    second.load_state_dict(state)
    second.fit(100)
    assert differing(straight.state_dict(), second.state_dict()) == []
    assert float(second.phases[0].loss.loss.k) == float(straight.phases[0].loss.loss.k) > 0


def test_without_the_pool_the_break_would_show(tmp_path):
    """The comparison above sees the pool: forgetting it at the break changes the weights."""
    straight, second = began(0, ReplayPool, rate=0.05), began(0, ReplayPool, rate=0.05)
    straight.fit(60)
    second.fit(30)
    second.task._pool = {}
    second.fit(30)
    assert any(path.startswith("/players") for path in differing(straight.state_dict(), second.state_dict()))


class EBGAN(LossPair):
    """Energy-based GAN, written from the outside: Zhao et al. 2017, eq. 1-2, energy = mean squared reconstruction error."""

    def __init__(self, margin):
        self.margin = margin

    def _energy(self, case):
        return (case.data - case.verdict.reconstruction).square().flatten(1).mean(1)

    def discriminator_loss(self, cases):
        parts = []
        for case in cases:
            energy = self._energy(case)
            parts.append((energy if case.target == 1 else torch.relu(self.margin - energy)).mean())
        return torch.stack(parts).sum()

    def generator_loss(self, cases):
        return torch.stack([self._energy(case).mean() for case in cases]).sum()


def test_a_loss_from_outside_the_package_plugs_in():
    real, fake = case([[2.0]], [[1.0]]), case([[2.0], [0.0]], [[1.0], [3.0]], 0.0)
    loss = EBGAN(5.0)
    assert float(loss.discriminator_loss([real, fake])) == pytest.approx(1 + (4 + 0) / 2)
    trainer = began(0)
    for phase in trainer.phases:
        phase.loss.loss = loss
    trainer.fit(150)
    energy = [row["generator"] for row in trainer.history]
    assert energy[-1] < energy[0]
    assert all(value == value for value in energy)
    assert trainer.state_dict()["losses"] == [{}, {}]


def test_what_does_not_fit_is_refused():
    for wrong, message in (({"balance": 0}, "balance=0"), ({"rate": -1}, "rate=-1"), ({"power": 3}, "power=3")):
        with pytest.raises(InvalidParameterError, match=message):
            BeganLoss(**wrong)
    with pytest.raises(ValueError, match="reconstruction"):
        BeganLoss().generator_loss([Case(Verdict(torch.zeros(2)), 1.0)])
    with pytest.raises(ValueError, match="adversarial"):
        ADVERSARIAL_LOSSES["minimax"].generator_loss([REAL])
