"""R3GAN's networks: no normalisation, blocks that begin as the identity, every size; Stacked MNIST's count."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.images.experiments.stacked import kinds_found, stacked_digits
from tabgan.images.networks.unnormalised import UnnormalisedGenerator, UnnormalisedTrunk, _Block


def seeded():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28), (2, 16, 32)])
def test_shapes_and_scale(shape):
    maker = UnnormalisedGenerator(shape, 6, 3, width=8, generator=seeded())
    trunk = UnnormalisedTrunk(shape, width=8, generator=seeded())
    made = maker(torch.randn(40, 6, generator=seeded()), torch.eye(3)[torch.arange(40) % 3])
    assert made.shape == (40, *shape)
    assert 0.2 < float(made.std()) < 1
    assert bool((made.abs() <= 1).all())
    features = trunk(torch.randn(40, *shape, generator=seeded()))
    assert features.shape == (40, trunk.d_features)
    assert 0.2 < float(features.std()) < 3


def test_no_layer_normalises_and_rows_do_not_see_each_other():
    maker = UnnormalisedGenerator((1, 16, 16), 4, width=8, generator=seeded())
    trunk = UnnormalisedTrunk((1, 16, 16), width=8, generator=seeded())
    kinds = {type(layer).__name__ for network in (maker, trunk) for layer in network.modules()}
    assert not any("Norm" in kind for kind in kinds)
    noise = torch.randn(5, 4, generator=seeded())
    assert torch.allclose(maker(noise)[2:3], maker(noise[2:3]), atol=1e-5)
    assert not [name for name, _ in maker.named_buffers()]


def test_blocks_begin_as_the_identity_and_then_learn():
    maker = UnnormalisedGenerator((1, 16, 16), 4, width=16, generator=seeded())
    block = next(layer for layer in maker.modules() if isinstance(layer, _Block))
    rows = torch.randn(2, 32, 4, 4, generator=seeded())
    assert torch.equal(block(rows), rows)
    maker(torch.randn(3, 4, generator=seeded())).square().mean().backward()
    assert float(block.layers[-1].weight.grad.abs().max()) > 0
    assert block.layers[2].groups == 4
    assert isinstance(block.layers[0], nn.Conv2d)


def test_more_noise_is_not_more_contrast():
    maker = UnnormalisedGenerator((1, 16, 16), 4, width=8, generator=seeded())
    with torch.no_grad():
        for block in (layer for layer in maker.modules() if isinstance(layer, _Block)):
            for layer in (block.layers[0], block.layers[2]):
                layer.bias.fill_(0.5)
            block.layers[-1].weight.fill_(0.1)
    noise = torch.randn(3, 4, generator=seeded())
    one, two = (torch.atanh(maker(scale * noise).double()) for scale in (0.2, 0.4))  # before the end's tanh
    assert float((two - 2 * one).square().mean().sqrt()) > 0.1 * float(one.std())


def test_kinds_are_counted_and_compared_with_all_alike():
    every = np.stack(np.unravel_index(np.arange(1000), (10, 10, 10)), 1)
    assert kinds_found(np.repeat(every, 3, 0)) == (1000, pytest.approx(0, abs=1e-12))
    assert kinds_found(every[:1].repeat(5, 0)) == (1, pytest.approx(math.log(1000)))
    n_kinds, divergence = kinds_found(np.concatenate([every[:250], every[:500]]))
    # Shares 2/750 for 250 kinds and 1/750 for as many.
    expected = 250 * (2 / 750 * math.log(2 / 0.75) + 1 / 750 * math.log(1 / 0.75))
    assert (n_kinds, divergence) == (500, pytest.approx(expected))


def test_digits_are_stacked_as_channels():
    digits = np.linspace(0, 1, 10)[:, None, None] * np.ones((1, 4, 4))
    made = stacked_digits(digits, 200)
    assert made.shape == (200, 4, 4, 3)
    assert made.dtype == np.uint8
    levels = made[:, 0, 0]
    assert set(np.unique(levels)) == set(np.rint(np.linspace(0, 255, 10)).astype(np.uint8))
    assert abs(np.corrcoef(levels[:, 0], levels[:, 1])[0, 1]) < 0.25
