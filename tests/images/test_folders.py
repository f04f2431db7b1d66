"""What lies about in folders of pictures: links, leftovers of systems, wrapping folders, damaged and outsized files."""

from __future__ import annotations

import os
import random
import struct
import sys
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from tabgan.exceptions import InvalidInputError
from tabgan.images.folders import list_folder
from tabgan.images.reading import ReadOptions, open_images

PIXELS = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)


def pictures(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(PIXELS).save(folder / name)


def test_leftovers_of_systems_are_neither_pictures_nor_classes(tmp_path):
    left = ("__MACOSX/._a.png", "@eaDir/a.png", ".ipynb_checkpoints/a.png", "__pycache__/a.png", "$RECYCLE.BIN/a.png")
    pictures(tmp_path, "a.png", "._a.png", *left)
    for name in ("Thumbs.db", "thumbs.db", "desktop.ini", ".DS_Store"):
        (tmp_path / name).write_bytes(b"")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list_folder(tmp_path).names == ["a.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_to_files_and_folders_count_and_loops_and_dead_links_do_not(tmp_path):
    pictures(tmp_path / "elsewhere", "1.png")
    pictures(tmp_path / "all", "cat/2.png")
    os.symlink(tmp_path / "elsewhere", tmp_path / "all/dog")
    os.symlink("..", tmp_path / "all/cat/up")
    os.symlink(".", tmp_path / "all/cat/self")
    os.symlink(tmp_path / "nothing.png", tmp_path / "all/cat/dead.png")
    os.symlink(tmp_path / "nothing.png", tmp_path / "all/dead.png")
    os.mkfifo(tmp_path / "all/cat/pipe.png")  # which would be waited for
    found = list_folder(tmp_path / "all")
    assert found.names == ["cat/2.png", "dog/1.png"]
    assert found.labels == ["cat", "dog"]
    loops = [f"cat/{name} (a link to a folder that it lies in)" for name in ("self", "up")]
    assert sorted(found.others) == sorted([*loops, "cat/dead.png", "cat/pipe.png", "dead.png"])


def test_classes_that_lie_one_folder_deeper_are_told(tmp_path):
    pictures(tmp_path / "wrapped", "all/cat/1.png", "all/dog/2.png")
    with pytest.warns(UserWarning, match=r"there is only this one, with the subfolders cat, dog; .*give '.*all'"):
        assert list_folder(tmp_path / "wrapped").labels == ["all", "all"]
    pictures(tmp_path / "split", *(f"{part}/{kind}/1.png" for part in ("test", "train") for kind in ("cat", "dog")))
    with pytest.warns(UserWarning, match=r"are the classes \(test, train\), but all have the subfolders cat, dog"):
        list_folder(tmp_path / "split")
    pictures(tmp_path / "deep", "cat/1.png", "cat/a/b/2.png", "cat/c/3.png", "dog/a/4.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list_folder(tmp_path / "deep").labels == ["cat", "cat", "cat", "dog"]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_sixteen_bits_with_a_gamma_come_in_exactly_and_a_transparent_grey_is_refused(tmp_path):
    values = np.linspace(0, 65535, 64).reshape(8, 8).astype(np.uint16)
    rows = zlib.compress(b"".join(b"\0" + row.astype(">u2").tobytes() for row in values))
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 16, 0, 0, 0, 0))
    tail = chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(head + chunk(b"gAMA", struct.pack(">I", 100_000)) + tail)
    opened = open_images(tmp_path, ReadOptions())
    np.testing.assert_array_equal(opened.form.restore(opened.pixels[:])[0], values)
    (tmp_path / "a.png").write_bytes(head + chunk(b"tRNS", struct.pack(">H", 0)) + tail)
    with pytest.raises(
        InvalidInputError, match=r"a\.png' has more than 8 bits per pixel and a grey that is transparent"
    ):
        open_images(tmp_path, ReadOptions())


def test_outsized_files_are_counted_as_broken(tmp_path):
    pictures(tmp_path, "a.png")
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0))
    (tmp_path / "b.png").write_bytes(head + chunk(b"IDAT", b"") + chunk(b"IEND", b""))
    with pytest.warns(UserWarning, match=r"1 of 2 pictures cannot be read and are left out: b\.png \(Image size"):
        assert len(open_images(tmp_path, ReadOptions(size=16)).pixels) == 1


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.webp", "a.gif", "a.bmp"])
def test_damaged_files_are_read_counted_or_refused_but_never_end_in_errors_of_others(tmp_path, name, recwarn):
    draw = random.Random(0)
    turned = Image.Exif()
    turned[0x0112] = 6
    options = {} if name.endswith(("gif", "bmp")) else {"exif": turned}
    pictures(tmp_path / "good", "good.png")
    Image.fromarray(PIXELS).save(tmp_path / name, **options)
    whole = (tmp_path / name).read_bytes()
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(draw.choice([1, 2, 5])):
            damaged[draw.randrange(min(len(damaged), draw.choice([60, 10_000])))] = draw.randrange(256)
        (tmp_path / name).write_bytes(damaged)
        try:
            opened = open_images([tmp_path / "good/good.png", tmp_path / name], ReadOptions(size=8))
            assert len(opened.pixels) in (1, 2)
        except InvalidInputError as error:
            assert name in str(error)  # noqa: PT017
