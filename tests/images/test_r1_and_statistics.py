"""R1 and the choice of batch norm as settings."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tabgan
from tabgan.exceptions import InvalidParameterError
from tabgan.images import ImageGAN, recipes

IMAGES = np.random.default_rng(0).random((40, 8, 8))
LABELS = np.arange(40) % 3
WITH_R1 = [name for name, recipe in recipes.items() if "r1" in recipe.settings]


def make(recipe="non-saturating", **settings):
    return ImageGAN(recipe, n_steps=2, batch_size=6, d_noise=4, random_state=0, settings={"width": 8} | settings)


@pytest.mark.parametrize("recipe", WITH_R1)
def test_r1_is_paid_where_it_is_asked_for(recipe):
    paid = make(recipe, r1=2.0).fit(IMAGES, LABELS).history_[-1]["discriminator/r1"]
    assert paid > 0
    assert make(recipe, r1=4.0).fit(IMAGES, LABELS).history_[-1]["discriminator/r1"] > paid
    assert "discriminator/r1" not in make(recipe).fit(IMAGES, LABELS).history_[-1]


def test_recipes_with_a_critic_or_a_penalty_of_their_own_have_no_r1():
    assert {"wgan", "wgan-gp", "dragan", "r3gan", "began", "bagan", "vae"}.isdisjoint(WITH_R1)
    assert {"dcgan", "sngan", "projection", "cgan", "acgan", "minimax"} <= set(WITH_R1)


@pytest.mark.parametrize("statistics", ["reference", "virtual"])
@pytest.mark.parametrize("recipe", ["non-saturating", "dcgan"])
def test_images_do_not_depend_on_the_rest_of_their_batch(recipe, statistics, tmp_path):
    gan = make(recipe, statistics=statistics).fit(IMAGES, LABELS)
    maker = gan.players_["generator"].train()
    noise, condition = torch.randn(5, 4, generator=torch.Generator().manual_seed(0)), torch.eye(3)[[0, 1, 2, 0, 1]]
    torch.testing.assert_close(maker(noise, condition)[2:3], maker(noise[2:3], condition[2:3]), atol=1e-5, rtol=1e-4)
    plain = make(recipe).fit(IMAGES, LABELS).players_["generator"].train()
    assert not torch.allclose(plain(noise, condition)[2:4], plain(noise[2:4], condition[2:4]), atol=1e-3)
    gan.save(tmp_path / "m.tabgan")
    np.testing.assert_array_equal(
        tabgan.load(tmp_path / "m.tabgan").sample(3, random_state=1), gan.sample(3, random_state=1)
    )


def test_virtual_and_reference_differ_and_averages_go_with_them():
    drawn = [
        make(statistics=kind, average=0.9).fit(IMAGES).sample(3, random_state=0) for kind in ("reference", "virtual")
    ]
    assert not np.array_equal(*drawn)


@pytest.mark.parametrize(
    ("settings", "y"),
    [
        ({"statistics": "layer"}, None),
        ({"statistics": "virtual", "batch_norm": False}, None),
        ({"statistics": "virtual"}, np.random.default_rng(0).random((40, 2))),
    ],
)
def test_what_cannot_be_is_refused(settings, y):
    with pytest.raises(InvalidParameterError, match="statistics"):
        make(**settings).fit(IMAGES, y)
