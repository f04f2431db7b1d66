"""A log of losses as CSV: what it holds, that it goes on, and that its place is looked at before training."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from typer.testing import CliRunner

import tabgan
from tabgan.cli.main import app
from tabgan.exceptions import InvalidParameterError
from tabgan.images import ImageGAN


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_log_as_csv_is_the_history_and_goes_on(tmp_path):
    images, path = np.random.default_rng(0).random((20, 8, 8)), tmp_path / "losses.csv"
    gan = ImageGAN("dragan", n_steps=60, batch_size=4, settings={"width": 4}, log=path, random_state=0).fit(images)
    assert [row["step"] for row in rows_of(path)] == ["50", "60"]
    gan.save(tmp_path / "m.tabgan")
    path.write_text("of another run")
    gan = tabgan.load(tmp_path / "m.tabgan").partial_fit(images, n_steps=50)
    found = rows_of(path)
    assert [row["step"] for row in found] == ["50", "60", "100", "110"]
    assert [{name: float(value) for name, value in row.items()} for row in found] == gan.history_


def test_a_stage_with_losses_of_its_own_brings_columns(tmp_path):
    path, images = tmp_path / "losses.csv", np.random.default_rng(0).random((20, 8, 8))
    settings = {"width": 8, "n_first_steps": 60}
    gan = ImageGAN("stackgan", n_steps=110, batch_size=4, settings=settings, log=path, random_state=0)
    gan.fit(images, np.arange(20) % 2)
    first, *_, last = rows_of(path)
    assert first["discriminator_fine"] == ""
    assert float(first["discriminator"]) == gan.history_[0]["discriminator"]
    assert float(last["discriminator_fine"]) == gan.history_[-1]["discriminator_fine"]


@pytest.mark.parametrize("log", ["losses.txt", 3, "no such folder/losses.csv"])
def test_a_log_needs_a_place(log, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((InvalidParameterError, OSError), match=r"log=|no such folder"):
        ImageGAN(log=log).fit(object())


def test_the_command_line_logs(tmp_path):
    np.save(tmp_path / "images.npy", np.random.default_rng(0).random((20, 8, 8)))
    arguments = ["images", "train", tmp_path / "images.npy", "-o", tmp_path / "m.tabgan", "-r", "lsgan", "--steps", 2]
    result = CliRunner().invoke(app, [*map(str, arguments), "-q", "--log", str(tmp_path / "l.csv")])
    assert result.exit_code == 0, result.output
    assert set(rows_of(tmp_path / "l.csv")[0]) == {"step", "discriminator", "generator"}
    refused = CliRunner().invoke(app, [*map(str, arguments), "-q", "--precision", "bfloat16", "--device", "cpu"])
    assert refused.exit_code != 0
    assert "precision='bfloat16' is for --device 'cuda'" in refused.output
