"""The gallery's scripts are short, say what they show, and leave no display out. CI runs them when it builds the documentation."""

import ast
import re
from pathlib import Path

import pytest

import tabgan.plotting

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "examples"
SCRIPTS = sorted(FOLDER.glob("plot_*.py"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_is_short_and_begins_with_a_question(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    title, line, *_ = ast.get_docstring(tree).splitlines()
    assert set(line) == {"="}
    assert len(line) >= len(title)
    body = text[text.index('"""', 3) + 3 :]
    assert len([one for one in body.splitlines() if one.strip()]) < 40
    roots = {name.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    roots |= {node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert roots <= {"imblearn", "numpy", "palmerpenguins", "pandas", "sklearn", "tabgan"}


def test_every_display_is_in_the_gallery():
    text = "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    displays = [name for name in tabgan.plotting.__all__ if name.endswith("Display")]
    assert not [name for name in displays if not re.search(rf"\b{name}\.from_", text)]
    assert ".to_html(" in text
