"""Shapes for every size, receptive fields, dropout by noise, conditions that reach the output."""

from __future__ import annotations

import pytest
import torch

from tabgan.exceptions import InvalidParameterError
from tabgan.images.networks.convolutions import ConvGenerator, ConvTrunk
from tabgan.images.networks.judge import Judge
from tabgan.images.networks.mlp import MLPGenerator, MLPTrunk
from tabgan.images.networks.patch import PatchDiscriminator, n_patch_layers
from tabgan.images.networks.residual import ResidualGenerator, ResidualTrunk
from tabgan.images.networks.resnet import ResnetGenerator
from tabgan.images.networks.stages import ConditioningAugmentation
from tabgan.images.networks.unet import UNet
from tests.rounding import SINGLE


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("size", [8, 12, 16, 28, 32, 64])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("maker", "trunk"), [(ConvGenerator, ConvTrunk), (ResidualGenerator, ResidualTrunk)])
def test_convolutional_networks_fit_every_size(size, channels, maker, trunk, rng):
    shape = (channels, size, size)
    images = maker(shape, 5, 3, width=2, generator=rng)(torch.randn(2, 5), torch.eye(3)[:2])
    assert images.shape == (2, *shape)
    assert float(images.detach().abs().max()) <= 1 + SINGLE
    inner = trunk(shape, 3, width=2, generator=rng)
    verdict = Judge(inner, n_classes=4, generator=rng)(images, torch.eye(3)[:2])
    assert verdict.adversarial.shape == (2,)
    assert verdict.classes.shape == (2, 4)
    assert verdict.features.shape == (2, inner.d_features)


@pytest.mark.parametrize("size", [8, 16, 28, 64])
def test_translators_keep_the_size(size, rng):
    net = UNet((1, size, size), 3, width=2, generator=rng).eval()
    assert net(torch.randn(2, net.d_noise), torch.zeros(2, 3, size, size)).shape == (2, 1, size, size)
    other = ResnetGenerator(3, 1, size, size, width=2, n_down=1, n_blocks=1, generator=rng)
    assert other(None, torch.zeros(2, 3, size, size)).shape == (2, 1, size, size)
    patches = PatchDiscriminator(4, width=2, n_layers=n_patch_layers(None, size, size), generator=rng)
    logits = patches(torch.zeros(2, 1, size, size), torch.zeros(2, 3, size, size)).adversarial
    assert logits.ndim == 4
    assert logits.shape[2] >= 1


def test_rectangles_and_odd_sizes(rng):
    assert ConvGenerator((1, 8, 16), 4, width=2, generator=rng)(torch.randn(2, 4)).shape == (2, 1, 8, 16)
    assert MLPGenerator((2, 5, 7), 4, width=8, generator=rng)(torch.randn(2, 4)).shape == (2, 2, 5, 7)
    with pytest.raises(InvalidParameterError, match="9 x 9 pixels cannot be halved"):
        ConvGenerator((1, 9, 9), 4, generator=rng)
    with pytest.raises(InvalidParameterError, match="n_down=3"):
        ResnetGenerator(1, 1, 8, 8, n_down=3, generator=rng)
    with pytest.raises(InvalidParameterError, match="n_patch_layers=3"):
        n_patch_layers(3, 16, 16)


@pytest.mark.parametrize("n_layers", [1, 2, 3])
def test_a_patch_logit_sees_exactly_its_patch(n_layers, rng):
    net = PatchDiscriminator(1, width=2, n_layers=n_layers, generator=rng).double()
    net.eval()  # batch norm in training looks at the whole picture; the claim is about the convolutions
    image = torch.randn(1, 1, 160, 160, generator=rng, dtype=torch.float64, requires_grad=True)
    logits = net(image).adversarial
    middle = logits.shape[2] // 2
    (gradient,) = torch.autograd.grad(logits[0, 0, middle, middle], image)
    reach = gradient[0, 0].abs().sum(1)
    rows = (reach > 1e-12 * reach.max()).nonzero()[:, 0]  # fast convolutions leave rounding where nothing reaches
    assert int(rows.max() - rows.min()) + 1 == net.patch == {1: 16, 2: 34, 3: 70}[n_layers]


def test_the_sign_of_the_noise_is_the_dropout(rng):
    net = UNet((1, 16, 16), 1, width=4, generator=rng).eval()
    image, noise = torch.randn(3, 1, 16, 16, generator=rng), torch.randn(3, net.d_noise, generator=rng)
    assert torch.equal(net(noise, image), net(noise.sign(), image))
    assert not torch.equal(net(noise, image), net(-noise, image))
    flipped = noise.clone()
    flipped[0] = -flipped[0]
    changed = (net(noise, image) - net(flipped, image)).abs().flatten(1).amax(1) > SINGLE
    assert changed.tolist() == [True, False, False]


def test_projection_with_zero_weights_is_unconditional_and_otherwise_an_inner_product(rng):
    judge = Judge(MLPTrunk((1, 4, 4), width=6, generator=rng), projection=3, generator=rng)
    images, classes = torch.randn(5, 1, 4, 4, generator=rng), torch.eye(3)[[0, 1, 2, 0, 1]]
    plain = judge.adversarial(judge.trunk(images))[:, 0]
    features = judge.trunk(images)
    inner = torch.stack([(judge.embedding.weight @ c) @ f for c, f in zip(classes, features, strict=True)])
    torch.testing.assert_close(judge(images, classes).adversarial, plain + inner)
    torch.nn.init.zeros_(judge.embedding.weight)
    torch.testing.assert_close(judge(images, classes).adversarial, plain)


def test_the_condition_reaches_every_network(rng):
    for maker in (MLPGenerator, ConvGenerator, ResidualGenerator):
        net = maker((1, 8, 8), 4, 2, width=4, generator=rng).eval()
        noise = torch.randn(1, 4, generator=rng)
        assert not torch.equal(net(noise, torch.tensor([[1.0, 0.0]])), net(noise, torch.tensor([[0.0, 1.0]])))


def test_with_conditional_norm_the_condition_enters_by_gains_and_biases_alone(rng):
    noise, classes = torch.randn(6, 4, generator=rng), torch.eye(2)[[0, 1, 0, 1, 0, 1]]
    for maker in (MLPGenerator, ConvGenerator, ResidualGenerator):
        net = maker((1, 8, 8), 4, 2, width=4, conditional_norm=True, generator=rng)
        names = [name for name, _ in net.named_parameters() if name.endswith("gain")]
        assert len(names) >= 1
        assert torch.equal(net(noise, classes), net(noise, classes.flip(1)))  # gains and biases start at zero
        for name in names:
            before = net(noise, classes)
            with torch.no_grad():
                net.get_parameter(name)[:, 1] = 2.0
            assert not torch.allclose(net(noise, classes), before), name
        torch.testing.assert_close(
            net(noise, torch.eye(2)[[0] * 6]), net(noise, 0 * classes)
        )  # class 0 has gain 1 still


def test_density_of_a_monotone_generator_is_that_of_its_noise_times_the_slope(rng):
    net = MLPGenerator((1, 1, 1), 1, width=16, depth=1, batch_norm=False, generator=rng)
    for parameter in net.parameters():
        torch.nn.init.uniform_(parameter, 0.1, 0.4, generator=rng)  # only rising units: x(z) can be inverted
    z = torch.linspace(-1.5, 1.5, 6001, dtype=torch.float64)[:, None].requires_grad_(True)
    net = net.double()
    x = net(z).flatten()
    (slope,) = torch.autograd.grad(x.sum(), z)
    density = torch.exp(-(z[:, 0] ** 2) / 2) / (2 * torch.pi) ** 0.5 / slope[:, 0]  # p(x) = p(z) |dz/dx|
    drawn = net(torch.randn(200_000, 1, generator=rng, dtype=torch.float64)).flatten().detach()
    for low, high in ((1000, 2500), (2500, 3000), (3000, 5000)):
        here = slice(low, high + 1)
        mass = float(torch.trapezoid(density[here], x[here]).detach())
        share = float(((drawn > x[low]) & (drawn <= x[high])).double().mean())
        assert share == pytest.approx(mass, abs=0.005)  # 4 standard errors


def test_conditioning_augmentation_against_the_closed_form(rng):
    part = ConditioningAugmentation(2, 3, generator=rng)
    condition = torch.tensor([[1.0, 2.0], [0.5, -1.0]])
    mean, log_variance = part.layer(condition).chunk(2, 1)
    drawn = torch.distributions.Normal(mean, (log_variance / 2).exp())
    wanted = torch.distributions.kl_divergence(drawn, torch.distributions.Normal(0.0, 1.0)).sum(1).mean()
    torch.testing.assert_close(part.divergence(condition), wanted)
    torch.testing.assert_close(part(torch.zeros(2, 3), condition), mean)


def test_the_same_generator_state_gives_the_same_weights():
    def build(seed):
        return ConvTrunk((1, 8, 8), width=4, batch_norm=True, generator=torch.Generator().manual_seed(seed))

    first, second, third = (build(seed).layers[0].weight for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, third)


def test_dcgan_weights_have_the_papers_spread():
    layer = ConvGenerator((1, 32, 32), 100, width=64, generator=torch.Generator().manual_seed(0)).entry
    assert float(layer.weight.detach().std()) == pytest.approx(0.02, rel=0.02)


@pytest.mark.parametrize("kind", [ConvTrunk, ResidualTrunk])
def test_a_condition_meets_the_last_feature_maps_and_acts_together_with_the_image(kind):
    generator = torch.Generator().manual_seed(0)
    trunk = kind((1, 28, 28), 10, width=8, generator=generator)
    images = torch.rand(6, 1, 28, 28, generator=generator) * 2 - 1
    plain = kind((1, 28, 28), width=8, generator=torch.Generator().manual_seed(0))
    assert [p.shape for p in plain.parameters()] == [p.shape for p in trunk.parameters()][
        : len(list(plain.parameters()))
    ]
    with torch.no_grad():
        seen = torch.stack([trunk(images, row.expand(6, -1)) for row in torch.eye(10)])
    assert seen.shape == (10, 6, trunk.d_features)
    together = seen - seen.mean(0) - seen.mean(1, keepdim=True) + seen.mean((0, 1))
    assert float(together.std()) > 0.01 * float(seen.std())
