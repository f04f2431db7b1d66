"""Adversarial losses against closed forms: formulas, saturation, reductions, and the best discriminators they have."""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import logsigmoid

from tabgan.core.cases import Case, weighted_mean
from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.verdict import Verdict
from tests.rounding import DOUBLE

LOGITS = [-100.0, -10.0, -2.5, -0.3, 0.0, 0.7, 4.0, 10.0, 100.0]


def log_s(x):
    """log sigmoid(x) in float64, by the branch that cannot overflow."""
    return -math.log1p(math.exp(-x)) if x >= 0 else x - math.log1p(math.exp(x))


# What the papers print, written with the probability D = s(x): log D = log s(x), log(1 - D) = log s(-x).
PUBLISHED = {
    "minimax": (lambda x: -log_s(x), lambda x: -log_s(-x), lambda x: log_s(-x)),
    "non-saturating": (lambda x: -log_s(x), lambda x: -log_s(-x), lambda x: -log_s(x)),
    "lsgan": (lambda x: (x - 1) ** 2 / 2, lambda x: x**2 / 2, lambda x: (x - 1) ** 2 / 2),
    "wasserstein": (lambda x: -x, lambda x: x, lambda x: -x),
    "hinge": (lambda x: max(0.0, 1 - x), lambda x: max(0.0, 1 + x), lambda x: -x),
}


def case(logits, target, **fields):
    return Case(Verdict(torch.as_tensor(logits)), target, **fields)


def test_every_named_loss_is_tested():
    assert set(PUBLISHED) == set(ADVERSARIAL_LOSSES)


@pytest.mark.parametrize("logit", LOGITS)
@pytest.mark.parametrize("name", PUBLISHED)
def test_losses_equal_the_published_formulas(name, logit):
    loss = ADVERSARIAL_LOSSES[name]
    real, fake, generator = PUBLISHED[name]
    x = torch.tensor([logit], dtype=torch.float64)
    assert float(loss.discriminator_loss([case(x, 1.0)])) == pytest.approx(real(logit), rel=1e-12, abs=1e-12)
    assert float(loss.discriminator_loss([case(x, 0.0)])) == pytest.approx(fake(logit), rel=1e-12, abs=1e-12)
    assert float(loss.generator_loss([case(x, 1.0)])) == pytest.approx(generator(logit), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", PUBLISHED)
def test_values_and_gradients_stay_finite_in_float32_at_extreme_logits(name):
    x = torch.tensor([-1e4, -100.0, 100.0, 1e4], requires_grad=True)
    loss = ADVERSARIAL_LOSSES[name]
    total = loss.discriminator_loss([case(x, 1.0), case(x, 0.0), case(x, 0.3)]) + loss.generator_loss([case(x, 1.0)])
    total.backward()
    assert total.isfinite()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize(("name", "slope"), [("minimax", -4.539787e-5), ("non-saturating", -0.9999546)])
def test_minimax_generator_saturates_where_the_non_saturating_one_does_not(name, slope):
    """dL_G/df is -s(f) and -(1 - s(f)): at f = -10 the discriminator is sure, and only one of them still teaches."""
    fake = torch.tensor([-10.0], dtype=torch.float64, requires_grad=True)
    ADVERSARIAL_LOSSES[name].generator_loss([case(fake, 1.0)]).backward()
    assert float(fake.grad) == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_generator_always_gains_from_looking_more_real(name):
    fake = torch.linspace(-3, 0.9, 9, dtype=torch.float64, requires_grad=True)
    ADVERSARIAL_LOSSES[name].generator_loss([case(fake, 1.0)]).backward()
    assert (fake.grad < 0).all()


@pytest.mark.parametrize("name", PUBLISHED)
def test_loss_does_not_depend_on_how_a_batch_is_cut(name):
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(12, 3, generator=draw, dtype=torch.float64)
    target = torch.rand(12, 3, generator=draw, dtype=torch.float64)
    weight = torch.rand(12, 3, generator=draw, dtype=torch.float64)
    loss = ADVERSARIAL_LOSSES[name]
    whole = loss.discriminator_loss([case(x, target, weight=weight)])
    share = weight[:5].sum() / weight.sum()
    parts = [
        case(x[:5], target[:5], weight=weight[:5], scale=share),
        case(x[5:], target[5:], weight=weight[5:], scale=1 - share),
    ]
    torch.testing.assert_close(loss.discriminator_loss(parts), whole, rtol=0, atol=DOUBLE)
    twice = case(x.repeat(2, 1), target.repeat(2, 1), weight=weight.repeat(2, 1))
    torch.testing.assert_close(loss.discriminator_loss([twice]), whole, rtol=0, atol=DOUBLE)


@pytest.mark.parametrize("name", PUBLISHED)
def test_elements_of_weight_zero_do_not_count(name):
    x = torch.tensor([0.5, -1.0, 77.0], requires_grad=True)
    loss = ADVERSARIAL_LOSSES[name]
    weight = torch.tensor([1.0, 3.0, 0.0])
    value = loss.generator_loss([case(x, 1.0, weight=weight)])
    value.backward()
    alone = loss.generator_loss([case(x[:2].detach(), 1.0, weight=weight[:2])])
    torch.testing.assert_close(value.detach(), alone)
    assert x.grad[2] == 0


@pytest.mark.parametrize("name", PUBLISHED)
def test_all_zero_weights_give_zero_with_a_zero_gradient(name):
    x = torch.tensor([0.5, -1.0], requires_grad=True)
    value = ADVERSARIAL_LOSSES[name].discriminator_loss([case(x, 1.0, weight=torch.zeros(2))])
    value.backward()
    assert value == 0
    assert torch.equal(x.grad, torch.zeros(2))


def test_weighted_mean_of_equal_weights_is_the_mean_whatever_their_size():
    values = torch.tensor([1.0, 2.0, 6.0])
    for size in (1e-12, 1.0, 1e12):
        torch.testing.assert_close(weighted_mean(values, torch.full((3,), size)), values.mean())


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("target", [0.9, torch.tensor([0.9, 0.9, 0.9], dtype=torch.float64)])
def test_a_smoothed_target_is_a_mixture_of_both_verdicts(name, target):
    x = torch.tensor([-2.0, 0.1, 3.0], dtype=torch.float64)
    loss = ADVERSARIAL_LOSSES[name]
    real, fake = loss.discriminator_loss([case(x, 1.0)]), loss.discriminator_loss([case(x, 0.0)])
    torch.testing.assert_close(loss.discriminator_loss([case(x, target)]), 0.9 * real + 0.1 * fake)


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("scale", [0.25, torch.tensor(0.25, dtype=torch.float64)])
def test_cases_add_up_with_their_scales(name, scale):
    x, y = torch.tensor([0.3, -1.0], dtype=torch.float64), torch.tensor([2.0], dtype=torch.float64)
    loss = ADVERSARIAL_LOSSES[name]
    for total, one in [
        (loss.discriminator_loss, lambda v: loss.discriminator_loss([case(v, 1.0)])),
        (loss.generator_loss, lambda v: loss.generator_loss([case(v, 1.0)])),
    ]:
        torch.testing.assert_close(total([case(x, 1.0, scale=scale), case(y, 1.0)]), 0.25 * one(x) + one(y))


def test_a_verdict_without_adversarial_logits_is_refused():
    with pytest.raises(ValueError, match="adversarial"):
        ADVERSARIAL_LOSSES["hinge"].generator_loss([Case(Verdict(None), 1.0)])


GRID = torch.linspace(-7, 8, 1501, dtype=torch.float64)


def normal_density(mean, scale):
    return torch.exp(-0.5 * ((GRID - mean) / scale) ** 2) / (scale * math.sqrt(2 * math.pi))


def minimised(objective, n_parameters):
    """Full-batch minimiser of a convex objective."""
    theta = torch.zeros(n_parameters, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([theta], max_iter=500, tolerance_grad=1e-10, line_search_fn="strong_wolfe")

    def closure():
        solver.zero_grad()
        value = objective(theta)
        value.backward()
        return value

    solver.step(closure)
    return theta.detach()


@pytest.mark.parametrize("real_target", [1.0, 0.9])
def test_best_minimax_discriminator_of_two_gaussians_is_the_density_ratio(real_target):
    """D* = t p / (p + q), and for t = 1 the value is 2 JS(p, q) - log 4 (Goodfellow et al. 2014, theorem 1)."""
    p, q = normal_density(0.0, 1.0), normal_density(1.0, 1.5)
    # log p/q of two Gaussians is a quadratic; the logit of t p / (p + q) is not, and takes a longer polynomial.
    basis = torch.stack([(GRID / 4) ** k for k in range(3 if real_target == 1 else 9)], 1)
    loss = ADVERSARIAL_LOSSES["minimax"]

    def objective(theta):
        logits = basis @ theta
        return loss.discriminator_loss([case(logits, real_target, weight=p), case(logits, 0.0, weight=q)])

    theta = minimised(objective, basis.shape[1])
    densest = p + q > 0.02
    best = real_target * p / (p + q)
    error = (torch.sigmoid(basis @ theta) - best).abs()[densest].max()
    assert error < (1e-4 if real_target == 1 else 1e-2)
    if real_target == 1:
        step = float(GRID[1] - GRID[0])
        middle = (p + q) / 2
        jensen_shannon = float(((p * (p / middle).log() + q * (q / middle).log()).sum() * step) / 2)
        assert -float(objective(theta)) == pytest.approx(2 * jensen_shannon - math.log(4), abs=1e-5)


def test_best_least_squares_discriminator_of_two_gaussians_is_their_mixture_of_labels():
    """D* = (b p + a q) / (p + q) with a = 0 and b = 1 (Mao et al. 2017, eq. 5)."""
    p, q = normal_density(0.0, 1.0), normal_density(1.0, 1.0)
    chebyshev = np.polynomial.chebyshev.chebvander((GRID.numpy() - 0.5) / 7.5, 24)
    basis = torch.from_numpy(chebyshev)
    loss = ADVERSARIAL_LOSSES["lsgan"]

    def objective(theta):
        return loss.discriminator_loss([case(basis @ theta, 1.0, weight=p), case(basis @ theta, 0.0, weight=q)])

    best = p / (p + q)
    error = (basis @ minimised(objective, basis.shape[1]) - best).abs()
    assert error[p + q > 0.02].max() < 5e-3


def test_a_small_network_trained_on_samples_comes_near_the_density_ratio():
    draw = torch.Generator().manual_seed(0)
    real, fake = torch.randn(4000, 1, generator=draw), 1 + torch.randn(4000, 1, generator=draw)
    hidden = torch.randn(16, 1, generator=draw), torch.randn(16, generator=draw)
    out = torch.zeros(1, 16)
    weights = [w.requires_grad_() for w in (*hidden, out, torch.zeros(1))]

    def judge(x):
        w1, b1, w2, b2 = weights
        return torch.tanh(x @ w1.T + b1) @ w2.T + b2

    solver = torch.optim.Adam(weights, lr=0.03)
    for _ in range(200):
        solver.zero_grad()
        ADVERSARIAL_LOSSES["minimax"].discriminator_loss([case(judge(real), 1.0), case(judge(fake), 0.0)]).backward()
        solver.step()
    x = torch.linspace(-1.5, 2.5, 41).unsqueeze(1)
    best = torch.exp(logsigmoid(0.5 - x))  # log p/q of N(0, 1) and N(1, 1) is 1/2 - x
    assert (torch.sigmoid(judge(x)) - best).abs().max() < 0.06
