"""The core serves every method and names none: docstrings cite papers by authors, year and section."""

import re
from pathlib import Path

import pytest

import tabgan.core

FILES = sorted(Path(tabgan.core.__file__).parent.rglob("*.py"))
METHODS = re.compile(r"\bGAIN|(?i:bagan|remask)")


def test_there_are_files_to_look_at_and_words_to_find():
    assert len(FILES) > 15
    assert all(METHODS.search(text) for text in ("GAIN's", "GAINImputer", "a BAGAN", "ImageBagan", "Remasking"))
    assert not METHODS.search("again, a gain for BEGAN")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_method_is_named(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert not [line for line in [path.stem, *lines] if METHODS.search(line)]
