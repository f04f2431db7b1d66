"""A new loss is one entry in the table: everything that takes a loss by name then takes it."""

import numpy as np
import pandas as pd
import pytest
import torch

from tabgan import CGANSampler
from tabgan.core.losses import ADVERSARIAL_LOSSES, AdversarialLoss
from tabgan.exceptions import InvalidParameterError
from tabgan.images import ImageGAN, recipes
from tabgan.images.recipes.classic import plain_networks
from tabgan.images.recipes.recipe import (
    NETWORK_SETTINGS,
    TRAINING_SETTINGS,
    Recipe,
    make_task,
    optimizer_of,
    two_players,
)


@pytest.fixture
def asked(monkeypatch):
    """Enters the toy loss; which of its functions were asked."""
    asked = set()

    def element(name, goal):
        def function(logits):
            asked.add(name)
            return (logits - goal).abs()

        return function

    toy = AdversarialLoss(element("real", 1.0), element("fake", -1.0), element("generator", 1.0))
    monkeypatch.setitem(ADVERSARIAL_LOSSES, "toy", toy)
    return asked


@pytest.mark.parametrize("conditioning", ["projection", "classes"])
def test_the_conditional_sampler_trains_with_a_loss_entered_by_name(asked, conditioning):
    X = pd.DataFrame({"size": np.arange(60.0), "colour": ["red", "blue", None] * 20})
    y = ["rare"] * 12 + ["common"] * 48
    sampler = CGANSampler(loss="toy", conditioning=conditioning, n_steps=3, random_state=0).fit(X, y)
    assert asked == {"real", "fake", "generator"}
    assert sampler.n_iter_ == 3


def test_an_image_recipe_trains_with_a_loss_entered_by_name(asked, monkeypatch):
    def training(players, data, settings):
        return two_players(make_task(data, settings), "toy", optimizer_of(settings))

    settings = TRAINING_SETTINGS | NETWORK_SETTINGS
    monkeypatch.setitem(recipes, "toy", Recipe("toy", "a toy", "none", plain_networks, training, settings))
    images = torch.rand(20, 8, 8, generator=torch.Generator().manual_seed(0)).numpy()
    gan = ImageGAN("toy", n_steps=3, batch_size=8, random_state=0).fit(images)
    assert asked == {"real", "fake", "generator"}
    assert np.isfinite(gan.sample(2)).all()


@pytest.mark.parametrize("name", list(ADVERSARIAL_LOSSES))
def test_the_sampler_takes_every_loss_of_the_table(name):
    X = np.random.default_rng(0).normal(size=(40, 2))
    y = np.arange(40) % 4 == 0
    assert CGANSampler(loss=name, n_steps=1, random_state=0).fit(X, y).n_iter_ == 1


def test_a_loss_that_is_not_in_the_table_is_refused_with_the_names_that_are():
    with pytest.raises(InvalidParameterError) as error:
        CGANSampler(loss="toy").fit(np.zeros((40, 2)), np.arange(40) % 4 == 0)
    assert all(repr(name) in str(error.value) for name in ADVERSARIAL_LOSSES)
