"""Values of images stay in their type and in their range, and can be read again."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images import BAGANImageOversampler
from tabgan.images.image_format import ImageFormat
from tabgan.images.reading import read_images

ENDS = torch.tensor([-1.0, -0.5, 0.5, 1.0]).reshape(1, 1, 2, 2)


@pytest.mark.parametrize(
    ("dtype", "low", "high", "expected"),
    [
        ("uint8", -200, 500, [0, 0, 255, 255]),
        ("int8", 0, 255, [0, 64, 127, 127]),
        ("int16", 0, 65535, [0, 16384, 32767, 32767]),
        ("int32", 0, 2**31 - 1, [0, 536870912, 1610612736, 2**31 - 1]),
        ("uint8", 0, 255, [0, 64, 191, 255]),
        ("bool", 0, 1, [False, False, True, True]),
    ],
)
def test_numbers_beyond_their_type_do_not_wrap_around(dtype, low, high, expected):
    made = ImageFormat(1, 2, 2, "hw", dtype, low, high).restore(ENDS)
    assert made.dtype == dtype
    assert made.ravel().tolist() == expected


@pytest.mark.parametrize(
    ("dtype", "most", "white"), [("int8", 100, 127), ("int16", 30_000, 32_767), ("int32", 200, 255)]
)
def test_white_fits_into_the_type(dtype, most, white):
    assert read_images(np.full((1, 2, 2), most, dtype))[1].high == white


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(("low", "high"), [(0.1, 2.4), (-3.3, 7.7), (-1 / 3, 1 / 7), (1e-3, 1 / 3)])
def test_bounds_are_those_of_the_type_of_the_values(dtype, low, high):
    images = np.array([[[low, high], [high, low]]], dtype)
    tensor, form = read_images(images, value_range=(low, high))
    made = form.restore(tensor)
    np.testing.assert_allclose(made, images, atol=1e-3 if dtype == "float16" else 1e-6)
    read_images(made, value_range=(low, high))
    with pytest.raises(InvalidInputError, match="outside"):
        read_images(images * np.dtype(dtype).type(1.01), value_range=(low, high))


@pytest.mark.parametrize("value_range", [(0, np.inf), (-np.inf, 1)])
def test_endless_ranges_are_refused(value_range):
    images = np.random.default_rng(0).random((20, 4, 4))
    with pytest.raises(InvalidParameterError, match=r"value_range=.* must be finite"):
        BAGANImageOversampler(value_range=value_range).fit_resample(images, [0] * 15 + [1] * 5)


def test_odd_types_of_torch_and_sizes_are_told():
    with pytest.raises(InvalidInputError, match=r"bfloat16, which numpy does not know; give images\.float\(\)"):
        read_images(torch.zeros(2, 4, 4, dtype=torch.bfloat16))
    with pytest.raises(InvalidParameterError, match="size=True is not valid"):
        read_images(np.zeros((2, 4, 4)), size=True)
