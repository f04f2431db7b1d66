"""Real tables with real gaps, where the shared folder is present; defaults and times are checked in benchmarks/."""

import pytest

from tabgan import GAINImputer
from tests.imputation.test_gain import assert_observed_untouched

QUICK = {
    "n_steps": 20,
    "draw_steps": 5,
    "width": 16,
    "n_blocks": 1,
    "n_members": 2,
    "n_donor_trees": 3,
    "random_state": 0,
}
LEARNT = 1000  # rows, so that the larger tables do not take a minute each


@pytest.mark.parametrize(
    "name", ["titanic", "horse_colic", "hepatitis", "auto_imports", "sick", "credit_approval", "penguins"]
)
def test_every_gap_is_filled_and_nothing_else_touched(name, read_shared):
    table = read_shared(name)
    assert table.isna().any().any()
    imputer = GAINImputer(**QUICK, keep_empty_features=True).fit(table[:LEARNT])
    filled = imputer.transform(table)
    empty = [column.name for column in imputer.schema_.columns if column.kind == "empty"]
    assert not filled.drop(columns=empty).isna().any().any()
    assert_observed_untouched(table, filled)
    assert imputer.validation_scores_["n_cells"].sum() > 0
