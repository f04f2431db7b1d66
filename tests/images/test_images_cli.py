"""`tabgan images`."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

import tabgan
from tabgan.cli.main import app
from tabgan.images import recipes


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    np.save("images.npy", rng.integers(0, 256, (20, 8, 8), dtype=np.uint8))
    (tmp_path / "labels.txt").write_text("\n".join(["cat", "dog"] * 10))
    return lambda *arguments: CliRunner().invoke(app, ["images", *map(str, arguments)])


def test_train_sample_grid(run, tmp_path):
    settings = ["--settings", '{"width": 8}', "--steps", 2, "--quiet", "--device", "cpu"]
    result = run("train", "images.npy", "-o", "m.tabgan", "--labels", "labels.txt", *settings)
    assert result.exit_code == 0, result.output
    assert "wgan-gp: 2 steps" in result.stderr
    assert run("sample", "m.tabgan", "-o", "out.npy", "-n", 5, "--label", "dog").exit_code == 0
    assert np.load("out.npy").shape == (5, 8, 8)
    assert run("grid", "m.tabgan", "-o", "grid.png", "-n", 6, "--truncation", 1.5).exit_code == 0
    assert (tmp_path / "grid.png").read_bytes()[:4] == b"\x89PNG"
    (tmp_path / "pngs").mkdir()
    assert run("sample", "m.tabgan", "-o", "pngs", "-n", 2).exit_code == 0
    assert len(list((tmp_path / "pngs").iterdir())) == 2
    again = run(
        "train", "images.npy", "-o", "n.tabgan", "--labels", "labels.txt", "--from", "m.tabgan", "--steps", 3, "-q"
    )
    assert again.exit_code == 0, again.output
    assert tabgan.load("n.tabgan").n_iter_ == 5


def test_a_label_is_a_whole_line(run, tmp_path):
    (tmp_path / "two words.txt").write_text("big cat\nold dog \n" * 10 + "\n")
    result = run("train", "images.npy", "-o", "m.tabgan", "--labels", "two words.txt", "--recipe", "cgan", "--steps", 1)
    assert result.exit_code == 0, result.output
    assert tabgan.load("m.tabgan").classes_.tolist() == ["big cat", "old dog"]


def test_list(run):
    result = run("list")
    assert result.exit_code == 0
    assert all(name in result.stdout for name in recipes)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "nowhere", "-o", "m.tabgan"], "no file or folder at 'nowhere'"),
        (["train", "images.npy", "-o", "no/m.tabgan"], "--output 'no/m.tabgan': folder 'no' does not exist"),
        (["train", "images.npy", "-o", "m.tabgan", "--recipe", "x"], "--recipe 'x' is not valid"),
        (["train", "images.npy", "-o", "m.tabgan", "--settings", "{"], "is no JSON"),
        (["train", "labels.txt", "-o", "m.tabgan"], "neither a folder, nor a picture, a .npy, .npz or idx file"),
        (["sample", "nowhere", "-o", "x.npy"], "no model file"),
    ],
)
def test_errors_are_one_line(run, arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("flag", "kept"), [([], "auto"), (["--stream"], True), (["--no-stream"], False)])
def test_pictures_are_streamed_on_request(run, tmp_path, flag, kept):
    (tmp_path / "pictures").mkdir()
    run("train", "images.npy", "-o", "m.tabgan", "--no-labels", "--steps", 1, "-q", "--settings", '{"width": 8}')
    assert run("sample", "m.tabgan", "-o", "pictures", "-n", 6).exit_code == 0
    options = ["--steps", 1, "-q", "--device", "cpu", "--settings", '{"width": 8}', *flag]
    result = run("train", "pictures", "-o", "n.tabgan", *options)
    assert result.exit_code == 0, result.output
    assert tabgan.load("n.tabgan").stream == kept
