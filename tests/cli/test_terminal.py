"""What files hold reaches a terminal escaped and short, and JSON whole."""

import json
import sys
from types import SimpleNamespace

import pandas as pd
import pytest

from tabgan.cli.errors import printable, shortened
from tabgan.cli.summaries import ColumnReport, ImputeReport

NASTY = "\x1b[31mred\x07\u202etxt\x9b1m"


def test_control_and_direction_characters_are_shown_escaped():
    assert printable(NASTY) == r"\x1b[31mred\x07\u202etxt\x9b1m"
    assert printable("Größe 中文 \U0001f600\n\tend") == "Größe 中文 \U0001f600\n\tend"


@pytest.mark.parametrize("length", [40, 41, 5000])
def test_long_names_lose_their_middle(length):
    name = "a" * (length - 1) + "z"
    short = shortened(name)
    assert len(short) <= 40
    assert (short == name) == (length == 40)
    assert short[0] == "a"
    assert short[-1] == "z"


def test_a_report_prints_names_escaped_and_keeps_them_in_json():
    column = ColumnReport(NASTY + "x" * 5000, "text", 3, 3)
    report = ImputeReport("in.csv", "out.csv", 9, [column], warnings=[f"column {NASTY}"])
    text = report.to_text()
    assert not set(text) & {"\x1b", "\x07", "\u202e", "\x9b"}
    assert max(map(len, text.splitlines())) < 300
    assert json.loads(report.to_json())["columns"][0]["name"] == column.name


def test_errors_name_columns_without_their_control_characters(tabgan, tmp_path):
    pd.DataFrame({NASTY: [1.0, float("inf"), None], "x": [1.0, 2.0, 3.0]}).to_csv(tmp_path / "t.csv", index=False)
    done = tabgan("impute", tmp_path / "t.csv", "-o", tmp_path / "out.csv")
    assert done.exit_code
    assert "x1b[31m" in done.stderr
    assert not set(done.stderr) & {"\x1b", "\x07", "\u202e"}


@pytest.mark.parametrize("terminal", [True, False])
def test_a_ranking_shows_what_failed_escaped(monkeypatch, capsysbinary, terminal):
    from tabgan.cli.compare_job import show

    result = SimpleNamespace(
        best="kNN",
        table=lambda: [["rank", "method"], ["1", f"kNN {NASTY}"]],
        remarks=lambda: [f"kNN failed: column {NASTY!s}"],
        to_text=lambda: f"kNN {NASTY}\n",
    )
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    show(result)
    said = capsysbinary.readouterr().out.decode()
    assert r"\x1b[31mred\x07\u202etxt" in said
    assert not set(said) & {"\x07", "\u202e", "\x9b"}
    assert "\x1b[31m" not in said
