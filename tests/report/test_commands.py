"""``--report FILE.html`` of the commands."""

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from tabgan.cli.main import app

pytest.importorskip("matplotlib").use("Agg")


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=60).round(2)
    frame = pd.DataFrame(
        {"<script>x</script>": x, "y": (3 * x + 1).round(1), "class": np.where(x > 0.9, "rare", "often")}
    )
    frame.loc[:9, "y"] = None
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    return path


def test_impute_writes_html(table, tmp_path):
    page = tmp_path / "report.html"
    result = run("impute", table, "-o", tmp_path / "full.csv", "--steps", 1, "--report", page)
    assert result.exit_code == 0, result.output
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "&lt;script&gt;x&lt;/script&gt;" in text
    assert "<script>x" not in text
    assert "data:image/png;base64," in text


def test_impute_without_gaps_still_reports(table, tmp_path):
    full = tmp_path / "none.csv"
    pd.read_csv(table).dropna().to_csv(full, index=False)
    result = run("impute", full, "-o", tmp_path / "out.csv", "--report", tmp_path / "report.html")
    assert result.exit_code == 0, result.output
    assert "has no gaps" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_balance_writes_html(table, tmp_path):
    page = tmp_path / "report.html"
    result = run("balance", table, "-t", "class", "-o", tmp_path / "more.csv", "--steps", 1, "--report", page)
    assert result.exit_code == 0, result.output
    text = page.read_text(encoding="utf-8")
    assert "Resampling report" in text
    assert "rare" in text
    assert len(pd.read_csv(tmp_path / "more.csv")) > 60


def test_compare_writes_html(table, tmp_path):
    page = tmp_path / "report.html"
    result = run("compare", table, "--methods", "mean/mode,kNN", "--repeats", 1, "--report", page)
    assert result.exit_code == 0, result.output
    text = page.read_text(encoding="utf-8")
    assert "Comparison of imputers" in text
    assert "&lt;script&gt;x&lt;/script&gt;" in text
    assert "<script>x" not in text
    assert "data:image/png;base64," in text


@pytest.mark.parametrize(
    ("report", "said"), [("report.txt", "must end in .html"), ("table.csv", "must end in .html"), ("no/r.html", "no")]
)
def test_compare_refuses_bad_report_paths_before_any_work(table, tmp_path, report, said):
    before = table.read_bytes()
    result = run("compare", table, "--report", tmp_path / report)
    assert result.exit_code == 2
    assert said in result.output
    assert table.read_bytes() == before


def test_compare_refuses_one_file_for_both(table, tmp_path):
    (tmp_path / "in.html").write_bytes(table.read_bytes())
    result = run("compare", tmp_path / "in.html", "--format", "csv", "--report", tmp_path / "in.html")
    assert result.exit_code == 2
    assert "--report" in result.output
