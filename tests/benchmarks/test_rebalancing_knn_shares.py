"""The page of nearest neighbours and shares: what is chosen, and what failed."""

from benchmarks.rebalancing.knn_shares import SHARES, chosen, measured, page
from benchmarks.rebalancing.tables import load_labelled

TOLD = {"machine": "m", "python": "3", "commit": "c"}


def test_of_equally_good_shares_the_largest_is_chosen():
    assert chosen([0.1, 0.5, 0.5, 0.2]) == 2
    assert chosen([0.7, 0.5]) == 0


def test_without_rows_all_methods_are_alike():
    table = load_labelled("made_binary", None)
    rows = [measured(table, 0, method) for method in ("repetition", "SMOTE")]
    assert rows[0]["test"][0] == rows[1]["test"][0]
    assert all(len(row["test"]) == len(row["inner"]) == len(SHARES) for row in rows)


def test_the_page_means_over_tables_and_names_failures():
    scores = [0.1, 0.2, 0.3, 0.9, 0.5, 0.4, 0.2]
    rows = [
        {"table": table, "method": "SMOTE", "fold": 0, "inner": inner, "test": scores, **TOLD}
        for table, inner in (("a", scores), ("b", scores[::-1]))
    ]
    text = page([{"table": "c", "method": "SMOTE", "fold": 1, "error": "out of breath"}, *rows])
    assert "| SMOTE | 0.100 | 0.200 | 0.300 | 0.900 | 0.500 | 0.400 | 0.200 | 0.900 | 0.900 |" in text
    assert "- c, fold 1, SMOTE: out of breath" in text
