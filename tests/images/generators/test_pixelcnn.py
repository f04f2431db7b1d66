"""PixelCNN: nothing looks ahead, probabilities of all images sum to one, and samples follow them."""

import math

import pytest
import torch

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images.generators.pixelcnn import MaskedConv2d, PixelCNN, pixelcnn
from tabgan.images.generators.rbm import binary_states
from tests.rounding import SINGLE


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def small(height=3, width=3, levels=2, seed=0, scale=20.0):
    model = PixelCNN(height, width, levels, channels=6, n_blocks=2, generator=seeded(seed))
    with torch.no_grad():
        model.last[-1].convolution.weight.mul_(scale)  # far from uniform
        for layer in model.modules():
            if isinstance(layer, MaskedConv2d):
                layer.convolution.bias.copy_(torch.randn(layer.convolution.bias.shape, generator=seeded(seed)))
    return model


def every_image(height=3, width=3):
    return binary_states(height * width).reshape(-1, 1, height, width)


def test_jacobian_is_strictly_causal():
    model, n = small(5, 4, levels=3), 20
    image = torch.rand(1, 1, 5, 4, generator=seeded())
    jacobian = torch.autograd.functional.jacobian(lambda x: model(x.reshape(1, 1, 5, 4)).reshape(3, n), image.flatten())
    reach = jacobian.abs().sum(0)
    reach = reach / reach.max()
    assert torch.triu(reach).max() < 1e-6  # pixel i knows neither itself nor what comes after
    assert (torch.diagonal(reach, -1) > 1e-6).sum() >= n - 5  # but its left neighbour, except across a row's start


@pytest.mark.parametrize("seed", range(3))
def test_probabilities_of_all_images_sum_to_one(seed):
    with torch.no_grad():
        log_prob = small(seed=seed).log_prob(every_image()).double()
    assert float(log_prob.exp().sum()) == pytest.approx(1, abs=SINGLE)
    assert log_prob.std() > 0.5  # and they are not all alike


def test_samples_follow_the_probabilities():
    model, n = small(2, 2), 4000
    expected = n * model.log_prob(every_image(2, 2)).detach().exp()
    images = model.sample(n, seeded(1))
    code = (images.flatten(1) @ torch.tensor([1.0, 2.0, 4.0, 8.0])).round().long()
    chi_square = float(((torch.bincount(code, minlength=16) - expected) ** 2 / expected).sum())
    assert chi_square < 45  # 15 degrees of freedom: 0.0001 of all draws lie above 44.3


def test_learns_a_known_distribution():
    # Each row repeats the row above: 3 random bits, so 3 log 2 nats.
    top = torch.randint(2, (600, 1, 1, 3), generator=seeded()).float()
    system = pixelcnn(top.expand(-1, -1, 3, -1).contiguous(), channels=8, n_blocks=1, generator=seeded(1))
    system.train(250, seeded(2))
    patterns = every_image(1, 3).expand(-1, 1, 3, 3)
    with torch.no_grad():
        assert float(-system.model.log_prob(patterns).mean()) == pytest.approx(3 * math.log(2), abs=0.15)
    images = system.model.sample(200, seeded(3))
    assert (images == images[:, :, :1]).flatten(1).all(1).float().mean() > 0.9


def test_bits_per_dim_of_uniform_pixels():
    model = PixelCNN(4, 4, 4, channels=4, n_blocks=1, generator=seeded())
    with torch.no_grad():
        model.last[-1].convolution.weight.zero_()
    images = torch.randint(4, (10, 1, 4, 4), generator=seeded()) / 3
    assert model.bits_per_dim(images) == pytest.approx(2, abs=SINGLE)
    assert set((3 * model.sample(20, seeded())).round().unique().tolist()) == {0, 1, 2, 3}


def test_masks_survive_a_checkpoint():
    one, two = small(seed=1), small(seed=2)
    two.load_state_dict(one.state_dict())
    images = every_image()[:50]
    assert torch.equal(one.log_prob(images), two.log_prob(images))


def test_refusals():
    images = torch.zeros(4, 1, 3, 3)
    with pytest.raises(InvalidInputError, match="levels=2"):
        pixelcnn(images + 0.3, generator=seeded())
    with pytest.raises(InvalidInputError, match="grey"):
        pixelcnn(images.expand(-1, 3, -1, -1), generator=seeded())
    with pytest.raises(InvalidParameterError, match="levels=1"):
        PixelCNN(3, 3, 1, generator=seeded())
