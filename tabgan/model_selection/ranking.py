"""From errors by method, mask and column to a ranking that says how sure it is."""

from __future__ import annotations

import html
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tabgan._html import table_html
from tabgan._results import plain_data
from tabgan.model_selection.working_table import Truth

__all__ = ["Comparison", "Outcome", "ranked"]


_FEWEST_CELLS = 5
_MEASURES = (
    *(f"{name}{suffix}" for name in ("rmse", "error_rate", "relative_error") for suffix in ("", "_se")),
    "difference",
    "difference_se",
)
_CELL_COLUMNS = ("column", "kind", "method", "n_cells", "rmse", "error_rate", "relative_error")


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
        be told from the best; ``i_score``, the energy-I-Score of its draws (lower is better; NaN where not asked for by
        ``n_draws``); mean ``seconds`` per repeat; ``error`` of a method that failed, else None.
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

    @property
    def repeated(self) -> bool:
        """Whether there are repeats, so that standard errors mean anything."""
        return bool(self.settings["n_repeats"] > 1)

    def _spread(self, value: float, error: float, unit: str = "") -> str:
        return _with_se(value, error if self.repeated else np.nan, unit)

    def verdict(self) -> str:
        """Tell in plain English what to use, also where that is not GAINImputer."""
        rows = {row["method"]: row for row in self.summary.to_dict("records")}
        if self.best is None:
            return "Every method failed; their errors say why."
        best, ours = rows[self.best], rows.get("GAINImputer")
        tied = [name for name, row in rows.items() if row["tied"] and name != self.best]
        error = f"relative error {best['relative_error']:.3f}, where 1 is the mean or mode"
        told = f"{self.best} fills this table best: {error}."
        if tied:
            told = f"{self.best} has the lowest error ({error}), but cannot be told from {', '.join(tied)}."
        if best["relative_error"] >= 1 or self.best == "mean/mode" or "mean/mode" in tied:
            told += " No method is clearly better than the mean or mode: here the columns tell little about each other."
        if ours is not None and ours["error"] is not None:
            told += " GAINImputer failed here."
        elif ours is not None and self.best != "GAINImputer" and "GAINImputer" not in tied:
            told += (
                f" GAINImputer is not the best here: rank {ours['rank']} of {len(rows)}, with a relative error "
                f"{self._spread(ours['difference'], ours['difference_se'])} higher. Use {self.best} for this table."
            )
        scored = self.summary.dropna(subset="i_score")
        if len(scored) > 1:
            told += f" By the energy-I-Score, the draws of {scored.loc[scored['i_score'].idxmin(), 'method']} are best."
        failed = [name for name, row in rows.items() if row["error"] is not None and name != "GAINImputer"]
        return told + (f" Failed: {', '.join(failed)}." if failed else "")

    def table(self) -> list[tuple[str, ...]]:
        """Ranking as text cells, the heading first; measures that do not apply to any column are left out."""
        kinds = set(self.per_column["kind"])
        shown = self._spread
        heading = ["rank", "method", "relative error", "behind the best"]
        cells = self.per_column.drop_duplicates("column").groupby("kind")["n_cells"].sum()
        heading += [f"numbers: RMSE in sd (n={cells['number']:,})"] if "number" in kinds else []
        heading += [f"labels: wrong (n={cells['label']:,})"] if "label" in kinds else []
        scored = bool(self.summary["i_score"].notna().any())
        heading += ["energy-I-Score"] * scored + ["seconds"]
        lines = [tuple(heading)]
        for row in self.summary.to_dict("records"):
            failed = row["error"] is not None
            behind = "" if failed or row["method"] == self.best else shown(row["difference"], row["difference_se"])
            cells = [str(row["rank"]), row["method"], "failed" if failed else f"{row['relative_error']:.3f}"]
            cells += [behind + (" =" if behind and row["tied"] else "")]
            cells += ["" if failed else shown(row["rmse"], row["rmse_se"])] * ("number" in kinds)
            cells += ["" if failed else shown(row["error_rate"], row["error_rate_se"], "%")] * ("label" in kinds)
            cells += ["-" if np.isnan(row["i_score"]) else f"{row['i_score']:.4f}"] * scored
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
            f"({known['mechanism']}), {_repeats(known['n_repeats'])}, seed {known['random_state']}; n is the number of hidden cells, "
            + ("± one standard error, " if self.repeated else "")
            + "= not distinguishable from the best (within two standard errors)."
        )
        if not self.repeated:
            lines.append(
                "One repeat says nothing of chance: with others the order may change. Three or more (n_repeats=3) tell."
            )
        if self.summary["i_score"].notna().any():
            lines.append(
                f"The energy-I-Score judges {known['n_draws']} draws on the table's own missing values; lower is better. Go by it for "
                "inference from several imputations, and by the error on hidden cells for prediction."
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

    def to_html(self, *, source: str | None = None) -> Any:
        """Write a one-file HTML report; see `tabgan.report_comparison`.

        Parameters
        ----------
        source : str, default=None
            What the table is called, for the title.

        Returns
        -------
        HTMLReport
            With ``save(path)``; notebooks show it.
        """
        import tabgan

        return tabgan.report_comparison(self, source=source)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data that JSON can hold; a number that does not exist is None."""
        return plain_data(
            {
                "best": self.best,
                "verdict": self.verdict(),
                "summary": self.summary,
                "per_column": self.per_column,
                "settings": self.settings,
            }
        )

    def to_json(self) -> str:
        """Everything in strict JSON; a number that does not exist is null."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def __repr__(self) -> str:
        return self.to_text().rstrip("\n")

    def _repr_html_(self) -> str:
        verdict, *others = self.remarks()
        below = "<br>".join(map(html.escape, others))
        return f"<p><b>{html.escape(verdict)}</b></p>{table_html(self.table())}<p><small>{below}</small></p>"


@dataclass
class Outcome:
    """What one method did: error per column and seconds, by repeat; the message if it failed; whether it minds the clock."""

    errors: list[np.ndarray] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    error: str | None = None
    keeps_time: bool = False
    n_stopped: int = 0
    i_score: float = np.nan


def ranked(
    outcomes: Mapping[str, Outcome],
    reference: np.ndarray,
    counts: np.ndarray,
    truth: Truth,
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
        records.append(record | measures | {"i_score": outcome.i_score, "seconds": seconds, "error": outcome.error})
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


def _repeats(n: int) -> str:
    return "1 repeat" if n == 1 else f"{n} repeats"
