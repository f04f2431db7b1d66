"""Generators without an adversary as recipes: the same estimator, and the same draws as the models behind them give."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.datasets import load_digits

from tabgan.exceptions import InvalidInputError
from tabgan.images import ImageGAN, recipes

DIGITS = load_digits()
IMAGES = DIGITS.images[:400] / 16
NAMES = ["autoencoder", "vae", "gmmn", "pixelcnn", "rbm"]


def fitted(name, n_steps=150, **settings):
    return ImageGAN(name, n_steps=n_steps, random_state=0, value_range=(0, 1), settings=settings).fit(IMAGES)


@pytest.mark.parametrize("name", NAMES)
def test_training_brings_samples_nearer_to_the_data(name):
    few, more = (fitted(name, n, **({"n_gibbs": 30} if name == "rbm" else {})) for n in (1, 200))
    mean = IMAGES.mean(0)
    far, near = (np.abs(gan.sample(200, random_state=0).mean(0) - mean).mean() for gan in (few, more))
    assert near < 0.6 * far
    assert np.array_equal(more.sample(3, random_state=1), more.sample(3, random_state=1))
    assert not np.array_equal(more.sample(3), more.sample(3))


@pytest.mark.parametrize("name", NAMES)
def test_labels_of_a_folder_are_dropped_and_given_ones_refused(name, tmp_path):
    with pytest.raises(InvalidInputError, match=f"{name}.*takes? labels|does not take labels"):
        ImageGAN(name, n_steps=1).fit(IMAGES, DIGITS.target[:400])
    pairs = [(image, int(label)) for image, label in zip(IMAGES[:20], DIGITS.target, strict=False)]
    gan = ImageGAN(name, n_steps=1, batch_size=4, value_range=(0, 1)).fit(pairs)
    assert not hasattr(gan, "classes_")


def test_noise_becomes_quantiles_of_what_may_come_next():
    gan = fitted("pixelcnn", 20, width=4, levels=4)
    maker = gan.players_["generator"]
    noise = torch.randn(3, 64, generator=torch.Generator().manual_seed(0))
    made = maker(noise)
    expected = maker.model.drawn(torch.from_numpy(norm.cdf(noise.double().numpy())))
    assert torch.equal(made, 2 * expected - 1)
    assert set(((made + 1) / 2 * 3).unique().tolist()) <= {0.0, 1.0, 2.0, 3.0}
    # The lowest quantile of every pixel, and the highest one: below and above every other image's first pixel.
    ends = maker.model.drawn(torch.stack([torch.zeros(64), torch.full((64,), 1 - 1e-9)]))
    assert ends[0, 0, 0, 0] == 0
    assert ends[1, 0, 0, 0] == 1


def test_pixel_by_pixel_takes_grey_images_only():
    with pytest.raises(InvalidInputError, match="3 channels; recipe 'pixelcnn' takes grey ones"):
        ImageGAN("pixelcnn", n_steps=1).fit(np.zeros((10, 3, 8, 8), dtype=np.uint8))


def test_the_autoencoder_knows_which_codes_occur():
    gan = fitted("autoencoder", 150)
    maker = gan.players_["generator"].model
    codes = maker.encode(torch.from_numpy(IMAGES).float()[:, None] * 2 - 1).double()
    torch.testing.assert_close(maker.code_mean.double(), codes.mean(0), atol=1e-4, rtol=1e-3)
    covariance = (maker.code_root @ maker.code_root.T).double()
    torch.testing.assert_close(covariance, torch.cov(codes.T), atol=1e-3, rtol=1e-2)


def test_beta_weighs_the_divergence():
    plain, strong = (fitted("vae", 30, beta=beta).history_[-1]["negative_elbo"] for beta in (1.0, 50.0))
    assert plain != strong


def test_boltzmann_images_are_black_and_white_and_ask_for_their_pixels_noise():
    gan = fitted("rbm", 20, n_gibbs=5)
    assert set(np.unique(gan.sample(10))) <= {0.0, 1.0}
    assert gan.settings_["d_noise"] == 64


def test_none_of_them_claims_labels():
    assert [name for name, recipe in recipes.items() if not recipe.takes_labels] == NAMES
