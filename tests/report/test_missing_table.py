"""Which column tells most about where cells are missing, in words."""

import numpy as np
import pandas as pd
import pytest

from tabgan import GAINImputer, report_imputation
from tabgan.report.missing_table import missing_table, missing_where


def table(n=600):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.normal(40, 10, n), "noise": rng.normal(size=n)})
    frame["sex"] = np.where(rng.random(n) < 0.5, "f", "m").astype(object)
    frame["income"] = rng.normal(size=n)
    frame["parity"] = rng.normal(size=n)
    frame["any"] = rng.normal(size=n)
    frame["rare"] = rng.normal(size=n)
    frame.loc[frame["age"] > 50, "income"] = np.nan
    frame.loc[frame["sex"] == "m", "parity"] = np.nan
    frame.loc[rng.random(n) < 0.3, "any"] = np.nan
    frame.loc[:5, "rare"] = np.nan
    return frame


def test_the_column_that_decides_is_named_with_what_it_is_like():
    found = {one.name: one for one in missing_where(table(), ["income", "parity", "any", "rare"])}
    assert set(found) == {"income", "parity", "any"}  # too few cells of the last are missing
    assert found["income"].other == "age"
    assert found["income"].difference > 0.9
    words = found["income"].words.split()
    assert float(words[1]) > 50 > float(words[4])
    assert found["parity"].other == "sex"
    assert found["parity"].words in ("m: 100% where missing, 0% elsewhere", "f: 0% where missing, 100% elsewhere")
    assert found["any"].other == ""
    assert "no other column" in found["any"].words


def test_long_tables_are_cut_and_equal_medians_give_way_to_means():
    frame = pd.DataFrame({"count": [0.0] * 6000 + [0.0] * 2400 + [9.0] * 1600, "x": np.arange(10000.0)})
    frame.loc[:5999, "x"] = np.nan
    (found,) = missing_where(frame, ["x"])
    assert found.other == "count"
    assert found.words.startswith("mean 0 where missing, 3.")


def test_nothing_to_say_is_no_table():
    assert missing_table([]) is None
    assert missing_where(table()[["age"]], ["age"]) == []
    alone = pd.DataFrame({"x": [1.0, np.nan] * 20})
    (found,) = missing_where(alone, ["x"])
    assert found.other == ""


def test_the_report_has_it_and_the_picture_by_that_column():
    pytest.importorskip("matplotlib").use("Agg")
    frame = table(200)
    imputer = GAINImputer(n_steps=0, draw_steps=0, n_trees=2, n_donor_trees=0, random_state=0).fit(frame)
    found = report_imputation(imputer, frame, n_draws=0).to_dict()
    rows = next(one for one in found["tables"] if one["title"] == "What goes with missing cells")["rows"]
    assert {row["Column"]: row["Goes with"] for row in rows}["parity"] == "sex"
    titles = [picture["title"] for picture in found["pictures"]]
    assert "Which cells are missing together" in titles
    assert "What the other columns tell of missing cells" in titles
    assert [title for title in titles if title.startswith("By ")]
