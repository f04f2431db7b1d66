"""`ComparisonDisplay` shows the numbers of `compare_imputers`, and on wide tables the columns that tell methods apart."""

import numpy as np
import pandas as pd
import pytest

from tabgan import compare_imputers
from tabgan.plotting import ComparisonDisplay


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    table = pd.DataFrame({"$a": x, "b": x + 0.1 * rng.normal(size=60), "c": np.where(x > 0, "<i>", "low")})

    class Failing:
        def fit_transform(self, X):
            raise RuntimeError("no luck")

        def get_params(self, deep=True):
            return {}

    return compare_imputers(
        table, methods=["mean/mode", "kNN"], imputers={"failing": Failing()}, n_repeats=2, random_state=0
    )


def test_points_are_the_relative_errors(found):
    display = ComparisonDisplay.from_comparison(found)
    overall, columns = display.axes_
    shown = [
        line.get_xdata()[0] for line in overall.lines if line.get_marker() != "None" and len(line.get_xdata()) == 1
    ]
    fine = found.summary[found.summary["error"].isna()]
    np.testing.assert_allclose(shown, fine["relative_error"])
    assert [text.get_text().removesuffix(" =") for text in overall.get_yticklabels()] == list(fine["method"])
    assert "failing" not in [text.get_text() for text in columns.get_legend().get_texts()]
    wanted = found.per_column.set_index(["column", "method"])["relative_error"]
    assert display.per_column.loc["$a", "kNN"] == wanted["$a", "kNN"]


def test_wide_tables_show_the_columns_that_differ_most(found):
    display = ComparisonDisplay.from_comparison(found, max_columns=1)
    everything = ComparisonDisplay.from_comparison(found).per_column
    spread = everything.max(axis=1) - everything.min(axis=1)
    assert list(display.per_column.index) == [spread.idxmax()]
    assert "1 of 3 columns shown" in display.figure_.get_suptitle()
