"""What recipes say of themselves: figures that the results hold, a standing that follows from them, defaults they were got with."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.images.reached import reached_rows
from tabgan.cli.main import app
from tabgan.images import ImageGAN, recipe_table, recipes
from tabgan.images.recipes.reached import REACHED
from tabgan.images.recipes.standing import Reached, standing_of

RESULTS = Path(__file__).parents[2] / "benchmarks" / "images" / "results"
SHAPES = {"digits": (1, 8, 8), "mnist": (1, 28, 28)}
# BAGAN's defaults on larger images are those of its own experiment.
OTHER_DEFAULTS = {("mnist", "bagan")}


def row(**values):
    given = dict.fromkeys(Reached._fields) | {"recipe": "x", "data": "mnist", "labels": True, **values}
    return Reached(**given)


def test_the_table_is_what_the_results_hold():
    assert [tuple(found) for found in REACHED] == reached_rows(RESULTS)


def test_every_recipe_has_a_row():
    table = recipe_table()
    assert list(table.recipe.unique()) == list(recipes)
    mnist = table[(table.data == "mnist") & (table.recipe == "projection")].iloc[0]
    assert (mnist.n_steps, mnist.standing) == (2000, "works")
    assert mnist.accuracy == pytest.approx(0.946)


@pytest.mark.parametrize(
    ("values", "standing"),
    [
        ({"coverage": 0.7, "accuracy": 0.9}, "works"),
        ({"coverage": 0.7}, "works"),
        ({"coverage": 0.69, "accuracy": 0.9}, "in part"),
        ({"coverage": 0.7, "accuracy": 0.89}, "in part"),
        ({"coverage": 0.5, "accuracy": 0.7}, "in part"),
        ({"coverage": 0.49, "accuracy": 0.99}, "for study"),
        ({"coverage": 0.9, "accuracy": 0.69}, "for study"),
        ({"data": "digits", "coverage": 0.9, "accuracy": 0.9}, "not measured"),
        ({"error": 0.1}, "not measured"),
    ],
)
def test_standing(values, standing):
    assert standing_of([row(**values)]) == standing


@pytest.mark.parametrize("data", sorted(SHAPES))
def test_defaults_are_the_settings_of_the_gallery(data):
    for line in (RESULTS / f"{data}.jsonl").read_text().splitlines():
        found = json.loads(line)
        _, name, _, _, *variant = found["key"].split("/")
        if "parameters" in found and not variant and (data, name) not in OTHER_DEFAULTS:
            used = ast.literal_eval(found["parameters"])
            used |= used.pop("settings", {})
            used.pop("network", None)  # what "auto" takes
            defaults = recipes[name].defaults(SHAPES[data], {})
            assert {key: defaults[key] for key in used} == used, name


def test_larger_images_have_defaults_of_their_own_unless_others_are_given():
    recipe = recipes["wgan-gp"]
    assert recipe.defaults((1, 16, 16), {})["n_steps"] == 2000
    assert recipe.defaults((1, 16, 17), {})["n_steps"] == 4000
    assert recipe.defaults((1, 28, 28), {"average": None, "width": 8})["width"] == 8
    assert recipe.defaults((1, 28, 28), {"network": "mlp"})["width"] is None
    images = np.random.default_rng(0).random((10, 18, 18))
    gan = ImageGAN("wgan-gp", n_steps=1, batch_size=4, random_state=0, value_range=(0, 1)).fit(images)
    assert (gan.settings_["width"], gan.settings_["average"], gan.settings_["n_steps"]) == (16, 0.999, 1)


def test_the_command_line_shows_the_table():
    result = CliRunner().invoke(app, ["images", "recipes"])
    assert result.exit_code == 0, result.output
    line = next(line for line in result.stdout.splitlines() if "acgan" in line and "mnist" in line)
    assert "works" in line
    assert "0.712" in line
