"""What 90 % intervals and probabilities of labels promise of imputed cells, in Python, on the page and on the command line."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from tabgan import GAINImputer, report_imputation
from tabgan.cli.main import app
from tabgan.report import pictures
from tabgan.report.fill_certainty import fill_certainty


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    x = rng.normal(size=150)
    frame = pd.DataFrame({"x": x, "y": 100 * x + rng.normal(0, 10, 150), "side": np.where(x > 0, "left", "right")})
    frame.loc[::5, "y"] = np.nan
    frame.loc[::7, "side"] = None
    return frame.set_axis(frame.index + 1000)


@pytest.fixture(scope="module")
def imputer(table):
    return GAINImputer(n_steps=0, draw_steps=0, n_trees=4, n_donor_trees=0, random_state=0).fit(table)


def test_widths_and_probabilities_are_those_of_the_imputer(table, imputer):
    found = fill_certainty(imputer, table, table.isna().to_numpy())
    lower, upper = imputer.predict_interval(table, 0.9)
    gap = table["y"].isna()
    assert set(found.columns) == {"y", "side"}
    assert found.columns["y"].half_width == pytest.approx(np.median((upper - lower)["y"][gap]) / 2, rel=1e-4)
    assert found.columns["y"].probability is None
    shares = imputer.category_probabilities(table)["side"]
    assert found.columns["side"].probability == pytest.approx(float(shares.max(axis=1).median()), rel=1e-4)
    row = int(np.flatnonzero(gap)[3])
    assert found.cells[row, "y"] == pytest.approx((lower["y"].iloc[row], upper["y"].iloc[row]), rel=1e-4)
    label = int(np.flatnonzero(table["side"].isna())[2])
    assert found.cells[label, "side"] == pytest.approx(float(shares.iloc[2].max()), rel=1e-4)
    assert len(found.cells) == table.isna().to_numpy().sum()


def test_long_tables_are_asked_of_some_rows_and_of_those_to_be_shown(table, imputer, monkeypatch):
    from tabgan.report import fill_certainty as module

    monkeypatch.setattr(module, "_MOST_ROWS", 9)
    monkeypatch.setattr(module, "_FEWEST", 1)
    table = table.copy()
    table["x"] = table["x"].mask(np.arange(150) == 131)
    missing = table.isna().to_numpy()
    last = int(np.flatnonzero(missing[:, 1])[-2])
    found = fill_certainty(imputer, table, missing, [last])
    assert (last, "y") in found.cells
    assert len({row for row, _ in found.cells}) <= 10
    assert (131, "x") in found.cells
    assert set(found.columns) == {"x", "y", "side"}


def test_the_published_objective_and_whole_tables_promise_nothing(table, imputer):
    published = GAINImputer.paper(n_steps=1, random_state=0).fit(table)
    assert not fill_certainty(published, table, table.isna().to_numpy()).columns
    whole = table.dropna()
    assert not fill_certainty(imputer, whole, whole.isna().to_numpy()).columns


def test_arrays_and_polars_frames(table):
    X = table[["x", "y"]].to_numpy()
    imputer = GAINImputer(n_steps=0, draw_steps=0, n_trees=0, n_donor_trees=0, random_state=0).fit(X)
    assert set(fill_certainty(imputer, X, np.isnan(X)).columns) == {"1"}
    polars = pytest.importorskip("polars").from_pandas(table)
    imputer = GAINImputer(n_steps=0, draw_steps=0, n_trees=0, n_donor_trees=0, random_state=0).fit(polars)
    assert set(fill_certainty(imputer, polars, table.isna().to_numpy()).columns) == {"y", "side"}


def test_the_report_says_it_by_column_and_by_cell(table, imputer, monkeypatch):
    monkeypatch.setattr(pictures.importlib.util, "find_spec", lambda name: None)
    found = report_imputation(imputer, table).to_dict()
    columns, rows = found["tables"][:2]
    told = {row["Column"]: row["How sure"] for row in columns["rows"]}
    assert told["x"] == "-"
    assert told["y"].startswith("90% within ± ")
    assert told["side"].endswith("% likely")
    imputed = [row["y"] for row in rows["rows"] if row["y"].startswith("→")]
    assert imputed
    assert all(" to " in text for text in imputed)
    assert all("%)" in row["side"] for row in rows["rows"] if row["side"].startswith("→"))
    assert "90% probability" in rows["note"]


def test_the_command_line_says_it_without_a_kept_model(table, tmp_path):
    table.to_csv(tmp_path / "in.csv", index=False)
    words = ["impute", "in.csv", "-o", "out.csv", "--effort", "fast", "--max-time", "1", "--report", "r.json"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    columns = {one["name"]: one for one in json.loads((tmp_path / "r.json").read_text())["columns"]}
    assert columns["x"]["promise"] is None
    assert columns["y"]["promise"]["half_width"] > 0
    assert 0.5 <= columns["side"]["promise"]["probability"] <= 1
    assert "90% within" in result.output
    assert f"± {columns['y']['promise']['half_width']:.3g}" in result.output
