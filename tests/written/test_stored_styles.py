"""Styles in model files: they come back as they were, and what a crafted file says of them is refused."""

import json

import pytest

from tabgan.written.detect import style_of
from tabgan.written.stored_styles import style_from_state, style_to_state


@pytest.mark.parametrize(
    "cells",
    [
        ["1.234,50 €", "-7,00 €"],
        ["3.00e+01"],
        ["27/10/2020"],
        ["3. März 2020"],
        ["2024-01-01T10:00+02:00"],
        ["9:30 am"],
    ],
)
def test_a_style_comes_back_from_plain_data(cells):
    style = style_of(cells)
    assert style_from_state(json.loads(json.dumps(style_to_state(style)))) == style


BAD = {
    "no family": {},
    "another family": {"family": "text"},
    "unknown setting": {"family": "number", "colour": "red"},
    "another type": {"family": "number", "decimal": 1},
    "truth for a number": {"family": "number", "most": True},
    "many digits": {"family": "number", "most": 10**9},
    "below nothing": {"family": "number", "most": -1},
    "long text": {"family": "number", "decimal": "." * 999},
    "three affixes": {"family": "number", "positive": ["", "", ""]},
    "no text": {"family": "number", "positive": ["", 1]},
    "no format": {"family": "datetime"},
    "bad format": {"family": "datetime", "format": "%Q"},
    "format of no date": {"family": "datetime", "format": "%H:%M"},
    "one month": {"family": "datetime", "format": "%d %b %Y", "months": ["May"]},
    "no second half": {"family": "timedelta", "half": [" am"]},
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_style_is_refused(case):
    with pytest.raises((ValueError, TypeError, IndexError)):
        style_from_state(BAD[case])
