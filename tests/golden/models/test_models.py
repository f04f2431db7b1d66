"""Model files of every version load and give what they gave; what files of the current version hold changes only on purpose.

A loaded model repeats its draws, so that only the last bits of its arithmetic differ between machines, and what a draw that falls on a
border makes of them.
"""

from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

import tabgan
from tabgan.core.checkpoint import FORMAT_VERSION, Stored, read_model_file, write_model_file
from tabgan.estimators.saving import HOMES
from tabgan.exceptions import ModelFileError
from tests.golden.models.fitted import CURRENT, FITS, FOLDER, LAYOUT, NO_LONGER_READ, RECIPES, fit_recipe, given, read
from tests.golden.models.layout import differences, layout_of, read_layouts

FILES = sorted(FOLDER.glob("version*/*.tabgan"))

RMS = 0.002
"""Largest root mean square difference of a model's numbers, in standard deviations of each output."""
DIFFERENT_TEXT = 0.02


def excess(now, then):
    """By how much a model's outputs differ, over what is allowed."""
    assert {name: array.shape for name, array in now.items()} == {name: array.shape for name, array in then.items()}
    squares, different = [np.zeros(1)], [np.zeros(1)]
    for name, stored in then.items():
        if stored.dtype.kind != "f":
            different.append(now[name] != stored)
            continue
        known = np.isfinite(stored)
        np.testing.assert_array_equal(np.isfinite(now[name]), known)
        if known.any():
            squares.append(((now[name][known] - stored[known]) / (stored[known].std() or 1.0)) ** 2)
    return max(np.sqrt(np.concatenate(squares).mean()) / RMS, np.concatenate(different).mean() / DIFFERENT_TEXT)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_file_gives_what_it_gave(path):
    if (path.parent.name, path.stem) in NO_LONGER_READ:
        with pytest.raises(ModelFileError, match=r"GAINImputer of format version 1: .*fit again and save"):
            tabgan.load(path)
        return
    assert excess(given(path.stem, tabgan.load(path)), read(path.with_suffix(".npz"))) < 1


def test_there_are_files_of_every_version_and_kind():
    found = {version: set() for version in range(1, FORMAT_VERSION + 1)}
    for path in FILES:
        with safe_open(str(path), "pt") as opened:
            metadata = opened.metadata()
        assert path.parent.name == f"version{metadata['format_version']}"
        found[int(metadata["format_version"])].add(metadata["kind"])
    assert found == {version: set(HOMES) for version in found}
    assert {path.stem for path in CURRENT.glob("*.tabgan")} == set(FITS)


def assert_layout_is_recorded(name, model, path):
    model.save(path)
    added, changed = differences(read_layouts(LAYOUT)[name], layout_of(path))
    assert not added + changed, (
        "model files changed:\n  " + "\n  ".join(added + changed) + "\n"
        "A new entry (+) needs a default on reading, which says what files without it meant; then run "
        "`python -m tests.golden.models`. Anything else needs a new FORMAT_VERSION and a migration: see there, in "
        "tabgan/core/checkpoint.py."
    )


@pytest.mark.parametrize("name", FITS)
def test_a_file_written_today_has_the_recorded_layout(name, tmp_path):
    assert_layout_is_recorded(name, FITS[name](), tmp_path / "model.tabgan")


@pytest.mark.parametrize("name", RECIPES)
def test_a_file_of_a_recipe_has_the_recorded_layout(name, tmp_path):
    assert_layout_is_recorded(f"recipe {name}", fit_recipe(name), tmp_path / "model.tabgan")


def refusal(path) -> str:
    """Why a file is not read."""
    try:
        tabgan.load(path)
    except ModelFileError as error:
        return str(error)
    return ""


def settings_of(content: Any) -> list[Stored]:
    """All that a file holds as settings or parameters of ours, at any depth."""
    if isinstance(content, (list, tuple)):
        return [found for item in content for found in settings_of(item)]
    if not isinstance(content, dict):
        return []
    named = [content[name] for name in ("settings", "parameters") if name in content]
    own = {
        name: item for name, item in content.items() if name != "parameters"
    }  # there, ``settings`` are the user's own
    return named + [found for item in own.values() for found in settings_of(item)]


@pytest.mark.parametrize("name", FITS)
def test_a_file_without_one_of_its_settings_loads(name, tmp_path):
    """A setting that is absent, because it is younger than the file, takes its default; unknown ones are refused by name."""
    path = tmp_path / "model.tabgan"
    kind, content = read_model_file(CURRENT / f"{name}.tabgan")
    n_read = 0
    for settings in settings_of(content):
        for setting in list(settings):
            kept = settings.pop(setting)
            write_model_file(path, kind, content)
            why = refusal(path)
            n_read += not why
            # Weights that do not fit: this model was not made with the default.
            fits = "size mismatch" not in why and "state_dict" not in why and "than its tensors can fill" not in why
            assert not why or not fits, f"{settings.where}.{setting}: {why}"
            settings[setting] = kept
        settings["weather"] = 1
        write_model_file(path, kind, content)
        with pytest.raises(ModelFileError, match=f"{settings.where}.weather', unknown to this tabgan"):
            tabgan.load(path)
        del settings["weather"]
    assert n_read > 20


@pytest.mark.parametrize("name", FITS)
def test_an_entry_that_is_absent_or_unknown_is_named(name, tmp_path):
    path = tmp_path / "model.tabgan"
    kind, content = read_model_file(CURRENT / f"{name}.tabgan")
    for entry in list(content):
        write_model_file(path, kind, {key: value for key, value in content.items() if key != entry})
        with pytest.raises(ModelFileError, match=f"no {kind} that this tabgan can read: it holds no '{entry}'."):
            tabgan.load(path)
    write_model_file(path, kind, content | {"weather": "fine"})
    with pytest.raises(ModelFileError, match=f"no {kind} that .* it holds 'weather', unknown to this tabgan; upgrade"):
        tabgan.load(path)
