"""`tabgan impute` from the outside: files, streams, models, reports, errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

QUICK = ("--steps", 20, "--device", "cpu")


@pytest.fixture
def table(tmp_path, gappy) -> Path:
    path = tmp_path / "gaps.csv"
    gappy.to_csv(path, index=False)
    return path


def run_process(*arguments: object, input: bytes | None = None) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "tabgan.cli.main", *map(str, arguments)]
    return subprocess.run(command, input=input, capture_output=True, timeout=120)


def changed_cells(before: str, after: str) -> list[tuple[str, str]]:
    """Cells that differ between two simple CSV texts."""
    pairs = zip(before.splitlines(), after.splitlines(), strict=True)
    return [(a, b) for old, new in pairs for a, b in zip(old.split(","), new.split(","), strict=True) if a != b]


def test_gaps_and_nothing_else_are_filled(tabgan, table, tmp_path, gappy):
    out = tmp_path / "full.csv"
    result = tabgan("impute", table, "-o", out, *QUICK)
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    changes = changed_cells(table.read_text(), out.read_text())
    assert len(changes) == int(gappy.isna().sum().sum()) == 32
    assert all(old == "" and new != "" for old, new in changes)
    assert "32 of 32 missing cells filled" in result.stderr
    filled = pd.read_csv(out)
    assert filled["count"].dtype.kind == "i"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full.csv", "gaps.csv"]


def test_streams_in_a_real_process(table, tmp_path, tabgan):
    done = run_process("impute", "-", "-o", "-", *QUICK, input=table.read_bytes())
    assert done.returncode == 0, done.stderr
    assert len(changed_cells(table.read_text(), done.stdout.decode())) == 32
    assert b"missing cells filled" in done.stderr
    # To the bit only within this process: the other one may use more threads.
    out = tmp_path / "full.csv"
    tabgan("impute", table, "-o", out, *QUICK)
    assert tabgan("impute", "-", "-o", "-", *QUICK, input=table.read_bytes()).stdout_bytes == out.read_bytes()


def test_a_reader_that_leaves_early_is_no_drama(table):
    command = (
        f"{sys.executable} -m tabgan.cli.main impute {table} -o - --quiet --steps 5 | true; echo ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=120, text=True)
    assert done.stderr == ""
    assert done.stdout.strip() in ("0", "141")


def test_input_may_be_output(tabgan, table):
    before = table.read_text()
    assert tabgan("impute", table, "-o", table, *QUICK, "--quiet").stderr == ""
    assert len(changed_cells(before, table.read_text())) == 32


def test_a_model_is_saved_and_reused(tabgan, table, tmp_path):
    model, first, second = tmp_path / "m.tabgan", tmp_path / "1.csv", tmp_path / "2.csv"
    assert tabgan("impute", table, "-o", first, "--model", model, *QUICK).exit_code == 0
    saved = model.read_bytes()
    result = tabgan("impute", table, "-o", second, "--model", model, "--seed", 5)
    assert result.exit_code == 0, result.output
    assert "model reused" in result.stderr
    assert "--seed has no effect" in result.stderr
    assert first.read_bytes() == second.read_bytes()
    assert model.read_bytes() == saved
    assert tabgan("impute", table, "-o", second, "--model", model, "--refit", "--seed", 5, *QUICK).exit_code == 0
    assert model.read_bytes() != saved


def test_a_reused_model_decides_how_cells_are_read(tabgan, table, tmp_path):
    model, new, out = tmp_path / "m.tabgan", tmp_path / "new.csv", tmp_path / "out.csv"
    tabgan("impute", table, "-o", out, "--model", model, "--categorical", "count", *QUICK)
    new.write_text("id,size,count,colour,day\n1,,21,red,2024-01-05\n2,9.5,,,\n")
    result = tabgan("impute", new, "-o", out, "--model", model)
    assert result.exit_code == 0, result.output
    assert "" not in out.read_text().replace("\n", ",").removesuffix(",").split(",")
    new.write_text("id,size,count,colour,day\n1,,21,red,2024-01-05\n2,many,,,\n")
    result = tabgan("impute", new, "-o", out, "--model", model)
    assert result.exit_code == 2
    assert "'size' has 'many' in line 3" in result.stderr
    new.write_text("id,size,count,colour,extra\n1,,21,red,2024-01-05\n")
    result = tabgan("impute", new, "-o", out, "--model", model)
    assert result.exit_code == 2
    assert "extra" in result.stderr
    assert "day" in result.stderr
    assert "--refit" in result.stderr


def test_leave_and_only(tabgan, table, tmp_path, gappy):
    out, report = tmp_path / "full.csv", tmp_path / "r.json"
    tabgan("impute", table, "-o", out, "--leave", "id,size", "--only", "colour", "--report", report, *QUICK)
    changes = changed_cells(table.read_text(), out.read_text())
    assert len(changes) == 8
    assert {new for _, new in changes} <= {"red", "blue"}
    kinds = {column["name"]: column["kind"] for column in json.loads(report.read_text())["columns"]}
    assert kinds["id"] == kinds["size"] == "left alone"


@pytest.mark.parametrize("kind", ["tsv.gz", "jsonl", "parquet", "feather"])
def test_other_formats_from_end_to_end(tabgan, table, tmp_path, kind, gappy):
    if kind in ("parquet", "feather"):
        pytest.importorskip("pyarrow")
    middle, out, back = tmp_path / f"a.{kind}", tmp_path / f"b.{kind}", tmp_path / "back.csv"
    assert tabgan("impute", table, "-o", middle, "--only", "day", *QUICK).exit_code == 0
    result = tabgan("impute", middle, "-o", out, *QUICK)
    assert result.exit_code == 0, result.output
    assert "24 of 24 missing cells" in result.stderr
    assert tabgan("impute", out, "-o", back, *QUICK).exit_code == 0
    filled = pd.read_csv(back, parse_dates=["day"])
    assert not filled.isna().to_numpy().any()
    for name in gappy.columns:
        seen = gappy[name].notna()
        assert filled[name][seen].tolist() == gappy[name][seen].tolist()


def test_empty_columns_stay_empty_and_are_reported(tabgan, tmp_path, gappy):
    path, out = tmp_path / "t.csv", tmp_path / "full.csv"
    gappy.assign(nothing=None).to_csv(path, index=False)
    result = tabgan("impute", path, "-o", out, *QUICK)
    assert result.exit_code == 0, result.output
    assert "left empty" in result.stderr
    assert pd.read_csv(out)["nothing"].isna().all()


def test_reports(tabgan, table, tmp_path):
    text, data = tmp_path / "r.txt", tmp_path / "r.json"
    assert tabgan("impute", table, "-o", tmp_path / "1.csv", "--report", text, "--quiet", *QUICK).stderr == ""
    assert "validation error" in text.read_text()
    tabgan("impute", table, "-o", tmp_path / "1.csv", "--report", data, *QUICK)
    content = json.loads(data.read_text())
    assert (content["missing"], content["filled"], content["model"]["seed"]) == (32, 32, 0)
    colour = next(column for column in content["columns"] if column["name"] == "colour")
    assert {"error_rate", "error_rate_mode", "n_cells"} <= set(colour["validation"])
    result = tabgan("impute", table, "-o", "-", "--report", "-", *QUICK)
    assert result.stdout.startswith("id,size,count,colour,day\n")
    assert result.stderr.count("missing cells filled") == 1


def test_a_table_without_gaps_is_copied(tabgan, tmp_path):
    path, out = tmp_path / "t.csv", tmp_path / "o.csv"
    path.write_text('a,b\n1.50,"x"\n')
    result = tabgan("impute", path, "-o", out)
    assert result.exit_code == 0, result.output
    assert out.read_bytes() == path.read_bytes()


BAD = {
    "no such file": (["{dir}/absent.csv", "-o", "{out}"], "absent.csv"),
    "a folder as input": (["{dir}", "-o", "{out}", "--format", "csv"], "is a folder"),
    "unknown extension": (["{dir}/gaps.xlsx", "-o", "{out}"], ".xlsx"),
    "unknown output extension": (["{table}", "-o", "{dir}/full.doc"], ".doc"),
    "unknown format": (["{table}", "-o", "{out}", "--format", "xml"], "'xml'"),
    "no folder for the output": (["{table}", "-o", "{dir}/no/full.csv"], "does not exist"),
    "output is a folder": (["{table}", "-o", "{dir}", "--output-format", "csv"], "is a folder"),
    "no output": (["{table}"], "--output"),
    "unknown option": (["{table}", "-o", "{out}", "--sead", "1"], "--sead"),
    "unknown column": (["{table}", "-o", "{out}", "--leave", "sise"], "did you mean 'size'"),
    "column in both": (["{table}", "-o", "{out}", "--leave", "size", "--only", "size"], "'size'"),
    "all columns left": (["{table}", "-o", "{out}", "--leave", "id,size,count,colour,day"], "--leave"),
    "bad steps": (["{table}", "-o", "{out}", "--steps", "0"], "--steps 0"),
    "bad time": (["{table}", "-o", "{out}", "--max-time", "-1"], "--max-time -1"),
    "bad seed": (["{table}", "-o", "{out}", "--seed", "-1"], "--seed -1"),
    "seed no number": (["{table}", "-o", "{out}", "--seed", "x"], "--seed"),
    "bad objective": (["{table}", "-o", "{out}", "--objective", "best"], "best"),
    "bad device": (["{table}", "-o", "{out}", "--device", "abacus"], "'abacus'"),
    "bad delimiter": (["{table}", "-o", "{out}", "--delimiter", "ab"], "'ab'"),
    "bad encoding": (["{table}", "-o", "{out}", "--encoding", "utf-99"], "'utf-99'"),
    "bad report": (["{table}", "-o", "{out}", "--report", "r.pdf"], "'r.pdf'"),
    "refit what": (["{table}", "-o", "{out}", "--refit"], "--model"),
    "no model file": (["{table}", "-o", "{out}", "--model", "{table}"], "gaps.csv"),
    "model is output": (["{table}", "-o", "{out}", "--model", "{out}"], "same file"),
    "infinite cell": (["{dir}/infinite.csv", "-o", "{out}"], "'a'"),
    "ragged": (["{dir}/ragged.csv", "-o", "{out}"], "line 3"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_calls_say_what_is_wrong_and_leave_nothing(tabgan, table, tmp_path, case):
    (tmp_path / "gaps.xlsx").write_bytes(b"PK")
    (tmp_path / "infinite.csv").write_text("a,b\n1,2\ninf,3\n,4\n5,6\n")
    (tmp_path / "ragged.csv").write_text("a,b\n1,2\n3\n")
    out = tmp_path / "full.csv"
    out.write_text("precious")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    arguments, message = BAD[case]
    result = tabgan("impute", *(text.format(dir=tmp_path, table=table, out=out) for text in arguments))
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_failures_inside_leave_nothing_and_are_told_apart(tabgan, table, tmp_path, monkeypatch):
    from tabgan.exceptions import TrainingDivergedError
    from tabgan.imputation.gain import GAINImputer

    for error, code in (
        (TrainingDivergedError("non-finite"), 1),
        (KeyboardInterrupt(), 130),
        (RuntimeError("oops"), 1),
    ):
        monkeypatch.setattr(GAINImputer, "fit", lambda self, X, error=error: (_ for _ in ()).throw(error))
        result = tabgan("impute", table, "-o", tmp_path / "o.csv", "--model", tmp_path / "m.tabgan")
        assert result.exit_code == code
        assert result.stderr.startswith("error: ")
        assert "Traceback" not in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["gaps.csv"]
    assert "Traceback" in tabgan("impute", table, "-o", tmp_path / "o.csv", "--debug").stderr
    assert "Traceback" not in tabgan("impute", table, "-o", tmp_path / "o.csv").stderr


def test_help_and_version_are_quick(tabgan):
    assert tabgan("--version").stdout.startswith("tabgan ")
    assert "Exit codes" in tabgan("--help").stdout
    assert "--leave" in tabgan("impute", "--help").stdout
    assert tabgan().exit_code == 2
    script = (
        "import sys; from tabgan.cli.main import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'torch', 'pandas'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True).returncode == 0
    assert tabgan("impite").exit_code == 2


def test_a_single_column_that_varies_is_said_to_get_one_value(tabgan, tmp_path):
    pd.DataFrame({"x": [1.5, 2.5, None, 4.5] * 10, "same": "a"}).to_csv(tmp_path / "t.csv", index=False)
    done = tabgan("impute", tmp_path / "t.csv", "-o", tmp_path / "o.csv", "--effort", "fast")
    assert done.exit_code == 0, done.output
    value = pd.read_csv(tmp_path / "o.csv")["x"].iloc[2]
    assert value == 2.8  # 2.83 with its decimals
    assert f"all 10 missing cells get its mean, {value}" in " ".join(done.stderr.split())


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "xlsx"])
def test_rows_with_imputed_cells_are_marked(tabgan, gappy, tmp_path, ending):
    path, out = tmp_path / f"t.{ending}", tmp_path / f"out.{ending}"
    gappy = gappy.drop(columns="day")
    if ending == "jsonl":
        gappy.to_json(path, orient="records", lines=True)
    else:
        pytest.importorskip({"parquet": "pyarrow", "xlsx": "openpyxl"}.get(ending, "pandas"))
        {"csv": gappy.to_csv, "parquet": gappy.to_parquet, "xlsx": gappy.to_excel}[ending](path, index=False)
    options = ["--leave", "id", "--mark", "imputed", "--effort", "fast"]
    result = tabgan("impute", path, "-o", out, *options)
    assert result.exit_code == 0, result.output
    read = {"csv": pd.read_csv, "parquet": pd.read_parquet, "xlsx": pd.read_excel}
    filled = (
        pd.read_json(out, lines=True)
        if ending == "jsonl"
        else read[ending](out, **({"engine": "openpyxl"} if ending == "xlsx" else {}))
    )
    assert list(filled.columns) == [*gappy.columns, "imputed"]
    assert filled["imputed"].tolist() == gappy.isna().any(axis=1).tolist()
    assert "imputed" not in result.stderr.split("column")[1]


def test_a_mark_needs_a_new_name_and_a_whole_table(tabgan, table, tmp_path):
    taken = tabgan("impute", table, "-o", tmp_path / "o.csv", "--mark", "size")
    assert taken.exit_code == 2
    assert "has such a column already" in taken.stderr
    parts = tabgan("impute", table, "-o", tmp_path / "o.csv", "--mark", "new", "--batch-rows", "20")
    assert parts.exit_code == 2
    assert "drop --mark" in parts.stderr
