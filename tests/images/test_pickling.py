"""Fitted image models pickle, deepcopy and clone, as every public fitted object does."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone

from tabgan.exceptions import ModelFileError
from tabgan.images import ImageGAN
from tabgan.images.recipes import recipes


@pytest.mark.parametrize("name", ["wgan-gp", "dcgan", "acgan", "bagan", "stackgan", "pix2pix", "cyclegan"])
def test_fitted_models_pickle_deepcopy_and_clone(name):
    images = np.random.default_rng(0).random((16, 16, 16))
    needs = recipes[name].needs
    y = np.arange(16) % 2 if needs in ("images", "labels") else None
    targets = images[::-1] if needs in ("pairs", "domains") else None
    gan = ImageGAN(name, n_steps=2, batch_size=8, random_state=0, device="cpu").fit(images, y, targets=targets)
    again = pickle.loads(pickle.dumps(gan))
    models = (gan, again, copy.deepcopy(gan))
    first, *others = [one.sample(2) if targets is None else one.transform(images[:2]) for one in models]
    for other in others:
        np.testing.assert_array_equal(other, first)
    assert again.recipe_ is copy.deepcopy(again).recipe_ is gan.recipe_
    assert clone(again).get_params() == gan.get_params()


def test_a_recipe_that_is_not_there_is_named():
    recipes["own"] = replace(recipes["minimax"], name="own")
    stored = pickle.dumps(
        ImageGAN("own", n_steps=1, settings={"width": 4}).fit(np.random.default_rng(0).random((8, 4, 4)))
    )
    del recipes["own"]
    with pytest.raises(ModelFileError, match=r"'own' is unknown .* enter your own in tabgan\.images\.recipes"):
        pickle.loads(stored)
