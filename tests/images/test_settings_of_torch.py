"""Image models give the same whatever the caller set in torch, and leave the caller's settings alone."""

import numpy as np
import pytest

from tabgan.images import ImageGAN
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
