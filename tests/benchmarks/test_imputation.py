"""The imputation benchmark's bookkeeping: ranks, ratios, pages and resumption, on made rows with known answers."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.environments import environment_python
from benchmarks.imputation.config import GRIDS, Cell, Grid
from benchmarks.imputation.in_short import in_short
from benchmarks.imputation.report import read_rows, write_report
from benchmarks.imputation.standing import cell_means, mean_ranks, paired_ratios, table_means, win_tie_loss
from benchmarks.imputation.uncut import page
from benchmarks.rows import run_missing, stored_rows

GRID = Grid(
    "made",
    ("glass", "pima", "ecoli"),
    ("MICE", "tree chain", "GAINImputer"),
    mechanisms=("mcar", "mnar"),
    rates=(0.3,),
    seeds=(0, 1),
)
VALUES = {"MICE": 1.0, "tree chain": 0.8, "GAINImputer": 0.72}


def made_rows(grid: Grid) -> list[dict]:
    machine = {"machine": "m", "python": "3.11", "torch": "2"}
    return [
        asdict(cell)
        | {"rmse": VALUES[cell.method] * (1 + cell.seed), "error_rate": None, "n_rows": 100}
        | {"fit_seconds": 2.0, "transform_seconds": 1.0}
        | machine
        for cell in grid.cells()
    ]


def stored(rows: list[dict], path) -> list:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [path]


def test_means_are_over_the_seeds_that_all_methods_of_a_cell_have(tmp_path):
    rows = [row for row in made_rows(GRID) if not (row["method"] == "tree chain" and row["seed"] == 1)]
    cells = cell_means(read_rows(stored(rows, tmp_path / "rows.jsonl"), GRID), "rmse", list(GRID.methods))
    assert cells.loc[("glass", "mcar", 0.3)].to_dict() == pytest.approx(VALUES)


def test_a_failed_run_is_the_worst_rank_and_loses(tmp_path):
    rows = made_rows(GRID)
    for row in rows:
        if row["method"] == "GAINImputer" and row["table"] == "glass":
            row |= {"rmse": None, "error": "ValueError: no"}
    frame = read_rows(stored(rows, tmp_path / "rows.jsonl"), GRID)
    cells = cell_means(frame, "rmse", list(GRID.methods))
    assert np.isinf(cells.loc["glass", "GAINImputer"]).all()
    assert mean_ranks(cells)["GAINImputer"] == pytest.approx((3 + 1 + 1) / 3)
    assert win_tie_loss(cells, "GAINImputer", "MICE") == "4-0-2"
    assert len(paired_ratios(cells, "GAINImputer", "MICE")) == 4


def test_a_method_that_was_not_run_in_a_cell_leaves_that_cell_out_of_its_tables_mean_and_of_the_ranks(tmp_path):
    rows = [row for row in made_rows(GRID) if not (row["method"] == "tree chain" and row["mechanism"] == "mnar")]
    for row in rows:
        row["rmse"] += 5.0 * (row["mechanism"] == "mnar")
    cells = cell_means(read_rows(stored(rows, tmp_path / "rows.jsonl"), GRID), "rmse", list(GRID.methods))
    assert table_means(cells).loc["pima"].to_dict() == pytest.approx({m: 1.5 * v for m, v in VALUES.items()})
    assert mean_ranks(cells).to_dict() == {"MICE": 3.0, "tree chain": 2.0, "GAINImputer": 1.0}


def test_the_page_in_short_names_the_worst_table(tmp_path):
    rows = made_rows(GRID)
    for row in rows:
        if row["table"] == "ecoli" and row["method"] == "GAINImputer":
            row["rmse"] *= 1.5
    cells = cell_means(read_rows(stored(rows, tmp_path / "rows.jsonl"), GRID), "rmse", list(GRID.methods))
    text = in_short({"rmse": cells}, "GAINImputer")
    assert "worst against MICE: ecoli 1.080; behind MICE by more than 3%: ecoli." in text
    assert f"RMSE as a multiple of that of tree chain, all tables: {0.9 * 1.5 ** (1 / 3):.3f}" in text


def test_a_page_has_a_row_per_table_a_plot_and_the_seconds(tmp_path):
    paths = stored(made_rows(GRID), tmp_path / "rows.jsonl")
    text = write_report(GRID, paths, tmp_path / "made.md")
    assert "| glass* | 1.500 | 1.200 | **1.080** |" in text
    assert "| MNAR 30% | 0.720 | 0.900 |" in text
    assert "6-0-0" in text
    assert "9.0 s of ours to 9.0 s of theirs over 3 tables (1.00)" in text
    assert "No run failed (36 runs)" in text
    assert (tmp_path / "made_ranks.png").stat().st_size > 5000


def test_rows_of_another_grid_count_only_in_this_grids_cells_and_the_last_of_a_cell_stands(tmp_path):
    cell = Cell("glass", "mcar", 0.3, 0, "MICE")
    stranger = Cell("glass", "mcar", 0.5, 0, "MICE")
    own = stored([asdict(cell) | {"error": "first try"}, asdict(cell) | {"rmse": 2.0}], tmp_path / "own.jsonl")
    lent = stored([asdict(cell) | {"rmse": 9.0}, asdict(stranger) | {"rmse": 9.0}], tmp_path / "lent.jsonl")
    frame = read_rows([*own, *lent], GRID)
    assert frame["rmse"].tolist() == [2.0]


def test_run_missing_runs_only_what_is_not_there_and_keeps_failures_as_rows(tmp_path):
    def run(table):
        if table == "bad":
            raise ValueError("no such table")
        return {"rmse": 1.0}

    path = tmp_path / "deep" / "rows.jsonl"
    run_missing(path, [{"table": "good"}, {"table": "bad"}], run)
    run_missing(path, [{"table": "good"}, {"table": "bad"}], lambda table: pytest.fail("ran again"))
    found = pd.DataFrame(stored_rows(path)).set_index("table")
    assert found.loc["good", "rmse"] == 1.0
    assert found.loc["bad", "error"] == "ValueError: no such table"


def test_a_missing_environment_says_how_to_make_it(tmp_path, monkeypatch):
    monkeypatch.setenv("TABGAN_BENCH_ENVS", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"python -m benchmarks\.environments hyperimpute"):
        environment_python("hyperimpute")


def test_full_grids_run_every_method_everywhere_uncut():
    full = GRIDS["mechanisms"].full()
    assert (full.max_rows, full.max_columns, full.name) == (None, None, "mechanisms_full")
    grid = GRIDS["mechanisms"]
    sizes = (grid.tables, grid.methods, grid.mechanisms, grid.rates, grid.seeds)
    assert len(full.cells()) == np.prod([len(size) for size in sizes])


def test_borrowed_grids_cut_their_tables_alike():
    for grid in GRIDS.values():
        for name in grid.borrows:
            lender = GRIDS[name]
            assert (grid.max_rows, grid.max_columns, grid.all_numeric) == (
                lender.max_rows,
                lender.max_columns,
                lender.all_numeric,
            )


def test_the_page_of_whole_tables_compares_with_the_better_chain_and_says_what_is_missing():
    grid = replace(GRIDS["uncut"], tables=("letter", "diamonds"), mechanisms=("mcar", "mnar"))
    values = {"boosting chain": 0.5, "tree chain, 4 rounds": 0.4, "GAINImputer, fast": 0.44, "GAINImputer": 0.36}
    seconds = {"boosting chain": 10.0, "tree chain, 4 rounds": 30.0, "GAINImputer, fast": 12.0, "GAINImputer": 60.0}
    rows = pd.DataFrame(
        asdict(cell)
        | {"rmse": values[cell.method] * (1 + (cell.table == "letter")), "error_rate": np.nan, "error": None}
        | {"cpu_seconds": seconds[cell.method], "peak_mb": 100.0, "machine": "m", "torch": "2", "scikit-learn": "1"}
        for cell in grid.cells()
        if cell.method in values
    )
    written = page(rows, grid)
    assert f"**16 of {len(grid.cells())} runs are in" in written
    assert "- GAINImputer over the better chain, all tables: 0.900 in 4 cells; worst 0.900" in written
    assert (
        "- GAINImputer, fast over the better chain, tables not looked at: 1.100 in 2 cells; worst 1.100 (diamonds"
        in written
    )
    assert "| letter* MCAR | 1.000 | 0.800 | 0.880 | **0.720** |" in written
    assert "- GAINImputer, fast: 48 s to 40 s of the boosting chain over 4 cells (1.20)" in written
    assert "Labels" not in written


def test_a_failed_run_is_shown_on_the_page_of_whole_tables():
    grid = replace(GRIDS["uncut"], tables=("letter",), mechanisms=("mcar",), methods=("boosting chain", "GAINImputer"))
    known = {"machine": "m", "peak_mb": 1.0, "cpu_seconds": 1.0}
    rows = pd.DataFrame([asdict(cell) | known | {"error_rate": np.nan} for cell in grid.cells()])
    rows["rmse"], rows["error"] = [np.nan, 0.5], ["ValueError: too bad", None]
    written = page(rows, grid)
    assert "- failed: letter mcar, boosting chain: ValueError: too bad" in written
    assert "| letter* MCAR | failed | **0.500** |" in written
