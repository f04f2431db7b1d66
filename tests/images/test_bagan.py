"""BAGAN for images: class Gaussians, the hand-over, a decoder that knows the class, images that keep their code."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tabgan.core.tasks import GenerationBatch
from tabgan.images import ImageGAN
from tabgan.images.recipes.image_bagan import ClassGaussians, code_error
from tests.rounding import SINGLE

IMAGES = np.random.default_rng(0).integers(0, 256, size=(30, 8, 8), dtype=np.uint8)
LABELS = np.arange(30) % 3


def fitted(n_steps, **settings):
    settings = {"n_autoencoder_steps": 3, "width": 8, "average": None} | settings
    gan = ImageGAN("bagan", n_steps=n_steps, batch_size=6, d_noise=6, random_state=0, device="cpu", settings=settings)
    return gan.fit(IMAGES, LABELS)


def same(first, second):
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_bagan_gaussians_follow_the_codes_of_their_class():
    generator = torch.Generator().manual_seed(0)
    centres = torch.tensor([[3.0, 0.0], [0.0, -3.0]])
    classes = torch.arange(4000) % 2
    codes = centres[classes] + torch.tensor([2.0, 0.5]) * torch.randn(4000, 2, generator=generator)
    gaussians = ClassGaussians(lambda codes, condition: codes, 2, 2, conditional=False)
    gaussians.fit(codes, classes)
    drawn = gaussians(torch.randn(4000, 2, generator=generator), torch.eye(2)[classes])
    for index in range(2):
        mine = drawn[classes == index]
        np.testing.assert_allclose(mine.mean(0), centres[index], atol=0.15)
        np.testing.assert_allclose(mine.std(0), [2.0, 0.5], rtol=0.08)
    # A class of two codes in two dimensions: its own covariance is singular, the draws are not.
    gaussians.fit(codes[:12], torch.tensor([0] * 10 + [1] * 2))
    assert float(torch.linalg.matrix_rank(gaussians.factor[1])) == 2


def test_at_the_hand_over_the_discriminator_gets_the_encoder_which_then_stays():
    before, at, after = (fitted(n_steps).players_ for n_steps in (2, 3, 6))
    encoder, judge = (at[name].state_dict() for name in ("encoder", "discriminator"))
    assert all(torch.equal(value, encoder[name]) for name, value in judge.items() if name.startswith("trunk."))
    assert not torch.equal(before["encoder"].code.weight, at["encoder"].code.weight)
    assert same(encoder, after["encoder"].state_dict())
    assert not same(judge, after["discriminator"].state_dict())
    assert float(before["generator"].mean.abs().sum()) == 0
    assert same(
        {name: at["generator"].state_dict()[name] for name in ("mean", "factor")}, after["generator"].state_dict()
    )
    with torch.no_grad():
        codes = at["encoder"](torch.from_numpy(IMAGES).float()[:, None] / 127.5 - 1)
    for label in range(3):
        np.testing.assert_allclose(at["generator"].mean[label], codes[LABELS == label].mean(0), atol=1e-4)


@pytest.mark.parametrize("conditional", [True, False])
def test_only_a_conditional_decoder_tells_classes_with_equal_codes_apart(conditional):
    maker = fitted(4, conditional_decoder=conditional).players_["generator"].eval()
    codes = torch.randn(1, 6).expand(2, -1)
    with torch.no_grad():
        first, second = maker.decoded(codes, torch.eye(3)[:2])
    assert (float((first - second).abs().max()) > SINGLE) is conditional


def test_the_code_error_is_the_squared_distance_in_units_of_the_codes_variance():
    maker = ClassGaussians(lambda codes, condition: codes, 2, 2, conditional=False)
    maker.factor.copy_(torch.diag(torch.tensor([2.0, 0.5])).repeat(2, 1, 1))
    maker.mean.copy_(torch.tensor([[1.0, 0.0], [0.0, 3.0]]))
    condition = torch.eye(2)[torch.tensor([0, 1, 1])]
    batch = GenerationBatch(real=torch.zeros(3, 2), noise=torch.randn(3, 2))
    task = SimpleNamespace(
        drawn=lambda batch: batch,
        fakes=lambda players, batch: SimpleNamespace(rows=maker(batch.noise, condition), condition=condition),
    )
    error = code_error(task)
    assert float(error({"generator": maker, "encoder": lambda rows: rows}, batch)) == pytest.approx(0, abs=SINGLE)
    off = error({"generator": maker, "encoder": lambda rows: rows + torch.tensor([2.0, 1.0])}, batch)
    assert float(off) == pytest.approx((4 / 4 + 1 / 0.25) / 2, abs=SINGLE)


def test_without_the_departures_training_differs_and_still_runs():
    published = {"conditional_decoder": False, "code_weight": 0.0, "batch_norm": False, "balanced": False}
    made = [fitted(5, **settings).sample(4, y=[0, 1, 2, 0], random_state=0) for settings in ({}, published)]
    assert made[0].shape == made[1].shape
    assert not np.array_equal(*made)
    assert "code" in fitted(5).history_[-1]
    assert "code" not in fitted(5, code_weight=0.0).history_[-1]


def test_images_that_the_discriminator_gives_to_another_class_are_drawn_again():
    gan = fitted(4)
    judge = gan.players_["discriminator"]
    asked = np.arange(60) % 3
    with torch.no_grad():  # a judge that takes dark images for class 0, others for class 1, and none for class 2
        pixels = torch.from_numpy(gan.sample(y=asked, random_state=0)).float().flatten(1).mean(1)
        border = float(pixels.median())

    class Dark(torch.nn.Module):
        def forward(self, images, condition=None):
            light = (images.flatten(1).mean(1) + 1) * 127.5 - border
            return SimpleNamespace(classes=torch.stack([-light, light, -99 + 0 * light, -99 + 0 * light], 1))

    gan.players_["discriminator"] = Dark()
    made = gan.sample(y=asked, random_state=0).reshape(60, -1).mean(1)
    right = [(made[asked == 0] < border).mean(), (made[asked == 1] > border).mean()]
    assert min(right) > 0.95
    again = gan.sample(y=asked, random_state=0).reshape(60, -1).mean(1)
    np.testing.assert_array_equal(made, again)
    gan.players_["discriminator"] = judge
