"""The work of `tabgan demo`: fill a real table end to end, then measure the fills against the usual ways."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from sklearn.base import clone

from tabgan.cli.errors import note
from tabgan.exceptions import MissingExtraError
from tabgan.imputation.gain import GAINImputer
from tabgan.model_selection.baselines import BASELINES

__all__ = ["Score", "hidden_cell_scores", "run_demo"]

_HIDDEN_SHARE = 0.2
_SHOWN_ROWS = 4
_PEERS = ("mean/mode", "kNN", "MICE")


@dataclass(frozen=True)
class Score:
    """How well hidden cells were filled.

    Parameters
    ----------
    name : str
        Of the method.
    rmse : float
        Root mean squared error over hidden numeric cells, in column standard deviations.
    error_rate : float
        Share of hidden categorical cells that were filled wrongly.
    seconds : float
    """

    name: str
    rmse: float
    error_rate: float
    seconds: float


def run_demo(steps: int, seed: int, report: Path | None) -> None:
    """Fill the penguins' missing cells and print the fills and the scores of every method.

    Parameters
    ----------
    steps : int
        At most so many steps of training for each of the two models.
    seed : int
        Of the training and of the choice of hidden cells.
    report : Path or None
        Where the report goes.

    Raises
    ------
    MissingExtraError
        The table of penguins is not installed.
    """
    penguins = _load_penguins()
    console = Console(highlight=False, soft_wrap=True)
    imputer = GAINImputer(n_steps=steps, draw_steps=0, random_state=seed, device="cpu")

    def gain(table: pd.DataFrame) -> pd.DataFrame:
        return clone(imputer).fit_transform(table)

    started = time.perf_counter()
    filled = imputer.fit_transform(penguins)
    _show_fills(console, penguins, filled, time.perf_counter() - started)
    console.print(
        f"\nHow good are such fills? {_HIDDEN_SHARE:.0%} of the known cells are hidden (seed {seed}), filled by each "
        "method from the rest,\nand compared with the truth. kNN and MICE see standardised numbers and one-hot "
        "categories (MICE one slot less\nper column, as the slots would otherwise predict each other); the largest "
        "slot wins.\n"
    )
    scores = hidden_cell_scores(penguins, gain, seed)
    _show_scores(console, scores)
    console.print(
        "\ntabgan compare FILE does this for your own table, several times over and with a tree chain as well."
    )
    if report is not None:
        _write_report(report, imputer, penguins, filled, scores)
        note(f"report -> {str(report)!r}")


def _write_report(report: Path, imputer: Any, table: pd.DataFrame, filled: pd.DataFrame, scores: list[Score]) -> None:
    """The report of `tabgan impute` with the comparison on top."""
    from tabgan.report.html import render
    from tabgan.report.imputation_page import imputation_page
    from tabgan.report.page import Head, number_cell, text_cell
    from tabgan.report.page import Table as PageTable

    page = imputation_page(imputer, table, filled, n_draws=0)
    heads = [Head("Method"), Head("RMSE of numbers", True, "in column standard deviations")]
    heads += [Head("Wrong labels", True), Head("Seconds", True)]
    rows = [
        [
            text_cell(score.name, ""),
            number_cell(score.rmse, ".3f"),
            number_cell(score.error_rate, ".1%"),
            number_cell(score.seconds, ".1f"),
        ]
        for score in scores
    ]
    note = f"{_HIDDEN_SHARE:.0%} of the known cells were hidden and filled by each method from the rest."
    page.tables.insert(0, PageTable("Beside the usual ways", heads, rows, note))
    render(page).save(report)


def _load_penguins() -> pd.DataFrame:
    try:
        from palmerpenguins import load_penguins
    except ImportError as error:
        raise MissingExtraError(
            'the demo needs the palmerpenguins table; install it with: pip install "tabgan-learn[demo]"'
        ) from error
    return load_penguins()


def hidden_cell_scores(table: pd.DataFrame, gain: Callable[[pd.DataFrame], pd.DataFrame], seed: int) -> list[Score]:
    """Hide known cells, fill them by every method, and score the fills.

    Parameters
    ----------
    table : DataFrame
        May have missing cells of its own; these are filled too, but nobody can score them.
    gain : callable
        Fills a table with `GAINImputer`.
    seed : int
        Of the choice of cells.

    Returns
    -------
    list of Score
        The baselines, then `GAINImputer`.
    """
    known = table.notna().to_numpy()
    hidden = known & (np.random.default_rng(seed).random(table.shape) < _HIDDEN_SHARE)
    gappy = table.mask(hidden)
    scores = []
    peers = {name: BASELINES[name](seed).fit_transform for name in _PEERS}
    for name, method in {**peers, "GAINImputer": gain}.items():
        started = time.perf_counter()
        filled = method(gappy)
        scores.append(Score(name, *_errors(table, filled, hidden), time.perf_counter() - started))
    return scores


def _errors(table: pd.DataFrame, filled: pd.DataFrame, hidden: np.ndarray) -> tuple[float, float]:
    squares, wrong = [], []
    for j, name in enumerate(table.columns):
        truth, guess = table[name][hidden[:, j]], filled[name][hidden[:, j]]
        if pd.api.types.is_numeric_dtype(table[name]):
            squares.append(((guess.astype(float) - truth.astype(float)) / table[name].std()).to_numpy() ** 2)
        else:
            wrong.append((guess.astype(object) != truth.astype(object)).to_numpy())
    return float(np.sqrt(np.concatenate(squares).mean())), float(np.concatenate(wrong).mean())


def _show_fills(console: Console, table: pd.DataFrame, filled: pd.DataFrame, seconds: float) -> None:
    gaps = table.isna()
    counts = gaps.sum()
    by_column = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
    console.print(
        f"Palmer penguins: {len(table)} rows, {table.shape[1]} columns, {int(counts.sum())} missing cells ({by_column})."
    )
    console.print(f"GAINImputer filled {int(counts.sum() - filled.isna().sum().sum())} of them in {seconds:.1f} s.\n")
    # The rows that are almost empty first, then those that lack one cell.
    rows = gaps.sum(axis=1).sort_values(ascending=False, kind="stable").index[:_SHOWN_ROWS]
    names = [name for name in table.columns if name == "species" or counts[name]]
    # Headings in words wrap where a terminal is narrow; names in one piece would be cut off.
    headings = [str(name).replace("_", " ") for name in names]
    shown = Table("row", *headings, title="Some rows, with fills in brackets", title_justify="left")
    for row in rows:
        cells = [_cell(filled.loc[row, name], bool(gaps.loc[row, name])) for name in names]
        shown.add_row(str(row), *cells)
    console.print(shown)


def _cell(value: Any, was_gap: bool) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f"[bold green]\\[{text}][/bold green]" if was_gap else text


def _show_scores(console: Console, scores: list[Score]) -> None:
    best_rmse = min(round(score.rmse, 3) for score in scores)
    best_rate = min(round(score.error_rate, 3) for score in scores)
    shown = Table("method", title="Error on the hidden cells (lower is better, * best)", title_justify="left")
    for heading in ("numbers: RMSE in sd", "categories: wrong", "seconds"):
        shown.add_column(heading, justify="right")
    for score in scores:
        rmse = f"{score.rmse:.3f}" + ("*" if round(score.rmse, 3) == best_rmse else " ")
        rate = f"{score.error_rate:.1%}" + ("*" if round(score.error_rate, 3) == best_rate else " ")
        shown.add_row(score.name, rmse, rate, f"{score.seconds:.1f}")
    console.print(shown)
