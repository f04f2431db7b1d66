"""The measures that the image benchmarks bring with them, by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from benchmarks.images.config import GRIDS
from benchmarks.images.data import ImageSet
from benchmarks.images.experiments.collapse import density_picture
from benchmarks.images.experiments.rare import structural_similarity
from benchmarks.images.experiments.translation import high_frequency_energy
from benchmarks.images.judge import ConvJudge
from benchmarks.images.report import write_report
from tabgan.images import ImageGAN, recipes
from tests.rounding import SINGLE


def test_high_frequency_energy():
    ramp = torch.arange(36.0).reshape(1, 1, 6, 6)
    assert high_frequency_energy(ramp) == pytest.approx(0, abs=SINGLE)
    board = (-1.0) ** (torch.arange(6)[:, None] + torch.arange(6)[None, :]).reshape(1, 1, 6, 6)
    assert high_frequency_energy(board) == pytest.approx(64)  # (-1 * 4 - 4)^2


def test_structural_similarity():
    rng = np.random.default_rng(0)
    image = rng.random((1, 12, 12))
    assert structural_similarity(np.repeat(image, 20, 0)) == pytest.approx(1)
    assert abs(structural_similarity(rng.random((200, 12, 12)))) < 0.2
    # A pair that differs by its mean alone: (2 ab + c) / (a^2 + b^2 + c), whatever the contrast.
    flat = np.stack([np.full((8, 8), 0.2), np.full((8, 8), 0.6)])
    expected = (2 * 0.12 + 1e-4) / (0.04 + 0.36 + 1e-4)
    assert structural_similarity(flat) == pytest.approx(expected, rel=1e-3)


def test_every_recipe_from_noise_is_in_the_digits_grid():
    measured = {cell.recipe for cell in GRIDS["digits"]}
    wanted = {r.name for r in recipes.values() if r.needs in ("images", "labels")} - {"vector-conditions"}
    assert wanted <= measured
    assert {"real", "gaussians"} <= measured


@pytest.mark.parametrize("cell", [c for c in GRIDS["mnist-full"] if c.parameters], ids=lambda cell: cell.recipe)
def test_settings_for_a_gpu_fit_together(cell):
    short = cell.shortened(1)
    assert short.parameters["n_steps"] == 1 < cell.parameters["n_steps"]
    assert short.key == cell.key
    images = np.random.default_rng(0).random((6, 16, 16), dtype=np.float32)
    small = short.parameters | {"batch_size": 2, "settings": short.parameters["settings"] | {"width": 4}}
    gan = ImageGAN(cell.recipe, value_range=(0, 1), **small)
    assert gan.fit(images, [0, 1, 2] * 2).sample(y=[1]).shape == (1, 16, 16)


def test_density_picture():
    points = torch.tensor([[1.2, 1.2], [1.2, 1.2], [1.2, 1.2], [1.2, 1.2], [-1.2, 0.01]])
    picture = density_picture(points, size=4)[0]
    assert picture[0, 3] == 1  # up is up, right is right
    assert picture[1, 0] == 0  # a quarter of the points: half as bright
    assert (picture == -1).sum() == 14


def test_the_convolutional_judge_learns_bright_from_dark():
    rng = np.random.default_rng(0)
    images, labels = rng.random((200, 28, 28), dtype=np.float32) / 2, np.arange(200) % 2
    images[labels == 1] += 0.5
    judge = ConvJudge(ImageSet("mnist", images, labels, images, labels, images, labels))
    assert judge.accuracy == 1
    assert judge.features(images).shape == (200, 32)
    np.testing.assert_array_equal(judge.predict(images[::-1]), labels[::-1])


def test_report(tmp_path):
    (tmp_path / "heat.jsonl").write_text(json.dumps({"key": "L1", "l1": 0.12345, "commit": "x"}) + "\n")
    text = write_report(tmp_path, tmp_path / "page.md")
    assert "| L1 | 0.123 |" in text
    assert "commit" not in text
    assert (tmp_path / "page.md").read_text() == text


def test_balancing_means_are_over_cells_in_which_all_was_run():
    from benchmarks.images.page_tables import balancing_table

    def row(key, recall):
        kinds = ("linear", "forest", "network")
        return {"key": key} | {f"{what}_{kind}": recall for what in ("recall", "balanced", "f1") for kind in kinds}

    rows = [
        row("a/0/nothing", 0.2),
        row("a/0/copies", 0.4),
        row("b/0/nothing", 0.4),
        row("b/0/copies", 0.8),
        row("c/0/copies", 0),
    ]
    table = balancing_table(rows).splitlines()[2:]
    assert [line.split("|")[1:5] for line in table] == [
        [" nothing ", " 0.30 ", " 0.30 ", " 0.30 "],
        [" copies ", " 0.60 ", " 0.60 ", " 0.60 "],
    ]
    assert balancing_table([]) == "Not measured yet."


def test_recall_by_data_and_share():
    from benchmarks.images.page_tables import mean_recall, recall_by_share

    def row(cell, method, recall, n_kept):
        return {"key": f"{cell}/{method}", "n_kept": n_kept} | dict.fromkeys(
            ("recall_linear", "recall_forest", "recall_network"), recall
        )

    rows = [
        row("mnist/8/0.025/0", "affine", 0.25, 7),
        row("mnist/8/0.025/0", "nothing", 0.125, 7),
        row("digits/8/0.1/0", "nothing", 0.5, 12),
        row("digits/8/0.1/0", "affine", 0.75, 12),
        row("digits/8/0.1/1", "affine", 1.0, 12),
    ]
    assert recall_by_share(rows).splitlines() == [
        "| images added | digits, 10% (12 images) | mnist, 2.5% (7 images) | all |",
        "|---|---|---|---|",
        "| nothing | 0.50 | 0.12 | 0.31 |",
        "| affine | 0.75 | 0.25 | 0.50 |",
    ]
    assert mean_recall(rows, "affine") == 0.5
    assert mean_recall(rows, "BAGAN") is None
    assert mean_recall([], "affine") is None
    assert recall_by_share([]) == "Not measured yet."


def test_kinds_found_are_a_line_per_recipe():
    from benchmarks.images.page_tables import stacked_table

    def row(key, modes, n_steps):
        return {"key": key, "modes": modes, "kl": 0.5, "n_steps": n_steps, "cpu_seconds": n_steps / 10}

    rows = [
        {"key": "real", "modes": 1000, "kl": 0.03},
        row("a/500", 70, 500),
        row("a/1000", 90, 1000),
        row("b/500", 5, 500),
    ]
    assert stacked_table(rows).splitlines()[2:] == [
        "| `a` | 70 (50), 90 (100) | 1,000 | 0.50 |",
        "| `b` | 5 (50) | 500 | 0.50 |",
    ]
    assert stacked_table(rows[:1]) == "Not measured yet."


@pytest.mark.parametrize("name", ["copies", "SMOTE", "shifts", "affine", "our default"])
def test_images_added_to_a_rare_class(name):
    from benchmarks.images.experiments.balancing import METHODS, _Cell

    images = np.random.default_rng(0).random((30, 8, 8), dtype=np.float32)
    labels = np.array([7] * 5 + [1] * 25)
    data = ImageSet("digits", images[:0], labels[:0], images, labels, images, labels)
    added = METHODS[name](_Cell(data, images, labels, 7, 12, 0, None))
    assert added.shape == (12, 8, 8)
    assert np.isfinite(added).all()
    if name == "copies":
        assert all((image == images[:5]).all((1, 2)).any() for image in added)
    if name == "SMOTE":  # between two of the class
        assert (added >= images[:5].min(0) - 1e-6).all()
        assert (added <= images[:5].max(0) + 1e-6).all()
