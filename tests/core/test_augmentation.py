"""What the discriminator sees of images that are moved before it looks."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tabgan.core.augmentation import RandomShifts, shifted
from tabgan.core.tasks import GenerationTask
from tabgan.exceptions import InvalidParameterError
from tabgan.verdict import Verdict
from tests.core.points import seeded


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=6), st.integers(0, 2**30))
def test_each_image_moves_by_its_own_distance_and_repeats_its_border(moves, seed):
    images = torch.rand(len(moves), 2, 5, 6, generator=seeded(seed))
    down, across = torch.tensor(moves).T
    moved = shifted(images, down, across)
    for index, (below, right) in enumerate(moves):
        for row in range(5):
            for column in range(6):
                source = images[index, :, min(max(row - below, 0), 4), min(max(column - right, 0), 5)]
                assert torch.equal(moved[index, :, row, column], source)


def test_gradients_reach_the_pixel_that_is_shown():
    image = torch.rand(1, 1, 4, 4, requires_grad=True)
    shifted(image, torch.tensor([1]), torch.tensor([0]))[0, 0, 2, 3].backward()
    assert image.grad[0, 0, 1, 3] == 1
    assert image.grad.abs().sum() == 1


class Keeper(nn.Module):
    """A discriminator that remembers what it was shown."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, images, condition):
        self.seen.append(images)
        return Verdict(images.flatten(1).sum(1))


class Picture(nn.Module):
    """A generator of one picture."""

    def __init__(self):
        super().__init__()
        self.pixels = nn.Parameter(torch.arange(49.0).reshape(1, 7, 7))

    def forward(self, noise, condition):
        return self.pixels.expand(len(noise), -1, -1, -1)


def test_real_and_generated_images_are_moved_alike_in_both_phases():
    picture = Picture()
    data = picture.pixels.detach().expand(20, -1, -1, -1)
    task = RandomShifts(GenerationTask(data, lambda n, generator: torch.zeros(n, 1), 400), 2)
    players = {"generator": picture, "discriminator": Keeper()}
    batch = task.batch(seeded())
    task.discriminator_cases(players, batch)
    (case,) = task.generator_cases(players, batch)
    # The middle pixel names the move; each of the 25 moves comes up about as often as any other, for every kind of image.
    for images in players["discriminator"].seen:
        moves, counts = images.detach()[:, 0, 3, 3].unique(return_counts=True)
        assert len(moves) == 25
        assert int(counts.min()) >= 4
    real, fake, asked = players["discriminator"].seen
    assert not torch.equal(real, fake)
    assert not torch.equal(fake, asked)
    case.verdict.adversarial.sum().backward()
    assert float(picture.pixels.grad.sum()) == pytest.approx(400 * 49)


def test_no_distance_changes_nothing_and_a_negative_one_is_refused():
    images = torch.rand(3, 1, 8, 8)
    assert torch.equal(shifted(images, torch.zeros(3).long(), torch.zeros(3).long()), images)
    with pytest.raises(InvalidParameterError, match="n_pixels=-1"):
        RandomShifts(None, -1)
