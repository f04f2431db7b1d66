"""Numbers as people write them: the style of a column is found, reads its cells, and writes them and others alike."""

from __future__ import annotations

import math

import pytest

from tabgan.written.detect import Ambiguous, decimal_mark, style_of
from tabgan.written.numbers import NumberStyle, number_style, plain_style

# Cells, their values, and how -98765.4321 and 1234567 are written beside them.
STYLES = {
    "decimal comma": (["30,05", "2,5", "-1,09", "7"], [30.05, 2.5, -1.09, 7], "-98765,43", "1234567"),
    "decimal comma, thousands by points": (["1.234,50", "17,00"], [1234.5, 17], "-98.765,43", "1.234.567,00"),
    "thousands by commas": (["35,049", "12", "1,204,000"], [35049, 12, 1204000], "-98,765", "1,234,567"),
    "lakhs": (["12,34,567", "35,049", "12"], [1234567, 35049, 12], "-98,765", "12,34,567"),
    "crores with rupees": (["₹1,23,45,678.50", "₹99.00"], [12345678.5, 99], "-₹98,765.43", "₹12,34,567.00"),
    "thousands by commas, decimals": (["1,204,000.5", "3.0"], [1204000.5, 3], "-98,765.4", "1,234,567.0"),
    "thousands by blanks": (["1 234,5", "12 000,25", "7,0"], [1234.5, 12000.25, 7], "-98 765,43", "1 234 567,0"),
    "thousands by narrow blanks": (["1\u202f234", "999"], [1234, 999], "-98\u202f765", "1\u202f234\u202f567"),
    "thousands by hard blanks": (["1\xa0234", "999"], [1234, 999], "-98\xa0765", "1\xa0234\xa0567"),
    "thousands by thin blanks": (["1\u2009234", "999"], [1234, 999], "-98\u2009765", "1\u2009234\u2009567"),
    "thousands by apostrophes": (["1'234.50", "2'000'000.00"], [1234.5, 2e6], "-98'765.43", "1'234'567.00"),
    "thousands from five digits on": (["1234,5", "12 345,5"], [1234.5, 12345.5], "-98 765,4", "1 234 567,0"),
    "percent": (["12.5 %", "7.0 %"], [12.5, 7], "-98765.4 %", "1234567.0 %"),
    "percent without a blank": (["12%", "-7%"], [12, -7], "-98765%", "1234567%"),
    "a zero without its unit": (["0", "12 €", "3 €"], [0, 12, 3], "-98765 €", "1234567 €"),
    "currency before": (["$1,234.50", "$7.00"], [1234.5, 7], "-$98,765.43", "$1,234,567.00"),
    "currency before the sign": (["$-5.00", "$7.25"], [-5, 7.25], "$-98765.43", "$1234567.00"),
    "currency after": (["1.234,50 €", "-7,00 €"], [1234.5, -7], "-98.765,43 €", "1.234.567,00 €"),
    "currency by its code": (["CHF 1'250.00", "CHF 3.50"], [1250, 3.5], "-CHF 98'765.43", "CHF 1'234'567.00"),
    "currency of two letters": (["120 kr", "95 kr"], [120, 95], "-98765 kr", "1234567 kr"),
    "a measure": (["71.3 kg", "82.0 kg"], [71.3, 82], "-98765.4 kg", "1234567.0 kg"),
    "a measure over another": (["5,4 mmol/l", "12,1 mmol/l"], [5.4, 12.1], "-98765,4 mmol/l", "1234567,0 mmol/l"),
    "degrees": (["36.6°C", "-4.0°C"], [36.6, -4], "-98765.4°C", "1234567.0°C"),
    "one and several": (["3 days", "1 day", "7 days"], [3, 1, 7], "-98765 days", "1234567 days"),
    "whole rupees": (["Rs. 1,57,326/-", "Rs. 31,776/-"], [157326, 31776], "-Rs. 98,765/-", "Rs. 12,34,567/-"),
    "a dash for no decimals": (["12.\u2013", "14.\u2013", "13.50"], [12, 14, 13.5], "-98765.43", "1234567.\u2013"),
    "a dash after a comma": (["1.299,- €", "99,- €", "-5,95 €"], [1299, 99, -5.95], "-98.765,43 €", "1.234.567,- €"),
    "dashes alone": (["Fr. 12.--", "Fr. 1'250.--"], [12, 1250], "-Fr. 98'765.--", "Fr. 1'234'567.--"),
    "a capital letter": (["12 V", "230 V"], [12, 230], "-98765 V", "1234567 V"),
    "brackets": (["(1,234.50)", "12.00"], [-1234.5, 12], "(98,765.43)", "1,234,567.00"),
    "brackets around a currency": (["($5.00)", "$7.25"], [-5, 7.25], "($98765.43)", "$1234567.00"),
    "only negative ones": (["(5)", "(7)"], [-5, -7], "(98765)", "1234567"),
    "another minus": (["\u221210.6", "3.5"], [-10.6, 3.5], "\u221298765.4", "1234567.0"),
    "a dash for a minus": (["\u20135", "7"], [-5, 7], "\u201398765", "1234567"),
    "the minus behind": (["5.25-", "7.00"], [-5.25, 7], "98765.43-", "1234567.00"),
    "plus": (["+30.0", "-1.5", "+2.0"], [30, -1.5, 2], "-98765.4", "+1234567.0"),
    "exponents": (["3.00e+01", "-1.09e+00"], [30, -1.09], "-9.88e+04", "1.23e+06"),
    "short exponents": (["3.5E0", "1.2E-1"], [3.5, 0.12], "-9.9E4", "1.2E6"),
    "plain": (["1.5", "2.25", "-3"], [1.5, 2.25, -3], "-98765.43", "1234567"),
    "plain with three decimals": (["1.234", "5.678"], [1.234, 5.678], "-98765.432", "1234567.000"),
    "plain without a zero": ([".5", "-.25", "1."], [0.5, -0.25, 1], "-98765.43", "1234567"),
}  # fmt: skip


@pytest.mark.parametrize("name", STYLES)
def test_a_style_reads_its_cells_and_writes_values_alike(name):
    cells, values, negative, large = STYLES[name]
    style = style_of(cells)
    assert isinstance(style, NumberStyle)
    assert style.family == "number"
    assert style.read(cells).tolist() == values
    assert style.write(-98765.4321) == negative
    assert style.write(1234567) == large
    again = style_of([negative, large, *cells])
    assert again == style or again.read(cells).tolist() == values


@pytest.mark.parametrize(
    "name", sorted(set(STYLES) - {"a zero without its unit", "one and several", "plain without a zero"})
)
def test_its_own_cells_come_back_as_they_were(name):
    cells, values, *_ = STYLES[name]
    assert [style_of(cells).write(value) for value in values] == cells


@pytest.mark.parametrize(
    "cells",
    [
        ["007", "12"],
        ["01 234", "12 345"],
        ["00,5", "1,5"],
        ["555 123 456", "555 123 457"],
        ["1.2.3", "1.2.10"],
        ["192.168.1.1"],
        ["a,b"],
        ["0x1e", "0x14"],
        ["12 kg", "7 m"],
        ["12A", "14A"],
        ["12 Birnen", "7 Birnen"],
        [".", "."],
        ["$5", "5 €"],
        ["5 %", "0.3"],
        ["(5", "6)"],
        ["--5"],
        ["2-", "3", "1-"],
        ["9400111899223145513145", "9400111899223183968460"],
        ["13825709727832666963", "10138357594013421455"],
        ["+41 44 123 45 67"],
        ["110 00", "123 45"],
        ["10-20", "20-30"],
        ["-(5)"],
        ["5-7"],
        ["1,23,4"],
        ["12,345,67.8"],
        ["\u0663\u0660", "\u0662\u0662"],
        ["1,5;2"],
        ["%"],
        ["€"],
        ["-"],
        ["."],
        [],
    ],
)
def test_what_is_no_number_or_a_code_has_no_style(cells):
    assert style_of(cells) is None


@pytest.mark.parametrize(
    ("cells", "example", "meanings"),
    [
        (["35,049", "3,908", "999"], "35,049", ("35049", "35.049")),
        (["1,234 €", "-5,678 €"], "1,234 €", ("1234", "1.234")),
        (["12%", "1,234%"], "1,234%", ("1234", "1.234")),
        (["1.000 €", "2.443 €"], "1.000 €", ("1", "1000")),
        (["2.080", "51", "-916"], "2.080", ("2.08", "2080")),
    ],
)
def test_what_reads_in_two_ways_is_not_guessed(cells, example, meanings):
    style = style_of(cells)
    assert isinstance(style, Ambiguous)
    assert style.kind == "number"
    assert style.example == example
    assert style.meanings() == meanings


@pytest.mark.parametrize(
    "cell", ["0,234", "1234,567", "1,23", "1,2345", "1.234,5", "1,234,567", "1,234.5", "1 234,567"]
)
def test_a_single_cell_can_decide(cell):
    assert not isinstance(style_of(["35,049", "3,908", cell]), Ambiguous)


@pytest.mark.parametrize(
    ("marks", "value"),
    [
        ({"decimal": ","}, 35.049),
        ({"decimal": "."}, 35049),
        ({"thousands": ","}, 35049),
        ({"likely_decimal": ","}, 35.049),
        ({"likely_decimal": "."}, 35049),
    ],
)
def test_marks_that_are_known_decide(marks, value):
    assert style_of(["35,049", "3,908"], **marks).read(["35,049"])[0] == value


def test_a_point_among_decimal_commas_stands_between_thousands():
    assert style_of(["1.234", "5.678"], likely_decimal=",").read(["1.234"])[0] == 1234
    assert style_of(["1.234", "5.678"], decimal=",").read(["1.234"])[0] == 1234
    assert style_of(["1.234", "0.5"], likely_decimal=",").read(["1.234"])[0] == 1.234


def test_marks_that_do_not_fit_give_no_style():
    assert style_of(["30,05"], decimal=".") is None
    assert style_of(["30,05"], thousands=",") is None


def test_two_in_a_hundred_may_be_something_else():
    cells = [f"{k},5" for k in range(98)]
    style = style_of([*cells, "unknown", "?"])
    assert style.read(["3,5", "unknown"])[0] == 3.5
    assert math.isnan(style.read(["unknown"])[0])
    assert style_of([*cells, "unknown", "?", "none"]) is None
    assert style_of([*["1,5"] * 97, "a", "a", "a"]) is None  # cells count, not labels


def test_a_dash_instead_of_decimals_is_no_minus():
    assert style_of(["12.\u2013", "13.-", "14.\u2014", "15,--"]).read(["12.\u2013", "15,--"]).tolist() == [12, 15]
    assert style_of(["1.299,-", "2.450,-"]).read(["1.299,-"]).tolist() == [1299]
    assert style_of(["-12.\u2013", "13.\u2013"]).read(["-12.\u2013"]).tolist() == [-12]
    assert style_of(["12.-", *(f"{k}" for k in range(60))]).write(7) == "7"


def test_long_numbers_of_several_lengths_are_amounts():
    assert style_of(["1500000000000000000000", "7"]).read(["1500000000000000000000"]).tolist() == [1.5e21]
    assert style_of(["9007199254740993", "9007199254740995"]) is not None, "64 bits hold these"


def test_thousands_are_set_apart_from_the_first_number_that_is():
    assert style_of(["1234,5", "12 345,5"]).write(1234) == "1234,0"
    assert style_of(["12345", "12 345"]).write(1234) == "1 234"


def test_infinity_is_a_number_without_a_unit():
    assert style_of(["inf", "22.0"]).read(["-inf"])[0] == -math.inf


def test_what_rounds_to_nothing_has_no_sign():
    style = style_of(["(1.00)", "2.00"])
    assert style.write(-0.001) == "0.00"
    assert style.write(-0.006) == "(0.01)"


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["30,05", "7"], ","),
        (["30.05", "7"], "."),
        (["0,123"], ","),
        (["1234,567"], ","),
        (["1.234,567"], ","),
        (["1,234,567"], None),
        (["35,049"], None),
        (["1.234"], None),
        (["1,5", "1.5"], None),
        (["12", "7"], None),
        (["red", "1,5"], None),
        (["1 234,5 €"], ","),
    ],
)
def test_the_decimal_mark_is_told_where_it_is_certain(cells, mark):
    assert decimal_mark(cells) == mark


@pytest.mark.parametrize("name", [name for name in STYLES if name.startswith(("plain", "plus", "exp", "short"))])
def test_the_short_way_finds_the_same_style_of_plain_numbers(name):
    cells = STYLES[name][0]
    quick, full = plain_style(dict.fromkeys(cells, 1)), number_style(dict.fromkeys(cells, 1), ".", "")
    assert [quick.write(value) for value in (-1.5, 0, 1e6)] == [full.write(value) for value in (-1.5, 0, 1e6)]
    assert plain_style({"1.50": 1, "inf": 1}).write(2) == "2.00"


def test_styles_are_described():
    assert (
        style_of(["1.234,50 €", "7,00 €"]).describe()
        == "numbers with a decimal comma and thousands apart by point and the unit €"
    )
    assert style_of(["12", "7"]).describe() == "whole numbers"
    assert "brackets" in style_of(["(1)", "2"]).describe()
