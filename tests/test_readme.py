"""README's Python blocks run as they stand, and its two commands are the ones CI and users run."""

import re
from pathlib import Path

import pytest
from palmerpenguins import load_penguins

from tabgan import GAINImputer

README = (Path(__file__).resolve().parents[1] / "README.md").read_text()
COLUMNS = ["species", "bill_length_mm", "body_mass_g", "sex"]
PENGUINS = load_penguins().drop(columns="year")


def test_python_blocks_run():
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert blocks
    for block in blocks:
        names: dict = {}
        exec(
            compile(block.replace("random_state=0", "random_state=0, n_steps=30, draw_steps=5"), "README.md", "exec"),
            names,
        )
        assert not names["filled"].isna().any().any()
        assert ("draws" in block) == ("draws" in names)
        assert len(names.get("draws", "five!")) == 5


def test_the_filled_twin_is_what_comes_out():
    rows = [line.strip("| ").split("|") for line in README.splitlines() if "→" in line]
    cells = [[cell.strip() for cell in row] for row in rows]
    assert len(cells) == 4
    filled = GAINImputer(random_state=0).fit_transform(PENGUINS)
    for row in cells:
        given, shown = row[:4], row[5:]
        same = PENGUINS["species"] == given[0]
        for name, cell in zip(COLUMNS[1:3], given[1:3], strict=True):
            same &= PENGUINS[name] == float(cell) if cell else PENGUINS[name].isna()
        (place,) = PENGUINS.index[same & PENGUINS["sex"].isna()]
        for name, before, after in zip(COLUMNS, given, shown, strict=True):
            assert after == (before or f"**{after.strip('*')}**"), "fills are bold, observed cells are not"
            found, said = filled.loc[place, name], after.strip("*")
            assert found == (said if name in ("species", "sex") else pytest.approx(float(said), rel=0.02))


def test_names_and_commands_are_said():
    assert "tabgan-learn" in README
    assert ". .venv/bin/activate" in README  # else the commands that follow are not found
    assert "tabgan check patients.csv" in README
    assert '.venv/bin/pip install -c constraints.txt ".[demo]" && .venv/bin/tabgan demo' in README
    assert '.venv/bin/pip install -c constraints.txt -e ".[test]" && .venv/bin/pytest' in README
