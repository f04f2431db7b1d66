"""`tabgan images` on folders as they are: broken files among them, masks, places that lie within each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tabgan.cli.main import app
from tabgan.cli.picture_files import png_names

QUICK = ["--steps", 1, "--settings", '{"width": 4}', "--quiet"]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """In a folder with photos of two classes, masks of values up to 16."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for kind, n in (("cat", 5), ("bird", 2)):
        for folder, most in (("photos", 256), ("masks", 17)):
            place = Path(folder, kind)
            place.mkdir(parents=True)
            for number in range(n):
                Image.fromarray(rng.integers(0, most, (8, 8), dtype=np.uint8)).save(place / f"{number}.png")

    def call(*words, code=0):
        result = CliRunner().invoke(app, ["images", *map(str, words)])
        assert result.exit_code == code, result.output
        return result.stderr

    return call


def n_files(folder):
    return sum(file.is_file() for file in Path(folder).iterdir())


@pytest.mark.parametrize("options", [[], ["--recipe", "cgan", *QUICK]], ids=["own images", "cgan"])
def test_broken_pictures_are_in_no_class(run, options):
    for number in range(4):
        Path(f"photos/cat/broken {number}.jpg").write_bytes(b"\xff\xd8\xff")
    said = run("balance", "photos", "-o", "more", *options)
    assert options or "added images: 3 of bird" in said
    assert n_files("more/cat") == n_files("more/bird") == 5


def test_masks_are_balanced_as_masks(run):
    assert "say which with --value-range 0 16" in run("balance", "masks", "-o", "more", code=2)
    run("balance", "masks", "-o", "more", "--value-range", 0, 16, "--warp", '{"bend": 0}')
    run("train", "masks", "-o", "m.tabgan", "-r", "cgan", "--value-range", 0, 16, *QUICK)
    run("balance", "masks", "-o", "made", "--model", "m.tabgan")
    run("sample", "m.tabgan", "-o", "drawn", "-n", 3)
    drawn = [*Path("more/bird").glob("synthetic*"), *Path("made/bird").glob("synthetic*"), *Path("drawn").iterdir()]
    assert len(drawn) == 9
    assert max(np.asarray(Image.open(file)).max() for file in drawn) <= 16


def test_results_do_not_go_into_what_they_are_made_from(run):
    for place in ("photos", "photos/more"):
        assert "give another folder" in run("balance", "photos", "-o", place, code=2)
    run("train", "photos", "--targets", "photos", "-r", "supervised-l1", "-o", "m.tabgan", *QUICK)
    before = Path("photos/cat/0.png").read_bytes()
    for source, place in (("photos", "photos"), ("photos", "photos/more"), ("photos/cat/0.png", "photos/cat")):
        assert "give another folder" in run("translate", "m.tabgan", source, "-o", place, code=2)
    assert Path("photos/cat/0.png").read_bytes() == before
    assert sorted(one.name for one in Path("photos").iterdir()) == ["bird", "cat"]


def test_samples_make_their_folder_and_say_what_is_amiss(run):
    run("train", "photos", "--no-labels", "-r", "sngan", "-o", "m.tabgan", *QUICK)
    run("sample", "m.tabgan", "-o", "drawn", "-n", 2)
    assert n_files("drawn") == 2
    assert "tabgan images grid" in run("sample", "m.tabgan", "-o", "one.png", code=2)
    assert "folder 'no' does not exist" in run("sample", "m.tabgan", "-o", "no/drawn", code=2)
    assert "trained without labels" in run("sample", "m.tabgan", "-o", "drawn", "--label", "cat", code=2)
    assert "--recipe 'vae' is not valid" in run("balance", "photos", "-o", "more", "--recipe", "vae", code=2)
    assert "--strategy '{\"cow\": 3}'" in run("balance", "photos", "-o", "more", "--strategy", '{"cow": 3}', code=2)
    assert 'such as {"turn": 5}' in run("balance", "photos", "-o", "more", "--warp", "false", code=2)


def test_every_picture_has_a_name_of_its_own():
    assert png_names(["a.jpg", "a.gif", "a.jpg.png"], 3) == ["a.jpg.png", "a.gif.png", "a.jpg.png.png"]
    assert len(set(png_names([f"{number}.jpg" for number in range(50_000)], 50_000))) == 50_000
