"""Arrays, folders and idx files in and out, and what is refused."""

from __future__ import annotations

import gzip
import struct
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tabgan.exceptions import InvalidInputError, InvalidParameterError, MissingExtraError
from tabgan.images.grids import grid_of, write_png
from tabgan.images.reading import read_folder, read_idx, read_images


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
        if images.shape[1] <= 4:  # would be read as channels first
            return
    elif layout == "flat":
        images = images.reshape(n, -1)
    source = torch.from_numpy(images.copy()) if as_tensor else images
    shape = (channels, height, width) if layout == "flat" else None
    tensor, form = read_images(source, image_shape=shape)
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


def test_idx_files(tmp_path):
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    raw = struct.pack(">BBBB3I", 0, 0, 8, 3, *images.shape) + images.tobytes()
    (tmp_path / "plain").write_bytes(raw)
    (tmp_path / "packed.gz").write_bytes(gzip.compress(raw))
    for name in ("plain", "packed.gz"):
        np.testing.assert_array_equal(read_idx(tmp_path / name), images)
        assert read_images(tmp_path / name)[0].shape == (2, 1, 3, 4)
    (tmp_path / "short").write_bytes(raw[:-1])
    with pytest.raises(InvalidInputError, match=r"promises shape \(2, 3, 4\), but holds 23 bytes"):
        read_idx(tmp_path / "short")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(raw)[:-9])
    with pytest.raises(InvalidInputError, match="damaged gzip"):
        read_idx(tmp_path / "cut.gz")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(InvalidInputError, match="neither a folder of PNGs nor an idx file"):
        read_idx(tmp_path / "text")
    with pytest.raises(FileNotFoundError, match="no file"):
        read_images(tmp_path / "nowhere")


@pytest.mark.parametrize("channels", [1, 3])
def test_png_folders_hold_what_was_written(tmp_path, channels):
    pytest.importorskip("PIL")
    images = np.random.default_rng(0).integers(0, 256, (3, channels, 5, 7), dtype=np.uint8)
    tensor, form = read_images(images)
    for index, image in enumerate(tensor):
        write_png(tmp_path / f"{index}.png", image)
    read = read_folder(tmp_path)
    np.testing.assert_array_equal(read, images[:, 0] if channels == 1 else images.transpose(0, 2, 3, 1))
    again, other = read_images(tmp_path)
    assert torch.equal(again, tensor)
    assert (other.channels, other.height, other.width) == form.shape


def test_folders_that_cannot_be_read(tmp_path, monkeypatch):
    with pytest.raises(InvalidInputError, match="no PNG files"):
        read_images(tmp_path)
    write_png(tmp_path / "a.png", torch.zeros(1, 4, 4))
    write_png(tmp_path / "b.png", torch.zeros(1, 4, 5))
    with pytest.raises(InvalidInputError, match=r"b.png' has \(4, 5\) pixels"):
        read_images(tmp_path)
    (tmp_path / "b.png").write_bytes(b"no picture")
    with pytest.raises(InvalidInputError, match="cannot be read as a picture"):
        read_images(tmp_path)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"tabgan-learn\[plot\]"):
        read_images(tmp_path)


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        (np.zeros((0, 4, 4)), {}, r"shape \(0, 4, 4\)"),
        (np.zeros(4), {}, r"shape \(4,\)"),
        (np.zeros((2, 5, 5, 5)), {}, "1 to 4 channels"),
        (np.full((2, 4, 4), np.nan), {}, r"images\[0\] holds NaN"),
        (np.full((2, 4, 4), 16.0), {}, "value_range"),
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
    with pytest.raises(InvalidInputError, match="1 or 3"):
        write_png("x.png", torch.zeros(2, 4, 4))
