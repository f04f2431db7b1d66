"""README's Python blocks run as they stand, and its two commands are the ones CI and users run."""

import re
from pathlib import Path

import pytest
from palmerpenguins import load_penguins

from tabgan import GAINImputer

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
COLUMNS = ["species", "bill_length_mm", "body_mass_g", "sex"]
PENGUINS = load_penguins().drop(columns="year")


WHOLE_TABLES = {
    "california": "california_housing*",
    "letter": "letter*",
    "default credit": "default_credit_card*",
    "diamonds": "diamonds",
    "adult": "adult_train",
    "bike sharing": "bike_sharing_hour",
    "Beijing air": "beijing_pm25",
    "caravan": "caravan",
}
"""Rows of README's table, and what the page calls them."""


def table_after(text: str, heading: str) -> dict[str, dict[str, str]]:
    """The first Markdown table after a text, by row and column, without what makes cells bold."""
    lines = text[text.index(heading) :].splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith("|"))
    end = next((k for k in range(start, len(lines)) if not lines[k].startswith("|")), len(lines))
    head, _, *rows = ([cell.strip().strip("*") for cell in line.strip("|").split("|")] for line in lines[start:end])
    return {row[0]: dict(zip(head, row, strict=True)) for row in rows}


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


def test_errors_and_seconds_of_whole_tables_are_those_of_the_page():
    page = (ROOT / "docs" / "benchmarks" / "uncut.md").read_text()
    errors, seconds = table_after(page, "## Numbers"), table_after(page, "## CPU seconds")
    methods = {
        "MICE": "MICE",
        "boosting chain": "boosting chain",
        "tree chain (50 trees)": "tree chain, 4 rounds",
        'GAINImputer(effort="fast")': "GAINImputer, fast",
        "GAINImputer": "GAINImputer",
    }
    shown = table_after(README, "**Whole tables**")
    assert shown.keys() == WHOLE_TABLES.keys()
    for row, cells in shown.items():
        name = f"{WHOLE_TABLES[row]} MCAR"
        for column, method in methods.items():
            assert cells[column].replace("*", "") == f"{errors[name][method]} / {seconds[name][method]} s", (
                row,
                column,
            )


def test_ranks_are_those_of_the_pages():
    page = (ROOT / "docs" / "benchmarks" / "rebalancing-main.md").read_text()
    ranks = table_after(page, "## Mean ranks among oversamplers only")
    shown = table_after(README, "| mean rank among oversamplers")
    for measure, row in shown.items():
        for method, rank in list(row.items())[1:]:
            assert rank == ranks[method][measure], (measure, method)
    page = (ROOT / "docs" / "benchmarks" / "mechanisms.md").read_text()
    ranks = table_after(page[: page.index("## Seconds")], "| method | mean rank")
    (shown_ranks, ratios, others, _) = table_after(README, "**Imputation**: 26 real tables").values()
    for method, rank in list(shown_ranks.items())[1:]:
        row = {name.split(" (")[0]: cell for name, cell in ranks[method.split(" (")[0]].items()}
        assert rank == row["mean rank, all tables"], method
        if method != "GAINImputer":
            assert ratios[method] == row["ours / theirs, all tables"], method
            assert others[method] == row["ours / theirs, other tables"], method
