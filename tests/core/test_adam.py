"""`FusedAdamW` is torch's AdamW, step for step, and does not import the compiler."""

import subprocess
import sys

import torch

from tabgan.core.adam import FusedAdamW


def parameters():
    draw = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(shape, generator=draw)) for shape in ((3, 2), (4,))]


def descend(optimizer, weights, n_steps):
    for step in range(n_steps):
        optimizer.zero_grad(set_to_none=True)
        loss = (weights[0] ** 2).sum() + ((weights[1] ** 4).sum() if step % 2 else 0.0)
        loss.backward()
        optimizer.param_groups[0]["lr"] = 0.1 / (1 + step)
        optimizer.step()


def test_steps_are_torchs_own_also_where_a_gradient_is_missing():
    settings = {"lr": 0.1, "betas": (0.8, 0.95), "weight_decay": 0.01}
    mine, theirs = parameters(), parameters()
    descend(FusedAdamW(mine, **settings), mine, 7)
    descend(torch.optim.AdamW(theirs, fused=True, **settings), theirs, 7)
    for one, other in zip(mine, theirs, strict=True):
        assert torch.equal(one, other)


def test_saved_and_restored_it_goes_on_as_if_nothing_had_happened():
    settings = {"lr": 0.1, "betas": (0.8, 0.95), "weight_decay": 0.01}
    whole, halves = parameters(), parameters()
    first = FusedAdamW(whole, **settings)
    descend(first, whole, 3)
    descend(first, whole, 3)
    early = FusedAdamW(halves, **settings)
    descend(early, halves, 3)
    late = FusedAdamW(halves, **settings)
    late.load_state_dict(early.state_dict())
    descend(late, halves, 3)
    for one, other in zip(whole, halves, strict=True):
        assert torch.equal(one, other)


def test_it_does_not_import_the_compiler():
    code = (
        "import sys, torch\nfrom tabgan.core.adam import FusedAdamW\nw = torch.nn.Parameter(torch.ones(2))\n"
        "o = FusedAdamW([w], lr=0.1, betas=(0.9, 0.9), weight_decay=0.0)\nw.sum().backward()\no.step()\n"
        "assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
