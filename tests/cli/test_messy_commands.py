"""Messy files through the commands, as a new user has them: numbers, dates and markers of many kinds in one table."""

from __future__ import annotations

import csv
import datetime
import io
import re

import numpy as np
import pandas as pd
import pytest

from tabgan.written.dates import DateStyle
from tabgan.written.months import month_names
from tabgan.written.numbers import NumberStyle

QUICK = ("--effort", "fast", "--steps", 1, "--device", "cpu")
DAY = datetime.datetime(2020, 1, 1)
NUMBERS = {
    "komma": NumberStyle(",", most=2, fewest=2),
    "euro": NumberStyle(",", ".", 2, 2, ("", " €"), ("-", " €")),
    "prozent": NumberStyle(",", most=1, fewest=1, positive=("", " %"), negative=("\u2212", " %")),
    "konto": NumberStyle(",", "'", 2, 2, ("CHF ", ""), ("(CHF ", ")")),
    "einwohner": NumberStyle(",", "\u202f", 0, 0),
}
DATES = {
    "tag": DateStyle("%d.%m.%Y"),
    "kurz": DateStyle("%d.%m.%y", padded=False, first_year=2000),
    "lang": DateStyle("%d. %b %Y", padded=False, months=month_names(["Januar", "März"])),
    "zeit": DateStyle("%d.%m.%Y %H:%M"),
    "monat": DateStyle("%m/%Y"),
}
MARKERS = {"leer": "", "na": "NA", "strich": "-", "keine": "keine Angabe", "minus": "-999"}
PATTERNS = {
    "komma": r"-?\d+,\d\d",
    "euro": r"-?\d{1,3}(\.\d{3})*,\d\d €",
    "prozent": r"\u2212?\d+,\d %",
    "konto": r"\(?CHF \d{1,3}('\d{3})*,\d\d\)?",
    "einwohner": r"\d{1,3}(\u202f\d{3})*",
    "tag": r"\d\d\.\d\d\.\d{4}",
    "kurz": r"\d\d?\.\d\d?\.\d\d",
    "lang": r"\d\d?\. [A-ZÄÖÜa-zäöü]+ \d{4}",
    "zeit": r"\d\d\.\d\d\.\d{4} \d\d:\d\d",
    "monat": r"\d\d/\d{4}",
}  # fmt: skip


@pytest.fixture(scope="module")
def messy():
    """Rows of a table with five kinds each of numbers, dates and markers, all of them the same quantity."""
    rng = np.random.default_rng(0)
    base = rng.normal(size=45)
    gaps = rng.random((45, len(NUMBERS) + len(DATES))) < 0.15
    rows = [[*NUMBERS, *DATES, *MARKERS]]
    for k, value in enumerate(base):
        days = datetime.timedelta(hours=round(300 * 24 + 2400 * value))
        scale = {"einwohner": abs(value) * 40_000, "euro": value * 9000, "konto": value * 9000}
        cells = [NUMBERS[name].write(scale.get(name, value * 20)) for name in NUMBERS]
        cells += [DATES[name].write(DAY + days) for name in DATES]
        cells = ["" if gap else cell for cell, gap in zip(cells, gaps[k], strict=True)]
        cells += [
            mark if rng.random() < 0.2 else f"{10 + 3 * value:.1f}".replace(".", ",") for mark in MARKERS.values()
        ]
        rows.append(cells)
    return rows


def written(rows):
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=";", lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def read(path):
    return list(csv.reader(io.StringIO(path.read_text()), delimiter=";"))


GIVEN = ("--missing", "-", "--missing", "keine=keine Angabe", "--missing", "minus=-999")


def test_kinds_of_numbers_dates_and_markers_are_filled_in_their_style(tabgan, tmp_path, messy):
    source, target = tmp_path / "messy.csv", tmp_path / "full.csv"
    source.write_text(written(messy))
    given = ("--missing", "-", "--missing", "keine=keine Angabe", "--missing", "minus=-999")
    result = tabgan("impute", source, "-o", target, *given, *QUICK)
    assert result.exit_code == 0, result.output
    assert "treated as text" not in result.stderr
    for said in (
        "'NA' in 'na' read",
        "'-' in 'strich' read",
        "'keine Angabe' in 'keine' read",
        "'-999' in 'minus' read",
    ):
        assert f"cells {said} as missing" in result.stderr
    markers = set(MARKERS.values())
    for old, new in zip(messy, read(target), strict=True):
        for name, was, now in zip(messy[0], old, new, strict=True):
            assert re.fullmatch(PATTERNS.get(name, r"-?\d+,\d"), now) if was in markers else now == was, (name, now)


def test_a_kept_model_fills_single_rows_in_the_style_that_it_was_fitted_on(tabgan, tmp_path, messy):
    source, target, model = tmp_path / "messy.csv", tmp_path / "full.csv", tmp_path / "m.tabgan"
    names = ["euro", "einwohner", "kurz"]
    columns = [messy[0].index(name) for name in names]
    source.write_text(written([[row[j] for j in columns] for row in messy]))
    assert tabgan("impute", source, "-o", target, "--model", model, *QUICK).exit_code == 0
    for row in (["1.234,00 €", "1\u202f234", "3.4.20"], ["1.234 €", "", ""], ["", "1\u202f234", ""]):
        source.write_text(written([names, row]))
        result = tabgan("impute", source, "-o", target, "--model", model, "--quiet")
        assert result.exit_code == 0, result.output
        for name, was, now in zip(names, row, read(target)[1], strict=True):
            assert now == was if was else re.fullmatch(PATTERNS[name], now), (name, now)


def test_synthetic_rows_are_written_as_the_others_are(tabgan, tmp_path):
    rng = np.random.default_rng(1)
    price = NumberStyle(",", ".", 2, 2, ("", " €"), ("-", " €"))
    day = DateStyle("%d.%m.%Y")
    lines = ["preis;tag;art"]
    for k in range(60):
        value = rng.normal()
        lines.append(
            f"{price.write(5000 + 900 * value)};{day.write(DAY + datetime.timedelta(days=round(200 + 50 * value)))};{'ab'[k % 6 == 0]}"
        )
    source, target, model = tmp_path / "t.csv", tmp_path / "more.csv", tmp_path / "m.tabgan"
    source.write_text("\n".join(lines) + "\n")
    result = tabgan(
        "balance",
        source,
        "-t",
        "art",
        "-o",
        target,
        "--model",
        model,
        "--steps",
        1,
        "--device",
        "cpu",
        "--method",
        "cgan",
    )
    assert result.exit_code == 0, result.output
    rows = read(target)
    assert target.read_text().startswith(source.read_text())
    drawn = tmp_path / "drawn.tsv"
    assert tabgan("sample", model, "-n", 5, "-o", drawn).exit_code == 0
    rows += list(csv.reader(io.StringIO(drawn.read_text()), delimiter="\t"))[1:]
    assert len(rows) == 1 + 100 + 5
    for row in rows[1:]:
        assert re.fullmatch(r"-?\d{1,3}(\.\d{3})*,\d\d €", row[0])
        assert re.fullmatch(r"\d\d\.\d\d\.\d{4}", row[1])
    parquet = tmp_path / "drawn.jsonl"
    assert tabgan("sample", model, "-n", 2, "-o", parquet).exit_code == 0
    assert pd.read_json(parquet, lines=True)["preis"].dtype.kind == "f"


def test_a_class_that_is_a_marker_is_named(tabgan, tmp_path):
    source = tmp_path / "t.csv"
    source.write_text(
        "x,country\n" + "".join(f"{k},{'NA' if k % 9 == 0 else 'BW' if k % 2 else 'ZA'}\n" for k in range(30))
    )
    result = tabgan("balance", source, "-t", "country", "-o", tmp_path / "out.csv")
    assert result.exit_code == 2
    assert (
        "no class in line 2, line 11, line 20, line 29; cells 'NA' count as missing, and as classes with --missing 'country='"
        in result.stderr
    )
    assert result.stderr.count("\n") == 1


def test_a_comparison_reads_the_same(tabgan, tmp_path):
    rng = np.random.default_rng(2)
    source, target = tmp_path / "t.csv", tmp_path / "ranking.csv"
    cells = [f"{value:.2f}".replace(".", ",") for value in rng.normal(size=60)]
    source.write_text("a;b\n" + "".join(f"{cell};{k % 7},5\n" for k, cell in enumerate(cells)))
    result = tabgan("compare", source, "-o", target, "--methods", "mean/mode", "--repeats", 1)
    assert result.exit_code == 0, result.output
    assert "note: cells are cut at ';'" in result.stderr
    assert "treated as text" not in result.stderr
