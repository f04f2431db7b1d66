"""Mixed precision: arithmetic in bfloat16, weights and optimiser states in float32; refused where there is no CUDA."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tabgan.core.phases import OptimizerSpec, Phase, Term, TermLoss
from tabgan.core.precision import check_precision, compute_type
from tabgan.core.trainer import Trainer
from tabgan.exceptions import InvalidParameterError
from tabgan.images import ImageGAN
from tabgan.images.networks.judge import Judge
from tabgan.images.networks.mlp import MLPTrunk
from tests.core.points import seeded

IMAGES = np.random.default_rng(0).random((40, 8, 8))


class Ones:
    def batch(self, generator):
        return torch.ones(4, 8)


def trained(kind):
    seen = []

    def loss(players, batch):
        made = players["p"](batch)
        seen.append(made.dtype)
        return made.square().mean()

    player = nn.Linear(8, 8)
    nn.init.constant_(player.weight, 1.001)
    phase = Phase("p", TermLoss([Term("loss", loss)]), OptimizerSpec("adam", 0.01))
    trainer = Trainer({"p": player}, [phase], Ones(), generator=torch.Generator(), compute_type=kind)
    trainer.fit(3)
    return player, seen, trainer


def test_networks_compute_in_half_the_bits_and_weights_keep_all():
    whole, seen_whole, _ = trained(None)
    half, seen_half, trainer = trained(torch.bfloat16)
    assert set(seen_whole) == {torch.float32}
    assert set(seen_half) == {torch.bfloat16}
    assert half.weight.dtype == torch.float32
    moments = [
        v for v in trainer.optimizers[0].state_dict()["state"][0].values() if isinstance(v, torch.Tensor) and v.ndim
    ]
    assert {value.dtype for value in moments} == {torch.float32}
    torch.testing.assert_close(half.weight, whole.weight, atol=5e-3, rtol=0)
    # Steps of 0.01 on 1.001 would be lost if weights had eight bits.
    assert 0.02 < float((half.weight.detach() - 1.001).abs().mean()) < 0.04


def test_verdicts_are_whole_numbers_of_bits_again():
    trunk = MLPTrunk((1, 8, 8), 0, width=8, depth=1, generator=seeded())
    judge = Judge(trunk, n_classes=3, generator=seeded())
    with torch.autocast("cpu", torch.bfloat16):
        verdict = judge(torch.zeros(2, 1, 8, 8))
    assert verdict.features.dtype == torch.bfloat16
    assert (verdict.adversarial.dtype, verdict.classes.dtype) == (torch.float32, torch.float32)
    assert judge.double()(torch.zeros(2, 1, 8, 8).double()).adversarial.dtype == torch.float64


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_refused_without_cuda(device):
    with pytest.raises(InvalidParameterError, match=r"precision=.bfloat16. is for device=.cuda.*leave it out"):
        check_precision("bfloat16", torch.device(device))
    check_precision("float32", torch.device(device))


@pytest.mark.parametrize("precision", ["float16", None, 16])
def test_unknown_ones_are_refused(precision):
    with pytest.raises(InvalidParameterError, match=f"precision={precision!r} is not valid; .*'float32', 'bfloat16'"):
        ImageGAN(precision=precision, device="cpu").fit(IMAGES)
    assert (compute_type("float32"), compute_type("bfloat16")) == (None, torch.bfloat16)


def test_an_estimator_refuses_it_on_a_processor():
    with pytest.raises(InvalidParameterError, match="would run on 'cpu'"):
        ImageGAN(precision="bfloat16", device="cpu").fit(object())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="mixed precision needs a CUDA device")
@pytest.mark.parametrize("recipe", ["sngan", "wgan-gp", "r3gan", "dcgan"])
def test_images_train_in_mixed_precision(recipe, tmp_path):
    gan = ImageGAN(recipe, n_steps=20, batch_size=8, random_state=0, device="cuda", precision="bfloat16")
    gan.fit(IMAGES, np.arange(40) % 3)
    assert {value.dtype for value in gan.players_["generator"].parameters()} == {torch.float32}
    assert np.isfinite(gan.sample(4, random_state=0)).all()
