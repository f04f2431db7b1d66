"""What parts say of a column of texts, merged in any order, is what the whole says; also of more cells than are kept."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import numpy as np
import pytest

from tabgan.cli.files import compression
from tabgan.cli.files.evidence import MOST_TEXTS, Evidence
from tabgan.cli.files.settled import Settled, settled_column
from tabgan.cli.files.text_columns import TextColumn, Writing, typed_column
from tabgan.exceptions import InvalidInputError


def evidence(texts: list[str], cuts: list[int], order: tuple[int, ...] | None = None) -> Evidence:
    places = list(range(1, len(texts) + 1))
    parts = []
    for start, stop in itertools.pairwise([0, *cuts, len(texts)]):
        parts.append(Evidence())
        parts[-1].add(texts[start:stop], places[start:stop], file=0)
    whole = Evidence()
    for k in order or range(len(parts)):
        whole.merge(parts[k])
    return whole


def settled(texts: list[str], wanted: str | None = None, cuts: tuple[int, ...] = ()) -> tuple[Settled, str | None]:
    found = evidence(texts, list(cuts))
    return found.settled("c", wanted, Writing(), ["'a.csv'"], of_texts=True, word="line")


def whole(texts: list[str]) -> TextColumn:
    return typed_column("c", texts, np.zeros(len(texts), dtype=bool))


COLUMNS = {
    "whole numbers": [str(k * 7 % 90) for k in range(100)],
    "decimals": [f"{k / 8:.{k % 4}f}" for k in range(100)],
    "decimal commas": [f"{k},{k % 10}5" for k in range(100)],
    "amounts": [f"{1000 * k:,}.50 €" for k in range(100)],
    "days first": [f"{k % 28 + 1:02d}/{k % 12 + 1:02d}/2024" for k in range(100)],
    "times": [f"{k % 24}:{k % 60:02d}" for k in range(100)],
    "codes": [f"{k:03d}" for k in range(100)],
    "labels": [f"name {k % 9}" for k in range(100)],
    "one label": [*(str(k) for k in range(99)), "oops"],
    "half labels": [str(k) if k % 2 else "?" for k in range(100)],
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_is_settled_as_the_whole_is_typed(name: str) -> None:
    texts = COLUMNS[name]
    told, expected = settled(texts, cuts=(3, 40))[0], whole(texts)
    missing = np.zeros(100, dtype=bool)
    for start, stop in ((0, 100), (10, 20), (99, 100)):
        found = settled_column("c", texts[start:stop], missing[start:stop], told, "line {}".format)
        values = expected.values.iloc[start:stop].reset_index(drop=True)
        assert found.values.dtype == values.dtype
        assert found.values.equals(values)
        if len(expected.unread):
            np.testing.assert_array_equal(found.unread, expected.unread[start:stop])
        for value in values.dropna()[:3]:
            assert found.render(value) == expected.render(value)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_order_does_not_matter(order: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    texts = [f"{value:.3f}" for value in rng.normal(size=9000)] + [f"odd {k}" for k in range(2500)]
    rng.shuffle(texts)
    found = evidence(texts, [4000, 6000], order)
    assert found == evidence(texts, [4000, 6000])
    assert len(found.plain) == len(found.other) == MOST_TEXTS
    assert (found.n_plain, found.n_other) == (9000, 2500)


def test_shares_are_those_of_all_cells() -> None:
    """One label in two hundred among more numbers than are kept leaves numbers; one in ten makes labels."""
    rng = np.random.default_rng(0)
    numbers = [f"{value:.6f}" for value in rng.normal(size=20_000)]
    assert settled(numbers + [f"odd {k}" for k in range(100)])[0].dtype == "float64"
    assert settled(numbers + [f"odd {k}" for k in range(2500)])[0].dtype == "str"
    assert settled(numbers + ["?"] * 2500)[0].dtype == "str"


def test_what_is_rare_but_decides_is_not_lost() -> None:
    whole_numbers = [str(k) for k in range(1, 20_000)]
    assert settled(whole_numbers)[0].dtype == "Int64"
    told = settled([*whole_numbers, "0.0625"])[0]
    assert told.dtype == "float64"
    assert told.style is not None
    assert told.style.write(1 / 16) == "0.0625"


def test_what_the_model_does_not_expect_is_named_with_its_file_and_line() -> None:
    with pytest.raises(InvalidInputError, match=r"'oops' in 'a.csv', line 3, where the model expects a number"):
        settled(["1", "2", "oops", "what"], "number")
    told = settled(["true", "False"], "boolean")[0]
    with pytest.raises(InvalidInputError, match=r"'maybe' in line 1, where the model expects true or false"):
        settled_column("c", ["true", "maybe"], np.zeros(2, dtype=bool), told, "line {}".format)


@pytest.mark.parametrize("how", ["gzip", "bzip2", "xz", "zip", "zstd"])
def test_streams_are_packed_and_unpacked(tmp_path: Path, how: str) -> None:
    if how == "zstd":
        pytest.importorskip("pyarrow")
    data = b"a,b\n1,2\n" * 1000
    target, back = tmp_path / "packed", io.BytesIO()
    with target.open("wb") as stream, compression.packing_stream(stream, how, "a.csv") as packed:
        for start in range(0, len(data), 999):
            packed.write(data[start : start + 999])
    assert compression.unpacked(target.read_bytes(), how, "a") == data
    compression.unpack_file(target, how, back)
    assert back.getvalue() == data
    target.write_bytes(target.read_bytes()[:-4])
    with pytest.raises(InvalidInputError, match=f"not a complete {how} file"):
        compression.unpack_file(target, how, io.BytesIO())
