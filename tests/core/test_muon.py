"""Muon: orthogonal steps of AdamW's size for matrices, AdamW itself for everything else."""

import pytest
import torch

from tabgan.core.adam import FusedAdamW
from tabgan.core.muon import Muon, orthogonalized
from tabgan.core.phases import OptimizerSpec

SETTINGS = {"lr": 0.1, "betas": (0.9, 0.95), "weight_decay": 0.01}


def parameters():
    draw = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(shape, generator=draw)) for shape in ((80, 64), (4, 70), (5,))]


def descend(optimizer, weights, n_steps):
    for step in range(n_steps):
        optimizer.zero_grad()
        loss = sum((w**2).sum() * (1 + k) for k, w in enumerate(weights[: 2 + step % 2]))
        loss.backward()
        optimizer.step()


@pytest.mark.parametrize("shape", [(6, 6), (3, 8), (8, 3)])
def test_singular_values_come_near_one_and_directions_stay(shape):
    draw = torch.Generator().manual_seed(sum(shape))
    given = torch.randn(2, *shape, generator=draw).double()
    found = orthogonalized(given)
    for one, other in zip(given, found, strict=True):
        u, s, v = torch.linalg.svd(one, full_matrices=False)
        told = u.T @ other @ v.T
        usable = s > 0.02 * s.norm()
        assert ((told.diagonal() > 0.6) & (told.diagonal() < 1.3))[usable].all()
        torch.testing.assert_close(told, torch.diag(told.diagonal()), rtol=0, atol=1e-9)


def test_matrices_of_zeros_stay():
    assert torch.equal(orthogonalized(torch.zeros(1, 3, 4)), torch.zeros(1, 3, 4))


def test_a_first_step_of_a_matrix_is_its_gradient_made_orthogonal():
    weights = parameters()
    before, optimizer = weights[0].detach().clone(), Muon(weights, **SETTINGS)
    descend(optimizer, weights, 1)
    wanted = before * (1 - 0.1 * 0.01) - 0.1 * 0.2 * 80**0.5 * orthogonalized(before[None])[0]
    torch.testing.assert_close(weights[0].detach(), wanted, rtol=0, atol=1e-5)


def test_momentum_is_nesterovs():
    one = torch.nn.Parameter(torch.zeros(64, 64))
    optimizer = Muon([one], lr=1.0, betas=(0.9, 0.95), weight_decay=0.0)
    draw = torch.Generator().manual_seed(1)
    gradients = [torch.randn(64, 64, generator=draw) for _ in range(2)]
    for gradient in gradients:
        one.grad = gradient.clone()
        before = one.detach().clone()
        optimizer.step()
    momentum = 0.9 * (0.1 * gradients[0]) + 0.1 * gradients[1]
    step = orthogonalized((0.1 * gradients[1] + 0.9 * momentum)[None])[0]
    torch.testing.assert_close(before - one.detach(), 0.2 * 8 * step, rtol=0, atol=1e-4)


def test_narrow_matrices_and_vectors_get_adamws_steps_at_their_share_of_the_rate():
    mine, theirs = parameters(), parameters()
    descend(Muon(mine, **SETTINGS), mine, 5)
    descend(FusedAdamW(theirs, **(SETTINGS | {"lr": 0.04})), theirs, 5)
    for one, other in zip(mine[1:], theirs[1:], strict=True):
        assert torch.equal(one, other)


def test_saved_and_restored_it_goes_on_as_if_nothing_had_happened():
    whole, halves = parameters(), parameters()
    first = Muon(whole, **SETTINGS)
    descend(first, whole, 3)
    descend(first, whole, 3)
    early, late = Muon(halves, **SETTINGS), Muon(halves, **SETTINGS)
    descend(early, halves, 3)
    late.load_state_dict(early.state_dict())
    descend(late, halves, 3)
    for one, other in zip(whole, halves, strict=True):
        assert torch.equal(one, other)


def test_it_is_an_optimiser_by_name():
    built = OptimizerSpec("muon", 0.02, (0.9, 0.99), 0.1).build(parameters())
    assert isinstance(built, Muon)
    assert built.param_groups[0]["lr"] == 0.02
