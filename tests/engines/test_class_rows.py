"""Synthetic rows for tables that no process holds: as many as imbalanced-learn asks for, in blocks that depend on the seed alone."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from imblearn.utils import check_sampling_strategy

from tabgan import BAGANOversampler
from tabgan.engines.block_work import RowNames, summaries_of
from tabgan.engines.class_rows import (
    asked_blocks,
    class_counts,
    fit_to_sample,
    strata_of,
    summed_counts,
    synthetic_rows,
    wanted_rows,
)
from tabgan.engines.model_files import stored
from tabgan.exceptions import InvalidInputError, InvalidParameterError, NoSyntheticRowsWarning
from tests.engines.distributed_table import SAMPLER, arrow_table

pa = pytest.importorskip("pyarrow", reason="engines send Arrow tables (extra parquet)")

COUNTS = {"a": 50, "b": 7, "c": 20}
NAMES = RowNames(("id",))


@pytest.mark.parametrize(
    "strategy", ["auto", "not majority", "not minority", "minority", "all", {"b": 30, "a": 50}, {"c": 21}]
)
def test_rows_are_asked_for_as_in_imbalanced_learn(strategy: object) -> None:
    y = np.repeat(list(COUNTS), list(COUNTS.values()))
    wanted = check_sampling_strategy(strategy, y, "over-sampling")
    assert wanted_rows(strategy, COUNTS) == {str(label): int(n) for label, n in wanted.items()}


@pytest.mark.parametrize("ratio", [0.5, 0.77, 1, 1.0])
def test_ratios_are_those_of_imbalanced_learn(ratio: float) -> None:
    y = np.repeat([0, 1], [50, 7])
    assert wanted_rows(ratio, {0: 50, 1: 7}) == dict(check_sampling_strategy(float(ratio), y, "over-sampling"))


@pytest.mark.parametrize(
    ("strategy", "counts", "words"),
    [
        ("some", COUNTS, "sampling_strategy='some'"),
        ({"d": 3}, COUNTS, r"names \['d'\]"),
        ({"a": 3}, COUNTS, "3 rows of class 'a', which has 50"),
        (0.5, COUNTS, "two classes"),
        (1.5, {0: 50, 1: 7}, "two classes"),
        (0.1, {0: 50, 1: 7}, "5 rows of class 1, which has 7"),
        (True, {0: 50, 1: 7}, "text, a number or a dict"),
        (len, COUNTS, "text, a number or a dict"),
    ],
)
def test_other_strategies_are_refused_by_name(strategy: object, counts: dict, words: str) -> None:
    with pytest.raises(InvalidParameterError, match=words):
        wanted_rows(strategy, counts)


def test_one_class_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="two or more"):
        wanted_rows("auto", {"a": 3})


def test_classes_are_counted_over_blocks() -> None:
    table = arrow_table()
    labels = table["label"].to_pylist()
    encoded = table.set_column(table.schema.names.index("label"), "label", table["label"].dictionary_encode())
    parts = [class_counts(part, "label", NAMES) for part in (table.slice(0, 100), encoded.slice(100))]
    counts = summed_counts(parts, "label")
    assert list(counts.items()) == [("no", labels.count("no")), ("yes", labels.count("yes"))]


@pytest.mark.parametrize("absent", [None, float("nan")])
def test_rows_without_a_label_are_counted_over_blocks_and_named(absent: float | None) -> None:
    blocks = [pa.table({"id": [k, k + 1, k + 2], "label": pa.array([absent, 1.0, absent])}) for k in (5, 20)]
    counted = [class_counts(block.slice(start), "label", NAMES) for block, start in zip(blocks, (1, 0), strict=True)]
    with pytest.raises(InvalidInputError, match=r"3 rows have no label in 'label' \(the row with id=7 is one\); fill"):
        summed_counts(counted, "label")
    with pytest.raises(InvalidInputError, match="4 rows have no label in 'label'; fill"):
        summed_counts([class_counts(block, "label", RowNames(())) for block in blocks], "label")


def test_small_classes_are_sampled_as_a_whole() -> None:
    strata = strata_of({"a": 1000, "b": 7, "c": 200}, "label", 300, 5, np.nan)
    assert dict(zip(strata.labels, [s.n_rows for s in strata.settings], strict=True)) == {"a": 147, "b": 7, "c": 146}
    assert {s.seed for s in strata.settings} == {5}


@pytest.mark.parametrize(("one", "other"), [(Decimal(0), Decimal(1)), (b"no", b"yes")])
def test_labels_that_no_classifier_takes_are_refused(one: object, other: object) -> None:
    with pytest.raises(InvalidInputError, match=r"label 'late' holds .* and the like; cast it"):
        strata_of({one: 30, other: 7}, "late", 300, 5, np.nan)


def test_blocks_hold_exactly_what_is_asked_for() -> None:
    blocks = asked_blocks({"a": 0, "b": 25_001, "c": 12}, 0)
    assert [sum(n for _, n in asked) for asked, _ in blocks] == [10_000, 10_000, 5013]
    assert blocks[-1][0] == [("b", 5001), ("c", 12)]
    assert len({seed for _, seed in blocks}) == 3
    assert blocks == asked_blocks({"a": 0, "b": 25_001, "c": 12}, 0)
    assert [s for _, s in blocks] != [s for _, s in asked_blocks({"b": 25_001, "c": 12}, 1)]
    assert asked_blocks({"a": 0}, 0) == []


def sampled(counts: dict) -> object:
    strata = strata_of(counts, "label", 400, 0, np.nan)
    return strata.rows(summaries_of([arrow_table()], RowNames(("id",)), strata))[0]


def test_made_rows_have_the_columns_and_types_of_the_table() -> None:
    table = arrow_table()
    counts = summed_counts([class_counts(table, "label", NAMES)], "label")
    sampler = BAGANOversampler(gate=None, sampling_strategy={"yes": counts["yes"] + 40}, random_state=0)
    wanted = fit_to_sample(sampler, sampled(counts), "label", counts)
    assert wanted == {"yes": 40}
    assert sampler.sampling_strategy == {"yes": counts["yes"] + 40}
    path = stored(sampler)
    made = synthetic_rows(path, [("yes", 40), ("no", 2)], 1, "label", table.schema)
    assert made.schema.equals(table.schema)
    assert made["label"].to_pylist() == ["yes"] * 40 + ["no"] * 2
    assert made["id"].null_count == 42
    assert made.equals(synthetic_rows(path, [("yes", 40), ("no", 2)], 1, "label", table.schema))
    assert not made.equals(synthetic_rows(path, [("yes", 40), ("no", 2)], 2, "label", table.schema))
    kind = table.schema.names.index("kind")
    coded = table.schema.set(kind, pa.field("kind", pa.dictionary(pa.int8(), pa.large_string())))
    again = synthetic_rows(path, [("yes", 40), ("no", 2)], 1, "label", coded)
    assert again.schema.equals(coded)
    assert again["kind"].to_pylist() == made["kind"].to_pylist()


def test_identifiers_are_null_in_made_rows() -> None:
    table = arrow_table()
    table = table.append_column("name", table["id"].cast("string"))
    strata = strata_of({"no": 570, "yes": 30}, "label", 200, 0, np.nan)
    rows, _ = strata.rows(summaries_of([table], RowNames(("id",)), strata))
    sampler = BAGANOversampler(**SAMPLER, column_kinds={"name": "identifier"}).fit(
        rows.drop_columns(["label"]), rows["label"]
    )
    made = synthetic_rows(stored(sampler), [("yes", 7)], 1, "label", table.schema)
    assert made["name"].null_count == made["id"].null_count == 7
    assert made["label"].null_count == 0


class Gated(BAGANOversampler):
    """A sampler whose gate chose a share."""

    def fit(self, X: object, y: object = None, **params: object) -> Gated:
        self.asked, self.here = self.sampling_strategy, y.value_counts().to_dict()
        return self

    @property
    def gate_(self) -> object:
        return type("Decision", (), {"share": self.max_time})


@pytest.mark.parametrize("share", [0.25, 0])
def test_the_gate_decides_on_the_sample(share: float) -> None:
    counts = {"no": 60_000, "yes": 300}
    sampler = Gated(sampling_strategy=0.5, max_time=share)
    rows = sampled(summed_counts([class_counts(arrow_table(), "label", NAMES)], "label"))
    if share:
        wanted = fit_to_sample(sampler, rows, "label", counts)
    else:
        with pytest.warns(NoSyntheticRowsWarning, match="gate"):
            wanted = fit_to_sample(sampler, rows, "label", counts)
    assert wanted == {"yes": round(share * 29_700)}
    assert sampler.asked == {"yes": round(sampler.here["no"] / 2)}
