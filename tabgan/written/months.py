"""Names of months in thirteen languages: which month a word is, and how a column would write another one."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

__all__ = ["month_names", "month_of"]

_LANGUAGES = (  # whole and short forms as the Unicode Common Locale Data Repository has them within a date, without full stops
    ("January February March April May June July August September October November December",
     "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"),
    ("Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
     "Jan Feb März Apr Mai Juni Juli Aug Sept Okt Nov Dez"),
    ("Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
     "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez"),
    ("janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
     "janv févr mars avr mai juin juil août sept oct nov déc"),
    ("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
     "ene feb mar abr may jun jul ago sept oct nov dic"),
    ("gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
     "gen feb mar apr mag giu lug ago set ott nov dic"),
    ("janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
     "jan fev mar abr mai jun jul ago set out nov dez"),
    ("januari februari maart april mei juni juli augustus september oktober november december",
     "jan feb mrt apr mei jun jul aug sep okt nov dec"),
    ("januari februari mars april maj juni juli augusti september oktober november december",
     "jan feb mars apr maj juni juli aug sep okt nov dec"),
    ("januar februar marts april maj juni juli august september oktober november december",
     "jan feb mar apr maj jun jul aug sep okt nov dec"),
    ("januar februar mars april mai juni juli august september oktober november desember",
     "jan feb mars apr mai juni juli aug sep okt nov des"),
    ("tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta lokakuuta "
     "marraskuuta joulukuuta",
     "tammi helmi maalis huhti touko kesä heinä elo syys loka marras joulu"),
    ("stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
     "sty lut mar kwi maj cze lip sie wrz paź lis gru"),
    ("ledna února března dubna května června července srpna září října listopadu prosince",
     "led úno bře dub kvě čvn čvc srp zář říj lis pro"),
)  # fmt: skip


@lru_cache(maxsize=1)
def _known() -> tuple[tuple[tuple[str, ...], dict[str, int]], ...]:
    """Every form of a language: its twelve names, and the month of each in lower case."""
    forms = [tuple(form.split()) for language in _LANGUAGES for form in language]
    return tuple((names, {name.lower(): k + 1 for k, name in enumerate(names)}) for names in forms)


@lru_cache(maxsize=4096)
def month_of(word: str) -> int | None:
    """The month of a name in any of the languages, whatever its case, with or without a full stop; None where it is none.

    Examples
    --------
    >>> month_of("Okt."), month_of("AUGUST"), month_of("Smarch")
    (10, 8, None)
    """
    plain = word.removesuffix(".").lower()
    return next((months[plain] for _, months in _known() if plain in months), None)


def month_names(seen: Iterable[str]) -> tuple[str, ...]:
    """The twelve names that go with those seen: of the first language and form that has them all, in their case.

    Parameters
    ----------
    seen : iterable of str
        Names as a column has them, each a `month_of`.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> month_names(["MAI", "OKT"])[11]
    'DEZ'
    """
    seen = list(dict.fromkeys(seen))
    plain = {word.removesuffix(".").lower() for word in seen}
    names = next((names for names, months in _known() if plain <= months.keys()), None)
    if (
        names is None
    ):  # whole names beside short ones: each month as it was seen, the others as the first language has them
        names = _known()[0][0]
    case = next((case for case in (str.lower, str.upper) if all(case(word) == word for word in seen)), str.capitalize)
    dotted = any(word.endswith(".") for word in seen)
    bare = {month_of(word) for word in seen if not word.endswith(".")}
    long = {name.lower() for names, _ in _known()[::2] for name in names}
    made = [
        case(name) + ("." if dotted and k + 1 not in bare and name.lower() not in long else "")
        for k, name in enumerate(names)
    ]
    for word in seen:
        made[(month_of(word) or 1) - 1] = word
    return tuple(made)
