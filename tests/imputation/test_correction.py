"""The correction network and its parts: layout, starting point, and independence of rows and hidden values."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tabgan.imputation.cell_discriminator import CellDiscriminator
from tabgan.imputation.published import GainGenerator
from tabgan.imputation.stages import correction
from tabgan.imputation.stages.closed_form import ClosedForm, fit_closed_form
from tabgan.imputation.stages.correction import Correction
from tabgan.imputation.stages.stage import Rows
from tabgan.networks.blocks import PiecewiseLinearEncoding, ResidualBlock, init_linear, mlp
from tabgan.networks.heads import SpanHeads, span_index
from tabgan.spans import Span, total_width
from tests.imputation.learning_of import learning_of, some_held_out, table_of
from tests.rounding import DOUBLE

MIXED = [Span("numeric", 0, 1), Span("categorical", 1, 4), Span("numeric", 4, 5), Span("categorical", 5, 7)]
NUMERIC = [Span("numeric", j, j + 1) for j in range(3)]
CATEGORICAL = [Span("categorical", 0, 2), Span("categorical", 2, 5)]
LAYOUTS = pytest.mark.parametrize("spans", [MIXED, NUMERIC, CATEGORICAL], ids=["mixed", "numeric", "categorical"])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def build(spans, *, trained=False, seed=0, **settings):
    """A closed form and a correction in float64; ``trained`` gives this random weights, in its last layer too."""
    draw = seeded(seed)
    width, n_numeric = total_width(spans), sum(span.kind == "numeric" for span in spans)
    values = torch.randn(200, width, generator=draw) @ torch.randn(width, width, generator=draw)
    closed_form = fit_closed_form(values, torch.ones_like(values), spans, draw)
    edges = torch.linspace(-2, 2, 6).repeat(n_numeric, 1)
    module = Correction(spans, edges, width=16, generator=draw, **settings).double().eval()
    if trained:
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(0.2 * torch.randn(parameter.shape, generator=draw))
    return closed_form, module


def completed(stages: tuple[ClosedForm, Correction], values, visible):
    """Rows completed by both."""
    closed_form, module = (stage.in_dtype(values.dtype) for stage in stages)
    rows = Rows(values, visible)
    return module.complete(rows, closed_form.complete(rows, None)).completed


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
@pytest.mark.parametrize("asked", [False, True], ids=["silent", "asked"])
def test_an_untrained_correction_leaves_numbers_as_they_came_and_normalises_levels(spans, asked):
    closed_form, module = build(spans)
    assert module.is_silent
    values, visible = table(spans)
    shown = visible[:, span_index(spans)] > 0
    before = closed_form.complete(Rows(values, visible), None)
    if asked:
        filled = module.heads.values(module.corrected(module.features(before, visible), before.completed)).mean(0)
        filled = torch.where(shown, values, filled)
    else:
        after = module.complete(Rows(values, visible), before)
        filled = after.completed
        assert replace(after, completed=before.completed) == before
    for span in spans:
        slots = slice(span.start, span.stop)
        expected = before.completed[:, slots]
        if span.kind == "categorical":  # the linear fit, cut to [0.001, 1] and normalised
            part = expected.clamp(1e-3, 1)
            expected = torch.where(shown[:, slots], values[:, slots], part / part.sum(1, keepdim=True))
        torch.testing.assert_close(filled[:, slots], expected, rtol=0, atol=DOUBLE)


def test_a_bias_alone_is_something_to_say():
    _, module = build(MIXED)
    with torch.no_grad():
        module.output_bias[1, 0, 0] = 0.5
    assert not module.is_silent


@LAYOUTS
def test_training_mode_and_float32_change_nothing_but_rounding(spans):
    stages = build(spans, trained=True)
    values, visible = table(spans)
    expected = completed(stages, values, visible)
    stages[1].train()
    torch.testing.assert_close(completed(stages, values, visible), expected)
    single = completed(stages, values.float(), visible.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single, expected.float(), rtol=1e-3, atol=1e-3)


@LAYOUTS
def test_a_rows_output_does_not_depend_on_the_other_rows(spans):
    stages = build(spans, trained=True)
    values, visible = table(spans)
    whole = completed(stages, values, visible)
    alone = torch.cat([completed(stages, values[i : i + 1], visible[i : i + 1]) for i in range(len(values))])
    torch.testing.assert_close(whole, alone, rtol=0, atol=DOUBLE)


@LAYOUTS
@pytest.mark.parametrize("junk", [-3.0, 1e9, float("nan"), float("inf")])
def test_values_under_hidden_cells_do_not_matter(spans, junk):
    stages = build(spans, trained=True)
    values, visible = table(spans)
    fouled = torch.where(visible[:, span_index(spans)] > 0, values, junk)
    assert torch.equal(completed(stages, values, visible), completed(stages, fouled, visible))


@LAYOUTS
def test_visible_values_do_matter(spans):
    stages = build(spans, trained=True)
    values, visible = table(spans)
    visible[:] = 1
    visible[:, 0] = 0
    moved = values.clone()
    moved[:, -1] += 0.5
    first = slice(0, spans[0].stop)
    difference = completed(stages, values, visible) - completed(stages, moved, visible)
    assert (difference[:, first].abs().amax(1) > 1e-6).all()


def test_members_differ_once_the_last_layer_does_and_a_completion_is_their_mean():
    stages = build(MIXED, trained=True)
    closed_form, module = stages
    values, visible = table(MIXED)
    before = closed_form.complete(Rows(values, visible), None)
    members = module.corrected(module.features(before, visible), before.completed)
    assert members.shape == (4, 9, 7)
    assert (members[0] - members[1]).abs().max() > 1e-3
    mean = torch.stack([module.heads.values(m) for m in members]).mean(0)
    expected = torch.where(visible[:, span_index(MIXED)] > 0, values, mean)
    torch.testing.assert_close(completed(stages, values, visible), expected)


def test_parted_rows_are_each_answered_by_one_member_in_order():
    closed_form, module = build(MIXED, trained=True)
    values, visible = table(MIXED, n=12)
    before = closed_form.complete(Rows(values, visible), None)
    features = module.features(before, visible)
    parted = module.corrected(features, before.completed, parted=True)
    assert parted.shape == (4, 3, 7)
    whole = module.corrected(features, before.completed)
    torch.testing.assert_close(parted, torch.stack([whole[m, 3 * m : 3 * m + 3] for m in range(4)]))


def test_numbers_are_shown_in_bins_only_where_they_are_visible():
    closed_form, module = build(MIXED)
    values, visible = table(MIXED)
    before = closed_form.complete(Rows(values, visible), None)
    bins = module.features(before, visible)[:, -module.encode.d_out :].unflatten(1, (2, -1))
    shown = visible[:, [0, 2]] > 0
    assert (bins[~shown] == 0).all()
    expected = module.encode(values[:, [0, 4]]).unflatten(1, (2, -1))
    assert torch.equal(bins[shown], expected[shown])


def test_training_leaves_the_closed_form_alone():
    values = table_of(MIXED, 80)
    held_out = some_held_out(torch.ones(80, 4))
    learning = learning_of(
        values, MIXED, 1 - held_out, held_out, with_closed_form=True, n_steps=3, width=8, n_members=2, n_blocks=1
    )
    (closed_form,) = learning.stages
    before = {name: value.clone() for name, value in closed_form.state_dict().items()}
    fitted = correction.fit(learning)
    assert not list(closed_form.parameters())
    for name, value in closed_form.state_dict().items():
        assert torch.equal(value, before[name])
    assert fitted.trained.n_steps == 3
    assert set(fitted.state_dict()) == set(build(MIXED, n_blocks=1)[1].state_dict())  # nothing of any other stage


@pytest.mark.parametrize(
    "make",
    [
        lambda draw: Correction(MIXED, torch.zeros(2, 5), generator=draw),
        lambda draw: GainGenerator(6, generator=draw),
        lambda draw: CellDiscriminator(6, 3, generator=draw),
        lambda draw: ResidualBlock(4),
    ],
    ids=["correction", "gain", "discriminator", "block"],
)
def test_building_a_network_does_not_touch_the_global_generator(make):
    before = torch.get_rng_state()
    make(seeded())
    assert torch.equal(torch.get_rng_state(), before)


def test_one_seed_one_network():
    one, same, other = (torch.cat([p.flatten() for p in build(MIXED, seed=s)[1].parameters()]) for s in (0, 0, 1))
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
