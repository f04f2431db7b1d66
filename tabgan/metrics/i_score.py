"""Energy-I-Score: ranking imputation methods on a table whose missing values nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from tabgan._results import ReportsItself, plain_data
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.metrics.paired_columns import as_frame, is_numeric, to_numbers
from tabgan.metrics.scores import crps

__all__ = ["IScore", "energy_i_score"]

Draw = Callable[[Any, int], Sequence[Any]]
Predictors = Literal["observed", "all"]
Weighting = Literal["missing-observed", "missing"]


@dataclass(frozen=True)
class IScore(ReportsItself):
    """What `energy_i_score` returns.

    Attributes
    ----------
    score : float
        Weighted mean over the scored columns; lower is better. NaN where no column could be scored.
    columns : pandas.DataFrame
        Indexed by column name, for each column with gaps: ``score`` (NaN where not scored), ``weight`` (before normalising),
        ``missing_share``, ``n_scored`` (cells compared) and ``n_predictors`` (columns the method was given beside it).
    """

    score: float
    columns: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data that JSON can hold; a number that does not exist is None."""
        return plain_data({"score": self.score, "columns": self.columns.rename_axis("column").reset_index()})


def energy_i_score(
    X: Any,
    draw: Draw,
    *,
    n_draws: int = 20,
    predictors: Predictors = "observed",
    weighting: Weighting = "missing-observed",
    scale: bool = True,
    min_missing: int = 10,
    columns: Sequence[Hashable] | None = None,
    categorical: Sequence[Hashable] = (),
) -> IScore:
    """Score an imputation method on an incomplete table, without ground truth; lower is better.

    The method fills the table once. Then, for each column j with gaps, the roles are turned round: the values of j that the
    method made up stay as the only examples of j, the values of j that were observed are hidden, and the method draws these.
    Draws are compared to the observed values by the energy score. Fills that do not follow the conditional distribution of j
    teach the method a wrong one, and it is found out where the truth is known.

    Parameters
    ----------
    X : DataFrame or array of shape (n_rows, n_columns)
        The incomplete table. Missing: what pandas takes for missing.
    draw : callable
        ``draw(table, n_draws)`` fits the method on ``table`` (of the type of ``X``, perhaps fewer columns and rows) and returns a
        list of ``n_draws`` filled copies. For `GAINImputer`:
        ``lambda table, m: clone(imputer).fit(table).sample(table, n_draws=m)``. A method without draws repeats its fill:
        ``lambda table, m: [KNNImputer().fit_transform(table)] * m``.
    n_draws : int, default=20
        Draws per cell, at least 2. The authors use 50; the expected score does not depend on it here.
    predictors : {"observed", "all"}, default="observed"
        ``"observed"``, as published: the columns that are observed wherever j is. Where there is none, the column that is most
        often observed with j, and only those rows are scored. ``"all"``: every other column with its gaps, where gaps are
        everywhere (see Notes).
    weighting : {"missing-observed", "missing"}, default="missing-observed"
        Weight of a column: missing share times observed share, as published, or missing share alone.
    scale : bool, default=True
        Whether numeric columns are scored in standard deviations of their observed values.
    min_missing : int, default=10
        Columns with fewer gaps, and so fewer examples, are not scored.
    columns : sequence of hashable, default=None
        Columns to score; None takes all with gaps. The method runs once per column, and once before.
    categorical : sequence of hashable, default=()
        Columns (positions for arrays) that are categories whatever their type.

    Returns
    -------
    IScore
        The weighted mean and the score of every column. Comparable between methods on the same table only.

    Raises
    ------
    InvalidInputError
        No gaps, a column without any observed value, or ``draw`` returning other than ``n_draws`` filled tables of the right
        shape.
    InvalidParameterError
        A parameter outside its documented values.

    Notes
    -----
    The numbers are those of the authors' R package (Iscores 1.2.0) but for: (1) the second term of the energy score is estimated
    without bias; theirs counts pairs of a draw with itself, which shrinks the term by 1/n_draws and so favours narrow draws;
    (2) numeric columns are scaled, truth and draws alike, unless ``scale=False``; theirs are not by default, and its
    ``scale=TRUE`` standardises the truth only; (3) columns that are not scored have no weight; theirs stay in the sum of
    weights; (4) ``predictors="all"`` is ours: it conditions on whatever a row shows, so that a table
    with gaps in every column is not judged on one predictor, but the paper's result that the true distribution scores best does
    not speak of it. For categories the energy score is taken on indicator columns, as theirs: ``sqrt(2)`` times the share of
    wrong draws less half the share of unequal pairs of draws.

    References
    ----------
    Näf, Grzesiak and Scornet 2025, "How to rank imputation methods?", arXiv 2507.11297.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"a": rng.normal(size=200)})
    >>> X["b"] = X["a"].where(rng.random(200) < 0.7)
    >>> mean = energy_i_score(X, lambda table, m: [table.fillna(table.mean())] * m)
    >>> copy = energy_i_score(X, lambda table, m: [table.assign(b=table["a"])] * m)
    >>> copy.score < mean.score
    True
    """
    _check_parameters(n_draws, predictors, weighting, min_missing)
    frame = as_frame(X, "X")
    missing = frame.isna()
    share = missing.mean()
    gapped = [name for name in frame.columns if share[name] > 0] if columns is None else list(columns)
    unknown = [name for name in [*gapped, *categorical] if name not in frame.columns]
    if unknown:
        raise InvalidParameterError(f"columns or categorical names {unknown}, which X does not have.")
    if not gapped or not (share[gapped] > 0).all():
        raise InvalidInputError("X has no missing values in the columns to score; the score needs some.")
    if (share[gapped] == 1).any():
        raise InvalidInputError(f"Columns {share.index[share == 1].tolist()} have no observed value; drop them.")
    as_array = not isinstance(X, pd.DataFrame)
    first = _drawn(draw, frame, 1, as_array)[0]
    rows = []
    for name in gapped:
        record = {
            "score": np.nan,
            "weight": share[name],
            "missing_share": share[name],
            "n_scored": 0,
            "n_predictors": 0,
        }
        if weighting == "missing-observed":
            record["weight"] *= 1 - share[name]
        if missing[name].sum() >= min_missing:
            table, scored = _turned_round(frame, first, missing, name, predictors)
            record |= {"n_scored": int(scored.sum()), "n_predictors": table.shape[1] - 1}
            if scored.any() and table.shape[1] > 1:
                fills = [filled[name][scored] for filled in _drawn(draw, table, n_draws, as_array)]
                numeric = name not in categorical and is_numeric(frame[name])
                record["score"] = _score(frame[name], scored, fills, numeric, scale)
        rows.append(record)
    result = pd.DataFrame(rows, index=pd.Index(gapped, name="column"))
    usable = result.dropna(subset="score")
    score = float(np.average(usable["score"], weights=usable["weight"])) if len(usable) else float("nan")
    return IScore(score, result)


def _turned_round(
    frame: pd.DataFrame, first: pd.DataFrame, missing: pd.DataFrame, name: Hashable, predictors: Predictors
) -> tuple[pd.DataFrame, np.ndarray]:
    """The table with column ``name`` known only where it was missing, and which rows are to be scored."""
    others = frame.columns.drop(name)
    scored = ~missing[name].to_numpy()
    if predictors == "all":
        table = frame.copy()
    else:
        complete = [other for other in others if not missing.loc[scored, other].any()]
        if not complete and len(others):
            partner = missing.loc[scored, others].sum().idxmin()
            scored = scored & ~missing[partner].to_numpy()
            complete = [other for other in others if not missing.loc[scored, other].any()]
        table = first[[column for column in frame.columns if column == name or column in complete]].copy()
    examples = first[name]
    if examples.dtype != frame[name].dtype:
        try:
            examples = examples.astype(frame[name].dtype)
        except (TypeError, ValueError):  # such as halves in an integer column: the method's own type will do
            pass
    table[name] = examples.mask(scored)
    return table, scored


def _drawn(draw: Draw, table: pd.DataFrame, n_draws: int, as_array: bool) -> list[pd.DataFrame]:
    given = table.to_numpy() if as_array else table
    fills = list(draw(given, n_draws))
    if len(fills) != n_draws:
        raise InvalidInputError(f"draw returned {len(fills)} tables for n_draws={n_draws}; return one per draw.")
    frames = []
    for filled in fills:
        frame = as_frame(filled, "a table returned by draw", None if isinstance(filled, pd.DataFrame) else table)
        if isinstance(filled, pd.DataFrame):
            frame = frame.set_axis(table.index, axis=0) if len(frame) == len(table) else frame
            frame = as_frame(frame, "a table returned by draw", table)
        if frame.isna().any(axis=None):
            empty = frame.columns[frame.isna().any()].tolist()
            raise InvalidInputError(f"draw left cells of columns {empty} empty; it must fill every one.")
        frames.append(frame)
    return frames


def _score(column: pd.Series, scored: np.ndarray, fills: list[pd.Series], numeric: bool, scale: bool) -> float:
    """Mean energy score of one column's cells."""
    if numeric:
        truth = to_numbers(column[scored], "X")
        draws = np.stack([to_numbers(fill, "a drawn table") for fill in fills])
        unit = float(np.std(to_numbers(column.dropna(), "X"))) if scale else 1.0
        return float(crps(truth, draws).mean()) / (unit if unit > 0 else 1.0)
    values = pd.concat([column[scored], *fills]).astype(object)
    codes = pd.factorize(values)[0].reshape(len(fills) + 1, -1)
    truth, draws = codes[0], codes[1:]
    n_draws, n_levels = len(draws), codes.max() + 1
    counts = np.stack([(draws == level).sum(axis=0) for level in range(n_levels)])
    unequal = 1 - (counts * (counts - 1)).sum(axis=0) / (n_draws * (n_draws - 1))
    return float(np.sqrt(2) * ((draws != truth).mean(axis=0) - unequal / 2).mean())


def _check_parameters(n_draws: int, predictors: str, weighting: str, min_missing: int) -> None:
    if n_draws < 2:
        raise InvalidParameterError(f"n_draws={n_draws!r} must be at least 2; a method without draws repeats its fill.")
    if predictors not in get_args(Predictors):
        raise InvalidParameterError(f"predictors={predictors!r} is not one of {list(get_args(Predictors))}.")
    if weighting not in get_args(Weighting):
        raise InvalidParameterError(f"weighting={weighting!r} is not one of {list(get_args(Weighting))}.")
    if min_missing < 1:
        raise InvalidParameterError(f"min_missing={min_missing!r} must be at least 1.")
