"""Dates and times as people write them: the style of a column is found, reads its cells, and writes them and others alike."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from tabgan.written.clocks import ClockStyle
from tabgan.written.dates import DateStyle, formats_of, offset_of
from tabgan.written.detect import Ambiguous, style_of
from tabgan.written.months import month_names, month_of

NOW = datetime.datetime(2021, 5, 3, 14, 7, 8, 250000)

# Cells, the first of them as a moment, and how 3 May 2021, 14:07:08.25 is written beside them.
DATES = {
    "ISO": (["2020-04-03", "2021-12-31"], "2020-04-03", "2021-05-03"),
    "slashes, year first": (["2020/4/3", "2021/12/31"], "2020-04-03", "2021/5/3"),
    "day first": (["03/04/2020", "27/10/2020"], "2020-04-03", "03/05/2021"),
    "month first": (["04/03/2020", "10/27/2020"], "2020-04-03", "05/03/2021"),
    "dashes, day first": (["03-04-2020", "27-10-2020"], "2020-04-03", "03-05-2021"),
    "full stops": (["03.04.2020", "05.06.2020"], "2020-04-03", "03.05.2021"),
    "without zeros": (["3.4.2020", "13.12.2020"], "2020-04-03", "3.5.2021"),
    "two digits of a year": (["10/27/20", "01/02/19"], "2020-10-27", "05/03/21"),
    "named": (["3 Apr 2020", "12 Dec 2021"], "2020-04-03", "3 May 2021"),
    "named in capitals": (["03APR2020", "12DEC2021"], "2020-04-03", "03MAY2021"),
    "named in German": (["3. April 2020", "12. März 2021"], "2020-04-03", "3. Mai 2021"),
    "shortened in German": (["03-Okt-2020", "03-Dez-2021"], "2020-10-03", "03-Mai-2021"),
    "shortened with full stops": (["3 janv. 2020", "4 févr. 2020", "5 mars 2020"], "2020-01-03", "3 mai 2021"),
    "named in Spanish": (["3 de abril de 2020"], "2020-04-03", "3 de mayo de 2021"),
    "with English endings": (["3rd April 2020", "12th May 2021", "21st May 2021"], "2020-04-03", "3rd May 2021"),
    "with endings, month first": (["April 3rd, 2020", "May 12th, 2021"], "2020-04-03", "May 3rd, 2021"),
    "with the first day in French": (["1er avril 2020", "12 mai 2021"], "2020-04-01", "3 mai 2021"),
    "named, month first": (["April 3, 2020", "May 12, 2021"], "2020-04-03", "May 3, 2021"),
    "named, year first": (["2020-Apr-03", "2021-Dec-12"], "2020-04-03", "2021-May-03"),
    "with weekdays": (["Fri, 03 Apr 2020", "Sun, 12 Dec 2021"], "2020-04-03", "Mon, 03 May 2021"),
    "months": (["2020-04", "2021-12"], "2020-04-01", "2021-05"),
    "months, year last": (["04/2020", "12/2021"], "2020-04-01", "05/2021"),
    "quarters": (["2024-Q3", "2023-Q1"], "2024-07-01", "2021-Q2"),
    "quarters, year last": (["Q3 2024", "Q1 2023"], "2024-07-01", "Q2 2021"),
    "quarters without a mark": (["2024q4", "2023q1"], "2024-10-01", "2021q2"),
    "quarters, number first": (["4Q 2024", "1Q 2023"], "2024-10-01", "2Q 2021"),
    "named months": (["Apr 2020", "Dec 2021"], "2020-04-01", "May 2021"),
    "with a clock": (["27/10/2020 9:30", "1/2/2021 13:05"], "2020-10-27T09:30", "3/5/2021 14:07"),
    "with half days": (["10/27/2020 9:30 AM", "10/28/2020 1:30 PM"], "2020-10-27T09:30", "5/3/2021 2:07 PM"),
    "with small half days": (["10/27/2020 12:30 a.m.", "10/28/2020 1:30 p.m."], "2020-10-27T00:30", "5/3/2021 2:07 p.m."),
    "with seconds": (["27.10.2020, 09:30:01", "28.10.2020, 13:05:59"], "2020-10-27T09:30:01", "03.05.2021, 14:07:08"),
    "with fractions": (["2024-01-01 10:00:00.25", "2024-01-02 10:00:30.50"], "2024-01-01T10:00:00.25", "2021-05-03 14:07:08.25"),
    "with an offset": (["2024-01-01T10:00:00+02:00", "2024-01-02T10:00:30+02:00"], "2024-01-01T10:00:00", "2021-05-03T14:07:08+02:00"),
    "with Z": (["2024-01-01T10:00Z"], "2024-01-01T10:00", "2021-05-03T14:07Z"),
    "days as numbers with a clock": (["20240131 10:15", "20240201 11:00"], "2024-01-31T10:15", "20210503 14:07"),
}  # fmt: skip


@pytest.mark.parametrize("name", DATES)
def test_a_style_reads_its_cells_and_writes_moments_alike(name):
    cells, first, now = DATES[name]
    style = style_of(cells)
    assert isinstance(style, DateStyle)
    values = style.read(cells)
    assert values.dtype == "M8[us]"
    assert values[0] == np.datetime64(first)
    assert [style.write(value) for value in values] == cells
    assert style.write(NOW) == now


@pytest.mark.parametrize(
    ("cells", "meanings"),
    [
        (["03/04/2020", "05/06/2020"], ("2020-04-03", "2020-03-04")),
        (["01-02-2020 10:30"], ("2020-02-01", "2020-01-02")),
        (["11/12/10", "10/11/12"], ("2010-12-11", "2010-11-12", "2011-12-10")),
        (["27-10-20", "28-09-21"], ("2020-10-27", "2027-10-20")),
    ],
)
def test_which_is_the_day_is_not_guessed(cells, meanings):
    style = style_of(cells)
    assert isinstance(style, Ambiguous)
    assert style.kind == "date"
    assert style.meanings() == meanings


def test_days_that_are_months_too_leave_nothing_open():
    assert style_of(["04/04/2020", "05/05/2020"]).read(["04/04/2020"])[0] == np.datetime64("2020-04-04")


def test_a_known_format_decides():
    style = style_of(["03/04/2020", "05/06/2020"], date_format="%m/%d/%Y")
    assert style.read(["03/04/2020"])[0] == np.datetime64("2020-03-04")
    assert style_of(["03/04/2020"], date_format="%Y-%m-%d") is None
    assert style_of(["3/4/20"], date_format="%-d/%-m/%y").write(NOW) == "3/5/21"
    assert style_of(["2020-04-03 10:30:00"], date_format="%F %T").write(NOW) == "2021-05-03 14:07:08"


@pytest.mark.parametrize("text", ["%d/%m", "%Q", "%Y-%m-%d %Y", "day", "%H:%M"])
def test_a_format_that_says_no_date_is_refused(text):
    with pytest.raises(ValueError, match=r"must be in it|is not known|appears twice"):
        style_of(["03/04/2020"], date_format=text)


@pytest.mark.parametrize(
    "cells",
    [
        ["2024-13-01"],
        ["2023-02-29"],
        ["31/04/2020"],
        ["2024-01-01", "2024-01-02 10:00"],
        ["2024-01-01", "01/02/2024"],
        ["27/10-2020"],
        ["2019-20", "2020-21"],
        ["5/12", "3/4"],
        ["3 Smarch 2020"],
        ["Mon, 03 Apr 2020"],
        ["10/27/2020 13:30 PM"],
        ["2020-W05"],
        ["12-34-56"],
        ["555-1234"],
        ["march"],
    ],
)
def test_what_is_no_date_has_no_style(cells):
    assert style_of(cells) is None


def test_one_impossible_date_in_fifty_is_left_alone():
    cells = [f"{day:02d}/{month:02d}/2020" for month in (1, 3) for day in range(1, 28)]
    style = style_of([*cells, "30/02/2020"])
    assert np.isnat(style.read(["30/02/2020"])[0])
    assert style.format == "%d/%m/%Y"


def test_a_single_day_in_a_hundred_decides_where_nothing_speaks_against_it():
    cells = [f"{day:02d}/05/2020" for day in range(1, 13)] * 20
    assert isinstance(style_of(cells), Ambiguous)
    assert style_of([*cells, "13/05/2020"]).format == "%d/%m/%Y"


def test_offsets_that_differ_are_read_as_moments():
    cells = ["2024-06-01T10:00+02:00", "2024-01-01T10:00+01:00", "2024-07-01T10:00+02:00"]
    values = style_of(cells).read(cells)
    assert values[1] - values[0] == np.datetime64("2024-01-01T11:00") - np.datetime64("2024-06-01T10:00")
    assert style_of(cells).write(NOW) == "2021-05-03T14:07+02:00"
    assert [offset_of(zone) for zone in ("Z", "UTC", "+02", "-0330", "+05:30")] == [0, 0, 120, -210, 330]


def test_two_digits_of_a_year_are_one_hundred_years_without_their_longest_gap():
    births = style_of(
        ["27/10/45", *(f"01/02/{year}" for year in range(50, 100, 5)), "03/04/05"], date_format="%d/%m/%y"
    )
    assert births.read(["27/10/45", "03/04/05"]).astype("M8[Y]").astype(str).tolist() == ["1945", "2005"]
    recent = style_of(["27/10/20", "01/02/21"], date_format="%d/%m/%y")
    assert recent.read(["27/10/20"])[0] == np.datetime64("2020-10-27")
    pensioners = style_of(["27/10/37", "01/02/66", "01/02/95"], date_format="%d/%m/%y")
    assert pensioners.read(["27/10/37", "01/02/95"]).astype("M8[Y]").astype(str).tolist() == ["1937", "1995"]
    last = style_of(["27/10/71", "01/02/99"], date_format="%d/%m/%y")
    assert last.read(["27/10/71"])[0] == np.datetime64("1971-10-27")


def test_formats_of_a_text():
    assert formats_of("2020-04-03") == ["%Y-%m-%d"]
    assert formats_of("1.5") == []
    assert formats_of("12:30") == []


# Cells, the first in minutes, and how 400 and 1439.6 minutes are written beside them.
CLOCKS = {
    "hours and minutes": (["9:30", "13:05"], 570, "6:40", "23:59"),
    "with zeros": (["09:30", "13:05"], 570, "06:40", "23:59"),
    "with seconds": (["09:30:00", "13:05:10"], 570, "06:40:00", "23:59:36"),
    "with fractions": (["09:30:00.5", "13:05:10.0"], 570 + 0.5 / 60, "06:40:00.0", "23:59:36.0"),
    "half days": (["9:30 am", "1:05 pm", "12:10 am"], 570, "6:40 am", "11:59 pm"),
    "capital half days": (["9:30AM", "12:05PM"], 570, "6:40AM", "11:59PM"),
    "lengths": (["36:15", "01:10"], 2175, "06:40", "24:00"),
}


@pytest.mark.parametrize("name", CLOCKS)
def test_times_of_day_and_lengths(name):
    cells, first, small, large = CLOCKS[name]
    style = style_of(cells)
    assert isinstance(style, ClockStyle)
    values = style.read(cells)
    assert values.dtype == "m8[us]"
    assert values[0] == np.timedelta64(round(first * 60_000_000), "us")
    assert [style.write(value) for value in values] == cells
    assert style.write(np.timedelta64(400, "m")) == small
    assert style.write(np.timedelta64(round(1439.6 * 60), "s")) == large
    assert style.write(np.timedelta64(-5, "m")).strip(" amAM") == style.write(np.timedelta64(0, "m")).strip(" amAM")


@pytest.mark.parametrize("cells", [["9:65"], ["13:05 pm"], ["1:2"], ["9:30", "9:30:10"], ["9:30", "9:30 am"]])
def test_what_is_no_time_has_no_style(cells):
    assert style_of(cells) is None


def test_months_are_known_by_name_and_named_alike():
    assert [month_of(word) for word in ("mai", "MAI", "Mai.", "août", "x")] == [5, 5, 5, 8, None]
    assert month_names(["apr", "dec"])[4] == "may"
    assert month_names(["Apr.", "Dec.", "May"])[6:9] == ("Jul.", "Aug.", "Sep.")
    assert month_names(["Sept", "Jan"])[8] == "Sept"
    assert month_names(["Sept", "January", "xii"][:2])[0] == "January"


def test_styles_are_described():
    assert style_of(["27/10/2020"]).describe() == "dates written as %d/%m/%Y"
    assert style_of(["36:15"]).describe() == "lengths of time such as 09:45"
    assert style_of(["6:15"]).describe() == "times of day such as 9:45"
