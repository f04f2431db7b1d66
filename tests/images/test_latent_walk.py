"""`ImageGAN.latent_walk`: its ends are draws of the model, its middle is on the arc, its class stays."""

import numpy as np
import pytest
import torch

from tabgan.exceptions import InvalidParameterError
from tabgan.images import ImageGAN
from tabgan.images.fitting import make_images
from tabgan.images.latent import slerp


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 255, size=(32, 8, 8), dtype=np.uint8)


@pytest.fixture(scope="module")
def conditional(images):
    return ImageGAN("cgan", n_steps=2, random_state=0).fit(images, np.arange(32) % 2)


def assert_same_pictures(one, other):
    """Equal grey values; in another batch a value between two of them may be rounded to the other one."""
    assert np.abs(one.astype(int) - other.astype(int)).max() <= 1


def test_images_are_those_of_codes_on_the_arc(images):
    gan = ImageGAN("minimax", n_steps=2, random_state=0).fit(images)
    walks = gan.latent_walk(3, steps=4, random_state=7)
    assert walks.shape == (3, 4, 8, 8)
    assert walks.dtype == np.uint8
    generator = torch.Generator().manual_seed(7)
    start, end = torch.randn(2, 3, gan.settings_["d_noise"], generator=generator)
    for walk in range(3):
        codes = slerp(start[walk], end[walk], 4)
        expected = gan._format.restore(make_images(gan.recipe_, gan.players_, codes, None))
        assert_same_pictures(walks[walk], expected)


def test_each_walk_keeps_its_class_and_seeds_repeat(conditional):
    walks, classes = conditional.latent_walk(2, 1, steps=3, random_state=0, return_y=True)
    assert classes.tolist() == [1, 1]
    assert (walks == conditional.latent_walk(2, [1, 1], steps=3, random_state=0)).all()
    other = conditional.latent_walk(2, [0, 1], steps=3, random_state=0)
    assert_same_pictures(other[1], walks[1])
    assert (other[0] != walks[0]).any(axis=(1, 2)).all()
    assert (conditional.latent_walk(2) != conditional.latent_walk(2)).any()


@pytest.mark.parametrize(("arguments", "name"), [({"n": 0}, "n"), ({"steps": 1}, "steps"), ({"steps": 2.5}, "steps")])
def test_bad_sizes_are_named(conditional, arguments, name):
    with pytest.raises(InvalidParameterError, match=f"^{name}="):
        conditional.latent_walk(**arguments)
