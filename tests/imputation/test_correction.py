"""The imputation generator and its parts: layout, starting point, and independence of rows and hidden values."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tabgan.imputation.cell_discriminator import CellDiscriminator
from tabgan.imputation.published import GainGenerator
from tabgan.imputation.stages.closed_form import fit_base
from tabgan.imputation.stages.correction import BasedGenerator
from tabgan.networks.blocks import PiecewiseLinearEncoding, ResidualBlock, init_linear, mlp
from tabgan.networks.heads import SpanHeads, span_index
from tabgan.spans import Span, total_width
from tests.rounding import DOUBLE

MIXED = [Span("numeric", 0, 1), Span("categorical", 1, 4), Span("numeric", 4, 5), Span("categorical", 5, 7)]
NUMERIC = [Span("numeric", j, j + 1) for j in range(3)]
CATEGORICAL = [Span("categorical", 0, 2), Span("categorical", 2, 5)]
LAYOUTS = pytest.mark.parametrize("spans", [MIXED, NUMERIC, CATEGORICAL], ids=["mixed", "numeric", "categorical"])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def build(spans, *, trained=False, seed=0, **settings):
    """A generator in float64; ``trained`` gives it a random last layer."""
    draw = seeded(seed)
    width, n_numeric = total_width(spans), sum(span.kind == "numeric" for span in spans)
    values = torch.randn(200, width, generator=draw) @ torch.randn(width, width, generator=draw)
    base = fit_base(values, torch.ones_like(values), spans, draw)
    edges = torch.linspace(-2, 2, 6).repeat(n_numeric, 1)
    module = BasedGenerator(spans, base, edges, width=16, generator=draw, **settings).double().eval()
    if trained:
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(0.2 * torch.randn(parameter.shape, generator=draw))
    return module


def table(spans, n=9, seed=1):
    """Values and a mask whose first rows are all seen and all hidden."""
    draw = seeded(seed)
    parts = []
    for span in spans:
        if span.kind == "numeric":
            parts.append(torch.randn(n, 1, generator=draw).double())
        else:
            level = torch.randint(span.width, (n,), generator=draw)
            parts.append(nn.functional.one_hot(level, span.width).double())
    visible = (torch.rand(n, len(spans), generator=draw) < 0.6).double()
    visible[0], visible[1] = 1, 0
    return torch.cat(parts, 1), visible


def test_span_index_names_the_column_of_every_slot():
    assert span_index(MIXED).tolist() == [0, 1, 1, 1, 2, 3, 3]
    assert span_index([]).tolist() == []


@LAYOUTS
@pytest.mark.parametrize("shape", [(5,), (3, 5)])
def test_heads_are_a_softmax_in_every_categorical_block(spans, shape):
    raw = 50 * torch.randn(*shape, total_width(spans), generator=seeded(), dtype=torch.float64)
    raw[..., 0, :] *= 1e3
    heads = SpanHeads(spans)
    logs, values = heads.log_probabilities(raw), heads.values(raw)
    for span in spans:
        slots = slice(span.start, span.stop)
        if span.kind == "numeric":
            assert torch.equal(logs[..., slots], raw[..., slots])
            assert torch.equal(values[..., slots], raw[..., slots])
        else:
            torch.testing.assert_close(logs[..., slots], torch.log_softmax(raw[..., slots], -1), rtol=0, atol=DOUBLE)
            torch.testing.assert_close(values[..., slots], torch.softmax(raw[..., slots], -1), rtol=0, atol=DOUBLE)
            torch.testing.assert_close(
                logs[..., slots].exp().sum(-1), torch.ones(shape, dtype=torch.float64), rtol=0, atol=DOUBLE
            )


def test_heads_have_the_gradient_of_log_softmax():
    raw = torch.randn(4, 7, generator=seeded(), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(SpanHeads(MIXED).log_probabilities, raw)
    assert torch.autograd.gradcheck(SpanHeads(MIXED).values, raw)
    huge = torch.tensor([[1e30, 1e30, -1e30, 0.0, -1e30, 0.0, 1e30]], requires_grad=True)
    SpanHeads(MIXED).values(huge).sum().backward()
    assert huge.grad.isfinite().all()


@LAYOUTS
def test_before_training_the_generator_is_its_base(spans):
    module = build(spans)
    values, visible = table(spans)
    shown = visible[:, span_index(spans)]
    filled, base = module(values, visible), module.base(values, shown)[0]
    for span in spans:
        slots = slice(span.start, span.stop)
        if span.kind == "numeric":
            expected = torch.where(shown > 0, values, base)[:, slots]
        else:  # the linear fit, cut to [0.001, 1] and normalised
            part = torch.where(shown > 0, values, base)[:, slots].clamp(1e-3, 1)
            expected = part / part.sum(1, keepdim=True)
        torch.testing.assert_close(filled[:, slots], expected, rtol=0, atol=DOUBLE)


@LAYOUTS
def test_training_mode_and_float32_change_nothing_but_rounding(spans):
    module = build(spans, trained=True)
    values, visible = table(spans)
    expected = module(values, visible)
    torch.testing.assert_close(module.train()(values, visible), expected)
    torch.testing.assert_close(module.float()(values.float(), visible.float()), expected.float(), rtol=1e-3, atol=1e-3)


@LAYOUTS
def test_a_rows_output_does_not_depend_on_the_other_rows(spans):
    module = build(spans, trained=True)
    values, visible = table(spans)
    whole = module(values, visible)
    alone = torch.cat([module(values[i : i + 1], visible[i : i + 1]) for i in range(len(values))])
    torch.testing.assert_close(whole, alone, rtol=0, atol=DOUBLE)


@LAYOUTS
@pytest.mark.parametrize("junk", [-3.0, 1e9, float("nan"), float("inf")])
def test_values_under_hidden_cells_do_not_matter(spans, junk):
    module = build(spans, trained=True)
    values, visible = table(spans)
    fouled = torch.where(visible[:, span_index(spans)] > 0, values, junk)
    assert torch.equal(module(values, visible), module(fouled, visible))


@LAYOUTS
def test_visible_values_do_matter(spans):
    module = build(spans, trained=True)
    values, visible = table(spans)
    visible[:] = 1
    visible[:, 0] = 0
    moved = values.clone()
    moved[:, -1] += 0.5
    first = slice(0, spans[0].stop)
    assert ((module(values, visible) - module(moved, visible))[:, first].abs().amax(1) > 1e-6).all()


def test_members_differ_once_the_last_layer_does_and_forward_is_their_mean():
    module = build(MIXED, trained=True)
    values, visible = table(MIXED)
    members = module.members(values, visible)
    assert members.shape == (4, 9, 7)
    assert (members[0] - members[1]).abs().max() > 1e-3
    torch.testing.assert_close(module(values, visible), torch.stack([module.heads.values(m) for m in members]).mean(0))


def test_the_base_is_not_trained():
    module = build(MIXED)
    assert not any(name.startswith("base") for name, _ in module.named_parameters())
    assert {"base.linear.mean", "base.rank.covariance", "base.blend"} <= set(module.state_dict())


@pytest.mark.parametrize(
    "make",
    [
        lambda draw: build(MIXED, n_blocks=2),
        lambda draw: GainGenerator(6, generator=draw),
        lambda draw: CellDiscriminator(6, 3, generator=draw),
        lambda draw: ResidualBlock(4),
    ],
    ids=["based", "gain", "discriminator", "block"],
)
def test_building_a_network_does_not_touch_the_global_generator(make):
    before = torch.get_rng_state()
    make(seeded())
    assert torch.equal(torch.get_rng_state(), before)


def test_one_seed_one_network():
    one, same, other = (torch.cat([p.flatten() for p in build(MIXED, seed=s).parameters()]) for s in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_initial_weights_have_variance_two_over_inputs():
    module = mlp([300, 200, 1])
    module[0].bias.data.fill_(1.0)
    init_linear(module, seeded())
    assert float(module[0].weight.var().detach()) == pytest.approx(2 / 300, rel=0.03)
    assert (module[0].bias == 0).all()
    assert len(module) == 3


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_gains_networks_keep_their_shapes_and_range(activation):
    generator = GainGenerator(6, activation=activation, generator=seeded())
    discriminator = CellDiscriminator(6, 3, activation=activation, generator=seeded())
    filled = generator(10 * torch.randn(5, 6, generator=seeded(1)), torch.ones(5, 6))
    assert filled.shape == (5, 6)
    assert ((filled >= 0) & (filled <= 1)).all()
    assert discriminator(filled, torch.ones(5, 3)).adversarial.shape == (5, 3)


edge_lists = st.lists(st.floats(-100, 100, width=32), min_size=2, max_size=6).map(sorted)


@settings(max_examples=100)
@given(edges=edge_lists, inputs=st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=8).map(sorted))
def test_the_encoding_is_monotone_between_zero_and_one(edges, inputs):
    """Also with repeated edges, and far outside of them."""
    encode = PiecewiseLinearEncoding(torch.tensor([edges]))
    levels = encode(torch.tensor(inputs).unsqueeze(1))
    assert levels.shape == (len(inputs), len(edges) - 1)
    assert ((levels >= 0) & (levels <= 1)).all()
    assert (levels.diff(dim=0) >= 0).all()
    empty = torch.tensor(edges).diff() == 0
    assert (levels[:, empty] == 0).all()


def test_the_encoding_fills_bins_from_the_left():
    encode = PiecewiseLinearEncoding(torch.tensor([[0.0, 1.0, 1.0, 3.0], [0.0, 10.0, 20.0, 30.0]]))
    assert encode.d_out == 6
    assert encode(torch.tensor([[2.0, 15.0], [-9.0, 99.0], [1.0, 10.0]])).tolist() == [
        [1.0, 0.0, 0.5, 1.0, 0.5, 0.0],
        [0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
        [1.0, 0.0, 0.0, 1.0, 0.0, 0.0],
    ]
