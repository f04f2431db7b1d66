"""All files of one command appear together or not at all; what the disk refuses, and model files of a wrong kind, end in one line."""

from __future__ import annotations

import errno
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import typer
from safetensors.torch import save_file

from tabgan import _files, load
from tabgan.cli.errors import BROKEN_PIPE
from tabgan.report.html import HTMLReport
from tests.golden.models.fitted import FOLDER

MODELS = max(FOLDER.glob("version*"))  # the newest that is stored
QUICK = ("--steps", 1, "--device", "cpu", "--quiet")
TABLE = pd.DataFrame({"x": np.arange(40.0), "y": np.arange(40.0) % 7, "class": ["a", "a", "a", "b"] * 10})
TABLE.loc[::5, "y"] = None


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    TABLE.to_csv("table.csv", index=False)
    for name in ("gain", "cgan", "image_classes"):
        shutil.copy(MODELS / f"{name}.tabgan", f"{name}.tabgan")
    np.save("images.npy", np.random.default_rng(0).random((12, 8, 8)))
    Path("pngs").mkdir()
    # What pages show is tested elsewhere, and takes its time.
    for page in ("comparison_page.report_comparison", "rows_page.report_rows", "images_page.report_images"):
        monkeypatch.setattr(f"tabgan.report.{page}", lambda *arguments, **named: HTMLReport("<p>page</p>", "page"))
    return tmp_path


IMPUTE = ("impute", "table.csv", "--leave", "class", "--effort", "fast", *QUICK)
BALANCE = ("balance", "table.csv", "-t", "class", "--method", "cgan", *QUICK)
COMPARE = ("compare", "table.csv", "--methods", "mean/mode", "--repeats", 1, "--quiet")
TRAIN = ("images", "train", "images.npy", "--settings", '{"width": 8}', *QUICK)
COMMANDS = {
    "impute": (*IMPUTE, "--refit", {"-o": "o.csv", "--model": "m.tabgan", "--report": "r.json"}),
    "impute in place": (*IMPUTE, {"-o": "table.csv", "--report": "r.txt"}),
    "balance": (*BALANCE, "--refit", {"-o": "o.csv", "--model": "m.tabgan", "--report": "r.json"}),
    "compare": (*COMPARE, {"-o": "o.json", "--report": "r.html"}),
    "sample": ("sample", "cgan.tabgan", "-n", 5, {"-o": "o.csv", "--report": "r.html"}),
    "images train": (*TRAIN, {"-o": "o.tabgan", "--report": "r.html"}),
    "images sample": ("images", "sample", "image_classes.tabgan", "-n", 2, {"-o": "o.npy", "--report": "r.html"}),
    "images grid": ("images", "grid", "image_classes.tabgan", "-n", 2, {"-o": "o.png", "--report": "r.html"}),
}


def content(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def words(command: str) -> tuple[list[object], dict[str, str]]:
    *given, targets = COMMANDS[command]
    return [*given, *(word for pair in targets.items() for word in pair)], targets


def refuse(monkeypatch, target: Path, moment: str, number: int) -> None:
    """Let the disk refuse one destination, when its content is written or when it is moved."""
    error = OSError(number, os.strerror(number))
    real_part, real_replace = _files._write_part, os.replace

    def part(file, path, data):
        if data and moment == "written" and file.place == target.resolve():
            raise error
        real_part(file, path, data)

    def replace(source, place):
        if moment == "moved" and Path(place) == target.resolve() and Path(source).suffix != ".old":
            raise error
        real_replace(source, place)

    monkeypatch.setattr(_files, "_write_part", part)
    monkeypatch.setattr(_files.os, "replace", replace)


CASES = [(command, option) for command in COMMANDS for option in COMMANDS[command][-1]]


@pytest.mark.parametrize(("command", "option"), CASES)
def test_a_full_disk_leaves_all_files_as_they_were_and_is_named(tabgan, folder, monkeypatch, command, option):
    line, targets = words(command)
    # Every other target is there before, so that both old files and none are put back.
    for name in list(targets.values())[::2]:
        if name != "table.csv":
            Path(name).write_text("old")
    before = content(folder)
    for moment in ("written", "moved"):
        with monkeypatch.context() as patch:
            refuse(patch, Path(targets[option]), moment, errno.ENOSPC)
            result = tabgan(*line)
        assert result.exit_code == 1, result.output
        assert result.stderr.splitlines()[-1] == f"error: {targets[option]!r}: No space left on device."
        assert content(folder) == before
    assert tabgan(*line).exit_code == 0
    changed = {name for name, data in content(folder).items() if before.get(name) != data}
    assert changed == set(targets.values())


def test_a_page_that_cannot_be_made_does_not_cost_the_training(tabgan, folder, monkeypatch):
    def fail(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr("tabgan.report.images_page.report_images", fail)
    assert tabgan(*TRAIN, "-o", "o.tabgan", "--report", "r.html").exit_code != 0
    assert load("o.tabgan").n_iter_ == 1
    assert not Path("r.html").exists()


def test_pictures_in_a_folder_appear_together(tabgan, folder, monkeypatch):
    line = ("images", "sample", "image_classes.tabgan", "-n", 3, "-o", "pngs", "--report", "r.html")
    before = content(folder)
    with monkeypatch.context() as patch:
        refuse(patch, Path("pngs/00002.png"), "written", errno.EDQUOT)
        result = tabgan(*line)
    assert result.exit_code == 1
    assert "pngs/00002.png" in result.stderr
    assert content(folder) == before
    assert tabgan(*line).exit_code == 0
    assert set(content(folder)) - set(before) == {"r.html", *(f"pngs/0000{k}.png" for k in range(3))}


@pytest.mark.parametrize(
    ("number", "code"), [(errno.EACCES, 2), (errno.EPERM, 2), (errno.EROFS, 1), (errno.EIO, 1), (errno.EDQUOT, 1)]
)
def test_the_exit_code_says_whose_fault_it_is(tabgan, folder, monkeypatch, number, code):
    refuse(monkeypatch, Path("o.csv"), "written", number)
    result = tabgan(*IMPUTE, "-o", "o.csv")
    assert result.exit_code == code
    assert result.stderr.count("\n") == 1
    assert "'o.csv'" in result.stderr


@pytest.mark.parametrize("option", ["-o", "--model", "--report"])
def test_a_place_that_cannot_be_written_is_found_before_training(tabgan, folder, monkeypatch, option):
    """The disk itself is asked, so that quotas, read-only mounts and files of other users are found as well."""
    monkeypatch.setattr("tabgan.cli.impute_job._fit", None)
    targets = {"-o": "o.csv", "--model": "m.tabgan", "--report": "r.json"}
    refused = targets[option]

    def part(file, path, data):
        if file.path == refused:
            raise PermissionError(errno.EPERM, "Belongs to another user", refused)

    monkeypatch.setattr(_files, "_write_part", part)
    before = content(folder)
    result = tabgan(*IMPUTE, *(word for pair in targets.items() for word in pair))
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert f"{refused!r} may not be written: Belongs to another user." in result.stderr
    assert content(folder) == before


def test_a_reused_model_is_only_read(tabgan, folder, monkeypatch):
    assert tabgan(*IMPUTE, "-o", "o.csv", "--model", "m.tabgan").exit_code == 0
    refuse(monkeypatch, Path("m.tabgan"), "written", errno.EROFS)
    monkeypatch.setattr(_files.os, "access", lambda path, how: how != os.W_OK or Path(path).name != "m.tabgan")
    result = tabgan(*IMPUTE, "-o", "o.csv", "--model", "m.tabgan")
    assert result.exit_code == 0, result.output
    assert tabgan(*IMPUTE, "-o", "o.csv", "--model", "m.tabgan", "--refit").exit_code == 2


def test_a_reader_that_leaves_early_leaves_no_files_either(tabgan, folder, monkeypatch):
    """The table goes to a pipe that nobody reads any more; the model that belongs to it is not kept alone."""

    def gone(data):
        raise typer.Exit(BROKEN_PIPE)

    monkeypatch.setattr("tabgan.cli.files.sources._write_stdout", gone)
    before = content(folder)
    result = tabgan(*IMPUTE, "-o", "-", "--model", "m.tabgan")
    assert (result.exit_code, result.stderr) == (BROKEN_PIPE, "")
    assert content(folder) == before


NO_MODELS = {
    "an imputer": "gain.tabgan",
    "a sampler": "cgan.tabgan",
    "an image model": "image_classes.tabgan",
    "a table": "table.csv",
    "nothing": "empty.tabgan",
    "half a model": "half.tabgan",
    "a folder": "pngs",
    "a pipe": "pipe",
    "other tensors": "other.safetensors",
    "a pickle": "pickle.pkl",
    "an array": "array.npy",
    "a link to nowhere": "nowhere.tabgan",
}
READERS = {
    "impute": ((*IMPUTE, "-o", "o.csv", "--model"), {"an imputer", "a link to nowhere"}),
    "balance": ((*BALANCE, "-o", "o.csv", "--model"), {"a sampler", "a link to nowhere"}),
    "sample": (("sample", "-o", "o.csv", "-n", 3), {"a sampler"}),
    "images sample": (("images", "sample", "-o", "o.npy"), {"an image model"}),
    "images grid": (("images", "grid", "-o", "o.png"), {"an image model"}),
    "images export": (("images", "export", "-o", "o.pt2"), {"an image model"}),
    "images train": (("images", "train", "array.npy", "-o", "o.tabgan", "--from"), {"an image model"}),
}


@pytest.fixture
def no_models(folder) -> None:
    Path("empty.tabgan").touch()
    Path("half.tabgan").write_bytes(Path("gain.tabgan").read_bytes()[:2000])
    if hasattr(os, "mkfifo"):
        os.mkfifo("pipe")
    save_file({"a": torch.zeros(3)}, "other.safetensors")
    Path("pickle.pkl").write_bytes(pickle.dumps({"a": 1}))
    np.save("array.npy", np.zeros((20, 8, 8), dtype=np.uint8))
    Path("nowhere.tabgan").symlink_to("absent.tabgan")


@pytest.mark.parametrize("command", READERS)
def test_every_wrong_kind_of_model_file_ends_in_one_line(tabgan, no_models, folder, command):
    line, fine = READERS[command]
    before = {name: data for name, data in content(folder).items() if name != "pipe"}
    for what, name in NO_MODELS.items():
        if what in fine or not (os.path.lexists(name)):
            continue
        result = tabgan(*line, name)
        assert result.exit_code == 2, (what, result.output)
        assert result.stderr.startswith("error: "), what
        assert result.stderr.count("\n") == 1, (what, result.stderr)
        assert name in result.stderr
    assert {name: data for name, data in content(folder).items() if name != "pipe"} == before


def test_a_command_writes_through_a_link_and_keeps_the_mode(tabgan, folder):
    Path("data").mkdir()
    Path("data/full.csv").write_text("old")
    Path("data/full.csv").chmod(0o600)
    Path("o.csv").symlink_to("data/full.csv")
    assert tabgan(*IMPUTE, "-o", "o.csv").exit_code == 0
    assert Path("o.csv").is_symlink()
    assert len(pd.read_csv("data/full.csv")) == len(TABLE)
    assert Path("data/full.csv").stat().st_mode & 0o777 == 0o600
