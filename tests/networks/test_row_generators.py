"""Generators of rows: hard levels with the right frequencies, and a correction that starts at nothing."""

import numpy as np
import pytest
import torch

from tabgan._runtime import make_generator
from tabgan.networks.row_generators import GumbelHeads, RowCorrector, RowMaker
from tabgan.spans import Span
from tests.rounding import SINGLE

SPANS = [Span("numeric", 0, 1), Span("categorical", 1, 4), Span("numeric", 4, 5), Span("categorical", 5, 7)]


def gumbel(n, generator):
    return -(-torch.rand(n, 7, generator=generator).clamp(1e-9, 1 - 1e-7).log()).log()


def seed_rows(n, generator):
    rows = torch.randn(n, 7, generator=generator)
    rows[:, 1:4] = torch.eye(3)[torch.randint(3, (n,), generator=generator)]
    rows[:, 5:7] = torch.eye(2)[torch.randint(2, (n,), generator=generator)]
    return rows


def test_evaluation_draws_hard_levels_with_softmax_frequencies():
    heads, generator = GumbelHeads(SPANS).eval(), make_generator(0)
    raw = torch.tensor([0.3, 0.0, 1.0, 2.0, -4.0, 0.0, -1.0])
    drawn = heads(raw.expand(20_000, 7), gumbel(20_000, generator))
    assert set(drawn[:, [1, 2, 3, 5, 6]].unique().tolist()) == {0.0, 1.0}
    assert (drawn[:, 1:4].sum(1) == 1).all()
    assert (drawn[:, [0, 4]] == raw[[0, 4]]).all()
    np.testing.assert_allclose(drawn[:, 1:4].mean(0), raw[1:4].softmax(0), atol=0.012)
    np.testing.assert_allclose(drawn[:, 5:].mean(0), raw[5:].softmax(0), atol=0.012)


def test_without_noise_the_likeliest_level_comes():
    drawn = GumbelHeads(SPANS).eval()(torch.tensor([[0.3, 0.0, 1.0, 2.0, -4.0, 0.0, -1.0]]), torch.zeros(1, 7))
    np.testing.assert_allclose(drawn, [[0.3, 0, 0, 1, -4.0, 1, 0]])


def test_training_draws_are_relaxed_at_the_temperature_and_carry_gradients():
    raw = torch.randn(5, 7, generator=make_generator(1)).requires_grad_()
    noise = gumbel(5, make_generator(2))
    drawn = GumbelHeads(SPANS, temperature=0.5).train()(raw, noise)
    np.testing.assert_allclose(
        drawn[:, 1:4].detach(), ((raw + noise)[:, 1:4] / 0.5).softmax(1).detach(), rtol=0, atol=SINGLE
    )
    (drawn[:, 1] * torch.arange(5.0)).sum().backward()
    assert (raw.grad[1:, 1:4] != 0).all()


@pytest.mark.parametrize("training", [True, False])
def test_the_corrector_gives_back_its_seed_before_training(training):
    n, generator = 4000, make_generator(0)
    corrector = RowCorrector(SPANS, 3, 2, width=16, generator=generator).train(training)
    seed = seed_rows(n, generator)
    latent, condition = torch.randn(n, 3, generator=generator), torch.randn(n, 2, generator=generator)
    noise = torch.cat([latent, gumbel(n, generator), seed, torch.ones(n, 7)], 1)
    made = corrector(noise, condition).detach()
    assert torch.equal(made[:, [0, 4]], seed[:, [0, 4]])
    if not training:
        for levels in (slice(1, 4), slice(5, 7)):
            changed = (made[:, levels] != seed[:, levels]).any(1).float().mean()
            np.testing.assert_allclose(changed, 0.02 / 1.02, atol=0.008)


def test_the_corrector_leaves_alone_what_may_not_move():
    generator = make_generator(0)
    corrector = RowCorrector(SPANS, 3, 2, width=16, generator=generator).eval()
    torch.nn.init.normal_(corrector.last.weight, generator=generator)
    seed, movable = seed_rows(50, generator), torch.ones(50, 7)
    movable[:, :4] = 0
    noise = torch.cat([torch.randn(50, 3, generator=generator), gumbel(50, generator), seed, movable], 1)
    made = corrector(noise, torch.zeros(50, 2)).detach()
    assert torch.equal(made[:, :4], seed[:, :4])
    assert (made[:, 4] != seed[:, 4]).all()


def test_the_maker_hides_gaps_and_hears_its_condition():
    generator = make_generator(0)
    maker = RowMaker(SPANS, 3, 2, width=16, generator=generator).eval()
    visible = (torch.rand(30, 7, generator=generator) < 0.5).float()
    noise = torch.cat([torch.randn(30, 3, generator=generator), torch.zeros(30, 7), visible], 1)
    made = maker(noise, torch.zeros(30, 2)).detach()
    assert (made[visible == 0] == 0).all()
    assert (made[:, 0][visible[:, 0] == 1] != 0).all()
    assert not torch.equal(made, maker(noise, torch.ones(30, 2)).detach())


def test_seeds_make_the_weights_and_the_global_generator_stays():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    nets = [
        kind(SPANS, 3, 2, width=16, generator=make_generator(5)) for kind in (RowMaker, RowCorrector) for _ in range(2)
    ]
    assert torch.equal(torch.get_rng_state(), before)
    for first, second in (nets[:2], nets[2:]):
        assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
