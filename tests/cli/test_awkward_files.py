"""Awkward files through the command line: read right, or an error or a warning that names column or file; never silently wrong."""

from __future__ import annotations

import csv
import datetime
import re
import statistics

import pytest

from tabgan.cli.files.compression import unpacked
from tabgan.cli.files.table_files import DEFAULT_MARKERS

QUICK = ("--effort", "fast", "--steps", 1, "--device", "cpu")


@pytest.fixture
def impute(tabgan, shared_cases, tmp_path):
    """Impute a file of the folder; the result, and where its output is."""

    def run(name, *options, output=None):
        target = tmp_path / (output or name)
        return tabgan("impute", shared_cases / name, "-o", target, *QUICK, *options), target

    return run


def cells(path, encoding="utf-8", delimiter=","):
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


def check_filled(before, after):
    """Every gap has a value, and every other cell is as it was."""
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        for was, now in zip(old or [""], new or [""], strict=True):
            assert now != "" if was in DEFAULT_MARKERS else now == was


REFUSED = {
    "semicolon_decimal_comma.csv": (["'city;x;y'", "--delimiter ';'"], ["--delimiter", "|"]),
    "cp1252.csv": (["--encoding", "cp1252"], []),
    "sci_hex.csv": (["'inf'", "infinity"], []),
    "nested.parquet": (["'t64'", "'list'", "'st'", "--leave 't64' --leave 'list' --leave 'st'"], []),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused_in_one_line_that_says_what_to_do(impute, tmp_path, case):
    said, options = REFUSED[case]
    name = case.partition(" ")[0]
    result, _ = impute(name, *options, output="out.parquet" if name.endswith("parquet") else "out.csv")
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    for part in said:
        assert part in result.stderr
    assert list(tmp_path.iterdir()) == []


WARNED = {
    "dates.csv": [],
    "thousands.csv": ["'35,049' is read as 35049", "--decimal 'pop=,'"],
    "namibia.csv": ["32 cells 'NA' in 'country' read as missing", "--missing 'country='"],
    "no_header.csv": ["'30.05'", "--no-header"],
    "one_column.csv": ["column 'x' is the only one"],
    "zips.csv": [],
    "float_target2.csv": [],
}


@pytest.mark.parametrize("name", WARNED)
def test_what_is_read_comes_back_byte_for_byte_and_what_is_doubtful_is_said(impute, shared_cases, name):
    result, target = impute(name)
    assert result.exit_code == 0, result.output
    check_filled(cells(shared_cases / name), cells(target))
    for part in WARNED[name]:
        assert part in result.stderr
    assert WARNED[name] or "is treated as text" not in result.stderr


RIGHT_FLAGS = {
    "pipe.txt": (["--delimiter", "|"], "utf-8", "|", []),
    "utf16.csv": (["--encoding", "utf-16"], "utf-16", ",", []),
    "cp1252.csv": (["--encoding", "cp1252"], "cp1252", ",", []),
    "no_header.csv": (["--no-header"], "utf-8", ",", []),
    "sci_hex.csv": (["--missing", "inf"], "utf-8", ",", ["6 cells 'inf' in 'inf' read as missing", "'arab'"]),
}


@pytest.mark.parametrize("name", RIGHT_FLAGS)
def test_the_flags_that_messages_name_read_the_file(impute, shared_cases, name):
    options, encoding, delimiter, said = RIGHT_FLAGS[name]
    result, target = impute(name, *options, output=name.replace(".txt", ".csv"))
    assert result.exit_code == 0, result.output
    before = [
        ["" if cell == "inf" and k else cell for cell in row]
        for k, row in enumerate(cells(shared_cases / name, encoding, delimiter))
    ]
    check_filled(before, cells(target, encoding, delimiter))
    for part in said:
        assert part in result.stderr


@pytest.mark.parametrize("flag", [["--no-default-markers"], ["--missing", "country="]])
def test_a_country_code_that_looks_like_a_gap_stays_where_it_is_asked_to(impute, shared_cases, flag):
    result, target = impute("namibia.csv", *flag)
    assert result.exit_code == 0, result.output
    before, after = cells(shared_cases / "namibia.csv"), cells(target)
    assert all(new[0] == old[0] for old, new in zip(before, after, strict=True) if old[0])
    assert sum(row[0] == "NA" for row in before) > 0


def test_padded_codes_stay_text(impute):
    _, target = impute("zips.csv")
    filled = [row[3] for row in cells(target)[1:]]
    assert all(len(code) == 5 and code.isdigit() for code in filled)


@pytest.mark.parametrize("name", ["duration.parquet", "nested.parquet"])
def test_columnar_files_come_back_with_their_types(impute, shared_cases, name):
    parquet = pytest.importorskip("pyarrow.parquet")
    leave = ["--leave", "t64,list,st"] if name.startswith("nested") else []
    result, target = impute(name, *leave)
    assert result.exit_code == 0, result.output
    before, after = parquet.read_table(shared_cases / name), parquet.read_table(target)
    assert after.schema.equals(before.schema, check_metadata=True)
    for column in before.column_names:
        old, new = before[column].to_pylist(), after[column].to_pylist()
        if column in ("t64", "list", "st"):
            assert old == new
        else:
            assert None not in new
            assert all(now == was for was, now in zip(old, new, strict=True) if was is not None and was == was)


def test_a_continuous_target_is_refused_in_one_line_that_names_it(tabgan, shared_cases, tmp_path):
    result = tabgan("balance", shared_cases / "float_target2.csv", "-t", "y", "-o", tmp_path / "out.csv")
    assert result.exit_code == 2
    assert "column 'y' (--target)" in result.stderr
    assert result.stderr.count("\n") == 1


FOUND = {
    "c.csv.bz2": ("bzip2", "utf-8-sig", ",", []),
    "c.csv.zst": ("zstd", "utf-8-sig", ",", []),
    "c.zip": ("zip", "utf-8", ",", []),
    "pipe.txt": (None, "utf-8", "|", ["cells are cut at '|'"]),
    "comment_lines.csv": (None, "utf-8", ",", ["2 lines at the top begin with '#'"]),
    "utf16.csv": (None, "utf-16", ",", []),
}


@pytest.mark.parametrize("name", FOUND)
def test_such_files_are_read_without_a_flag_and_come_back_as_they_were(impute, shared_cases, tmp_path, name):
    packing, encoding, delimiter, said = FOUND[name]
    if packing == "zstd":
        pytest.importorskip("pyarrow")
    result, target = impute(name)
    assert result.exit_code == 0, result.output
    for part in said:
        assert part in result.stderr
    pages = [path.read_bytes() for path in (shared_cases / name, target)]
    if packing is not None:
        pages = [unpacked(page, packing, name) for page in pages]
    before, after = (list(csv.reader(page.decode(encoding).splitlines(), delimiter=delimiter)) for page in pages)
    check_filled(before, after)
    assert sum(map(len, before)) > 400


def numbers_of(text):
    return float(text.replace(",", "."))


def test_decimal_commas_are_filled_as_they_are_written(impute, shared_cases):
    result, target = impute("semicolon_decimal_comma.csv")
    assert result.exit_code == 0, result.output
    before, after = (cells(path, delimiter=";") for path in (shared_cases / target.name, target))
    filled = [row[j] for old, row in zip(before, after, strict=True) for j in (1, 2) if not old[j]]
    assert len(filled) == 31
    assert all(re.fullmatch(r"-?\d+,\d\d", text) for text in filled)
    for row in after[1:]:
        assert numbers_of(row[2]) == pytest.approx(2 * numbers_of(row[1]), abs=9)


def test_thousands_are_filled_as_they_are_written(impute, shared_cases):
    _, target = impute("thousands.csv")
    gaps = [row for old, row in zip(cells(shared_cases / target.name), cells(target), strict=True) if not old[3]]
    assert all(re.fullmatch(r"\d{1,2},\d{3}|\d{1,3}", row[3]) for row in gaps)
    off = [abs(float(row[3].replace(",", "")) - 5000 - 1000 * float(row[1])) for row in gaps]
    assert statistics.median(off) < 1000
    quoted = target.read_text().count('"')
    assert quoted == 2 * sum("," in row[3] for row in cells(target))


def test_dates_are_filled_as_they_are_written_and_exist(impute, shared_cases):
    _, target = impute("dates.csv")
    off = []
    for row in cells(target)[1:]:
        iso, dmy = datetime.date.fromisoformat(row[3]), datetime.datetime.strptime(row[4], "%d/%m/%Y").date()
        off.append(abs((iso - dmy).days))
        assert row[4] == f"{dmy:%d/%m/%Y}"
    assert max(off) < 60
