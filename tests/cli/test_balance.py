"""`tabgan balance` and `tabgan sample` from the outside: originals untouched, exact counts, formats, models, errors."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tabgan import BAGANOversampler, GAINImputer
from tabgan.cli.balance import Gate
from tabgan.sampling.base import TabularSampler
from tabgan.sampling.gate import GATES, GateDecision

QUICK = ("--steps", 5, "--device", "cpu")


@pytest.fixture
def classed(gappy) -> pd.DataFrame:
    """60 rows with missing cells, strings, dates, and a class of 3 rows."""
    return gappy.assign(kind=["tiny"] * 3 + ["rare"] * 14 + ["common"] * 43, code=[2] * 3 + [1] * 14 + [0] * 43)


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """In the format that the name ends in."""
    kind = path.suffix.removeprefix(".")
    if kind in ("csv", "tsv"):
        frame.to_csv(path, sep="," if kind == "csv" else "\t", index=False)
    elif kind == "jsonl":
        days = frame["day"].astype(str).replace("NaT", None)
        frame.assign(day=days).to_json(path, orient="records", lines=True)
    else:
        getattr(frame, f"to_{kind}")(path)


@pytest.fixture
def table(tmp_path, classed):
    path = tmp_path / "in.csv"
    classed.drop(columns="code").to_csv(path, index=False, na_rep="?")
    return path


def test_originals_come_first_and_untouched_then_exact_counts(tabgan, table, tmp_path):
    out, report = tmp_path / "out.csv", tmp_path / "r.json"
    result = tabgan("balance", table, "-t", "kind", "-o", out, "--missing", "?", "--report", report, *QUICK)
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert out.read_bytes().startswith(table.read_bytes())
    rows = pd.read_csv(out, na_values="?", parse_dates=["day"])
    assert rows["kind"].value_counts().to_dict() == {"common": 43, "rare": 43, "tiny": 43}
    made = rows.iloc[60:]
    assert "?" in out.read_text().removeprefix(table.read_text())  # gaps as the file writes them
    assert made["count"].dropna().map(float.is_integer).all()
    assert set(made["colour"].dropna()) <= {"red", "blue"}
    assert made["day"].dropna().between("2024-01-01", "2024-03-31").all()
    assert "60 rows, 69 synthetic rows made" in result.stderr
    assert "class 'tiny' has 3 rows" in result.stderr
    said = json.loads(report.read_text())
    assert [(line["class"], line["n_real"], line["n_synthetic"]) for line in said["classes"]] == [
        ("common", 43, 0),
        ("rare", 14, 29),
        ("tiny", 3, 40),
    ]
    assert said["n_synthetic"] == 69
    assert said["model"]["method"] == "BAGANOversampler"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv", "r.json"]


def test_left_columns_are_empty_and_made_rows_marked(tabgan, table, tmp_path):
    out = tmp_path / "out.csv"
    text = table.read_text().rstrip("\n").replace("\n", "\r\n")  # no newline at the end
    table.write_bytes(text.encode())
    result = tabgan(
        "balance",
        table,
        "--target",
        "kind",
        "-o",
        out,
        "--leave",
        "id",
        "--mark",
        "made, by us",
        "--missing",
        "?",
        *QUICK,
    )
    assert result.exit_code == 0, result.output
    before, after = text.split("\r\n"), out.read_bytes().decode().split("\r\n")
    assert after[0] == before[0] + ',"made, by us"'
    assert after[1:61] == [line + ",false" for line in before[1:]]
    assert all(line.startswith(",") and line.endswith(",true") for line in after[61:130])
    assert after[130:] == [""]


@pytest.mark.parametrize("kind", ["tsv", "jsonl", "parquet", "feather"])
def test_formats(tabgan, classed, tmp_path, kind):
    source, out = tmp_path / f"in.{kind}", tmp_path / f"out.{kind}"
    write_table(classed, source)
    arguments = ("-t", "code", "--leave", "kind", "--mark", "made", "--strategy", '{"1": 20, "2": 5}')
    result = tabgan("balance", source, "-o", out, *arguments, *QUICK)
    assert result.exit_code == 0, result.output
    readers = {
        "tsv": lambda path: pd.read_csv(path, sep="\t"),
        "jsonl": lambda path: pd.DataFrame([json.loads(line) for line in path.read_text().splitlines()]),
        "parquet": pd.read_parquet,
        "feather": pd.read_feather,
    }
    rows, before = readers[kind](out), readers[kind](source)
    assert list(rows.columns) == [*classed.columns, "made"]
    pd.testing.assert_frame_equal(rows.iloc[:60, :-1], before, check_dtype=False)
    assert rows["made"].tolist() == [False] * 60 + [True] * 8
    assert rows["code"].tolist()[60:] == [1] * 6 + [2] * 2
    assert rows["kind"].iloc[60:].isna().all()
    assert rows["size"].iloc[60:].notna().any()


def test_from_one_format_to_another(tabgan, table, tmp_path):
    out = tmp_path / "out.parquet"
    result = tabgan("balance", table, "-t", "kind", "-o", out, "--missing", "?", "--mark", "made", *QUICK)
    assert result.exit_code == 0, result.output
    rows = pd.read_parquet(out)
    assert len(rows) == 129
    assert rows["day"].dtype.kind == "M"
    assert rows["made"].sum() == 69


def test_strategies_and_methods(tabgan, table, tmp_path):
    out = tmp_path / "out.csv"
    two = tmp_path / "two.csv"
    lines = table.read_text().splitlines(keepends=True)
    two.write_text("".join([lines[0], *lines[4:]]))
    arguments = ("-t", "kind", "-o", out, "--missing", "?", "--quiet", *QUICK)
    assert tabgan("balance", two, *arguments, "--strategy", 0.5, "--method", "cgan").stderr == ""
    assert pd.read_csv(out)["kind"].value_counts().to_dict() == {"common": 43, "rare": 21}
    assert tabgan("balance", table, *arguments, "--strategy", "minority").exit_code == 0
    assert pd.read_csv(out)["kind"].value_counts().to_dict() == {"common": 43, "tiny": 43, "rare": 14}


@pytest.mark.parametrize(("share", "rare"), [(0.0, 14), (0.5, 14 + 14), (1.0, 43)])
def test_the_gate_says_how_many_rows_are_made(tabgan, table, tmp_path, monkeypatch, share, rare):
    asked = []

    def decide(rows, codes, wanted, make_rows, measure, *rest):
        asked.append(measure)
        return GateDecision(measure, share, "as the test has it", pd.DataFrame())

    monkeypatch.setattr("tabgan.sampling.fit.decide", decide)
    out, report = tmp_path / "out.csv", tmp_path / "r.json"
    arguments = ("-t", "kind", "-o", out, "--missing", "?", "--report", report, *QUICK)
    result = tabgan("balance", table, *arguments, "--gate", "roc_auc", "--strategy", '{"rare": 43}')
    assert result.exit_code == 0, result.output
    assert asked == ["roc_auc"]
    assert pd.read_csv(out)["kind"].value_counts().to_dict() == {"common": 43, "rare": rare, "tiny": 3}
    said = json.loads(report.read_text())["model"]["gate"]
    assert "as the test has it" in said
    assert said in " ".join(result.stderr.split())
    assert ("without --gate, all rows that balance asks for are made" in result.stderr) == (share == 0)


def test_an_unknown_gate_is_bad_usage(tabgan, table, tmp_path):
    result = tabgan("balance", table, "-t", "kind", "-o", tmp_path / "out.csv", "--gate", "accuracy")
    assert result.exit_code == 2
    assert "average_precision" in result.stderr


def test_the_gate_option_has_every_measure():
    assert tuple(gate.value for gate in Gate) == GATES


def test_a_balanced_table_stays_as_it_is(tabgan, tmp_path):
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("a,y\n1,u\n2,v\n")
    result = tabgan("balance", source, "-t", "y", "-o", out)
    assert out.read_bytes() == source.read_bytes()
    assert "0 synthetic rows made" in result.stderr
    assert "nothing to learn" in result.stderr


def test_streams_in_a_real_process(table):
    command = [sys.executable, "-m", "tabgan.cli.main", "balance", "-", "-t", "kind", "-o", "-", "--missing", "?"]
    done = subprocess.run(
        [*command, *map(str, QUICK), "--quiet"], input=table.read_bytes(), capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(table.read_bytes())
    assert len(done.stdout.splitlines()) == 1 + 3 * 43


def test_streams_are_files_and_a_seed_repeats(table, tmp_path, tabgan):
    arguments, out = ("-t", "kind", "--missing", "?", *QUICK), tmp_path / "out.csv"
    tabgan("balance", table, "-o", out, *arguments)
    assert tabgan("balance", "-", "-o", "-", *arguments, input=table.read_bytes()).stdout_bytes == out.read_bytes()
    before = out.read_bytes()
    tabgan("balance", table, "-o", out, "--seed", 1, *arguments)
    assert before != out.read_bytes()


@pytest.fixture
def model(tabgan, classed, tmp_path):
    source, path = tmp_path / "train.csv", tmp_path / "m.tabgan"
    classed.assign(flag=np.arange(60) % 2 == 0).to_csv(source, index=False)
    arguments = ("-t", "code", "--leave", "id,kind", "--model", path)
    result = tabgan("balance", source, "-o", tmp_path / "out.csv", *arguments, *QUICK)
    assert result.exit_code == 0, result.output
    return path


def test_sample_draws_from_a_saved_model(tabgan, model, tmp_path):
    out = tmp_path / "rows.csv"
    wanted = ("--class", 1, "--where", "colour=red", "--where", "count=20", "--where", "day=2024-02-01")
    result = tabgan("sample", model, "-n", 7, *wanted, "-o", out)
    assert result.exit_code == 0, result.output
    assert "7 rows of class '1'" in result.stderr
    rows = pd.read_csv(out)
    assert list(rows.columns) == ["size", "count", "colour", "day", "flag", "code"]
    fixed = rows[["count", "colour", "day", "code"]].drop_duplicates().to_numpy().tolist()
    assert fixed == [[20, "red", "2024-02-01", 1]]
    tabgan("sample", model, "-n", 200, "-o", tmp_path / "rows.parquet", "-q")
    drawn = pd.read_parquet(tmp_path / "rows.parquet")
    assert len(drawn) == 200
    assert drawn["code"].value_counts().idxmax() == 0
    first, again, other = (tabgan("sample", model, "-n", 3, "-o", "-", "--seed", seed).stdout for seed in (4, 4, 5))
    assert first == again != other


def test_sample_from_arrays(tabgan, tmp_path):
    path = tmp_path / "m.tabgan"
    X = np.random.default_rng(0).normal(size=(40, 2))
    BAGANOversampler(n_steps=0, random_state=0).fit(X, np.repeat([False, True], [30, 10])).save(path)
    result = tabgan("sample", path, "-n", 2, "--class", "true", "-o", "-", "--output-format", "jsonl", "-q")
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [list(record) for record in records] == [["1", "2", "class"]] * 2
    assert all(record["class"] is True for record in records)


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet", "feather"])
@pytest.mark.parametrize("target", ["code", "kind", "flag"])
def test_a_model_file_is_written_then_reused_without_training(tabgan, classed, tmp_path, monkeypatch, kind, target):
    source, path = tmp_path / f"in.{kind}", tmp_path / "m.tabgan"
    classed = classed.assign(
        flag=[True] * 20 + [False] * 40,
        padded=[f"0{k % 7}" for k in range(60)],
        cut=pd.Categorical(np.where(classed["size"] > 10, "big", "small")),
    )
    write_table(classed, source)
    first, again, fewer = (tmp_path / f"{name}.{kind}" for name in ("first", "again", "fewer"))
    arguments = ("balance", source, "-t", target, "--leave", "id", "--categorical", "count", "--model", path)
    result = tabgan(*arguments, "-o", first, *QUICK, "--seed", 3)
    assert result.exit_code == 0, result.output
    written = path.read_bytes()
    monkeypatch.setattr(TabularSampler, "fit", None)
    result = tabgan(*arguments, "-o", again, "--steps", 9)
    assert result.exit_code == 0, result.output
    assert again.read_bytes() == first.read_bytes()
    assert "is reused, so --steps has no effect; --refit fits anew." in result.stderr
    assert f"model reused from {path}" in result.stderr
    result = tabgan(*arguments, "-o", fewer, "--strategy", "minority", "--report", tmp_path / "r.json")
    assert result.exit_code == 0, result.output
    assert "note:" not in result.stderr
    model = json.loads((tmp_path / "r.json").read_text())["model"]
    assert (model["reused"], model["seed"], model["steps"]) == (True, 3, 5)
    assert path.read_bytes() == written


def test_refit_replaces_a_model_and_needs_one(tabgan, classed, tmp_path):
    source, path, out = tmp_path / "in.csv", tmp_path / "m.tabgan", tmp_path / "out.csv"
    write_table(classed, source)
    arguments = ("balance", source, "-t", "kind", "-o", out, *QUICK)
    assert "--refit needs --model FILE" in tabgan(*arguments, "--refit").stderr
    assert tabgan(*arguments, "--refit", "--model", path).exit_code == 0
    written = path.read_bytes()
    result = tabgan(*arguments, "--refit", "--model", path, "--seed", 1)
    assert result.exit_code == 0, result.output
    assert "reused" not in result.stderr
    assert path.read_bytes() != written


@pytest.mark.parametrize("change", ["a cell", "a gap", "a label", "a column", "a row", "nothing, but read otherwise"])
def test_a_model_makes_rows_for_its_own_table_alone(tabgan, classed, tmp_path, change):
    source, path, out = tmp_path / "in.csv", tmp_path / "m.tabgan", tmp_path / "out.csv"
    write_table(classed, source)
    arguments = ("balance", source, "-t", "kind", "-o", out, "--model", path)
    assert tabgan(*arguments, *QUICK).exit_code == 0
    out.unlink()
    other = classed.copy()
    if change in ("a cell", "a gap"):
        other.loc[other["size"].first_valid_index(), "size"] = 99.5 if change == "a cell" else None
    elif change == "a label":
        other.loc[30, "kind"] = "rare"
    elif change == "a row":
        other = other.iloc[:-1]
    write_table(other.rename(columns={"code": "kode"}) if change == "a column" else other, source)
    result = tabgan(*arguments, *(("--leave", "id") if change.startswith("nothing") else ()))
    assert result.exit_code == 2, result.output
    assert "is not the table that the model in" in result.stderr
    assert not out.exists()


def test_a_model_of_another_kind_is_refused(tabgan, classed, tmp_path):
    source, imputer, sampler = (tmp_path / name for name in ("in.csv", "i.tabgan", "s.tabgan"))
    write_table(classed, source)
    GAINImputer(n_steps=1, draw_steps=0, n_members=1).fit(classed[["size", "count"]]).save(imputer)
    BAGANOversampler(n_steps=0).fit(classed[["size"]], classed["kind"]).save(sampler)
    out = ("-o", tmp_path / "out.csv")
    for arguments, kind in (
        (("balance", source, "-t", "kind", "--model", imputer, *out), "GAINImputer"),
        (("impute", source, "--model", sampler, *out), "BAGANOversampler"),
        (("sample", imputer, "-n", 1, *out), "GAINImputer"),
    ):
        result = tabgan(*arguments)
        assert result.exit_code == 2
        assert f"holds a {kind}; here it takes a model that tabgan" in result.stderr


BAD = {
    "unknown target": (("-t", "knd"), "did you mean 'kind'?"),
    "target left": (("-t", "kind", "--leave", "kind"), "in --target and in --leave"),
    "missing classes": (
        ("-t", "size", "--missing", "?", "--leave", "id"),
        "column 'size' (--target) has no class in line ",
    ),
    "mark exists": (("-t", "kind", "--mark", "day"), "--mark 'day'"),
    "unknown strategy": (("-t", "kind", "--strategy", "most"), "--strategy 'most' is not known"),
    "share too large": (("-t", "kind", "--strategy", "2"), "above 0 and at most 1"),
    "share for three": (("-t", "kind", "--strategy", "0.5"), "--strategy 0.5:"),
    "unknown class": (("-t", "kind", "--strategy", '{"rara": 9}'), "no class 'rara'"),
    "fewer": (("-t", "kind", "--strategy", '{"rare": 9}'), "class 'rare' has 14 rows already"),
    "no number": (("-t", "kind", "--strategy", '{"rare": 1.5}'), "whole number"),
    "steps": (("-t", "kind", "--steps", "0"), "--steps 0"),
    "report": (("-t", "kind", "--report", "r.doc"), "--report 'r.doc'"),
    "same file twice": (("-t", "kind", "--model", "OUT"), "name the same file"),
    "model over input": (("-t", "kind", "--model", "IN"), "is the input itself"),
    "nothing to learn from": (("-t", "kind", "--leave", "id,size,count,colour,day"), "beside the target"),
}


@pytest.mark.parametrize("case", BAD)
def test_mistakes_are_named_before_anything_is_written(tabgan, table, tmp_path, case):
    arguments, message = BAD[case]
    out = tmp_path / "out.csv"
    places = {"OUT": out, "IN": table}
    result = tabgan("balance", table, "-o", out, *(places.get(part, part) for part in arguments))
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stderr.startswith("error: ")
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_failure_while_training_leaves_everything_as_it_was(tabgan, table, tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("precious")
    result = tabgan("balance", table, "-t", "kind", "-o", out, "--device", "nonsense", "--model", tmp_path / "m.tabgan")
    assert result.exit_code == 2, result.output
    assert out.read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_mistakes_with_a_model(tabgan, model, table, tmp_path):
    before = sorted(path.name for path in tmp_path.iterdir())
    for arguments, message in (
        (("--class", "9"), "knows no such class; it has '0', '1', '2'."),
        (("--where", "colour"), "give a column and a value"),
        (("--where", "color=red"), "did you mean 'colour'?"),
        (("--where", "colour=rde"), "did you mean 'red'?"),
        (("--where", "count=many"), "column 'count' holds numbers"),
        (("--where", "day=soon"), "column 'day' holds datetimes"),
        (("--seed", "-1"), "--seed -1"),
    ):
        result = tabgan("sample", model, "-n", 2, "-o", tmp_path / "rows.csv", *arguments)
        assert result.exit_code == 2, result.output
        assert message in result.stderr
    assert "-n 0" in tabgan("sample", model, "-n", 0, "-o", "-").stderr
    assert "no model file" in tabgan("sample", tmp_path / "none", "-n", 1, "-o", "-").stderr
    assert "truncated" in tabgan("sample", table, "-n", 1, "-o", "-").stderr
    assert "is the input itself" in tabgan("sample", model, "-n", 1, "-o", model, "--output-format", "csv").stderr
    GAINImputer(n_steps=1, draw_steps=0, n_members=1).fit(pd.DataFrame({"a": [1.0, None, 2.0, 3.0]})).save(
        tmp_path / "g.tabgan"
    )
    assert "holds a GAINImputer" in tabgan("sample", tmp_path / "g.tabgan", "-n", 1, "-o", "-").stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*before, "g.tabgan"])
