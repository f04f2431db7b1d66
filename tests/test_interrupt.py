"""Ctrl-C in the middle of fits and commands: usable estimators, whole files. A real SIGINT, in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def outcomes(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "tests.interrupted_fits", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    return json.loads(line.removeprefix("RESULT ")), done.stderr


@pytest.fixture(scope="module")
def fits():
    return outcomes("estimators")


STEPS = {
    "imputer": (60, "GAINImputer.fit was interrupted at step 60 of 300"),
    "draws": (2, "GAINImputer.fit was interrupted at step 3 of 20"),
    "before": (0, "GAINImputer.fit was interrupted outside of training"),
    "cgan": (30, "CGANSampler.fit was interrupted at step 30 of 200"),
    "bagan, first stage": (0, "BAGANOversampler.fit was interrupted at step 20 of 50"),
    "images": (5, "ImageGAN training was interrupted at step 5 of 12"),
}


@pytest.mark.parametrize("name", STEPS)
def test_an_interrupted_fit_ends_at_its_step_and_warns_its_caller_once(fits, name):
    steps, said = STEPS[name]
    found = fits[0][name]
    assert found["reason"] == "interrupted"
    assert found["steps"] == steps
    assert [text[: len(said)] for text in found["said"]] == [said]
    assert found["files"] == ["interrupted_fits.py"]
    assert found["bars"] == 0


def test_the_key_is_answered_at_once(fits):
    assert fits[1].count("Ctrl-C: training ends with what was learnt so far; once more aborts.") == len(STEPS) + 3


def test_interrupted_estimators_are_of_use(fits):
    found = fits[0]
    assert found["imputer"]["gaps"] == found["draws"]["gaps"] == found["before"]["gaps"] == 0
    assert found["imputer"]["draws"] == 2
    assert found["imputer"]["scored_at"] == [0, 50]
    assert found["cgan"]["made"] == found["bagan, first stage"]["made"] == [7, ["rare"]]


def test_an_interrupted_image_gan_goes_on_exactly(fits):
    assert fits[0]["images"]["as uninterrupted"]


def test_twice_aborts_and_a_comparison_aborts_at_once(fits):
    for name in ("imputer", "sampler", "gan"):  # though they were fitted before
        assert fits[0][f"twice, {name}"] == {"aborted": True, "fitted": False}
    assert fits[0]["comparison"] == {"aborted": True}


def test_commands_leave_the_old_file_or_a_whole_new_one(tmp_path):
    found, said = outcomes("commands", tmp_path)
    old = {"code": 130, "old": True, "rows": None, "model": False, "left behind": []}
    assert found == {
        "impute, training": old,
        "impute, before the file is replaced": old,
        "impute, after the file was replaced": old | {"old": False, "rows": 120, "model": True},
        "balance, training": old,
        "balance, before the file is replaced": old,
        "balance, after the file was replaced": old | {"old": False, "rows": 180},
        "sample, before the file is replaced": old,
        "sample, after the file was replaced": old | {"old": False, "rows": 7},
        "images train, training": old,
        "images train, before the file is replaced": old,
        "images train, after the file was replaced": old | {"old": False, "rows": 20},
    }
    assert said.count("error: interrupted") == len(found)
