"""What fills the tables: `GAINImputer`'s draws, R mice, scikit-learn's, and what one does without multiple imputation."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.imputation.inference.filling import Fill, Kinds, each
from benchmarks.imputation.inference.mice import MICE, mice
from benchmarks.imputation.inference.scenarios import Case

__all__ = ["METHODS", "settings_of", "tabgan"]


def tabgan(**settings: Any) -> Fill:
    """Draws of `GAINImputer`, which is told labels by pandas' categories as any user would."""

    def fill(case: Case, seed: int, kinds: Kinds, m: int) -> list[pd.DataFrame]:
        from tabgan import GAINImputer

        table = labelled(case.given, kinds)
        imputer = GAINImputer(random_state=seed, **settings).fit(table)
        return [as_numbers(draw, kinds) for draw in imputer.sample(table, n_draws=m)]

    return each(fill)


def _tabgan_single(case: Case, seed: int, kinds: Kinds, m: int) -> list[pd.DataFrame]:
    from tabgan import GAINImputer

    table = labelled(case.given, kinds)
    return [as_numbers(GAINImputer(random_state=seed).fit_transform(table), kinds)]


def _iterative(posterior: bool) -> Fill:
    def fill(case: Case, seed: int, kinds: Kinds, m: int) -> list[pd.DataFrame]:
        from sklearn.experimental import enable_iterative_imputer  # noqa: F401
        from sklearn.impute import IterativeImputer

        table = _indicators(case.given, kinds)
        rounds = 1 if table.isna().any().sum() == 1 else 10  # further rounds would change nothing, as in mice.R
        tables = []
        for k in range(m if posterior else 1):
            imputer = IterativeImputer(sample_posterior=posterior, max_iter=rounds, random_state=1000 * seed + k)
            filled = pd.DataFrame(imputer.fit_transform(table), columns=table.columns)
            tables.append(_codes(filled, case.truth.columns))
        return tables

    return each(fill)


def _miceforest(case: Case, seed: int, kinds: Kinds, m: int) -> list[pd.DataFrame]:
    from benchmarks.imputation.external import ExternalImputer

    table = labelled(case.given, kinds)
    imputer = ExternalImputer("miceforest", n_draws=m, random_state=seed)
    imputer.fit_transform(table)
    return [_decoded(pd.DataFrame(draw, columns=table.columns), imputer, kinds) for draw in imputer.draws_]


METHODS: dict[str, Fill] = {
    "complete data": each(lambda case, seed, kinds, m: [case.truth]),
    "tabgan": tabgan(),
    **{f"mice {name}": mice(name) for name in MICE},
    "IterativeImputer draws": _iterative(True),
    "miceforest": each(_miceforest),
    "complete cases": each(lambda case, seed, kinds, m: [case.given.dropna()]),
    "single: IterativeImputer": _iterative(False),
    "single: tabgan": each(_tabgan_single),
}
"""Methods by name. "complete data" had nothing missing: what the others are compared to."""


def settings_of(pairs: Sequence[str]) -> dict[str, Any]:
    """``["n_donor_trees=0"]`` as keyword arguments of `GAINImputer`; values are Python's literals, or text."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        try:
            found[name] = literal_eval(text)
        except (ValueError, SyntaxError):
            found[name] = text
    return found


def labelled(table: pd.DataFrame, kinds: Kinds) -> pd.DataFrame:
    """Codes of binary, ordered and nominal columns as pandas' categories, ordered where they are."""
    shown = table.copy()
    for name, kind in kinds.items():
        levels = [f"level {code:g}" for code in sorted(table[name].dropna().unique())]
        texts = table[name].map(lambda code: f"level {code:g}", na_action="ignore")
        shown[name] = pd.Categorical(texts, categories=levels, ordered=kind == "ordered")
    return shown


def as_numbers(table: pd.DataFrame, kinds: Kinds) -> pd.DataFrame:
    """The codes again."""
    return table.assign(**{name: table[name].astype(str).str.removeprefix("level ").astype(float) for name in kinds})


def _indicators(table: pd.DataFrame, kinds: Kinds) -> pd.DataFrame:
    """Nominal columns as an indicator per code but the first, missing together; other codes stay numbers."""
    parts = {}
    for name in table.columns:
        if kinds.get(name) != "nominal":
            parts[name] = table[name]
            continue
        for code in range(1, int(table[name].max()) + 1):
            parts[f"{name}={code}"] = (table[name] == code).astype(float).where(table[name].notna())
    return pd.DataFrame(parts)


def _codes(table: pd.DataFrame, names: pd.Index) -> pd.DataFrame:
    """Indicators that a method filled with other numbers than 0 and 1 as the code of the largest."""
    found = {}
    for name in names:
        if name in table:
            found[name] = table[name]
            continue
        levels = table[[column for column in table.columns if column.startswith(f"{name}=")]].to_numpy()
        found[name] = np.column_stack([1 - levels.sum(axis=1), levels]).argmax(axis=1).astype(float)
    return pd.DataFrame(found)


def _decoded(table: pd.DataFrame, imputer: Any, kinds: Kinds) -> pd.DataFrame:
    """Miceforest's codes, which count the labels that were seen, as the codes of the scenario."""
    for name in kinds:
        labels = imputer.columns_[name].labels
        texts = [str(labels[int(code)]) for code in table[name].round()]
        table[name] = [float(text.removeprefix("level ")) for text in texts]
    return table
