"""`tabgan compare` from the outside: formats, streams, errors."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tabgan.cli import compare_job as command
from tabgan.cli.status import StatusLine

QUICK = ("--methods", "mean/mode,kNN", "--repeats", 2)


@pytest.fixture
def table(tmp_path, gappy) -> Path:
    path = tmp_path / "gaps.csv"
    gappy.to_csv(path, index=False)
    return path


def test_the_ranking_is_plain_text_on_stdout(tabgan, table):
    before = table.read_bytes()
    result = tabgan("compare", table, *QUICK, "--leave", "id")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split()[:2] == ["rank", "method"]
    assert lines[1].split()[:2] == ["1", "kNN"]
    assert lines[2].split()[:2] == ["2", "mean/mode"]
    assert lines[4].startswith("kNN fills this table best")
    assert "4 columns" in result.stdout
    assert "\x1b" not in result.stdout
    assert "[1/4] mean/mode, repeat 1 of 2 ..." in result.stderr
    assert tabgan("compare", table, *QUICK, "--leave", "id", "--quiet").stderr == ""
    assert table.read_bytes() == before


def test_all_methods_run_by_default(tabgan, table):
    result = tabgan("compare", table, "--repeats", 1, "--max-rows", 30, "--max-time", 0.1, "--leave", "id,day")
    assert result.exit_code == 0, result.output
    for name in ("mean/mode", "kNN", "MICE", "tree chain", "GAINImputer"):
        assert f" {name} " in result.stdout
    assert "30 rows of 60" in result.stdout
    assert "failed" not in result.stdout
    assert "tree chain took" in result.stdout


def test_output_files(tabgan, table, tmp_path):
    for name in ("r.json", "r.md", "r.csv"):
        result = tabgan("compare", table, *QUICK, "--categorical", "count", "-o", tmp_path / name)
        assert result.exit_code == 0, result.output
        assert "rank" in result.stdout
    content = json.loads((tmp_path / "r.json").read_text())
    assert content["best"] == content["summary"][0]["method"]
    kinds = {cell["column"]: cell["kind"] for cell in content["per_column"]}
    assert kinds == {"id": "number", "size": "number", "count": "label", "colour": "label", "day": "number"}
    assert content["verdict"] in (tmp_path / "r.md").read_text()
    ranking = pd.read_csv(tmp_path / "r.csv")
    assert ranking["method"].tolist() == [row["method"] for row in content["summary"]]


def test_draws_add_a_column(tabgan, gappy, tmp_path):
    gappy["size"] = gappy["size"].mask(gappy.index % 4 == 0)
    gappy.to_csv(tmp_path / "more.csv", index=False)
    result = tabgan("compare", tmp_path / "more.csv", *QUICK, "--leave", "id", "--draws", 2)
    assert result.exit_code == 0, result.output
    assert "energy-I-Score" in result.stdout.splitlines()[0]
    assert "kNN, draws ..." in result.stderr


def test_reading_options_are_those_of_impute(tabgan, tmp_path):
    rng = np.random.default_rng(0)
    rows = [
        f"{x:.3f};{2 * x:.3f};{'-9' if k % 9 == 0 else 'up' if x > 0 else 'down'}"
        for k, x in enumerate(rng.normal(size=50))
    ]
    path = tmp_path / "t.data"
    path.write_text("\n".join(rows))
    given = ("--no-header", "--delimiter", ";", "--missing", "-9", "--format", "csv", "-o", tmp_path / "r.json")
    result = tabgan("compare", path, *QUICK, *given)
    assert result.exit_code == 0, result.output
    cells = json.loads((tmp_path / "r.json").read_text())["per_column"]
    assert [cell["column"] for cell in cells[::2]] == ["1", "2", "3"]
    assert cells[-1]["n_cells"] <= 44


def test_streams_in_a_real_process_that_is_quick_to_start(table):
    arguments = [sys.executable, "-m", "tabgan.cli.main", "compare", "-", *map(str, QUICK)]
    done = subprocess.run(arguments, input=table.read_bytes(), capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().startswith("rank  method")
    script = (
        "import sys; from tabgan.cli.main import app\n"
        "try: app(['compare', '--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'torch', 'pandas', 'sklearn'} & set(sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert shown.returncode == 0
    assert b"--mechanism" in shown.stdout


def test_a_terminal_gets_a_table(table, tabgan, monkeypatch):
    from tabgan import compare_imputers

    result = compare_imputers(pd.read_csv(table), methods=["mean/mode", "kNN"], n_repeats=1)
    screen = io.StringIO()
    screen.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdout", screen)
    command.show(result)
    shown = screen.getvalue()
    assert "┃" in shown or "|" in shown
    assert result.verdict() in shown


def test_progress_overwrites_its_line_on_a_terminal(monkeypatch):
    screen = io.StringIO()
    screen.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", screen)
    tell = command._progress(StatusLine(True))
    tell(0, 1, "kNN")
    tell(1, 1, "done")
    assert screen.getvalue() == "\r\x1b[K[1/1] kNN ...\r\x1b[K"


def test_failures(tabgan, table, monkeypatch):
    from sklearn.impute import KNNImputer

    def fail(self, X, y=None):
        raise MemoryError("too wide")

    monkeypatch.setattr(KNNImputer, "fit_transform", fail)
    result = tabgan("compare", table, *QUICK)
    assert result.exit_code == 0
    assert "kNN failed: MemoryError: too wide" in result.stdout
    result = tabgan("compare", table, "--methods", "kNN")
    assert result.exit_code == 1
    assert "Every method failed" in result.stdout


BAD = {
    "no such file": (["{dir}/absent.csv"], "absent.csv"),
    "unknown column": (["{table}", "--leave", "sise"], "did you mean 'size'"),
    "left and categorical": (["{table}", "--leave", "size", "--categorical", "size"], "'size'"),
    "all columns left": (["{table}", "--leave", "id,size,count,colour,day"], "--leave"),
    "one column": (["{table}", "--leave", "id,size,count,colour"], "at least 2"),
    "bad rate": (["{table}", "--rate", "1"], "--rate 1.0"),
    "nothing to hide": (["{table}", "--rate", "0.00001"], "nothing to hide"),
    "bad repeats": (["{table}", "--repeats", "0"], "--repeats 0"),
    "bad draws": (["{table}", "--draws", "1"], "--draws 1"),
    "bad rows": (["{table}", "--max-rows", "1"], "--max-rows 1"),
    "bad seed": (["{table}", "--seed", "-1"], "--seed -1"),
    "bad time": (["{table}", "--max-time", "0"], "--max-time 0"),
    "bad mechanism": (["{table}", "--mechanism", "moon"], "--mechanism 'moon'"),
    "bad method": (["{table}", "--methods", "kN"], "--methods 'kN' is not a method"),
    "bad delimiter": (["{table}", "--delimiter", "ab"], "'ab'"),
    "bad output": (["{table}", "-o", "{dir}/r.pdf"], ".json, .md or .csv"),
    "no folder": (["{table}", "-o", "{dir}/no/r.md"], "does not exist"),
    "output is input": (["{table}", "-o", "{table}"], "input itself"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_calls_say_what_is_wrong(tabgan, table, tmp_path, case):
    arguments, message = BAD[case]
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    result = tabgan("compare", *(text.format(dir=tmp_path, table=table) for text in arguments), "--quiet")
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert result.stdout == ""
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_names_in_any_case_and_the_ranking_for_programs_on_stdout(tabgan, gappy, tmp_path):
    gappy.to_csv(tmp_path / "t.csv", index=False)
    asked = (
        "compare",
        tmp_path / "t.csv",
        "--methods",
        "KNN,MEAN/mode",
        "--mechanism",
        "MCAR",
        "--repeats",
        1,
        "--quiet",
    )
    plain, dashed = tabgan(*asked), tabgan(*asked, "-o", "-")
    assert plain.exit_code == dashed.exit_code == 0, dashed.output
    assert dashed.stdout.splitlines()[0] == plain.stdout.splitlines()[0]
    found = json.loads(tabgan(*asked, "--json").stdout)
    assert {row["method"] for row in found["summary"]} == {"kNN", "mean/mode"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.csv"]


def test_one_repeat_has_no_errors_of_chance_and_says_so(tabgan, gappy, tmp_path):
    gappy.to_csv(tmp_path / "t.csv", index=False)
    asked = ("compare", tmp_path / "t.csv", "--methods", "kNN,mean/mode", "--quiet", "--repeats")
    one, two = (tabgan(*asked, n).stdout for n in (1, 2))
    assert "±" not in one
    assert "One repeat says nothing of chance" in one
    assert "--repeats 3" in one
    assert "±" in two
    assert "One repeat" not in two
    assert "numbers: RMSE in sd (n=" in two
