"""DRAGAN's penalty: closed forms for linear critics, and where its inputs lie."""

import pytest
import torch

from tabgan.core.penalties import PENALTIES, dragan_gaussian_penalty, dragan_uniform_penalty
from tabgan.verdict import Verdict
from tests.rounding import SINGLE


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def linear_judge(w):
    return lambda x: Verdict((x * w).flatten(1).sum(1))


FORMS = {"dragan-uniform": dragan_uniform_penalty, "dragan-gaussian": dragan_gaussian_penalty}
REAL = 3 + 2 * torch.randn(4000, 2, 5, generator=seeded())


def inputs_of(form, **settings):
    seen = []

    def judge(x):
        seen.append(x.detach())
        return Verdict(x.flatten(1).sum(1))

    form(judge, REAL, None, seeded(1), **settings)
    return seen[0] - REAL


def test_both_forms_are_known_by_name():
    assert all(PENALTIES[name] is form for name, form in FORMS.items())


@pytest.mark.parametrize("form", FORMS.values())
@pytest.mark.parametrize("shape", [(64, 3), (1, 3), (8, 2, 4, 5)])
@pytest.mark.parametrize("length", [0.2, 1.0, 3.0])
def test_penalty_of_a_linear_critic_is_the_distance_of_its_slope_from_k(form, shape, length):
    """Per row: over a batch of 64 the norm would be 8 times as large."""
    w = torch.randn(shape[1:], generator=seeded(1))
    w, real = length * w / w.norm(), torch.randn(*shape, generator=seeded(2))
    assert float(form(linear_judge(w), real, None, seeded())) == pytest.approx((length - 1) ** 2, abs=SINGLE)
    assert float(form(linear_judge(w), real, None, seeded(), slope=2.0)) == pytest.approx((length - 2) ** 2, abs=SINGLE)


@pytest.mark.parametrize("form", FORMS.values())
def test_minimising_it_leads_to_slope_one(form):
    w = torch.tensor([0.1, -0.2, 0.3], requires_grad=True)
    solver, real = torch.optim.SGD([w], lr=0.2), torch.randn(64, 3, generator=seeded())
    for step in range(60):
        solver.zero_grad()
        form(linear_judge(w), real, None, seeded(step)).backward()
        solver.step()
    assert float(w.detach().norm()) == pytest.approx(1.0, abs=1e-4)


def test_uniform_inputs_lie_on_one_side_with_one_mixing_weight_per_row():
    """xh - x = a scale std u: mean a u = 1/4, mean of squares 1/9, and the largest of a row bounded by its own a."""
    offset = inputs_of(dragan_uniform_penalty) / (0.5 * REAL.std())
    assert offset.min() >= -1e-5
    assert offset.max() <= 1 + 1e-5
    assert float(offset.mean()) == pytest.approx(1 / 4, abs=0.01)
    assert float(offset.square().mean()) == pytest.approx(1 / 9, abs=0.01)
    largest = offset.flatten(1).max(1).values  # a times the largest of ten uniform numbers
    assert float(largest.mean()) == pytest.approx(0.5 * 10 / 11, abs=0.02)


def test_gaussian_inputs_lie_around_the_row_with_the_scale_relative_to_the_data():
    for scale in (0.5, 0.1):
        offset = inputs_of(dragan_gaussian_penalty, scale=scale)
        assert float(offset.mean()) == pytest.approx(0, abs=0.02)
        assert float(offset.std()) == pytest.approx(scale * float(REAL.std()), rel=0.02)


@pytest.mark.parametrize("form", FORMS.values())
def test_only_the_critic_learns_and_fakes_are_not_needed(form):
    real = torch.randn(8, 2, generator=seeded()).requires_grad_()
    w = torch.tensor([2.0, 0.0], requires_grad=True)
    form(linear_judge(w), real, None, seeded()).backward()
    torch.testing.assert_close(w.grad, torch.tensor([2.0, 0.0]))
    assert real.grad is None


@pytest.mark.parametrize("form", FORMS.values())
def test_a_unit_change_of_the_data_scales_the_neighbourhood(form):
    """D(x) = |x|^2 / 2 has gradient norm |x|: in units of 1/100 the neighbourhood is as much smaller."""

    def bowl(x):
        return Verdict(0.5 * x.flatten(1).square().sum(1))

    big = form(bowl, REAL, None, seeded(), slope=0.0)
    small = form(bowl, REAL / 100, None, seeded(), slope=0.0)
    assert float((big / small).detach()) == pytest.approx(1e4, rel=1e-3)
    assert big.isfinite()
