"""`compare_imputers`: which imputer fills the user's own table best, by hiding cells whose values are known."""

from __future__ import annotations

import copy
import json
import platform
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.imputation.baselines import BASELINES, MeanModeImputer, OneHotImputer
from tabgan.tables.amputation import MECHANISMS, Mechanism, ampute
from tabgan.tables.columns import RawColumn
from tabgan.tables.frames import read_table
from tabgan.tables.schema import ColumnSchema, infer_schema

__all__ = ["METHODS", "Comparison", "compare_imputers"]

METHODS = (*BASELINES, "GAINImputer")
_FEWEST_CELLS = 5
_MEASURES = (
    *(f"{name}{suffix}" for name in ("rmse", "error_rate", "relative_error") for suffix in ("", "_se")),
    "difference",
    "difference_se",
)
_CELL_COLUMNS = ("column", "kind", "method", "n_cells", "rmse", "error_rate", "relative_error")
_DAY = {"D": 1, "s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


@dataclass(frozen=True, repr=False)
class Comparison:
    """What `compare_imputers` found.

    Parameters
    ----------
    summary : pandas.DataFrame
        A row per method, best first: ``method``, ``rank``, ``rmse`` (hidden numbers, in column standard deviations),
        ``error_rate`` (share of hidden labels filled wrongly), ``relative_error`` (1 is the mean or mode; this ranks), each with
        its standard error over the repeats in ``..._se``; ``difference`` of the relative error to the best method, paired by
        mask and column, with ``difference_se``; ``tied``, whether that is within two standard errors, so that the method cannot
        be told from the best; mean ``seconds`` per repeat; ``error`` of a method that failed, else None.
    per_column : pandas.DataFrame
        A row per column and method: ``column``, ``kind`` ("number" or "label"), ``method``, ``n_cells`` hidden over all repeats,
        ``rmse`` or ``error_rate``, ``relative_error``.
    settings : dict
        Seed, rate, mechanism, rows used, columns left out and why, notes, versions.
    """

    summary: pd.DataFrame
    per_column: pd.DataFrame
    settings: dict[str, Any]

    @property
    def best(self) -> str | None:
        """Name of the method with the lowest relative error; None if all failed."""
        first = self.summary.iloc[0]
        return first["method"] if first["error"] is None else None

    def verdict(self) -> str:
        """Tell in plain English what to use, also where that is not GAINImputer."""
        rows = {row["method"]: row for row in self.summary.to_dict("records")}
        if self.best is None:
            return "Every method failed; their errors say why."
        best, ours = rows[self.best], rows.get("GAINImputer")
        tied = [name for name, row in rows.items() if row["tied"] and name != self.best]
        told = f"{self.best} fills this table best: relative error {best['relative_error']:.3f}, where 1 is the mean or mode."
        if best["relative_error"] >= 1 or self.best == "mean/mode" or "mean/mode" in tied:
            told += " No method is clearly better than the mean or mode: here the columns tell little about each other."
        if tied:
            told += f" Not distinguishable from it: {', '.join(tied)}."
        if ours is not None and ours["error"] is not None:
            told += " GAINImputer failed here."
        elif ours is not None and self.best != "GAINImputer" and "GAINImputer" not in tied:
            told += (
                f" GAINImputer is not the best here: rank {ours['rank']} of {len(rows)}, with a relative error "
                f"{_with_se(ours['difference'], ours['difference_se'])} higher. Use {self.best} for this table."
            )
        failed = [name for name, row in rows.items() if row["error"] is not None and name != "GAINImputer"]
        return told + (f" Failed: {', '.join(failed)}." if failed else "")

    def table(self) -> list[tuple[str, ...]]:
        """Ranking as text cells, the heading first; measures that do not apply to any column are left out."""
        kinds = set(self.per_column["kind"])
        heading = ["rank", "method", "relative error", "behind the best"]
        heading += ["numbers: RMSE in sd"] * ("number" in kinds) + ["labels: wrong"] * ("label" in kinds) + ["seconds"]
        lines = [tuple(heading)]
        for row in self.summary.to_dict("records"):
            failed = row["error"] is not None
            behind = "" if failed or row["method"] == self.best else _with_se(row["difference"], row["difference_se"])
            cells = [str(row["rank"]), row["method"], "failed" if failed else f"{row['relative_error']:.3f}"]
            cells += [behind + (" =" if behind and row["tied"] else "")]
            cells += ["" if failed else _with_se(row["rmse"], row["rmse_se"])] * ("number" in kinds)
            cells += ["" if failed else _with_se(row["error_rate"], row["error_rate_se"], "%")] * ("label" in kinds)
            lines.append((*cells, "" if np.isnan(row["seconds"]) else f"{row['seconds']:.2f}"))
        return lines

    def remarks(self) -> list[str]:
        """Lines to read beside the ranking: the verdict, errors, how it was measured, what was left out."""
        known = self.settings
        rows = f"{known['rows']} rows" + (
            f" of {known['rows_in_table']}" if known["rows"] < known["rows_in_table"] else ""
        )
        lines = [self.verdict()]
        lines += [f"{row.method} failed: {row.error}" for row in self.summary.itertuples() if row.error is not None]
        lines.append(
            f"Measured on {rows} and {known['columns']} columns: {known['rate']:.0%} of the known cells hidden "
            f"({known['mechanism']}), {known['n_repeats']} repeat(s), seed {known['random_state']}; ± is one standard error, "
            "= not distinguishable from the best (within two)."
        )
        if known["left_out"]:
            lines.append(
                "Left out: " + "; ".join(f"{name!r}, {reason}" for name, reason in known["left_out"].items()) + "."
            )
        return lines + [f"{note}." for note in known["notes"]]

    def to_text(self) -> str:
        """Ranking and remarks in plain text."""
        table = self.table()
        widths = [max(len(row[k]) for row in table) for k in range(len(table[0]))]
        lines = [
            "  ".join(
                cell.ljust(width) if k == 1 else cell.rjust(width)
                for k, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in table
        ]
        return "\n".join([*lines, "", *self.remarks()]) + "\n"

    def to_markdown(self) -> str:
        """Ranking and remarks in Markdown."""
        escaped = [[cell.replace("|", "\\|") for cell in row] for row in self.table()]
        rule = ["---" if name == "method" else "---:" for name in escaped[0]]
        lines = ["| " + " | ".join(row) + " |" for row in [escaped[0], rule, *escaped[1:]]]
        return "\n".join(lines) + "\n\n" + "\n\n".join(self.remarks()) + "\n"

    def to_json(self) -> str:
        """Everything in strict JSON; a number that does not exist is null."""
        content = {
            "best": self.best,
            "verdict": self.verdict(),
            "summary": _records(self.summary),
            "per_column": _records(self.per_column),
            "settings": self.settings,
        }
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def __repr__(self) -> str:
        return self.to_text().rstrip("\n")


def compare_imputers(
    X: Any,
    *,
    methods: Sequence[str] = METHODS,
    imputers: Mapping[str, Any] | None = None,
    mechanism: Mechanism = "mcar",
    rate: float = 0.2,
    n_repeats: int = 3,
    max_rows: int | None = 5000,
    categorical_features: Any = None,
    missing_values: Any = np.nan,
    random_state: int | np.random.RandomState | None = 0,
    max_time: float | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Comparison:
    """Hide known cells of a table, let every imputer fill them, and rank the imputers by their errors.

    Real gaps stay gaps: they are filled too, but nobody knows their values, so they are never scored. All methods get the same
    masks. A method that fails is kept, with its error and the worst rank.

    Parameters
    ----------
    X : DataFrame (pandas, polars, ...), ndarray or list of shape (n_samples, n_features)
        The table, with or without gaps. Constant and empty columns, and texts most of which occur once (names, keys), are left
        out; ``settings["left_out"]`` says which and why.
    methods : sequence of str, default=("mean/mode", "kNN", "MICE", "tree chain", "GAINImputer")
        Which of these to run. ``"kNN"``: 5 neighbours; ``"MICE"``: chained Bayesian ridge regressions; both on standardised
        numbers and one-hot labels. ``"tree chain"``: MissForest with 100 extremely randomised trees. See
        `tabgan.imputation.baselines`.
    imputers : dict of str to estimator, default=None
        Your own scikit-learn imputers by the name to show; a name in ``methods`` replaces that method. They get a pandas table
        with columns named by text, numbers as float (times in days) and labels as text; an estimator that takes numbers only,
        by its scikit-learn tags, gets standardised numbers and one-hot labels if there are labels. A ``random_state`` of None
        is set, so that the result repeats.
    mechanism : str, default="mcar"
        How cells are chosen, see `tabgan.tables.amputation.ampute`. ``"mcar"`` is at random; if your real gaps depend on
        values, try ``"mar"`` or ``"mnar"`` as well, or ``"copy"``, which hides in the pattern of the real gaps.
    rate : float in (0, 1), default=0.2
        Share of the known cells to hide.
    n_repeats : int, default=3
        Masks to average over.
    max_rows : int, default=5000
        Larger tables are cut to this many rows, drawn at random. None uses all.
    categorical_features : None, list of names or positions, or boolean mask, default=None
        Columns to treat as categorical whatever they hold.
    missing_values : scalar or list of scalars, default=np.nan
        Further markers of a missing cell.
    random_state : int, RandomState or None, default=0
        Of masks, rows and methods.
    max_time : float, default=None
        Seconds per method and repeat. Only GAINImputer can stop early (its ``max_time``); ``settings["notes"]`` names the
        methods that took longer.
    progress : callable, default=None
        Called as ``progress(done, total, what)`` before each run and once at the end.

    Returns
    -------
    Comparison
        Ranking, errors per column, settings, and a verdict in words.

    Raises
    ------
    InvalidParameterError
        A parameter is outside its range; names it and the value.
    InvalidInputError
        The table cannot be used, or has nothing to hide: fewer than two columns that vary, or too few known cells.

    Notes
    -----
    The error of a number is measured in standard deviations of its column, that of a label is 0 or 1. Methods are ranked by the
    relative error: per column and mask, RMSE or error rate divided by that of the mean or mode, then averaged. Where the mean or
    mode makes no error at all it is 1 plus the error. Columns with fewer than 5 hidden cells in a mask do not count there,
    unless all have so few. Fills are not rounded.

    Examples
    --------
    >>> from tabgan import compare_imputers
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=100)
    >>> table = pd.DataFrame({"a": x, "b": 2 * x + rng.normal(size=100) / 5, "c": -x, "side": np.where(x > 0, "right", "left")})
    >>> result = compare_imputers(table, methods=["mean/mode", "kNN"])
    >>> result.best, result.summary["method"].tolist()
    ('kNN', ['kNN', 'mean/mode'])
    """
    chosen = _chosen(methods, imputers or {})
    seed = _check(mechanism, rate, n_repeats, max_rows, random_state, max_time)
    table = _working_table(X, categorical_features, missing_values)
    seeds = [int(word) for word in np.random.SeedSequence(seed).generate_state(n_repeats + 1)]
    table.keep_rows(max_rows, seeds[0])
    masks = [table.hidden_cells(mechanism, rate, one) for one in seeds[1:]]
    truth = _Truth(table.frame)
    reference = [truth.errors(MeanModeImputer().fit_transform(table.frame.where(~hidden)), hidden) for hidden in masks]
    outcomes = {name: _Outcome() for name in chosen}
    total = n_repeats * len(chosen)
    for k, (hidden, one) in enumerate(zip(masks, seeds[1:], strict=True)):
        gappy = table.frame.where(~hidden)
        for i, (name, make) in enumerate(chosen.items()):
            if progress is not None:
                progress(k * len(chosen) + i, total, f"{name}, repeat {k + 1} of {n_repeats}")
            if outcomes[name].error is None:
                _run(outcomes[name], make, one, max_time, gappy, truth, hidden)
    if progress is not None:
        progress(total, total, "done")
    settings = {
        "mechanism": mechanism,
        "rate": rate,
        "n_repeats": n_repeats,
        "random_state": seed,
        "rows": len(table.frame),
        "rows_in_table": table.n_rows,
        "columns": table.frame.shape[1],
        "left_out": table.left_out,
        "hidden_cells": [int(hidden.sum()) for hidden in masks],
        "max_time": max_time,
        "notes": _notes(outcomes, max_time),
        "versions": _versions(),
    }
    counts = np.array([hidden.sum(axis=0) for hidden in masks])
    return _ranked(outcomes, np.array(reference), counts, truth, settings)


@dataclass
class _WorkingTable:
    """Numbers as float64 with NaN, labels as text with NaN; only columns that can be scored."""

    frame: pd.DataFrame
    left_out: dict[str, str]
    n_rows: int

    def keep_rows(self, max_rows: int | None, seed: int) -> None:
        """Draw rows if there are too many, then drop the columns that nothing can be learnt about."""
        if max_rows is not None and len(self.frame) > max_rows:
            rows = np.random.default_rng(seed).choice(len(self.frame), max_rows, replace=False)
            self.frame = self.frame.iloc[np.sort(rows)].reset_index(drop=True)
        for name in list(self.frame.columns):
            values = self.frame[name].dropna()
            distinct, reason = values.nunique(), None
            if distinct < 2:
                reason = "no known value" if not len(values) else "constant"
            elif values.dtype == object and 2 * distinct > max(len(values), 8):
                reason = f"nearly every value is different ({distinct} in {len(values)} cells)"
            elif values.dtype == float and not 0 < _spread(values) < np.inf:
                reason = "too large or too close together for floating-point numbers"
            if reason:
                self.left_out[name] = reason
                del self.frame[name]
        if self.frame.shape[1] < 2:
            left = "".join(f"; {name!r} is left out: {reason}" for name, reason in list(self.left_out.items())[:5])
            raise InvalidInputError(
                f"X has {self.frame.shape[1]} column(s) to compare imputers on, and needs at least 2, as cells are "
                f"predicted from the other columns{left}."
            )

    def hidden_cells(self, mechanism: Mechanism, rate: float, seed: int) -> np.ndarray:
        """Choose known cells to hide; every column keeps some."""
        codes = np.column_stack(
            [
                values if values.dtype == float else pd.Series(pd.factorize(values, sort=True)[0]).replace(-1, np.nan)
                for _, values in self.frame.items()
            ]
        ).astype(float)
        known = self.frame.notna().to_numpy()
        hidden = ampute(codes, rate, mechanism=mechanism, random_state=seed, observed=known)
        hidden[:, ~(known & ~hidden).any(axis=0)] = False
        if not hidden.any():
            raise InvalidInputError(
                f"there is nothing to hide: rate={rate} of the {int(known.sum())} known cells of X, one kept in each row and "
                "column, is none; use a higher rate or a larger table."
            )
        return hidden


class _Truth:
    """The known cells, and how far fills are from them."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self.is_number = np.array([frame[name].dtype == float for name in frame.columns])
        self._spreads = [
            _spread(frame[name]) if number else 1.0 for name, number in zip(frame, self.is_number, strict=True)
        ]

    def errors(self, filled: pd.DataFrame, hidden: np.ndarray) -> np.ndarray:
        """RMSE in standard deviations or error rate per column; NaN where nothing was hidden."""
        found = np.full(len(self.is_number), np.nan)
        for j, name in enumerate(self.frame.columns):
            cells = hidden[:, j]
            if not cells.any():
                continue
            true, guess = self.frame[name].to_numpy()[cells], filled.iloc[:, j].to_numpy()[cells]
            empty = int(pd.isna(guess).sum())
            if empty:
                raise ValueError(f"{empty} of {len(guess)} hidden cells of column {name!r} were left empty")
            if self.is_number[j]:
                found[j] = np.sqrt(np.mean(((guess.astype(float) - true) / self._spreads[j]) ** 2))
            else:
                found[j] = np.mean(guess.astype(object) != true)
        if np.isinf(found).any():
            raise ValueError(
                f"column {self.frame.columns[np.isinf(found).argmax()]!r} was filled with infinite numbers"
            )
        return found


def _spread(values: pd.Series) -> float:
    with np.errstate(over="ignore"):
        return float(np.nanstd(values.to_numpy()))


def _working_table(X: Any, categorical_features: Any, missing_values: Any) -> _WorkingTable:
    table = read_table(X, missing_values=missing_values)
    schema = infer_schema(table, categorical_features=categorical_features)
    texts = [str(name) for name in table.names]
    names = texts if len(set(texts)) == len(texts) else [f"{j}: {text}" for j, text in enumerate(texts)]
    columns = {
        name: _working_column(column, known)
        for name, column, known in zip(names, table.columns, schema.columns, strict=True)
    }
    return _WorkingTable(pd.DataFrame(columns), {}, table.n_rows)


def _working_column(column: RawColumn, known: ColumnSchema) -> pd.Series:
    if known.kind in ("boolean", "categorical", "ordinal") or column.family in ("text", "category"):
        levels = list(pd.unique(column.values[~column.missing]))
        texts = [str(level) for level in levels]
        if len(set(texts)) < len(texts):
            texts = [f"{level} ({type(level).__name__})" for level in levels]
        names = dict(zip(levels, texts, strict=True))
        cells = [np.nan if gap else names[v] for v, gap in zip(column.values, column.missing, strict=True)]
        return pd.Series(cells, dtype=object)
    numbers = np.where(column.missing, np.nan, column.values.astype(float))
    if column.unit is not None and not column.all_missing:
        first = int(column.values[~column.missing].min()) if column.family == "datetime" else 0
        numbers = np.where(column.missing, np.nan, (column.values - first) / _DAY[column.unit])
    return pd.Series(numbers, dtype=float)


def _chosen(methods: Sequence[str], imputers: Mapping[str, Any]) -> dict[str, Callable[[int], Any]]:
    """Factories by name, from a seed."""
    wanted = [methods] if isinstance(methods, str) else list(methods)
    for name in wanted:
        if name not in METHODS and name not in imputers:
            lower = {method.lower(): method for method in METHODS}
            close = get_close_matches(str(name).lower(), lower, n=1)
            advice = f"did you mean {lower[close[0]]!r}? " if close else ""
            raise InvalidParameterError(
                f"methods={name!r} is not a method; {advice}there are {', '.join(map(repr, METHODS))}."
            )
    for name, estimator in imputers.items():
        if not hasattr(estimator, "fit_transform") or isinstance(estimator, type):
            raise InvalidParameterError(
                f"imputers[{name!r}]={estimator!r} is not valid; it must be an estimator object with fit_transform."
            )
    names = list(dict.fromkeys([*wanted, *imputers]))
    if not names:
        raise InvalidParameterError("methods and imputers are both empty; name at least one method.")
    own = {
        str(name): (lambda seed, estimator=estimator: _seeded(estimator, seed)) for name, estimator in imputers.items()
    }
    return {str(name): own.get(str(name)) or BASELINES.get(name) or _gain for name in names}


def _gain(seed: int) -> Any:
    from tabgan.imputation.gain import GAINImputer

    return GAINImputer(random_state=seed, round_like_observed=False)


def _seeded(estimator: Any, seed: int) -> Any:
    if not hasattr(estimator, "get_params"):
        return copy.deepcopy(estimator)
    fresh = clone(estimator)
    parameters = fresh.get_params(deep=True)
    unset = [key for key, value in parameters.items() if key.split("__")[-1] == "random_state" and value is None]
    return fresh.set_params(**dict.fromkeys(unset, seed))


def _takes_labels(estimator: Any) -> bool:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer

    if isinstance(estimator, ColumnTransformer) or not hasattr(estimator, "__sklearn_tags__"):
        return True
    if isinstance(estimator, SimpleImputer):
        return estimator.strategy in ("most_frequent", "constant")
    tags = estimator.__sklearn_tags__().input_tags
    return tags.string or tags.categorical


def _run(
    outcome: _Outcome,
    make: Callable[[int], Any],
    seed: int,
    max_time: float | None,
    gappy: pd.DataFrame,
    truth: _Truth,
    hidden: np.ndarray,
) -> None:
    """Fill one table by one method, and keep what came of it, be it an error."""
    try:
        estimator = make(seed)
        outcome.keeps_time = hasattr(estimator, "max_time")
        if outcome.keeps_time and estimator.max_time is None:
            estimator.set_params(max_time=max_time)
        if not truth.is_number.all() and not _takes_labels(estimator):
            estimator = OneHotImputer(estimator)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            started = time.perf_counter()
            filled = estimator.fit_transform(gappy.copy())
            seconds = time.perf_counter() - started
            outcome.errors.append(truth.errors(_as_frame(filled, gappy), hidden))
            outcome.seconds.append(seconds)
            outcome.n_stopped += "time" in str(getattr(estimator, "stop_reason_", ""))
    except Exception as error:
        text = (str(error).strip() or "no message").splitlines()[0]
        outcome.error = f"{type(error).__name__}: {text}"


def _as_frame(filled: Any, gappy: pd.DataFrame) -> pd.DataFrame:
    if isinstance(filled, pd.DataFrame) and set(gappy.columns) == set(filled.columns):
        filled = filled[list(gappy.columns)]
    values = filled.to_numpy() if hasattr(filled, "to_numpy") else np.asarray(filled)
    if values.shape != gappy.shape:
        raise ValueError(f"it made a table of shape {values.shape} of one of shape {gappy.shape}")
    return filled if isinstance(filled, pd.DataFrame) else pd.DataFrame(values, columns=gappy.columns)


def _check(mechanism: Any, rate: Any, n_repeats: Any, max_rows: Any, random_state: Any, max_time: Any) -> int:
    from tabgan.imputation import parameters

    if mechanism not in MECHANISMS:
        raise parameters.parameter_error("mechanism", mechanism, "one of " + ", ".join(map(repr, MECHANISMS)))
    if not _number(rate) or not 0 < rate < 1:
        raise parameters.parameter_error("rate", rate, "a number between 0 and 1, both excluded")
    if not _integer(n_repeats) or n_repeats < 1:
        raise parameters.parameter_error("n_repeats", n_repeats, "an integer >= 1")
    if max_rows is not None and (not _integer(max_rows) or max_rows < 2):
        raise parameters.parameter_error("max_rows", max_rows, "None or an integer >= 2")
    for name, value in (("random_state", random_state), ("max_time", max_time)):
        holds, expected = parameters.RULES[name]
        if not holds(value):
            raise parameters.parameter_error(name, value, expected)
    return parameters.seed(random_state)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _integer(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _notes(outcomes: Mapping[str, _Outcome], max_time: float | None) -> list[str]:
    notes = []
    for name, outcome in outcomes.items():
        slowest = max(outcome.seconds, default=0.0)
        if outcome.n_stopped:
            notes.append(f"{name} was stopped early by max_time={max_time:g} in {outcome.n_stopped} repeat(s)")
        elif max_time is not None and slowest > max_time and not outcome.keeps_time:
            notes.append(f"{name} took {slowest:.1f} s, longer than max_time={max_time:g}, which it cannot keep")
    return notes


def _versions() -> dict[str, str]:
    from tabgan import __version__

    found = {"tabgan": __version__, "python": platform.python_version()}
    for name in ("numpy", "pandas", "scikit-learn", "torch"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@dataclass
class _Outcome:
    """What one method did: error per column and seconds, by repeat; the message if it failed; whether it minds the clock."""

    errors: list[np.ndarray] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    error: str | None = None
    keeps_time: bool = False
    n_stopped: int = 0


def _ranked(
    outcomes: Mapping[str, _Outcome],
    reference: np.ndarray,
    counts: np.ndarray,
    truth: _Truth,
    settings: dict[str, Any],
) -> Comparison:
    """Order the methods; ``reference`` (mean or mode) and ``counts`` of hidden cells are by repeat and column."""
    numbers = truth.is_number
    errors = {name: np.array(outcome.errors) for name, outcome in outcomes.items() if outcome.error is None}
    relative = {name: _relative(found, reference, counts) for name, found in errors.items()}
    by_repeat = {name: _nanmean(found, axis=1) for name, found in relative.items()}
    order = sorted(errors, key=lambda name: float(_nanmean(by_repeat[name])))
    means = [float(_nanmean(by_repeat[name])) for name in order]
    records = []
    for name in [*order, *(name for name in outcomes if name not in errors)]:
        outcome = outcomes[name]
        record: dict[str, Any] = {"method": name, "rank": len(outcomes)}
        measures = dict.fromkeys(_MEASURES, np.nan) | {"tied": False}
        if name in errors:
            record["rank"] = 1 + means.index(means[order.index(name)])
            rmse = np.sqrt(_pooled(errors[name] ** 2, counts, numbers))
            wrong = _pooled(errors[name], counts, ~numbers)
            for label, values in (("rmse", rmse), ("error_rate", wrong), ("relative_error", by_repeat[name])):
                measures[label], measures[f"{label}_se"] = float(_nanmean(values)), _standard_error(values)
            difference, error = _paired(relative[name] - relative[order[0]])
            measures |= {"difference": difference, "difference_se": error, "tied": not difference > 2 * error}
        seconds = float(np.mean(outcome.seconds)) if outcome.seconds else np.nan
        records.append(record | measures | {"seconds": seconds, "error": outcome.error})
    summary = pd.DataFrame(records)
    summary["error"] = pd.Series([record["error"] for record in records], dtype=object)
    cells = [
        {
            "column": column,
            "kind": "number" if numbers[j] else "label",
            "method": name,
            "n_cells": int(counts[:, j].sum()),
            "rmse": float(_nanmean(errors[name][:, j])) if numbers[j] else np.nan,
            "error_rate": np.nan if numbers[j] else float(_nanmean(errors[name][:, j])),
            "relative_error": float(_nanmean(relative[name][:, j])),
        }
        for j, column in enumerate(truth.frame.columns)
        for name in order
    ]
    return Comparison(summary, pd.DataFrame(cells, columns=_CELL_COLUMNS), settings)


def _relative(errors: np.ndarray, reference: np.ndarray, counts: np.ndarray) -> np.ndarray:
    counted = counts >= _FEWEST_CELLS
    counted = counted if counted.any() else counts > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(counted, np.where(reference > 0, errors / reference, 1 + errors), np.nan)


def _pooled(errors: np.ndarray, counts: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Mean over the hidden cells of some columns, by repeat."""
    weights = counts[:, columns]
    with np.errstate(invalid="ignore"):
        return np.where(weights > 0, errors[:, columns] * weights, 0).sum(axis=1) / weights.sum(axis=1)


def _paired(differences: np.ndarray) -> tuple[float, float]:
    """Mean difference over repeats and columns, and its standard error.

    The larger of two: over the repeats' means, which knows that a repeat's columns go together but rests on few numbers; and
    over the single entries within columns, pooled, which is steadier. One repeat has only the columns to go by.
    """
    by_repeat = _nanmean(differences, axis=1)
    n = np.sum(~np.isnan(differences), axis=0)
    if (~np.isnan(by_repeat)).sum() < 2:
        return float(_nanmean(by_repeat)), _standard_error(differences[~np.isnan(differences)])
    squares = np.nansum((differences - _nanmean(differences, axis=0)) ** 2)
    freedom = np.maximum(n - 1, 0).sum()
    within = float(np.sqrt(squares / freedom / n.sum())) if freedom else 0.0
    return float(_nanmean(by_repeat)), max(_standard_error(by_repeat), within)


def _standard_error(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.std(ddof=1) / np.sqrt(len(known))) if len(known) > 1 else np.nan


def _nanmean(values: np.ndarray, axis: int | None = None) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a mean of nothing is NaN, and wanted
        return np.nanmean(values, axis=axis)


def _with_se(value: float, error: float, unit: str = "") -> str:
    """``0.512 ± 0.003``, in per cent with one decimal for ``unit="%"``."""
    if np.isnan(value):
        return "-"
    scale, digits = (100, 1) if unit else (1, 3)
    return f"{value * scale:.{digits}f}{unit}" + ("" if np.isnan(error) else f" ± {error * scale:.{digits}f}")


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {key: None if isinstance(value, float) and np.isnan(value) else value for key, value in row.items()}
        for row in frame.to_dict("records")
    ]
