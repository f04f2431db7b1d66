"""Normalisation layers against brute force: spectral, reference, virtual and conditional norm, minibatch discrimination."""

import copy

import pytest
import torch
from torch import nn

from tabgan.exceptions import InvalidParameterError
from tabgan.networks.blocks import blank_linear, init_linear
from tabgan.networks.normalisation import (
    ConditionalBatchNorm,
    MinibatchDiscrimination,
    ReferenceBatchNorm,
    VirtualBatchNorm,
    WithReference,
    with_spectral_norm,
)
from tabgan.verdict import Verdict
from tests.rounding import SINGLE


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed))


def layers_with_weights():
    net = nn.Sequential(
        nn.Conv2d(2, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(5 * 4 * 4, 7), nn.LayerNorm(7), nn.Linear(7, 1)
    )
    with torch.no_grad():
        for seed, p in enumerate(net.parameters()):
            p.copy_(3 * draw(*p.shape, seed=seed))
    return net


def largest(layer):
    return float(torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2))


def test_spectral_norm_is_one_after_training_passes():
    net = with_spectral_norm(layers_with_weights(), seeded())
    x = draw(4, 2, 6, 6)
    for _ in range(100):
        net(x)
    for layer in (net[0], net[3], net[5]):
        assert largest(layer) == pytest.approx(1, abs=1e-3)
    assert not hasattr(net[4], "parametrizations")


def test_spectral_norm_is_near_one_from_the_start_and_fixed_in_evaluation():
    net = with_spectral_norm(layers_with_weights(), seeded()).eval()
    assert all(0.99 < largest(net[k]) < 1.1 for k in (0, 3, 5))
    before = copy.deepcopy(net.state_dict())
    x = draw(4, 2, 6, 6)
    assert torch.equal(net(x), net(x))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_spectral_norm_of_a_known_matrix_and_its_gradient():
    """W = diag(3, 1): W / 3; the gradient of the (2, 2) entry with respect to W_11 is -1/9."""
    net = blank_linear(2, 2)
    with torch.no_grad():
        net.weight.copy_(torch.diag(torch.tensor([3.0, 1.0])))
    with_spectral_norm(net, seeded())
    torch.testing.assert_close(net.weight.detach(), torch.diag(torch.tensor([1.0, 1 / 3])))
    net.weight[1, 1].backward()
    torch.testing.assert_close(net.parametrizations.weight.original.grad, torch.tensor([[-1 / 9, 0.0], [0.0, 1 / 3]]))


def test_spectral_norm_reads_its_own_generator_and_survives_copies_and_two_passes_before_a_backward():
    net = layers_with_weights()
    before = torch.get_rng_state()
    with_spectral_norm(net, seeded())
    assert torch.equal(before, torch.get_rng_state())
    other = with_spectral_norm(layers_with_weights(), seeded(1))
    other.load_state_dict(net.state_dict())
    x = draw(3, 2, 6, 6)
    torch.testing.assert_close(copy.deepcopy(net)(x), other(x))
    (net(x).sum() - net(2 * x).sum()).backward()
    assert all(p.grad.isfinite().all() for p in net.parameters())


def closeness_by_hand(layer, x):
    """Loops over rows and kernels."""
    w = layer.direction / layer.direction.square().sum(0, keepdim=True).sqrt() * layer.log_length.exp()
    out = torch.zeros(len(x), w.shape[1])
    for i in range(len(x)):
        for j in range(len(x)):
            for b in range(w.shape[1]):
                if i != j:
                    out[i, b] += torch.exp(-(x[i] @ w[:, b] - x[j] @ w[:, b]).abs().sum())
    return out


def test_minibatch_discrimination_is_salimans_formula():
    layer = MinibatchDiscrimination(4, 3, 2, generator=seeded())
    x = draw(6, 4, seed=1)
    out = layer(x)
    assert out.shape == (6, 7)
    assert torch.equal(out[:, :4], x)
    torch.testing.assert_close(layer.closeness(x), closeness_by_hand(layer, x), atol=SINGLE, rtol=0)
    torch.testing.assert_close(out[:, 4:], layer.closeness(x) - 1)


def test_a_collapsed_batch_is_as_close_as_can_be_and_a_real_one_is_not():
    layer = MinibatchDiscrimination(10, generator=seeded()).requires_grad_(False)
    real = draw(32, 10, seed=1)
    collapsed = real[:1] + 1e-4 * draw(32, 10, seed=2)
    assert float(layer.closeness(collapsed).mean()) == pytest.approx(31, abs=0.1)
    assert float(layer.closeness(real).mean()) < 3
    assert float(layer.closeness(1e3 * real).abs().max()) < 1e-4
    assert float(layer.closeness(real[:1]).abs().max()) < 1e-6


def test_minibatch_discrimination_learns_and_is_drawn_from_its_generator():
    before = torch.get_rng_state()
    one, same, other = (MinibatchDiscrimination(4, generator=seeded(s)) for s in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(one.direction, same.direction)
    assert not torch.equal(one.direction, other.direction)
    x = draw(5, 4).requires_grad_()
    one(x).square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in (*one.parameters(), x))
    # Weight norm: the kernel has its learned length whatever the direction's is.
    with torch.no_grad():
        same.direction.mul_(7)
    torch.testing.assert_close(one(x), same(x))


NORMS = [ReferenceBatchNorm, VirtualBatchNorm]


class Deep(nn.Module):
    """Two layers, so that the second norm needs the reference batch's own way through the first."""

    def __init__(self, norm, image=False):
        super().__init__()
        layer = (lambda a, b: nn.Conv2d(a, b, 3, padding=1)) if image else blank_linear
        self.layers = nn.Sequential(layer(3, 5), norm(5), nn.ReLU(), layer(5, 4), norm(4))
        init_linear(self, seeded())
        with torch.no_grad():
            for seed, p in enumerate(self.layers[0].parameters()):
                p.copy_(draw(*p.shape, seed=seed))
            for seed, p in enumerate(self.layers[3].parameters()):
                p.copy_(draw(*p.shape, seed=seed))

    def forward(self, x, condition=None):
        return self.layers(x)


@pytest.mark.parametrize("image", [False, True])
@pytest.mark.parametrize("norm", NORMS)
def test_a_rows_output_does_not_depend_on_the_rest_of_its_batch(norm, image):
    tail = (6, 6) if image else ()
    net = WithReference(Deep(norm, image), draw(20, 3, *tail, seed=9))
    x = draw(8, 3, *tail, seed=1)
    whole = net(x)
    assert whole.shape == (8, 4, *tail)
    torch.testing.assert_close(net(x[:1]), whole[:1], rtol=0, atol=SINGLE)
    torch.testing.assert_close(net(torch.cat([x[:3], 100 * x[3:]]))[:3], whole[:3], rtol=0, atol=SINGLE)
    plain = Deep(lambda n: nn.BatchNorm2d(n) if image else nn.BatchNorm1d(n), image)
    assert (plain(x)[:1] - plain(torch.cat([x[:3], 100 * x[3:]]))[:1]).abs().max() > 10 * SINGLE


@pytest.mark.parametrize("tail", [(), (4, 5)])
@pytest.mark.parametrize("norm", NORMS)
def test_statistics_are_those_of_the_reference_or_of_the_reference_and_the_row(norm, tail):
    reference, x = draw(7, 3, *tail, seed=1), 2 + draw(4, 3, *tail, seed=2)
    layer = norm(3)
    with torch.no_grad():
        layer.gain.copy_(torch.tensor([1.0, 2.0, -1.0]))
        layer.bias.copy_(torch.tensor([0.0, 0.5, 1.0]))
    found = WithReference(layer, reference)(x)
    for row, out in zip(x, found, strict=True):
        group = torch.cat([reference, row[None]]) if norm is VirtualBatchNorm else reference
        by_channel = group.movedim(1, 0).flatten(1)
        shape = (3, *[1] * len(tail))
        mean, variance = by_channel.mean(1).reshape(shape), by_channel.var(1, correction=0).reshape(shape)
        expected = (row - mean) / (variance + 1e-5).sqrt()  # the root, not sigma^2 + eps itself
        torch.testing.assert_close(out, layer.gain.reshape(shape) * expected + layer.bias.reshape(shape))


def test_the_reference_is_in_the_checkpoint_and_does_not_change():
    reference = draw(6, 3, seed=1)
    net = WithReference(Deep(VirtualBatchNorm), reference)
    reference.zero_()
    saved = net.state_dict()
    assert torch.equal(saved["reference_0"], draw(6, 3, seed=1))
    other = WithReference(Deep(VirtualBatchNorm), draw(6, 3, seed=5))
    x = draw(2, 3, seed=3)
    assert not torch.allclose(net(x), other(x))
    other.load_state_dict(saved)
    torch.testing.assert_close(net(x), other(x))
    for _ in range(3):
        net(10 * draw(50, 3))
    torch.testing.assert_close(net(x), other(x))


def test_players_with_conditions_and_verdicts_can_have_a_reference():
    class Judge(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = ReferenceBatchNorm(5)

        def forward(self, x, condition):
            hidden = self.norm(torch.cat([x, condition], 1))
            return Verdict(hidden[:, 0], features=hidden)

    net = WithReference(Judge(), draw(6, 3), draw(6, 2, seed=1))
    verdict = net(draw(4, 3, seed=2), draw(4, 2, seed=3))
    assert verdict.adversarial.shape == (4,)
    assert verdict.features.shape == (4, 5)
    assert verdict.classes is None
    unconditional = WithReference(Deep(ReferenceBatchNorm), draw(6, 3))
    torch.testing.assert_close(unconditional(draw(4, 3), None), unconditional(draw(4, 3)))
    with pytest.raises(ValueError, match="covers 1 inputs"):
        unconditional(draw(4, 3), draw(4, 2))


def test_reference_norms_say_where_they_belong():
    with pytest.raises(RuntimeError, match="WithReference"):
        VirtualBatchNorm(3)(draw(4, 3))
    for reference in ([], [draw(0, 3)], [draw(4, 3), draw(5, 3)]):
        with pytest.raises(InvalidParameterError, match="reference"):
            WithReference(nn.Identity(), *reference)


@pytest.mark.parametrize(("tail", "plain"), [((), nn.BatchNorm1d), ((4, 4), nn.BatchNorm2d)])
def test_conditional_batch_norm_starts_as_plain_batch_norm(tail, plain):
    layer, reference = ConditionalBatchNorm(3, 2), plain(3)
    x, condition = 5 + draw(16, 3, *tail), draw(16, 2, seed=1)
    torch.testing.assert_close(layer(x, condition), reference(x))
    torch.testing.assert_close(layer.norm.running_mean, reference.running_mean)
    torch.testing.assert_close(layer.norm.running_var, reference.running_var)
    layer.eval()
    torch.testing.assert_close(layer(x, condition), reference.eval()(x))


def test_conditional_batch_norm_gives_every_class_its_own_gain_and_bias():
    layer = ConditionalBatchNorm(2, 3)
    with torch.no_grad():
        layer.gain.copy_(torch.tensor([[1.0, 0.0, -1.0], [0.0, 2.0, 0.0]]))
        layer.bias.copy_(torch.tensor([[0.0, 5.0, 0.0], [1.0, 0.0, 0.0]]))
    x, classes = draw(9, 2), torch.arange(9) % 3
    out = layer(x, nn.functional.one_hot(classes, 3).float())
    normed = nn.BatchNorm1d(2)(x)
    gains, biases = torch.tensor([[2.0, 1], [1, 3], [0, 1]]), torch.tensor([[0.0, 1], [5, 0], [0, 0]])
    torch.testing.assert_close(out, normed * gains[classes] + biases[classes])
    with pytest.raises(InvalidParameterError, match="d_condition=0"):
        ConditionalBatchNorm(2, 0)
