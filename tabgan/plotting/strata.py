"""`ConditionalImputationDisplay`: observed and imputed distributions among rows that are alike in other columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidParameterError
from tabgan.plotting.canvas import beside, label, say_inside, shown_note
from tabgan.plotting.display import PanelDisplay, legend_above
from tabgan.plotting.marginals import ColumnPair, disagreement, draw_pair, of_few_values
from tabgan.plotting.propensities import with_propensities
from tabgan.plotting.views import CompletedView, check_count, draws_by, draws_view, is_number
from tabgan.wording import figures

__all__ = ["ConditionalImputationDisplay", "Stratum"]

_FEWEST_OBSERVED = 8
"""With fewer, chance makes the picture."""
_N_STRATA = 3
_FEWEST, _MOST_TARGETS, _MOST_CANDIDATES, _MOST_LEVELS = 8, 4, 60, 20
"""Cells, columns with gaps and their levels, and columns to group by, that are looked at to choose one."""


@dataclass(frozen=True)
class Stratum:
    """Observed and imputed cells of one column among rows that are alike.

    Parameters
    ----------
    title : str
        What the rows share.
    pair : ColumnPair
        Observed cells first; the imputed ones of all draws.
    n_imputed : int
        Imputed cells of one draw.
    """

    title: str
    pair: ColumnPair
    n_imputed: int


class ConditionalImputationDisplay(PanelDisplay):
    """Observed against imputed cells given other columns: a row of panels per column, a panel per group of rows that are alike.

    Imputed cells as a whole may differ from observed ones, since rows with gaps differ from those without (`ImputationDisplay`).
    Among rows that are as likely to have the gap, or that agree in a column which matters, the two should be distributed alike; where
    they are not, the imputations miss what that column says. Thin lines are single draws, as in mice's ``densityplot``. Rows within
    a range of probabilities still differ: there, observed cells count by their odds of being missing, so that they stand for the
    missing ones.

    Parameters
    ----------
    strata : list of Stratum
        Groups of a column stand beside each other, columns with the largest differences first.
    n_strata : int
        Panels per column.
    by : str or None
        The column that groups rows; None is the probability of being missing, or that no column has groups to compare.
    n_columns : int
        Columns with gaps, shown or not.

    Attributes
    ----------
    figure_ : matplotlib.figure.Figure
    axes_ : list of matplotlib.axes.Axes

    References
    ----------
    Bondarenko and Raghunathan 2016, "Graphical and numerical diagnostic tools to assess suitability of multiple imputations and
    imputation models". Abayomi, Gelman and Levy 2008, "Diagnostics for multivariate imputations".

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"side": ["left", "right"] * 20, "x": [1.0, 5.0, 2.0, None] * 10})
    >>> display = ConditionalImputationDisplay.from_predictions(table, [table.fillna(5.0), table.fillna(6.0)], by="side")
    >>> [(one.title, one.n_imputed, round(one.pair.disagreement, 2)) for one in display.strata]
    [('side: left', 0, 0.0), ('side: right', 10, 0.31)]
    """

    _panel, _margin, _nothing = (2.7, 2.1), (0.4, 0.7), "too few missing cells to compare like with like"

    def __init__(self, strata: list[Stratum], n_strata: int, by: str | None, n_columns: int) -> None:
        self.strata = strata
        self.n_strata = n_strata
        self.by = by
        self.n_columns = n_columns

    @classmethod
    def from_estimator(
        cls,
        imputer: Any,
        X: Any,
        *,
        by: Any = None,
        n_draws: int = 5,
        random_state: int | None = None,
        max_columns: int = 4,
        fig: Any = None,
    ) -> ConditionalImputationDisplay:
        """Draw imputations of a table, and the picture.

        Parameters
        ----------
        imputer : GAINImputer
            Fitted with the default objective.
        X : table of shape (n_samples, n_features)
            With gaps.
        by : column name, default=None
            What rows are grouped by: thirds of its numbers, or its three most frequent levels; positions of an array count as names.
            ``"auto"`` takes the column whose groups differ most both in what is missing and in what is known of it. None takes thirds
            of the probability of being missing given the other columns, column by column (see `PropensityDisplay`).
        n_draws : int, default=5
            Completed tables to make.
        random_state : int, default=None
            Of the draws; None takes the imputer's.
        max_columns : int, default=4
            Show at most this many columns: those with the most gaps, or, with ``by``, those that differ most.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        ConditionalImputationDisplay

        Raises
        ------
        InvalidParameterError
            ``by`` is no column of ``X``.
        """
        check_count("max_columns", max_columns)
        return cls._of(draws_by(imputer, X, None, n_draws, random_state), by, max_columns).plot(fig)

    @classmethod
    def from_completed(
        cls, imputer: Any, X: Any, draws: Sequence[Any], *, by: Any = None, max_columns: int = 4, fig: Any = None
    ) -> ConditionalImputationDisplay:
        """Draw what an imputer's ``sample`` returned, with the column kinds that it learnt.

        Parameters
        ----------
        imputer : GAINImputer
            Fitted.
        X : table of shape (n_samples, n_features)
            With gaps.
        draws : sequence of tables of shape (n_samples, n_features)
            What ``imputer.sample(X)`` returned.
        by : column name, default=None
            See `from_estimator`.
        max_columns : int, default=4
            Show at most this many columns: those with the most gaps, or, with ``by``, those that differ most.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        ConditionalImputationDisplay
        """
        check_count("max_columns", max_columns)
        return cls._of(draws_by(imputer, X, draws), by, max_columns).plot(fig)

    @classmethod
    def from_predictions(
        cls, X: Any, draws: Sequence[Any], *, by: Any = None, max_columns: int = 4, fig: Any = None
    ) -> ConditionalImputationDisplay:
        """Draw completed tables made elsewhere.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            With gaps.
        draws : sequence of tables of shape (n_samples, n_features)
            Completed ones; a single one will do.
        by : column name, default=None
            See `from_estimator`.
        max_columns : int, default=4
            Show at most this many columns: those with the most gaps, or, with ``by``, those that differ most.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        ConditionalImputationDisplay
        """
        check_count("max_columns", max_columns)
        return cls._of(draws_view(X, draws), by, max_columns).plot(fig)

    @classmethod
    def _of(cls, tables: list[CompletedView], by: Any, max_columns: int) -> ConditionalImputationDisplay:
        name: str | None = None
        if by is None:
            grouped, n_columns = _by_propensity(tables, max_columns)
        elif isinstance(by, str) and by == "auto" and tables and by not in tables[0][0].columns:
            name, grouped = _by_what_matters(tables[0])
            n_columns = len(grouped)
        else:
            name, grouped = str(by), _by_column(tables, str(by))
            n_columns = len(grouped)
        found = [[_stratum(tables, name, group) for group in groups] for name, groups in grouped.items()]
        found = [
            strata
            for strata in found
            if any(len(one.pair.first) >= _FEWEST_OBSERVED and one.n_imputed for one in strata)
        ]
        found.sort(key=lambda strata: -_difference(strata))
        n_strata = max([len(strata) for strata in found], default=1)
        shown = [one for strata in found[:max_columns] for one in strata]
        return cls(shown, n_strata, name, n_columns)

    def _items(self) -> list[Stratum]:
        return self.strata

    def _per_row(self) -> int:
        return self.n_strata

    def _fitting(self) -> int:
        return self.n_strata if beside(self.n_strata, self._narrowest) == self.n_strata else 1

    def _draw_one(self, axes: Any, stratum: Stratum) -> None:
        pair = stratum.pair
        if 0 < len(pair.first) < _FEWEST_OBSERVED:
            say_inside(axes, f"only {len(pair.first)} observed\n(nothing to compare with)")
        elif len(pair.first) and len(pair.second):
            alike = [one.pair for one in self.strata if one.pair.name == pair.name]
            few = (
                of_few_values(*(part for one in alike for part in (one.first, one.second))) if pair.is_number else True
            )
            names = "observed" if self.by else "observed, weighted like the missing", "imputed"
            draw_pair(axes, pair, names, few=few)
        else:
            say_inside(axes, "no imputed cell" if len(pair.first) else "no observed cell")
        n_all = len(pair.first) + stratum.n_imputed
        axes.set_title(
            f"{label(pair.name)}\n{label(stratum.title, 34)}\n{stratum.n_imputed:,} of {n_all:,} imputed", fontsize=8
        )

    def _draw_around(self) -> None:
        for first in range(0, len(self.strata), self.n_strata):
            beside = slice(first, first + self.n_strata)
            if all(one.pair.is_number for one in self.strata[beside]):
                drawn = [axes for axes in self.axes_[beside] if axes.axison]
                low, high = zip(*(axes.get_xlim() for axes in drawn), strict=True)
                for axes in drawn if not any(axes.get_yticks().size for axes in drawn) else ():
                    axes.set_xlim(min(low), max(high))
        explained = next(axes for axes in self.axes_ if axes.axison)
        n_shown = len(self.strata) // self.n_strata
        note = shown_note(n_shown, self.n_columns, "columns with missing cells")
        which = "the most different ones" if self.by else "those with the most"
        legend_above(self.figure_, explained, note and f"{note}, {which}")


@dataclass(frozen=True)
class _Group:
    """Rows, what they share, and how much each counts if its cell is observed."""

    title: str
    rows: np.ndarray
    weights: np.ndarray | None = None


def _by_propensity(tables: list[CompletedView], max_columns: int) -> tuple[dict[str, list[_Group]], int]:
    """Thirds of the imputed cells by how likely they are to be missing; observed cells go where they belong.

    Of the columns with the most gaps, and how many there are.
    """
    propensities, n_columns = with_propensities(tables, max_columns)
    found = {}
    for name, propensity in propensities.items():
        shares = propensity.shares
        gap = tables[0][1][name].to_numpy()[propensity.rows]
        edges = np.quantile(shares[gap], np.linspace(0, 1, _N_STRATA + 1)[1:-1])
        place, odds = np.searchsorted(edges, shares), shares / np.maximum(1 - shares, 1e-3)
        found[name] = [
            _Group(
                f"missing probability {mine.min():.0%} to {mine.max():.0%}",
                propensity.rows[place == k],
                odds[place == k],
            )
            for k in range(_N_STRATA)
            if len(mine := shares[place == k])
        ]
    return found, n_columns


def _by_what_matters(table: CompletedView) -> tuple[str | None, dict[str, list[_Group]]]:
    """Groups by the column that would mislead most if it were left out: it goes with gaps, and with the values that have them.

    Of each column with gaps, a candidate's groups differ in their share of gaps, and in the distribution of observed cells; the
    product of both is what the candidate does to a comparison of all imputed with all observed cells.
    """
    filled, gaps = table
    counts = gaps.sum().sort_values(ascending=False, kind="stable")
    enough = [name for name in counts.index if _FEWEST <= counts[name] <= len(gaps) - _FEWEST]
    plain = [name for name in enough if is_number(filled[name]) or filled[name].nunique() <= _MOST_LEVELS]
    targets = (plain or enough)[:_MOST_TARGETS]
    found: dict[str, float] = {}
    for name in filled.columns[:_MOST_CANDIDATES] if targets else ():
        groups = _by_column([table], name)
        found[name] = sum(_misleads(filled[one], gaps[one].to_numpy(), groups[one]) for one in targets if one in groups)
    best = max(found, key=found.__getitem__, default=None)
    if best is None or not found[best]:
        return None, {}
    grouped = _by_column([table], best)
    return best, {one: grouped[one] for one in targets if one in grouped}


def _misleads(values: pd.Series, gap: np.ndarray, groups: list[_Group]) -> float:
    number, known = is_number(values), values.notna().to_numpy() & ~gap
    observed, share, total = values.to_numpy(), gap.mean(), 0.0
    for group in groups:
        mine = observed[group.rows][known[group.rows]]
        apart = disagreement(observed[known], mine, number)
        total += len(group.rows) / len(gap) * apart * abs(gap[group.rows].mean() - share)
    return total


def _by_column(tables: list[CompletedView], by: str) -> dict[str, list[_Group]]:
    """Groups of rows by a column, for each other column with gaps."""
    if not tables:
        return {}
    filled, gaps = tables[0]
    if by not in filled.columns:
        raise InvalidParameterError(
            f"by={by!r} is not valid; it must be a column of X: {', '.join(map(str, filled.columns))}."
        )
    column = filled[by]
    if is_number(column):
        values = np.unique(column[column.notna()])
        thirds = np.nanquantile(column, np.linspace(0, 1, _N_STRATA + 1)[1:-1]) if len(values) else values
        edges = values[:-1] if len(values) <= _N_STRATA else np.unique(thirds)
        place = np.where(column.isna(), -1, np.searchsorted(edges, column))
        each = [column[place == k] for k in range(len(edges) + 1) if (place == k).any()]
        ends = [[figures(part.min()), figures(part.max())] for part in each]
        titles = [f"{by}: {' to '.join(dict.fromkeys(pair))}" for pair in ends]
    else:
        levels = column.value_counts().index[:_N_STRATA]
        each, titles = [column[column == level] for level in levels], [f"{by}: {level}" for level in levels]
    groups = [_Group(title, filled.index.get_indexer(part.index)) for title, part in zip(titles, each, strict=True)]
    return {name: groups for name in filled.columns if name != by and gaps[name].any()}


def _stratum(tables: list[CompletedView], name: str, group: _Group) -> Stratum:
    filled, gaps = tables[0]
    gap, number = gaps[name].to_numpy()[group.rows], is_number(filled[name])
    cells = [table[name].iloc[group.rows] for table, _ in tables]
    known = cells[0].notna().to_numpy() & ~gap
    first, weights = cells[0][known].to_numpy(), None if group.weights is None else group.weights[known]
    drawn = [part[gap].dropna().to_numpy() for part in cells]
    # Of one draw: the size of all together would make chance look like a difference.
    differs = float(np.mean([disagreement(first, part, number, weights) for part in drawn]))
    levels = () if number else tuple(pd.concat([table[name] for table, _ in tables]).value_counts().index)
    pair = ColumnPair(name, number, first, np.concatenate(drawn), differs, weights, levels, tuple(drawn))
    return Stratum(group.title, pair, len(drawn[0]))


def _difference(strata: list[Stratum]) -> float:
    """Of a column, on average over its imputed cells."""
    weights = np.array([one.n_imputed * (len(one.pair.first) >= _FEWEST_OBSERVED) for one in strata], dtype=float)
    return float(weights @ [one.pair.disagreement for one in strata]) / max(weights.sum(), 1.0)
