"""Pictures of every kind and depth come in as they look, or are refused by name; sizes, streaming, and what is left out."""

from __future__ import annotations

import struct
import sys
import warnings
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from tabgan.exceptions import InvalidInputError, InvalidParameterError, MissingExtraError
from tabgan.images.grids import write_png
from tabgan.images.pixels import FilePixels
from tabgan.images.reading import ReadOptions, open_images, read_images

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (9, 12, 3), dtype=np.uint8)
SMOOTH = np.add.outer(np.arange(16) * 8, np.arange(16) * 7).astype(np.uint8)  # survives JPEG


def only(folder, **options):
    """The one image of a folder, back in its own range."""
    tensor, form = read_images(folder, **options)
    return form.restore(tensor)[0]


def save(folder, name, image, **options):
    image.save(folder / name, **options)


@pytest.mark.parametrize("channels", [1, 3])
def test_folders_hold_what_was_written(tmp_path, channels):
    images = RNG.integers(0, 256, (3, channels, 5, 7), dtype=np.uint8)
    tensor, form = read_images(images)
    for index, image in enumerate(tensor):
        write_png(tmp_path / f"{index}.png", image)
    again, other = read_images(tmp_path)
    assert torch.equal(again, tensor)
    assert other.shape == form.shape
    np.testing.assert_array_equal(other.restore(again), images[:, 0] if channels == 1 else images.transpose(0, 2, 3, 1))


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp", "a.ppm", "a.webp", "a.PNG"])
def test_colour_of_eight_bits_comes_in_exactly(tmp_path, name):
    save(tmp_path, name, Image.fromarray(COLOUR), **({"lossless": True} if name.endswith("webp") else {}))
    np.testing.assert_array_equal(only(tmp_path), COLOUR)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.gif", "a.bmp", "a.pgm", "a.jpg"])
def test_grey_of_eight_bits_comes_in_as_it_looks(tmp_path, name):
    save(tmp_path, name, Image.fromarray(SMOOTH), **({"quality": 100} if name == "a.jpg" else {}))
    found = only(tmp_path)
    assert found.ndim == 2
    np.testing.assert_allclose(found.astype(int), SMOOTH, atol=1)


def test_jpegs_beside_pngs_and_grey_beside_colour(tmp_path):
    for index in range(6):
        save(tmp_path, f"{index:02}.jpg", Image.fromarray(COLOUR))
        save(tmp_path, f"{index + 6:02}.png", Image.fromarray(COLOUR[..., 0]))
    tensor, form = read_images(tmp_path)
    assert tensor.shape == (12, 3, 9, 12)
    np.testing.assert_array_equal(form.restore(tensor)[6], np.repeat(COLOUR[..., :1], 3, 2))


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
@pytest.mark.parametrize("most", [1000, 4000, 16_000, 65_535])
def test_sixteen_bits_are_scaled_by_the_bits_found(tmp_path, name, most):
    image = np.linspace(0, most, 80).reshape(8, 10).astype(np.uint16)
    save(tmp_path, name, Image.fromarray(image))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        tensor, form = read_images(tmp_path)
    white = next(2**bits - 1 for bits in (10, 12, 14, 16) if most < 2**bits)
    assert (form.low, form.high, form.dtype) == (0, white, "uint16")
    np.testing.assert_allclose(tensor[0, 0], image / white * 2 - 1, atol=1e-4)
    np.testing.assert_array_equal(form.restore(tensor)[0], image)
    assert bool(told) == (white < 65_535)
    if told:
        assert f"white is {white}" in str(told[0].message)
    assert read_images(tmp_path, value_range=(0, 65_535))[1].high == 65_535


def test_sixteen_bits_scaled_to_a_size_keep_their_values(tmp_path):
    save(tmp_path, "a.png", Image.fromarray(np.full((8, 10), 3000, np.uint16)))
    with pytest.warns(UserWarning, match="read as 12 bits"):
        assert set(only(tmp_path, size=4).ravel()) == {3000}


def test_sixteen_bits_of_colour_are_refused_by_name(tmp_path):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + row.tobytes() for row in RNG.integers(0, 4096, (5, 6, 3)).astype(">u2"))
    head = struct.pack(">IIBBBBB", 6, 5, 16, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (tmp_path / "deep.png").write_bytes(png)
    with pytest.raises(InvalidInputError, match=r"deep.png' has 16 bits per channel"):
        read_images(tmp_path)


def test_eight_beside_sixteen_bits_are_refused(tmp_path):
    save(tmp_path, "a.png", Image.fromarray(SMOOTH))
    save(tmp_path, "b.png", Image.fromarray(SMOOTH.astype(np.uint16) * 16))
    with pytest.raises(InvalidInputError, match=r"'b.png' has more than 8 bits per pixel, but 'a.png' has 8"):
        read_images(tmp_path)


def test_floats_in_tiff(tmp_path):
    save(tmp_path, "a.tif", Image.fromarray(np.linspace(0, 1, 80, dtype=np.float32).reshape(8, 10)))
    tensor, form = read_images(tmp_path)
    assert form.dtype == "float32"
    assert tensor.aminmax() == (-1, 1)


def test_transparency_shows_a_stated_colour_or_stays(tmp_path):
    clear = np.dstack([COLOUR, np.repeat([[0, 128, 255] * 4], 9, 0).astype(np.uint8)])
    save(tmp_path, "a.png", Image.fromarray(clear))
    share = clear[..., 3:] / 255
    for colour, value in (("white", 255), ("black", 0), ("#808080", 128)):
        np.testing.assert_allclose(only(tmp_path, alpha=colour), COLOUR * share + value * (1 - share), atol=1)
    np.testing.assert_array_equal(only(tmp_path, alpha="keep"), clear)
    write_png(tmp_path / "a.png", read_images(tmp_path, alpha="keep")[0][0])
    np.testing.assert_array_equal(only(tmp_path, alpha="keep"), clear)
    with pytest.raises(InvalidParameterError, match="alpha='nocolour'"):
        read_images(tmp_path, alpha="nocolour")


def test_grey_with_transparency_and_palettes_with_a_clear_colour(tmp_path):
    save(tmp_path, "a.png", Image.fromarray(np.dstack([SMOOTH, np.zeros_like(SMOOTH)])))
    assert set(only(tmp_path).ravel()) == {255}
    assert only(tmp_path, alpha="keep").shape == (16, 16, 2)
    palette = Image.new("P", (16, 16), 1)
    palette.putpalette([0, 0, 0, 200, 10, 20])
    save(tmp_path, "a.png", palette)
    assert only(tmp_path)[0, 0].tolist() == [200, 10, 20]
    save(tmp_path, "a.png", palette, transparency=1)
    assert only(tmp_path, alpha="black")[0, 0].tolist() == [0, 0, 0]


def test_cmyk_black_and_white_and_turned_pictures(tmp_path):
    save(tmp_path, "a.jpg", Image.new("CMYK", (8, 8), (0, 255, 255, 0)), quality=100)
    red = only(tmp_path)[4, 4].astype(int)
    assert red[0] > 200
    assert max(red[1:]) < 60
    (tmp_path / "a.jpg").unlink()
    save(tmp_path, "a.png", Image.fromarray(np.eye(8, dtype=bool)))
    np.testing.assert_array_equal(only(tmp_path), 255 * np.eye(8))
    turned = Image.fromarray(COLOUR)
    turned.getexif()[0x0112] = 6  # to be shown a quarter turn clockwise
    save(tmp_path, "a.png", turned, exif=turned.getexif())
    np.testing.assert_array_equal(only(tmp_path), np.rot90(COLOUR, -1))


def test_only_the_first_frame_is_read_and_told(tmp_path):
    frames = [Image.fromarray(np.full((8, 8), value, np.uint8)) for value in (200, 100)]
    save(tmp_path, "a.gif", frames[0], save_all=True, append_images=frames[1:])
    with pytest.warns(UserWarning, match=r"several frames, of which all but the first are left out: a.gif"):
        assert only(tmp_path)[0, 0] == 200


def test_mixed_sizes_need_a_size(tmp_path):
    save(tmp_path, "a.png", Image.fromarray(COLOUR))
    save(tmp_path, "b.jpg", Image.fromarray(np.tile(SMOOTH, (5, 2))))
    with pytest.raises(InvalidInputError, match=r"'b.jpg' has 80 x 32 pixels, but 'a.png' has 9 x 12; give a size"):
        read_images(tmp_path)
    assert read_images(tmp_path, size=(6, 8))[0].shape == (2, 3, 6, 8)
    with pytest.raises(InvalidParameterError, match="size=0"):
        read_images(tmp_path, size=0)


def test_scaling_keeps_proportions_and_cuts_out_the_middle(tmp_path):
    wide = np.repeat([[0] * 8 + [255] * 16 + [0] * 8], 16, 0).astype(np.uint8)  # the middle half is white
    save(tmp_path, "a.png", Image.fromarray(wide))
    found = only(tmp_path, size=8)
    assert found[:, 1:-1].min() > 250
    np.testing.assert_allclose(read_images(wide[None], size=8)[0][0, 0, :, 1:-1], 1, atol=0.01)
    np.testing.assert_allclose(found.astype(int), only_array(wide[None], 8), atol=2)


def only_array(images, size):
    tensor, form = read_images(images, size=size)
    return form.restore(tensor)[0].astype(int)


def test_folders_of_classes_give_labels(tmp_path):
    for name in ("old cat", "dog", "empty"):
        (tmp_path / name).mkdir()
    (tmp_path / "dog" / "deeper").mkdir()
    save(tmp_path / "dog", "a.png", Image.fromarray(COLOUR))
    save(tmp_path / "dog" / "deeper", "b.jpg", Image.fromarray(COLOUR))
    save(tmp_path / "old cat", "a.png", Image.fromarray(COLOUR))
    (tmp_path / "old cat" / "notes.txt").write_text("x")
    (tmp_path / ".DS_Store").write_text("x")
    with pytest.warns(
        UserWarning, match=r"2 files are no pictures and are left out: empty/ \(no pictures\), old cat/notes.txt"
    ):
        opened = open_images(tmp_path, ReadOptions())
    assert opened.labels.tolist() == ["dog", "dog", "old cat"]
    assert opened.names == ["dog/a.png", "dog/deeper/b.jpg", "old cat/a.png"]
    save(tmp_path, "c.png", Image.fromarray(COLOUR))
    with pytest.raises(InvalidInputError, match="holds 1 pictures, and 2 subfolders with pictures"):
        open_images(tmp_path, ReadOptions())


@pytest.mark.parametrize("stream", [True, False])
def test_broken_files_are_counted_and_named(tmp_path, stream):
    for name in "abc":
        save(tmp_path, f"{name}.png", Image.fromarray(np.full((40, 40), ord(name), np.uint8)))
    whole = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(whole[: len(whole) - 40])
    (tmp_path / "d.jpg").write_bytes(b"no picture")
    with pytest.warns(
        UserWarning, match=r"2 of 4 pictures cannot be read and are left out: b.png .*truncated.*, d.jpg"
    ):
        opened = open_images(tmp_path, ReadOptions(stream=stream))
    assert opened.kept == [0, 2]
    assert opened.form.restore(opened.pixels[:])[:, 0, 0].tolist() == [ord("a"), ord("c")]
    (tmp_path / "a.png").unlink()
    (tmp_path / "c.png").unlink()
    with pytest.raises(InvalidInputError, match="none of the 2 pictures can be read"):
        read_images(tmp_path)


def test_streamed_pixels_are_those_in_memory(tmp_path):
    for index in range(5):
        save(tmp_path, f"{index}.png", Image.fromarray(np.roll(COLOUR, index, 0)))
    stored = open_images(tmp_path, ReadOptions(stream=False)).pixels
    streamed = open_images(tmp_path, ReadOptions(stream=True)).pixels
    assert isinstance(streamed, FilePixels)
    rows = torch.tensor([4, 0, 4])
    assert torch.equal(streamed[rows], stored[rows])
    assert torch.equal(torch.cat(list(streamed.split(2))), stored[:])
    assert torch.equal(
        streamed.seen(torch.device("cpu"), (16, 16))[rows], stored.seen(torch.device("cpu"), (16, 16))[rows]
    )


def test_folders_larger_than_memory_is_meant_to_be_stay_on_disk(tmp_path, monkeypatch):
    save(tmp_path, "a.png", Image.fromarray(COLOUR))
    for most, stays in ((COLOUR.nbytes - 1, True), (COLOUR.nbytes, False)):
        monkeypatch.setattr("tabgan.images.picture_sets.MEMORY", most)
        assert isinstance(open_images(tmp_path, ReadOptions()).pixels, FilePixels) == stays


def test_a_list_of_paths_a_list_of_pictures_and_one_picture(tmp_path):
    save(tmp_path, "a.png", Image.fromarray(COLOUR))
    for source in (tmp_path / "a.png", [tmp_path / "a.png"], [Image.fromarray(COLOUR)], tmp_path):
        np.testing.assert_array_equal(only(source), COLOUR)


def test_without_pillow_the_extra_is_named(tmp_path, monkeypatch):
    save(tmp_path, "a.png", Image.fromarray(COLOUR))
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"tabgan-learn\[images\]"):
        read_images(tmp_path)
    (tmp_path / "a.png").unlink()
    with pytest.raises(InvalidInputError, match="no pictures in"):
        read_images(tmp_path)
