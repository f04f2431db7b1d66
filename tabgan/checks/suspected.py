"""`find_suspicions`: all detections of what may be taken otherwise than it was meant."""

from __future__ import annotations

from tabgan.checks.code_columns import find_codes
from tabgan.checks.findings import Finding
from tabgan.checks.first_row import find_first_row
from tabgan.checks.missing_words import find_missing_words
from tabgan.checks.odd_cells import find_odd_cells
from tabgan.checks.row_names import find_identifiers
from tabgan.checks.sentinels import find_sentinels
from tabgan.checks.spellings import find_spellings
from tabgan.tables.columns import Table
from tabgan.tables.schema import TableSchema

__all__ = ["find_suspicions"]


def find_suspicions(table: Table, schema: TableSchema) -> list[Finding]:
    """What may be taken otherwise than it was meant, and matters for what is filled in.

    Parameters
    ----------
    table : Table
    schema : TableSchema
        Of the table, as inferred.

    Returns
    -------
    list of Finding
        The most serious first.
    """
    return [
        *find_first_row(table),
        *find_odd_cells(table),
        *find_sentinels(table, schema.columns),
        *find_missing_words(table),
        *find_spellings(table),
        *find_identifiers(table),
        *find_codes(table, schema.columns),
    ]
