"""Units that stand beside numbers: currencies, shares, and units of measure."""

from __future__ import annotations

import re

__all__ = ["AFTER", "BEFORE", "is_same_unit", "unit_in", "units_in"]

BEFORE = (
    r"[$\u20ac\u00a3\u00a5\u20b9\u20a9\u20bd\u20ba\u20b4\u20aa\u20ab\u0e3f\u20a6\u20b1\u20a1\u20b2\u20b5\u20b8\u20ae%\u2030\uff05]"
    r"|(?:R|US|A|C|NZ|HK|S|NT)\$|Rs\.?|kr\.?|Kr\.?|z\u0142|K\u010d|Ft|lei|Fr\.|SFr\.|"
    "EUR|USD|GBP|CHF|JPY|CNY|RMB|SEK|NOK|DKK|PLN|CZK|HUF|RON|BGN|TRY|RUB|UAH|INR|BRL|MXN|ARS|CLP|COP|CAD|AUD|NZD|SGD|HKD|"
    "TWD|KRW|THB|IDR|MYR|PHP|VND|ZAR|NGN|KES|EGP|ILS|AED|SAR"
)
"""What stands before a number or after it: currencies and shares."""
_WORDS = (
    "kg g mg \u00b5g \u03bcg mcg ug ng t lb lbs oz "
    "m cm mm km \u00b5m \u03bcm um nm in ft mi yd "
    "m2 m\u00b2 sqm sqft qm cm2 cm\u00b2 km2 km\u00b2 ha m3 m\u00b3 cm3 cm\u00b3 ccm cc l ml mL cl dl dL \u00b5l \u00b5L ul uL "
    "s sec secs ms min mins h hr hrs hour hours d day days wk wks week weeks mo mos month months y yr yrs year years "
    "Std. Tage Jahre Monate Wochen ans mois jours nights night times visits "
    "rooms room beds bed baths bath people persons person points point pts stars star items item pieces piece pcs units "
    "Zimmer Personen Person St\u00fcck Stk. Stk Punkte Sterne pi\u00e8ces pi\u00e8ce personnes personne pers. \u00e9toiles "
    "Cr Dr CR DR Cr. Dr. "
    "kJ MJ kcal cal kW MW GW kWh MWh mV kV mA Hz kHz MHz GHz kPa hPa MPa Pa mbar bar psi mmHg \u00b0C \u00b0F \u00ba \u00b0 "
    "ppm ppb mol mmol \u00b5mol \u03bcmol umol nmol pmol mEq IU U IE mU "
    "mph kmh rpm bpm dB px pt kB MB GB TB k Mio. Mio mln Mrd. Mrd bn mn million billion"
).split()
_LETTERS = "ACDFHJKLMNSVW"
"""Units of one capital letter: 12 V, but 12A is a seat."""
_MEASURE = "|".join(map(re.escape, sorted(_WORDS, key=len, reverse=True)))
AFTER = rf"{BEFORE}|(?:{_MEASURE}|(?<!\S)[{_LETTERS}](?![^\W\d_]))(?:/(?:{_MEASURE}|[{_LETTERS}]))?"
"""What stands after a number: units of measure, one of them over another, and whatever may stand before it."""
_UNIT = re.compile(AFTER)
_PLURAL = re.compile(r"(?<=[a-z]{2})s$")


def units_in(text: str) -> list[str]:
    """All units of a text that is no more than units, signs and blanks.

    Examples
    --------
    >>> units_in(" mg/dl"), units_in("-$")
    (['mg/dl'], ['$'])
    """
    return _UNIT.findall(text)


def unit_in(text: str) -> str:
    """The first unit, empty without."""
    found = _UNIT.search(text)
    return found.group() if found else ""


def is_same_unit(one: str, other: str) -> bool:
    """Whether two units are the same, be it of one or of several: 1 day, 3 days.

    Examples
    --------
    >>> is_same_unit("day", "days"), is_same_unit("mg", "Mg")
    (True, False)
    """
    return one == other or _PLURAL.sub("", one) == _PLURAL.sub("", other)
