"""Arrays, folders and idx files in and out, and what is refused."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images.array_files import read_idx
from tabgan.images.grids import grid_of, write_png
from tabgan.images.reading import ReadOptions, open_images, read_images


@settings(max_examples=40)
@given(
    arrays(np.uint8, st.tuples(st.integers(1, 3), st.sampled_from([1, 3]), st.integers(1, 6), st.integers(1, 6))),
    st.sampled_from(["hw", "chw", "hwc", "flat"]),
    st.booleans(),
)
def test_bytes_come_back_as_they_were(images, layout, as_tensor):
    n, channels, height, width = images.shape
    if layout == "hw":
        images = images[:, 0]
    elif layout == "hwc":
        images = images.transpose(0, 2, 3, 1)
    elif layout == "flat":
        images = images.reshape(n, -1)
    source = torch.from_numpy(images.copy()) if as_tensor else images
    tiny = images.ndim == 4 and max(images.shape[1], images.shape[3]) <= 4
    shape = (channels, height, width) if tiny or layout == "flat" else None
    tensor, form = read_images(source, image_shape=shape, value_range=(0, 255))
    assert tensor.shape[0] == n
    assert tensor.dtype == torch.float32
    assert float(tensor.min()) >= -1
    assert float(tensor.max()) <= 1
    back = form.restore(tensor)
    assert type(back) is type(source)
    np.testing.assert_array_equal(np.asarray(back), images)
    assert np.asarray(back).dtype == np.uint8


def test_ranges():
    ramp = np.linspace(0, 1, 32).reshape(2, 4, 4)
    assert read_images(ramp)[0].aminmax() == (-1, 1)
    assert read_images(2 * ramp - 1)[0].aminmax() == (-1, 1)
    assert read_images(16 * ramp, value_range=(0, 16))[0].aminmax() == (-1, 1)
    assert float(read_images((ramp * 255).astype(np.int64))[0].min()) == -1
    back = read_images(16 * ramp, value_range=(0, 16))[1].restore(read_images(ramp)[0])
    np.testing.assert_allclose(back, 16 * ramp, atol=1e-5)
    assert back.dtype == np.float64


def test_masks_and_odd_kinds_of_numbers():
    eye = np.eye(4)[None].repeat(2, 0)
    for kind in (bool, np.int64, np.float16, ">f4", ">i2"):
        tensor, form = read_images(eye.astype(kind))
        assert (form.low, form.high) == (0, 1)
        assert torch.equal(tensor[0, 0], torch.eye(4) * 2 - 1)
    turned = np.arange(100, 164, dtype=np.uint8).reshape(4, 4, 4)[::-1, :, ::-1]
    turned.setflags(write=False)
    tensor, form = read_images(turned)
    np.testing.assert_array_equal(form.restore(tensor), turned)
    for kind in (np.uint16, np.uint32, np.int64, np.int32):
        deep = (np.arange(64).reshape(4, 4, 4) * 60).astype(kind)
        with pytest.warns(UserWarning, match="values up to 3780, which is read as 12 bits"):
            tensor, form = read_images(deep)
        np.testing.assert_allclose(tensor[:, 0], deep / 4095 * 2 - 1, atol=1e-6)
        np.testing.assert_array_equal(form.restore(tensor), deep)
    scaled, form = read_images(np.full((2, 8, 8), 50_000, np.uint16), size=4)
    assert set(form.restore(scaled).ravel()) == {50_000}


def test_bytes_are_neither_copied_nor_changed():
    images = np.random.default_rng(0).integers(0, 256, (5, 6, 7, 3), dtype=np.uint8)
    pixels = open_images(images, ReadOptions()).pixels
    assert pixels.values.data_ptr() == images.ctypes.data
    assert pixels.values.dtype == torch.uint8
    assert pixels[torch.tensor([3, 0])].dtype == torch.float32
    rows = pixels.seen(torch.device("cpu"), (8, 8))[torch.tensor([3])]
    assert rows.shape == (1, 3, 8, 8)
    np.testing.assert_array_equal(np.asarray(rows[0, :, 1:7, 0]), np.asarray(pixels[3:4][0, :, :, 0]))


@pytest.mark.parametrize("shape", [(9, 9), (5, 8), (7, 12)])
def test_what_is_padded_is_cut_back_where_it_was(shape):
    images = np.random.default_rng(0).integers(0, 256, (3, *shape), dtype=np.uint8)
    opened = open_images(images, ReadOptions())
    seen = opened.pixels.seen(torch.device("cpu"), (12, 16))
    assert seen.shape == (3, 1, 12, 16)
    np.testing.assert_array_equal(opened.form.restore(seen[:]), images)


def test_idx_files(tmp_path):
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    raw = struct.pack(">BBBB3I", 0, 0, 8, 3, *images.shape) + images.tobytes()
    (tmp_path / "plain").write_bytes(raw)
    (tmp_path / "packed.gz").write_bytes(gzip.compress(raw))
    for name in ("plain", "packed.gz"):
        np.testing.assert_array_equal(read_idx(tmp_path / name), images)
        assert read_images(tmp_path / name, value_range=(0, 255))[0].shape == (2, 1, 3, 4)
    (tmp_path / "short").write_bytes(raw[:-1])
    with pytest.raises(InvalidInputError, match=r"promises shape \(2, 3, 4\), but holds 23 bytes"):
        read_idx(tmp_path / "short")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(raw)[:-9])
    with pytest.raises(InvalidInputError, match="damaged gzip"):
        read_idx(tmp_path / "cut.gz")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(InvalidInputError, match=r"neither a folder, nor a picture, a \.npy, \.npz or idx file"):
        read_idx(tmp_path / "text")
    with pytest.raises(FileNotFoundError, match="no file"):
        read_images(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        (np.zeros((0, 4, 4)), {}, r"shape \(0, 4, 4\)"),
        (np.zeros(4), {}, r"shape \(4,\)"),
        (np.zeros((2, 5, 5, 5)), {}, "1 to 4 channels"),
        (np.full((2, 4, 4), np.nan), {}, r"images\[0\] holds NaN"),
        (np.full((2, 4, 4), 16.0), {}, "value_range"),
        (
            np.eye(4, dtype=np.uint8)[None],
            {},
            r"white may be 1 \(.*\) or 255 .* value_range=\(0, 1\) or value_range=\(0, 255\)",
        ),
        (np.full((2, 4, 4), 16), {}, r"white may be 16 .* or 255"),
        (np.full((2, 4, 4), 200, np.uint16), {}, "white may be 255 or 65535"),
        (np.full((2, 4, 4), -3), {}, "from -3 to -3"),
        (np.full((2, 4, 4), 16.0), {"value_range": (0, 10)}, r"outside value_range=\(0, 10\)"),
        (np.array([["a"]]), {}, "dtype <U1"),
        ([np.zeros((2, 2)), np.zeros((3, 3))], {}, "same size"),
    ],
)
def test_bad_images(source, options, message):
    with pytest.raises(InvalidInputError, match=message):
        read_images(source, **options)


def test_bad_parameters():
    with pytest.raises(InvalidParameterError, match="image_shape=None"):
        read_images(np.zeros((2, 12)))
    with pytest.raises(InvalidParameterError, match=r"image_shape=\(3, 5\)"):
        read_images(np.zeros((2, 12)), image_shape=(3, 5))
    with pytest.raises(InvalidParameterError, match="low < high"):
        read_images(np.zeros((2, 4, 4)), value_range=(1, 0))
    with pytest.raises(InvalidParameterError, match="two numbers"):
        read_images(np.zeros((2, 4, 4)), value_range=3)


def test_a_grid_has_each_image_in_its_place():
    images = torch.arange(5.0).reshape(5, 1, 1, 1).expand(5, 1, 2, 2) / 4
    picture = grid_of(images, 3, gap=1)
    assert picture.shape == (1, 7, 10)
    assert float(picture[0, 1, 4]) == 0.25
    assert float(picture[0, 4, 4]) == 1.0
    assert float(picture[0, 4, 7]) == 0.0
    assert grid_of(images, 3, zoom=2).shape == (1, 14, 20)
    with pytest.raises(InvalidInputError, match="1 to 4"):
        write_png("x.png", torch.zeros(5, 4, 4))


@pytest.mark.parametrize(
    ("shape", "stated", "form"),
    [
        ((5, 4, 9, 3), (3, 4, 9), (3, 4, 9)),
        ((5, 4, 9, 3), (4, 9, 3), (4, 9, 3)),
        ((5, 4, 9, 3), (4, 9), (3, 4, 9)),
        ((5, 4, 4, 3), None, (3, 4, 4)),
        ((5, 3, 4, 4), None, (3, 4, 4)),
        ((5, 1, 4, 4), None, (1, 4, 4)),
    ],
)
def test_tiny_images_that_can_be_read_two_ways(shape, stated, form):
    images = np.random.default_rng(0).random(shape)
    assert read_images(images, image_shape=stated)[1].shape == form
    with pytest.raises(
        InvalidInputError, match=r"shape \(5, 4, 9, 3\), whose channels may be the second or the last axis"
    ):
        read_images(np.zeros((5, 4, 9, 3)))
