"""Conditional players: what each kind of discriminator looks at, and where its initial weights come from."""

import pytest
import torch
from torch import nn

from tabgan.exceptions import InvalidParameterError
from tabgan.networks.conditioning import CONDITIONINGS, ConditionalMLPDiscriminator, ConditionalMLPGenerator
from tests.rounding import SINGLE


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


X = torch.randn(6, 5, generator=seeded(1))
CONDITION = nn.functional.one_hot(torch.tensor([0, 1, 2, 0, 1, 2]), 3).float()
OTHER = CONDITION.roll(1, 1)


def judge(conditioning, **settings):
    settings = {"width": 16, "n_blocks": 2, "generator": seeded()} | settings
    return ConditionalMLPDiscriminator(5, 3, conditioning=conditioning, **settings)


@pytest.mark.parametrize("conditioning", CONDITIONINGS)
def test_verdicts_have_the_shapes_they_state(conditioning):
    verdict = judge(conditioning)(X, CONDITION)
    assert verdict.features.shape == (6, 16)
    if conditioning == "fake-class":
        assert verdict.adversarial is None
    else:
        assert verdict.adversarial.shape == (6,)
    width = {"classes": 3, "fake-class": 4}.get(conditioning)
    assert width is None if verdict.classes is None else verdict.classes.shape == (6, width)


@pytest.mark.parametrize("conditioning", CONDITIONINGS)
def test_only_concat_and_projection_look_at_the_condition(conditioning):
    network = judge(conditioning)
    one, other = network(X, CONDITION), network(X, OTHER)
    looks = conditioning in ("concat", "projection")
    if one.adversarial is not None:
        assert torch.equal(one.adversarial, other.adversarial) is not looks
    assert torch.equal(one.features, other.features) is (conditioning != "concat")
    if not looks:
        network(X)  # needs no condition at all


def test_projection_is_miyato_and_koyamas_equation_three():
    network = judge("projection")
    verdict = network(X, CONDITION)
    v = network.projection.weight  # (width, d_condition)
    by_hand = torch.einsum("nc,wc,nw->n", CONDITION, v, verdict.features)
    by_hand = by_hand + network.source(verdict.features)[:, 0]
    torch.testing.assert_close(verdict.adversarial, by_hand)


def test_projection_without_v_is_an_unconditional_discriminator():
    network = judge("projection")
    with torch.no_grad():
        network.projection.weight.zero_()
    torch.testing.assert_close(network(X, CONDITION).adversarial, network(X, OTHER).adversarial)
    plain = judge("none")
    plain.load_state_dict(network.state_dict(), strict=False)
    torch.testing.assert_close(network(X, CONDITION).adversarial, plain(X).adversarial)


def test_a_row_is_judged_and_made_independently_of_its_batch():
    network = judge("concat")
    one, whole = network(X[:1], CONDITION[:1]).adversarial, network(X, CONDITION).adversarial[:1]
    torch.testing.assert_close(one, whole, rtol=0, atol=SINGLE)
    maker = ConditionalMLPGenerator(5, 3, 4, 16, 2, generator=seeded())
    torch.testing.assert_close(maker(X[:1], CONDITION[:1]), maker(X, CONDITION)[:1], rtol=0, atol=SINGLE)


def test_generator_uses_noise_and_condition_and_its_output_module():
    maker = ConditionalMLPGenerator(5, 3, 4, 16, 1, output=nn.Sigmoid(), generator=seeded())
    out = maker(X, CONDITION)
    assert out.shape == (6, 4)
    assert ((out > 0) & (out < 1)).all()
    assert not torch.equal(out, maker(X, OTHER))
    assert not torch.equal(out, maker(-X, CONDITION))
    free = ConditionalMLPGenerator(5, 0, 4, 16, 1, generator=seeded())
    assert free(X).shape == (6, 4)
    assert torch.equal(free(X), free(X, CONDITION))


@pytest.mark.parametrize("spectral_norm", [False, True])
@pytest.mark.parametrize("conditioning", CONDITIONINGS)
def test_initial_weights_come_from_the_generator_alone(conditioning, spectral_norm):
    before = torch.get_rng_state()
    one, same, other = (
        judge(conditioning, generator=seeded(seed), spectral_norm=spectral_norm).state_dict() for seed in (0, 0, 1)
    )
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(one[key], same[key]) for key in one)
    weights = [key for key in one if one[key].ndim == 2]
    assert weights
    assert all(not torch.equal(one[key], other[key]) for key in weights)
    assert all(one[key].isfinite().all() for key in one)


@pytest.mark.parametrize("conditioning", CONDITIONINGS)
def test_spectral_norm_makes_every_layer_a_contraction(conditioning):
    network = judge(conditioning, spectral_norm=True)
    linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    assert len(linear) >= 3
    for _ in range(20):
        network(X, CONDITION)
    for layer in linear:
        assert float(torch.linalg.matrix_norm(layer.weight.detach(), 2)) == pytest.approx(1.0, abs=1e-2)


def test_dropout_acts_in_training_only():
    network = judge("concat", dropout=0.5)
    torch.manual_seed(0)
    assert not torch.equal(network(X, CONDITION).adversarial, network(X, CONDITION).adversarial)
    network.eval()
    assert torch.equal(network(X, CONDITION).adversarial, network(X, CONDITION).adversarial)


def test_what_does_not_fit_is_refused():
    with pytest.raises(InvalidParameterError, match="conditioning='film'"):
        judge("film")
    with pytest.raises(InvalidParameterError, match="d_condition=0"):
        ConditionalMLPDiscriminator(5, 0, conditioning="projection", generator=seeded())
    with pytest.raises(InvalidParameterError, match="n_classes=0"):
        ConditionalMLPDiscriminator(5, 0, conditioning="classes", generator=seeded())
    assert (
        ConditionalMLPDiscriminator(5, 0, conditioning="classes", n_classes=7, generator=seeded())(X).classes.shape[1]
        == 7
    )
    with pytest.raises(ValueError, match="condition of width 3"):
        judge("concat")(X)
    with pytest.raises(ValueError, match="condition of width 3"):
        judge("projection")(X)


def test_minibatch_features_let_the_source_head_see_a_collapsed_batch():
    network = judge("classes", minibatch_kernels=4)
    with torch.no_grad():
        network.source.weight.zero_()
        network.source.weight[:, 16:] = 1
    collapsed = X[:1].repeat(6, 1)
    verdict = network(collapsed, CONDITION)
    collapse = torch.full((6,), 4 * (5 - 1.0))  # n - 1 = 5, bias -1
    torch.testing.assert_close(verdict.adversarial, collapse, rtol=SINGLE, atol=0)
    assert (network(X, CONDITION).adversarial < 0).all()
    assert verdict.features.shape == (6, 16)
    assert verdict.classes.shape == (6, 3)
    with pytest.raises(InvalidParameterError, match="minibatch_kernels=4"):
        judge("fake-class", minibatch_kernels=4)
