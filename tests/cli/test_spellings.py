"""Each command says that labels of a file differ only in case or blanks, and changes none of them."""

import json

import numpy as np
import pandas as pd
import pytest

from tabgan.cli.files.delimited import dropped_blanks

IN_CASE = "'sex' holds labels that differ only in case: 'Male' (60 cells) and 'MALE' (20 cells)"
BLANKS = "20 cells such as 'Male ' in 'sex' read without the blanks around them"
BOTH = (
    "'sex' holds labels that differ only in case or blanks: 'Male' (40 cells), 'Male ' (20 cells) and 'MALE' (20 cells)"
)


def people():
    n = 120
    sex = np.resize(["Male", "Female", "Male ", "Male", "female", "MALE"], n)
    buys = np.where(np.arange(n) % 5 == 0, np.where(np.arange(n) % 2 == 0, "yes", "Yes"), "no")
    height = np.where(np.arange(n) % 7 == 0, "", 150 + np.arange(n) % 40)
    return pd.DataFrame({"sex": sex, "height": height, "buys": buys})


@pytest.mark.parametrize(
    "options",
    [
        "check PATH",
        "impute PATH -o OUT --effort fast",
        "impute PATH -o OUT --effort fast --batch-rows 50",
        "compare PATH --methods mean/mode --repeats 1",
        "balance PATH -t buys -o OUT --steps 20 --kind height=integer",
    ],
)
def test_commands_say_so(tabgan, tmp_path, options):
    path, out = tmp_path / "people.csv", tmp_path / "out.csv"
    table = people() if "balance" not in options else people().assign(height=1 + np.arange(120) % 40)
    table.to_csv(path, index=False)
    result = tabgan(*(one.replace("PATH", str(path)).replace("OUT", str(out)) for one in options.split()))
    assert result.exit_code == 0, result.output
    assert IN_CASE in result.output
    assert BLANKS in result.output
    if "balance" in options:
        classes = "column 'buys' (--target) holds labels that differ only in case: 'yes' (12 rows) and 'Yes' (12 rows)"
        assert classes in result.output
    if out.exists():
        assert pd.read_csv(out)["sex"][:120].tolist() == table["sex"].tolist()


def test_blanks_of_other_formats_are_part_of_labels(tabgan, tmp_path):
    path, out = tmp_path / "people.jsonl", tmp_path / "out.jsonl"
    rows = people().assign(height=[None if cell == "" else int(cell) for cell in people()["height"]])
    path.write_text("".join(json.dumps(row) + "\n" for row in rows.to_dict("records")))
    result = tabgan("impute", path, "-o", out, "--effort", "fast")
    assert result.exit_code == 0, result.output
    assert BOTH in result.output
    assert "read without the blanks" not in result.output


def test_blanks_that_all_cells_have_are_layout(tabgan, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("size, sex\n" + "".join(f"{k % 30}, {'Male' if k % 2 else 'Female'}\n" for k in range(60)))
    assert "without the blanks" not in tabgan("check", path).output


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["a", "a ", "b"], (1, "a ")),
        ([" a", " a", "b"], None),
        ([" a", "  a", "  a"], (3, "  a")),
        (['"a "', "a"], None),
        ([" ", ""], None),
    ],
)
def test_what_is_a_slip(cells, found):
    assert dropped_blanks(cells) == found
