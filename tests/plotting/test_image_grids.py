"""`ImageGridDisplay`: every image in its place, in its own values; walks are those of the model."""

import numpy as np
import pytest

from tabgan.exceptions import InvalidInputError
from tabgan.images import ImageGAN
from tabgan.plotting import ImageGridDisplay


@pytest.fixture(scope="module")
def gan():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, size=(40, 8, 8, 3), dtype=np.uint8)
    return ImageGAN("cgan", n_steps=2, random_state=0).fit(images, np.arange(40) % 3)


def test_images_stand_in_rows_with_white_gaps():
    images = np.arange(5)[:, None, None] / 4 * np.ones((5, 8, 8))
    display = ImageGridDisplay.from_predictions(images, n_columns=3)
    canvas = display.ax_.images[0].get_array()
    assert canvas.shape == (2 * 9 - 1, 3 * 9 - 1)
    assert float(canvas[0, 0]) == 0
    assert float(canvas[0, 9]) == 0.25
    assert float(canvas[9, 10]) == 1.0
    assert np.ma.getmaskarray(canvas)[:, 8].all()  # between two images
    assert np.ma.getmaskarray(canvas)[9:, 18:].all()  # there is no sixth image


def test_a_row_per_class(gan):
    display = ImageGridDisplay.from_estimator(gan, n_per_class=4, random_state=3)
    assert display.images.shape == (3, 4, 8, 8, 3)
    assert [text.get_text() for text in display.ax_.get_yticklabels()] == ["0", "1", "2"]
    drawn = gan.sample(y=np.repeat([0, 1, 2], 4), random_state=3)
    np.testing.assert_allclose(display.images.reshape(12, 8, 8, 3), drawn / 255, atol=1e-6)


def test_walks_are_those_of_the_model(gan):
    display = ImageGridDisplay.from_walk(gan, n_walks=2, steps=5, y=[2, 0], random_state=1)
    walks = gan.latent_walk(2, [2, 0], steps=5, random_state=1)
    np.testing.assert_allclose(display.images, walks / 255, atol=1e-6)
    assert display.row_names == ["2", "0"]
    display.figure_.canvas.draw()


def test_a_wall_of_images_is_refused():
    with pytest.raises(InvalidInputError, match="401 images"):
        ImageGridDisplay.from_predictions(np.zeros((401, 4, 4)))
