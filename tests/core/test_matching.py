"""Feature matching: its value, and whom its gradient reaches."""

import pytest
import torch
from torch import nn

from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.core.matching import FeatureMatchingLoss, feature_distance
from tabgan.core.phases import DiscriminatorLoss, OptimizerSpec, Phase
from tabgan.core.stabilisers import InstanceNoise, ReplayPool
from tabgan.core.tasks import GenerationTask, normal_prior
from tabgan.core.trainer import Trainer
from tabgan.exceptions import InvalidParameterError
from tabgan.verdict import Verdict
from tests.rounding import SINGLE

LOSS = ADVERSARIAL_LOSSES["non-saturating"]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


class Maker(nn.Module):
    def __init__(self):
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(2))

    def forward(self, noise, condition):
        return noise + self.shift


class Judge(nn.Module):
    def __init__(self):
        super().__init__()
        self.phi = nn.Parameter(torch.tensor([[1.0, 0.0], [1.0, 2.0]]))
        self.calls = 0

    def forward(self, x, condition):
        self.calls += 1
        features = x @ self.phi
        return Verdict(features.sum(1), features=features)


def setting(data=None):
    data = torch.randn(200, 2, generator=seeded()) + torch.tensor([3.0, -1.0]) if data is None else data
    return GenerationTask(data, normal_prior(2), 64), {"generator": Maker(), "discriminator": Judge()}


def test_distance_is_that_of_the_mean_features_squared():
    real, fake = torch.tensor([[1.0, 0.0], [3.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    assert float(feature_distance(real, fake)) == pytest.approx(2.0**2 + 2.0**2)
    assert float(feature_distance(real, real.flip(0))) == pytest.approx(0, abs=SINGLE)
    maps = torch.randn(4, 3, 2, 2, generator=seeded())
    assert float(feature_distance(maps, maps + 1)) == pytest.approx(12)


def test_no_gradient_reaches_real_features():
    real, fake = (torch.randn(4, 3, generator=seeded(s)).requires_grad_() for s in (0, 1))
    feature_distance(real, fake).backward()
    assert real.grad is None
    torch.testing.assert_close(fake.grad, (2 / 4 * (fake.mean(0) - real.mean(0))).detach().expand(4, 3))


def test_it_replaces_the_adversarial_term_or_adds_to_it():
    task, players = setting()
    batch = task.batch(seeded())
    alone = FeatureMatchingLoss(LOSS, task, weight=0.5)(players, batch, seeded(), 0)
    assert list(alone) == ["generator/features"]
    assert players["discriminator"].calls == 2
    real, fake = batch.real @ players["discriminator"].phi, batch.noise @ players["discriminator"].phi
    torch.testing.assert_close(alone["generator/features"], 0.5 * (real.mean(0) - fake.mean(0)).square().sum())
    both = FeatureMatchingLoss(LOSS, task, adversarial_weight=2.0)(players, batch, seeded(), 0)
    assert list(both) == ["generator/features", "generator"]
    torch.testing.assert_close(both["generator"], 2 * LOSS.generator_loss(task.generator_cases(players, batch)))


@pytest.mark.parametrize("wrap", [lambda task: task, lambda task: ReplayPool(InstanceNoise(task, 0.1))])
def test_training_matches_the_means_and_leaves_the_discriminator_alone(wrap):
    """With fixed invertible features, equal mean features are equal means."""
    inner, players = setting()
    task = wrap(inner)
    before = players["discriminator"].phi.detach().clone()
    phase = Phase("generator", FeatureMatchingLoss(LOSS, task), OptimizerSpec("adam", 0.05))
    Trainer(players, [phase], task, generator=seeded()).fit(200)
    torch.testing.assert_close(players["generator"].shift.detach(), inner.data.mean(0), atol=0.2, rtol=0)
    assert torch.equal(players["discriminator"].phi, before)
    assert players["discriminator"].phi.grad is None


def test_both_players_can_train_with_it():
    task, players = setting()
    phases = [
        Phase("discriminator", DiscriminatorLoss(LOSS, task)),
        Phase("generator", FeatureMatchingLoss(LOSS, task)),
    ]
    history = Trainer(players, phases, task, generator=seeded()).fit(3)
    assert set(history.rows[0]) == {"step", "discriminator", "generator/features"}


def test_what_does_not_fit_is_refused():
    task, players = setting()
    with pytest.raises(InvalidParameterError, match="weight=0"):
        FeatureMatchingLoss(LOSS, task, weight=0)
    players["discriminator"].forward = lambda x, condition: Verdict(x[:, 0])
    with pytest.raises(ValueError, match="`features`"):
        FeatureMatchingLoss(LOSS, task)(players, task.batch(seeded()), seeded(), 0)
