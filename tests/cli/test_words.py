"""What the library says, in the words of the command line."""

import warnings

import numpy as np
import pandas as pd
import pytest

from tabgan.cli.errors import warnings_in_words
from tabgan.cli.summaries import BalanceReport, ColumnReport, ImputeReport
from tabgan.cli.words import in_options
from tabgan.exceptions import IdentifierWarning


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("was stopped early by max_time=0.5 in 2 repeats", "was stopped early by --max-time 0.5 in 2 repeats"),
        ("allow more in max_time", "allow more in --max-time"),
        ("say column_kinds={'a': 'integer', 'b': 'coded'}", "say --kind a=integer,b=coded"),
        ("methods='knn' is not a method", "--methods 'knn' is not a method"),
        ("missing_values=[-999]", "--missing -999"),
        ("categorical_features=['a b', 'c']", "--categorical a b,c"),
        ("column 'max_time' has max_time_2", "column 'max_time' has max_time_2"),
        ("the effort of a gate, of a device and of methods", "the effort of a gate, of a device and of methods"),
    ],
)
def test_parameters_become_options(said, shown):
    assert in_options(said) == shown


def test_reports_translate_their_warnings_but_not_json():
    report = ImputeReport("'in.csv'", "'out.csv'", 9, [], warnings=["raise max_time"])
    assert "raise --max-time" in report.to_text()
    assert '"input": "in.csv"' in report.to_json()
    assert '"output": "standard output"' in BalanceReport("'a b.csv'", "standard output", "y", 3).to_json()


def validated(**found):
    return ColumnReport("c", "integer", 3, 3, {"n_cells": 17} | found)


@pytest.mark.parametrize(
    ("found", "doubtful"),
    [
        ({"rmse": 2.0, "rmse_mean": 2.0, "nrmse": 1.0, "nrmse_mean": 1.0}, True),
        ({"rmse": 1.999, "rmse_mean": 2.0, "nrmse": 0.9995, "nrmse_mean": 1.0}, True),  # 1.00 as it is shown
        ({"rmse": 1.9, "rmse_mean": 2.0, "nrmse": 0.95, "nrmse_mean": 1.0}, False),
        ({"error_rate": 1.0, "error_rate_mode": 1.0}, True),
        ({"error_rate": 0.3, "error_rate_mode": 0.28}, True),
        ({"error_rate": 0.279, "error_rate_mode": 0.28}, False),
        ({"error_rate": 0.0, "error_rate_mode": 0.0}, False),
    ],
)
def test_no_better_than_the_mean_or_mode_is_said(found, doubtful):
    report = ImputeReport("in.csv", "out.csv", 9, [validated(**found)])
    report.add_warnings()
    assert report.columns[0].no_better_than_baseline == doubtful
    assert len(report.warnings) == doubtful
    if doubtful:
        assert "no better than by the mean or mode: 'c' (" in report.warnings[0]
        assert "17 cells" in report.warnings[0]
    assert report.rows()[0][-2:] == ("17", "-")


def test_many_doubtful_columns_share_a_line():
    columns = [
        ColumnReport(f"c{k}", "text", 3, 3, {"n_cells": 9, "error_rate": 1.0, "error_rate_mode": 1.0}) for k in range(8)
    ]
    report = ImputeReport("in.csv", "out.csv", 9, columns)
    report.add_warnings()
    (line,) = report.warnings
    assert "and 3 more" in line


def test_no_warning_is_shown_as_python_shows_it(tabgan, tmp_path, recwarn):
    """Reports fit samplers again, which warn once more, in words for callers in Python."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"id": np.arange(90) + 5000, "x": rng.normal(size=90), "kind": ["a"] * 70 + ["b"] * 20})
    table.to_csv(tmp_path / "in.csv", index=False)
    asked = (
        "balance",
        tmp_path / "in.csv",
        "-t",
        "kind",
        "-o",
        tmp_path / "out.csv",
        "--report",
        tmp_path / "page.html",
    )
    result = tabgan(*asked, "--steps", 2)
    assert result.exit_code == 0
    assert "IdentifierWarning" not in result.output
    assert not [str(one.message) for one in recwarn if issubclass(one.category, UserWarning)]
    assert result.output.count("identifiers, left out of distances") == 1


def test_plain_warnings_are_told_once_in_the_words_of_the_command_line(capsys):
    with warnings_in_words():
        for _ in range(2):
            warnings.warn("allow more in max_time", UserWarning, stacklevel=1)
        warnings.warn("column_kinds={'id': 'identifier'}", IdentifierWarning, stacklevel=1)
    assert capsys.readouterr().err == "warning: allow more in --max-time\n"
