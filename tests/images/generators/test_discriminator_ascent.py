"""The discriminator as generator: where the search goes, and where the training ends."""

import pytest
import torch
from torch import nn

from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.core.phases import DiscriminatorLoss, OptimizerSpec, Phase
from tabgan.exceptions import InvalidParameterError
from tabgan.images.generators.discriminator_ascent import ArgmaxTask, Scorer, ascend, ascent_generator, best_of
from tabgan.images.generators.one_player import OnePlayer
from tabgan.images.generators.rbm import binary_states
from tabgan.verdict import Verdict

STATES = binary_states(9).reshape(-1, 1, 3, 3)
BARS = torch.stack([torch.zeros(1, 3, 3).index_fill(1, torch.tensor(i), 1.0) for i in range(3)])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


class Bowl(nn.Module):
    """Highest at ``at``."""

    def __init__(self, at):
        super().__init__()
        self.at = nn.Parameter(torch.tensor(at))

    def forward(self, x):
        return Verdict(-((x - self.at) ** 2).sum(1))


@pytest.mark.parametrize(("at", "expected"), [([0.3, 0.8], [0.3, 0.8]), ([0.3, 1.7], [0.3, 1.0])])
def test_ascent_finds_the_top_inside_the_box(at, expected):
    found = ascend((2,), n_steps=200)(Bowl(at), 20, seeded())
    assert found.shape == (20, 2)
    assert not found.requires_grad
    assert torch.allclose(found, torch.tensor(expected).expand(20, 2), atol=0.02)


def test_ascent_works_while_the_weights_are_frozen():
    model = Bowl([0.5, 0.5]).requires_grad_(False)
    assert torch.allclose(ascend((2,), n_steps=200)(model, 5, seeded()), torch.full((5, 2), 0.5), atol=0.02)


def test_enumeration_draws_among_ties():
    candidates = torch.tensor([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    found = best_of(candidates)(Bowl([0.5, 1.0]), 200, seeded())
    assert found[:, 1].eq(1).all()
    assert 70 < found[:, 0].sum() < 130


class Lookup(nn.Module):
    """A logit per binary image of six pixels."""

    def __init__(self, logits):
        super().__init__()
        self.logits = nn.Parameter(logits)
        self.register_buffer("place", 2.0 ** torch.arange(6))

    def forward(self, x, condition=None):
        return Verdict(self.logits[(x.flatten(1) @ self.place).round().long()])


def test_free_logits_end_as_a_plateau_below_the_data():
    # What an argmax game does to a table of scores: what started above the data's level is cut to it, the rest stays.
    start = 2 * torch.randn(64, generator=seeded())
    model, rate = Lookup(start.clone()), 0.5
    data = torch.zeros(64, dtype=torch.bool)
    data[:3] = True
    task = ArgmaxTask(binary_states(6)[data], best_of(binary_states(6)), 16)
    loss = DiscriminatorLoss(ADVERSARIAL_LOSSES["non-saturating"], task)
    OnePlayer(model, [Phase("generator", loss, OptimizerSpec("sgd", rate, (0.0, 0.0)))], task).train(1500, seeded(1))
    end = model.logits.detach()
    level = end[data].mean()
    assert end[data].std() < 2 * rate
    cut, low = ~data & (start > level + 1), ~data & (start < level - 1)
    assert cut.sum() > 5
    assert low.sum() > 5
    assert end[cut].max() < level + rate
    assert end[cut].std() < rate < start[cut].std()  # flat
    assert torch.equal(end[low], start[low])


def test_network_ends_with_the_data_on_top():
    system = ascent_generator(BARS, best_of(STATES), hidden=(32,), generator=seeded())
    with torch.no_grad():
        spread_before = system.model(STATES).adversarial.std()
    system.train(800, seeded(1))
    with torch.no_grad():
        score, on_data = system.model(STATES).adversarial, system.model(BARS).adversarial
    better = (score > on_data.min() + 0.3).sum()
    assert better <= 3  # none but the data themselves
    found = system.model.sample(100, seeded(2))
    assert all(any(torch.equal(image, bar) for bar in BARS) for image in found)
    assert score.std() < spread_before / 2  # and the rest is flat


def test_sampling_by_ascent_is_seeded():
    model = Scorer((1, 3, 3), ascend((1, 3, 3), n_steps=5), generator=seeded())
    assert torch.equal(model.sample(4, seeded(1)), model.sample(4, seeded(1)))
    assert not torch.equal(model.sample(4, seeded(1)), model.sample(4, seeded(2)))


def test_refusals():
    with pytest.raises(InvalidParameterError, match="n_steps=0"):
        ascend((2,), n_steps=0)
    with pytest.raises(InvalidParameterError, match="low"):
        ascend((2,), low=1.0, high=0.0)
