"""`check`: what a table holds, what to look at before it is filled, and what will be done; nothing is trained."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tabgan.checks.column_words import plan_for, why_kind
from tabgan.checks.missing_patterns import missing_patterns
from tabgan.checks.repeats import find_repeats
from tabgan.checks.suspected import find_suspicions
from tabgan.report.checked_table import CheckedColumn, TableCheck
from tabgan.tables.frames import read_table
from tabgan.tables.rules import find_rules
from tabgan.tables.schema import infer_schema

__all__ = ["check"]


def check(
    X: Any,
    *,
    missing_values: Any = np.nan,
    categorical_features: Any = None,
    column_kinds: Mapping[Hashable, str] | None = None,
) -> TableCheck:
    """Look at a table before it is filled: seconds, no training.

    Parameters
    ----------
    X : table of shape (n_samples, n_features)
        Any table that `tabgan.GAINImputer` takes. Never modified.
    missing_values : scalar or list of scalars, default=np.nan
        What else stands for a missing cell.
    categorical_features : None, "auto", list of names or positions, or boolean mask, default=None
        As `tabgan.GAINImputer` takes it.
    column_kinds : mapping of name or position to kind, default=None
        As `tabgan.GAINImputer` takes it.

    Returns
    -------
    TableCheck
        Notebooks show it; ``print`` does as well.

    Raises
    ------
    InvalidInputError, InvalidParameterError
        What `tabgan.GAINImputer` would refuse before training.

    Examples
    --------
    >>> import pandas as pd, tabgan
    >>> table = pd.DataFrame({"row": range(30), "age": [*range(31, 60), -999], "city": ["Rome", None, "Oslo"] * 10})
    >>> found = tabgan.check(table)
    >>> [(finding.kind, finding.columns) for finding in found.findings]
    [('sentinel', ('age',)), ('id', ('row',))]
    """
    table = read_table(X, missing_values=missing_values)
    schema = infer_schema(table, categorical_features=categorical_features, column_kinds=column_kinds)
    schema = replace(schema, rules=find_rules(table, schema=schema))
    plain = infer_schema(table) if categorical_features is not None or column_kinds else schema
    wished = {
        j for j, (one, other) in enumerate(zip(schema.columns, plain.columns, strict=True)) if one.kind != other.kind
    }
    columns = []
    for j, (column, known) in enumerate(zip(table.columns, schema.columns, strict=True)):
        n_missing = int(column.missing.sum())
        columns.append(
            CheckedColumn(
                name=column.name,
                kind=known.kind,
                why=why_kind(column, known, j in wished),
                n_missing=n_missing,
                plan=plan_for(j, n_missing, schema, schema.encoded),
            )
        )
    return TableCheck(
        n_rows=table.n_rows,
        columns=tuple(columns),
        findings=(*find_suspicions(table, schema), *find_repeats(table)),
        relations=tuple(schema.words()),
        patterns=tuple(missing_patterns(table)),
        table=_Gaps(X, missing_values),
    )


@dataclass(frozen=True)
class _Gaps:
    """What `TableCheck.plot` draws."""

    X: Any
    missing_values: Any
