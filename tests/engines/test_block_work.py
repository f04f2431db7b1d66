"""What workers do with blocks of rows: samples as bytes that merge to one, rows filled under their keys, bad rows named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tabgan import GAINImputer, fit_batches
from tabgan.engines.block_work import (
    RowNames,
    drawn_pieces,
    filled_pieces,
    kinds_in,
    odd_among,
    summaries_of,
    with_places,
)
from tabgan.engines.mergeable_samples import SampleSettings, Strata, check_sample_size, checked_seed, merged
from tabgan.engines.model_files import loaded, stored
from tabgan.engines.row_sample import RowSample
from tabgan.engines.watchdog import check_timeout, watched
from tabgan.exceptions import InvalidInputError, InvalidParameterError, SchemaMismatchError, StalledError
from tests.engines.distributed_table import QUICK, arrow_table

pa = pytest.importorskip("pyarrow", reason="engines send Arrow tables (extra parquet)")

NAMES = RowNames(("id",))
SEEDS = SampleSettings(60, 3, np.nan)


@pytest.fixture(scope="module")
def fitted() -> GAINImputer:
    return fit_batches(GAINImputer(**QUICK), arrow_table(), n_rows=300, keys="id")


@pytest.fixture(scope="module")
def model(fitted: GAINImputer, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("model") / "m.tabgan"
    fitted.save(path)
    return str(path)


@pytest.mark.parametrize("names", [NAMES, RowNames(())])
def test_summaries_of_parts_merge_to_the_sample_of_all(names: RowNames) -> None:
    table = with_places(arrow_table(), 0)
    if names.keys:
        table = table.drop_columns(["__tabgan_place__"])
    strata = Strata((SEEDS,))
    parts = [summaries_of([table.slice(a, 150)], names, strata) for a in range(0, 600, 150)]
    rows, n_seen = strata.rows(merged(strata, parts[3], parts[1]), merged(strata, parts[0]), parts[2])
    sample = RowSample(60, 3)
    sample.add(names.content(table), names.numbers(table))
    assert n_seen == 600
    assert rows.to_pylist() == sample.table().to_pylist()
    assert rows.schema.equals(names.content(table).schema)
    both, _ = strata.rows(summaries_of([table.slice(0, 250), table.slice(250)], names, strata))
    assert both.equals(rows)


def test_classes_are_sampled_side_by_side() -> None:
    table = arrow_table()
    strata = Strata((SampleSettings(5, 0, np.nan), SampleSettings(30, 0, np.nan)), "label", ("no", "yes"))
    parts = [summaries_of([table.slice(a, 200)], NAMES, strata) for a in (400, 0, 200)]
    rows, n_seen = strata.rows(*parts)
    assert n_seen == 600
    assert rows["label"].to_pylist().count("yes") == table["label"].to_pylist().count("yes")
    dictionary = table.set_column(table.schema.names.index("label"), "label", table["label"].dictionary_encode())
    again, _ = strata.rows(summaries_of([dictionary], NAMES, strata))
    assert again["label"].to_pylist() == rows["label"].to_pylist()


def test_all_parts_share_a_seed() -> None:
    assert checked_seed(5) == 5
    assert isinstance(checked_seed(None), int)
    assert checked_seed(np.random.RandomState(3)) == checked_seed(np.random.RandomState(3))


def test_no_rows_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="no rows"):
        Strata((SEEDS,)).rows(summaries_of([], NAMES, Strata((SEEDS,))))


@pytest.mark.parametrize("n_rows", [0, True, 2.5])
def test_sizes_of_samples_are_refused_by_name(n_rows: object) -> None:
    with pytest.raises(InvalidParameterError, match="n_rows"):
        check_sample_size(n_rows)


def test_blocks_are_filled_under_their_keys(model: str, fitted: GAINImputer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tabgan.engines.block_work._ROWS_AT_ONCE", 250)
    table = arrow_table()
    pieces = list(filled_pieces(table, model, NAMES))
    assert [len(piece) for piece in pieces] == [250, 250, 100]
    filled = pa.concat_tables(pieces)
    assert filled.schema.equals(table.schema)
    assert filled["id"].equals(table["id"])
    whole = fitted.transform(table.drop_columns(["id"])).to_pandas()
    pd.testing.assert_frame_equal(filled.drop_columns(["id"]).to_pandas(), whole)


@pytest.mark.parametrize("names", [NAMES, RowNames(())])
def test_draws_belong_to_keys(model: str, names: RowNames) -> None:
    table = arrow_table() if names.keys else with_places(arrow_table().drop_columns(["id"]), 1000)
    if not names.keys:
        model = stored(fit_batches(GAINImputer(**QUICK), arrow_table().drop_columns(["id"]), n_rows=300))
    whole = pa.concat_tables(drawn_pieces(table, model, names, 2, 7)).to_pandas()
    assert whole["draw"].tolist() == [0] * 600 + [1] * 600
    assert "__tabgan_place__" not in whole
    alone = pa.concat_tables(drawn_pieces(table.slice(77, 1), model, names, 2, 7)).to_pandas()
    pd.testing.assert_frame_equal(alone, whole.iloc[[77, 677]].reset_index(drop=True))
    other = pa.concat_tables(drawn_pieces(table, model, names, 1, 8)).to_pandas()
    assert not other["y"].equals(whole["y"].iloc[:600])


@pytest.mark.parametrize(
    ("names", "words"),
    [(NAMES, "the row with id={}:"), (RowNames(()), "row {}:"), (RowNames(("id", "n")), "the row with id={}, n=")],
)
def test_the_first_bad_row_is_named(names: RowNames, words: str, fitted: GAINImputer) -> None:
    from tabgan.engines import block_work

    table = with_places(arrow_table(), 5)
    bad = {int(table["id"][k].as_py()) for k in (123, 400)}

    def refuse(content: object) -> None:
        if bad & set(seen[-1]):
            raise InvalidInputError("told apart")

    seen: list[list[int]] = []
    original = RowNames.content

    class Watching(RowNames):
        def content(self, block: pa.Table) -> pa.Table:
            seen.append(block["id"].to_pylist())
            return original(self, block)

    number = table["id"][123].as_py() if names.keys else 128
    with pytest.raises(InvalidInputError, match=words.format(number) + ".*told apart"):
        block_work._named(refuse, table, Watching(names.keys))


def poisoned(row: int, text: str = "oops") -> pa.Table:
    """The table with numbers as text in one column, one of them unreadable."""
    table = arrow_table()
    cells = [None if v is None else str(v) for v in table["x"].to_pylist()]
    cells[row] = text
    cells[:2] = ["", "NA"]
    return table.set_column(table.column_names.index("x"), "x", pa.array(cells))


@pytest.mark.parametrize("coded", [False, True])
def test_a_text_among_numbers_is_named_with_its_row(model: str, coded: bool) -> None:
    table = poisoned(123)
    key = table["id"][123].as_py()
    if coded:
        table = table.set_column(1, "x", table["x"].dictionary_encode())
    words = rf"the row with id={key}: column 'x' has 'oops', which is no number"
    with pytest.raises(InvalidInputError, match=words):
        list(filled_pieces(table, model, NAMES))
    with pytest.raises(InvalidInputError, match=words):
        list(drawn_pieces(table, model, NAMES, 1, 0))


def test_the_cause_of_a_clash_between_blocks_is_found() -> None:
    table, bad = arrow_table(), poisoned(123)
    strata, key = Strata((SEEDS,)), bad["id"][123].as_py()
    parts = [summaries_of([part], NAMES, strata) for part in (table.slice(0, 100), bad.slice(100, 100))]
    with pytest.raises(InvalidInputError, match="column 'x' holds numbers in some rows, and text in others"):
        strata.rows(*parts)
    kinds = [kinds_in(part, NAMES) for part in (table.slice(0, 100), bad.slice(100, 100))]
    assert odd_among(kinds) == f"the row with id={key} has 'oops' in column 'x': "
    assert odd_among(kinds[1:]) == odd_among(kinds[:1]) == odd_among([]) == ""


def test_an_infinity_is_named_with_its_block() -> None:
    table = arrow_table()
    x = table["x"].to_pylist()
    x[310] = float("inf")
    table = table.set_column(1, "x", pa.array(x))
    words = rf"the row with id={table['id'][310].as_py()}: column 'x' has inf in row 10"
    with pytest.raises(InvalidInputError, match=words):
        summaries_of([table.slice(0, 300), table.slice(300)], NAMES, Strata((SEEDS,)))


def test_blocks_may_have_their_columns_in_another_order(model: str) -> None:
    table = arrow_table().slice(0, 20)
    turned = table.select(table.column_names[::-1])
    for work in (
        lambda block: filled_pieces(block, model, NAMES),
        lambda block: drawn_pieces(block, model, NAMES, 1, 0),
    ):
        (wanted,), (found,) = work(table), work(turned)
        assert found.select(wanted.column_names).equals(wanted)
    words = r"the block from the row with id=\d+ on lacks the columns \['x'\] and has \['z'\] beside those of fit"
    with pytest.raises(SchemaMismatchError, match=words):
        list(filled_pieces(table.rename_columns({"x": "z"}), model, NAMES))


def test_columns_that_some_blocks_lack_are_named() -> None:
    table, strata = arrow_table(), Strata((SEEDS,))
    blocks = table.slice(0, 300), table.slice(300).rename_columns({"x": "z"})
    with pytest.raises(InvalidInputError, match=r"\['x'\] in some rows only and \['z'\] in other rows only"):
        summaries_of(blocks, NAMES, strata)


def test_keys_are_checked() -> None:
    assert RowNames.of(None, ["a", "b"]).columns == ["__tabgan_place__"]
    assert RowNames.of("a", ["a", "b"]).columns == ["a"]
    with pytest.raises(InvalidParameterError, match=r"keys names \['c'\]"):
        RowNames.of(["a", "c"], ["a", "b"])
    with pytest.raises(InvalidParameterError, match="all columns"):
        RowNames.of(["a", "b"], ["a", "b"])
    with pytest.raises(InvalidInputError, match=r"\['b'\] appear more than once"):
        RowNames.of("a", ["a", "b", "b"])


def test_models_are_read_once_and_again_where_they_changed(model: str, tmp_path: Path) -> None:
    assert loaded(model) is loaded(model)
    copy = tmp_path / "copy.tabgan"
    copy.write_bytes(Path(model).read_bytes())
    first = loaded(str(copy))
    fit_batches(GAINImputer(**QUICK), arrow_table(), n_rows=100, keys="id").save(copy)
    assert loaded(str(copy)) is not first
    assert stored(copy) == str(copy)


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="every machine"):
        stored(tmp_path / "none.tabgan")
    with pytest.raises(InvalidParameterError, match=r"sampler=dict .*path"):
        stored({}, "sampler")
    with pytest.raises(ValueError, match="not fitted"):
        stored(GAINImputer())


def test_a_hang_becomes_an_error() -> None:
    import threading

    never = threading.Event()

    def hanging() -> object:
        yield 1
        never.wait(60)
        yield 2

    items = watched(hanging(), 0.2, "read")
    assert next(items) == 1
    with pytest.raises(StalledError, match=r"read: nothing came for 0\.2 s"):
        next(items)
    never.set()
    assert list(watched([1, 2], 5, "read")) == list(watched([1, 2], None, "read")) == [1, 2]


def test_errors_of_what_is_watched_come_through() -> None:
    with pytest.raises(KeyError, match="lost"):
        list(watched(map({}.__getitem__, ["lost"]), 5, "read"))
    for timeout in (0, True, "1", float("nan")):
        with pytest.raises(InvalidParameterError, match="timeout"):
            check_timeout(timeout)  # type: ignore[arg-type]
