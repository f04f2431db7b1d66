"""`tabgan check` and `tabgan impute --dry-run`: what is said, what is suggested, and that nothing else happens."""

import json
import shlex

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def path(tmp_path):
    rng = np.random.default_rng(0)
    n = 60
    frame = pd.DataFrame(
        {
            "row": np.arange(n),
            "age": np.where(rng.random(n) < 0.1, "-999", rng.integers(18, 90, n).astype(str)),
            "land": rng.choice(["BW", "NA", "ZA"], n),
            "size": rng.normal(size=n).round(3).astype(str),
        }
    )
    frame.loc[3, "size"] = "?"
    frame.loc[4:8, "land"] = ""
    frame.to_csv(tmp_path / "t.csv", index=False)
    return tmp_path / "t.csv"


def next_command(text):
    return shlex.split(text.rstrip().splitlines()[-1].removeprefix("Next: "))


def test_everything_is_said_once(tabgan, path):
    done = tabgan("check", path)
    assert done.exit_code == 0, done.output
    out = done.stdout
    for part in (
        "60 rows, 4 columns",
        "-999",
        "looks like a name of rows",
        "cells 'NA'",
        "imputed from 3",
    ):
        assert part in out, part
    assert out.count("add --missing 'size=?'") == 1
    assert done.stderr == ""
    assert next_command(out) == [
        "tabgan", "impute", str(path), "-o", str(path.with_name("t_full.csv")), "--leave", "row",
        "--missing", "size=?", "--missing", "age=-999",
    ]  # fmt: skip
    assert sorted(one.name for one in path.parent.iterdir()) == ["t.csv"]


def test_for_programs(tabgan, path):
    found = json.loads(tabgan("check", path, "--json").stdout)
    assert found["markers"]["land"]["NA"] > 5
    assert [one["kind"] for one in found["findings"]] == ["sentinel", "id"]
    assert found["command"][:3] == ["tabgan", "impute", str(path)]
    assert found["columns"][1] | {"why": ""} == {
        "name": "age",
        "kind": "integer",
        "why": "",
        "n_missing": 0,
        "plan": "",
    }


def test_the_command_repeats_how_the_file_is_to_be_read(tabgan, tmp_path):
    path = tmp_path / "my table.csv.gz"
    pd.DataFrame({"a": ["x;y", "z", "w"] * 8, "b": [1.5, 2.25, 3.5] * 8}).to_csv(
        path, sep="|", index=False, encoding="utf-16"
    )
    out = tabgan(
        "check",
        path,
        "--delimiter",
        "|",
        "--encoding",
        "utf-16",
        "--no-default-markers",
        "--categorical",
        "b",
        "--missing",
        "?",
    ).stdout
    assert next_command(out) == [
        "tabgan", "impute", str(path), "-o", str(tmp_path / "my table_full.csv.gz"), "--missing", "?", "--categorical", "b",
        "--delimiter", "|", "--encoding", "utf-16", "--no-default-markers",
    ]  # fmt: skip


def test_a_first_row_of_data_is_said_and_the_flag_suggested(tabgan, tmp_path):
    (tmp_path / "t.csv").write_text("red,Oslo\n" + "blue,Rome\nred,Oslo\n" * 12)
    out = tabgan("check", tmp_path / "t.csv").stdout
    assert out.count("look like a row") == 1
    assert next_command(out)[-1] == "--no-header"
    assert "look like a row" not in tabgan("check", tmp_path / "t.csv", "--no-header").stdout


def test_a_dry_run_says_the_same_and_writes_nothing(tabgan, path):
    out = path.with_name("o.csv")
    done = tabgan("impute", path, "-o", out, "--dry-run", "--only", "land", "--effort", "fast", "--seed", 3)
    assert done.exit_code == 0, done.output
    assert next_command(done.stdout)[4:] == [
        str(out), "--leave", "row", "--missing", "size=?", "--missing", "age=-999",
        "--only", "land", "--effort", "fast", "--seed", "3",
    ]  # fmt: skip
    mine = tabgan("check", path).stdout
    assert done.stdout.splitlines()[:-1] == mine.splitlines()[:-1]
    assert not out.exists()
    assert tabgan("impute", path, "--dry-run").exit_code == 0


def test_without_an_output_impute_says_what_is_missing(tabgan, path):
    done = tabgan("impute", path)
    assert done.exit_code == 2
    assert "--output" in done.stderr


def test_bad_input_ends_in_one_line(tabgan, path):
    for arguments in (("--leave", "nothing"), ("--leave", "row,age,land,size"), ("--kind", "row=nothing")):
        done = tabgan("check", path, *arguments)
        assert done.exit_code == 2
        assert done.stderr.startswith("error: ")
        assert done.stdout == ""


def test_impute_warns_of_the_same(tabgan, path):
    done = tabgan("impute", path, "-o", path.with_name("o.csv"), "--effort", "fast", "--missing", "?")
    assert done.exit_code == 0, done.output
    lines = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert sum("-999" in line for line in lines) == 1
    assert sum("looks like a name of rows" in line for line in lines) == 1


def test_what_odd_cells_hid_is_found_once_they_are_taken_away(tabgan, tmp_path):
    """With a '?' among its numbers a column is text, in which -999 does not stand out."""
    cells = [str(100 + k % 40) for k in range(120)]
    cells[5:8], cells[20:23] = ["?"] * 3, ["-999"] * 3
    pressure = ["sbp", *cells]
    letters = ["sex", *("FM"[k % 2] if k % 9 else "?" for k in range(120))]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(f"{one},{other}" for one, other in zip(pressure, letters, strict=True)) + "\n")
    done = tabgan("check", path)
    assert done.exit_code == 0, done.output
    said = " ".join(done.stdout.split())
    assert "column 'sbp' holds -999 in 3 cells" in said
    command = next_command(done.stdout)
    assert [command[k + 1] for k, word in enumerate(command) if word == "--missing"] == ["?", "sbp=-999"]
    assert "--missing sbp=?" not in said.partition("Next:")[2]
