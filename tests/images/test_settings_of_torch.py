"""Image models give the same whatever the caller set in torch, and leave the caller's settings alone."""

import numpy as np
import pytest

from tabgan.images import BAGANImageOversampler, ImageGAN
from tests.torch_settings import SETTINGS


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_what_the_caller_set_in_torch_changes_nothing(setting):
    images = np.random.default_rng(0).random((16, 16, 16))
    settings = {"n_steps": 2, "batch_size": 8, "random_state": 0, "device": "cpu"}
    plain = ImageGAN("dcgan", **settings).fit(images)
    with setting():
        same = ImageGAN("dcgan", **settings).fit(images)
        made = same.sample(2)
        same.partial_fit(images, n_steps=1)
    np.testing.assert_array_equal(made, plain.sample(2))


@pytest.mark.parametrize("recipe", [None, "acgan"])
@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_nor_for_the_oversampler(setting, recipe):
    images, labels = np.random.default_rng(0).random((16, 8, 8)), np.repeat(["a", "b"], [10, 6])
    training = {} if recipe is None else {"n_steps": 2, "batch_size": 8, "device": "cpu"}
    sampler = BAGANImageOversampler(recipe=recipe, warp=True, random_state=0, **training)
    plain = sampler.fit_resample(images, labels)[0]
    with setting():
        made = sampler.fit_resample(images, labels)[0]
    np.testing.assert_array_equal(made, plain)
