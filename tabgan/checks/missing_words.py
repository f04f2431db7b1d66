"""Labels that say that nothing is known: ``missing``, ``k.A.``, ``unknown``, ``?``, and the texts that programs make of a gap."""

from __future__ import annotations

import re
from collections import Counter

from tabgan.checks.findings import Finding
from tabgan.checks.odd_cells import reads_mostly_as
from tabgan.tables.columns import RawColumn, Table
from tabgan.wording import counted

__all__ = ["find_missing_words", "says_missing"]

_SIGNS = re.compile(r"[?.\-\u2013\u2014_*\u2026]+")
_SURELY = frozenset(
    "missing|missing value|missing data|no data|not available|not reported|not stated|not recorded|not specified|unspecified|"
    "n/a|n.a|#n/a|nan|<na>|null|undefined|tbd|to be determined|fehlt|fehlend|keine angabe|k.a|k. a|ohne angabe|o.a|"
    "nicht angegeben|nicht verfügbar|non renseigné|non disponible|sin dato|sin datos|s/d|no disponible|dato mancante|"
    "geen gegevens|brak danych|нет данных|欠損|缺失".split("|")
)
_PERHAPS = frozenset(
    "unknown|unk|not known|none|don't know|dont know|refused|declined|no answer|prefer not to say|unbekannt|weiß nicht|inconnu|"
    "inconnue|desconocido|desconocida|desconhecido|sconosciuto|onbekend|okänd|ukjent|nieznany|nieznane|неизвестно|不明|未知".split(
        "|"
    )
)
_FEWEST_CELLS = 10
_FEWEST_OTHERS = 2


def find_missing_words(table: Table) -> list[Finding]:
    """Find labels that stand for a missing cell, in columns that have others.

    Parameters
    ----------
    table : Table

    Returns
    -------
    list of Finding
        One for each such label of a column. Where the word may as well be an answer, as ``unknown`` and ``refused`` may, no flags are
        suggested. Columns that would be numbers or dates but for such cells are left to `tabgan.checks.odd_cells`.
    """
    return [finding for column in table.columns for finding in _of_column(column)]


def _of_column(column: RawColumn) -> list[Finding]:
    if column.family not in ("text", "category"):
        return []
    counts = Counter(cell for cell in column.values[~column.missing] if isinstance(cell, str))
    words = {label: sure for label in counts if (sure := says_missing(label)) is not None}
    if any(not any(map(str.isalnum, label)) for label in counts if label not in words):
        words = {label: sure for label, sure in words.items() if any(map(str.isalnum, label))}  # - among + and ++
    if not words or len(counts) - len(words) < _FEWEST_OTHERS or counts.total() < _FEWEST_CELLS:
        return []
    if reads_mostly_as(column) is not None:
        return []
    return [_finding(column, label, counts[label], sure) for label, sure in sorted(words.items())]


def says_missing(label: str) -> bool | None:
    """Whether a label surely says so; None where it says something else."""
    text = label.casefold().strip(" ()[]:!")
    if _SIGNS.fullmatch(text) or text.rstrip(".") in _SURELY:
        return True
    return False if text.rstrip(".") in _PERHAPS else None


def _finding(column: RawColumn, label: str, n: int, sure: bool) -> Finding:
    mark = f"{column.name}={label}"
    return Finding(
        "sentinel",
        (column.name,),
        f"column {str(column.name)!r} holds {label!r} in {counted(n, 'cell')}, as a label like the others",
        f"if it means missing, say missing_values=[{label!r}]",
        f"if it means missing, add --missing {mark!r}",
        flags=("--missing", mark) if sure else (),
        parameters={"missing_values": [label]} if sure else {},
        value=label,
    )
