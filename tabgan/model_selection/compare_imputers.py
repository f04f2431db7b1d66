"""`compare_imputers`: which imputer fills the user's own table best, by hiding cells whose values are known."""

from __future__ import annotations

import copy
import platform
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from tabgan.core.interrupts import ctrl_c_aborts
from tabgan.exceptions import InvalidParameterError, parameter_error
from tabgan.model_selection.baselines import BASELINES, MeanModeImputer, OneHotImputer
from tabgan.model_selection.draw_scores import FEWEST_MISSING, draw_score
from tabgan.model_selection.ranking import Comparison, Outcome, ranked
from tabgan.model_selection.row_metadata import checked_groups
from tabgan.model_selection.working_table import Truth, filled_by, working_table
from tabgan.tables.amputation import MECHANISMS, Mechanism
from tabgan.wording import counted

__all__ = ["METHODS", "Comparison", "compare_imputers"]

METHODS = (*BASELINES, "GAINImputer")


@ctrl_c_aborts()
def compare_imputers(
    X: Any,
    *,
    methods: Sequence[str] = METHODS,
    imputers: Mapping[str, Any] | None = None,
    groups: Any = None,
    mechanism: Mechanism = "mcar",
    rate: float = 0.2,
    n_repeats: int = 3,
    max_rows: int | None = 5000,
    categorical_features: Any = None,
    missing_values: Any = np.nan,
    random_state: int | np.random.RandomState | None = 0,
    max_time: float | None = None,
    n_draws: int = 0,
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
        `tabgan.model_selection.baselines`.
    imputers : dict of str to estimator, default=None
        Your own scikit-learn imputers by the name to show; a name in ``methods`` replaces that method. They get a pandas table
        with columns named by text, numbers as float (times in days) and labels as text; an estimator that takes numbers only,
        by its scikit-learn tags, gets standardised numbers and one-hot labels if there are labels. A ``random_state`` of None
        is set, so that the result repeats.
    groups : array-like of shape (n_samples,), default=None
        What each row belongs to, such as its patient or machine. A fifth of the groups is then held out in each repeat, imputers
        are fitted on the rows of the others, and errors are those of hidden cells of held-out groups: how well *new* patients are
        filled. Imputers need ``transform``. Not with ``n_draws``.
    mechanism : str, default="mcar"
        How cells are chosen, see `tabgan.tables.amputation.ampute`. ``"mcar"`` is at random; if values decide what is missing in your
        table, try ``"mar"`` or ``"mnar"`` as well, or ``"copy"``, which hides in the pattern of the cells that really are missing.
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
    n_draws : int, default=0
        2 or more: also score the draws of every method on the table's own missing values, by the energy-I-Score
        (`tabgan.metrics.energy_i_score`) with so many draws; 20 are enough. Each method is fitted once more per column with 10
        missing values or more; MICE (and any imputer with a parameter ``sample_posterior``) once per draw.
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
    Hidden-cell error and energy-I-Score answer different questions. The error on hidden cells ranks imputers by how well they
    predict, and rightly so where the hidden cells are like the missing ones; the energy-I-Score ranks them by how well their
    draws follow the distribution of the missing values, which is what inference from several imputations needs, and stays right
    where missingness depends on other columns (Näf, Grzesiak and Scornet 2025, who state the condition). An imputer without
    draws loses there, however well it predicts.

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
    if imputers is not None and not isinstance(imputers, Mapping):
        raise parameter_error("imputers", imputers, "None or a dict of names to estimators")
    if progress is not None and not callable(progress):
        raise parameter_error("progress", progress, "None or a function")
    chosen = _chosen(methods, imputers or {})
    seed = _check(mechanism, rate, n_repeats, max_rows, random_state, max_time, n_draws)
    if groups is not None and n_draws:
        raise InvalidParameterError(
            "groups and n_draws do not go together: draws are scored on all rows; leave one out."
        )
    table = working_table(X, categorical_features, missing_values)
    table.groups = checked_groups(groups, table.n_rows)
    seeds = [int(word) for word in np.random.SeedSequence(seed).generate_state(n_repeats + 1)]
    table.keep_rows(max_rows, seeds[0])
    parts = [table.held_out_rows(one) for one in seeds[1:]]
    masks = [table.hidden_cells(mechanism, rate, one, rows) for one, rows in zip(seeds[1:], parts, strict=True)]
    truth = Truth(table.frame)
    reference = [
        truth.errors(filled_by(MeanModeImputer(), table.frame.where(~hidden), rows), hidden, rows)
        for hidden, rows in zip(masks, parts, strict=True)
    ]
    outcomes = {name: Outcome() for name in chosen}
    total = (n_repeats + (n_draws > 0)) * len(chosen)
    for k, (hidden, one, rows) in enumerate(zip(masks, seeds[1:], parts, strict=True)):
        gappy = table.frame.where(~hidden)
        for i, (name, make) in enumerate(chosen.items()):
            if progress is not None:
                progress(k * len(chosen) + i, total, f"{name}, repeat {k + 1} of {n_repeats}")
            if outcomes[name].error is None:
                _run(outcomes[name], make, one, max_time, gappy, truth, hidden, rows)
    notes = _notes(outcomes, max_time)
    if n_draws:
        notes += _score_draws(outcomes, chosen, truth, n_draws, seeds[0], max_time, progress, total)
    if progress is not None:
        progress(total, total, "done")
    settings = {
        "mechanism": mechanism,
        "rate": rate,
        "n_repeats": n_repeats,
        "random_state": seed,
        "rows": len(table.frame),
        "groups": None if table.groups is None else len(np.unique(table.groups)),
        "rows_in_table": table.n_rows,
        "columns": table.frame.shape[1],
        "left_out": table.left_out,
        "hidden_cells": [int(hidden.sum()) for hidden in masks],
        "max_time": max_time,
        "n_draws": n_draws,
        "notes": notes,
        "versions": _versions(),
    }
    counts = np.array([hidden.sum(axis=0) for hidden in masks])
    return ranked(outcomes, np.array(reference), counts, truth, settings)


def _chosen(methods: Sequence[str], imputers: Mapping[str, Any]) -> dict[str, Callable[[int], Any]]:
    """Factories by name, from a seed."""
    try:
        wanted = [methods] if isinstance(methods, str) else list(methods)
    except TypeError as error:
        raise parameter_error("methods", methods, "a list of names of methods") from error
    for name in wanted:
        if not isinstance(name, str) or (name not in METHODS and name not in imputers):
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
    outcome: Outcome,
    make: Callable[[int], Any],
    seed: int,
    max_time: float | None,
    gappy: pd.DataFrame,
    truth: Truth,
    hidden: np.ndarray,
    rows: np.ndarray | None,
) -> None:
    """Fill one table by one method, and keep what came of it, be it an error."""
    try:
        estimator = _prepared(make, seed, max_time, truth)
        outcome.keeps_time = hasattr(estimator, "max_time")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            started = time.perf_counter()
            filled = filled_by(estimator, gappy, rows)
            seconds = time.perf_counter() - started
            outcome.errors.append(truth.errors(filled, hidden, rows))
            outcome.seconds.append(seconds)
            outcome.n_stopped += "time" in str(getattr(estimator, "stop_reason_", ""))
    except Exception as error:
        outcome.error = _told(error)


def _prepared(make: Callable[[int], Any], seed: int, max_time: float | None, truth: Truth) -> Any:
    """A fresh imputer that minds the clock, if it can, and takes labels."""
    estimator = make(seed)
    if hasattr(estimator, "max_time") and estimator.max_time is None:
        estimator.set_params(max_time=max_time)
    if not truth.is_number.all() and not _takes_labels(estimator):
        return OneHotImputer(estimator)
    return estimator


def _score_draws(
    outcomes: Mapping[str, Outcome],
    chosen: Mapping[str, Callable[[int], Any]],
    truth: Truth,
    n_draws: int,
    seed: int,
    max_time: float | None,
    progress: Callable[[int, int, str], None] | None,
    total: int,
) -> list[str]:
    """Give every outcome its energy-I-Score; returns what there is to note."""
    if truth.frame.isna().sum().max() < FEWEST_MISSING:
        return [f"No energy-I-Score: no column has {FEWEST_MISSING} missing values or more"]
    notes = []
    for i, (name, make) in enumerate(chosen.items()):
        if progress is not None:
            progress(total - len(chosen) + i, total, f"{name}, draws")
        if outcomes[name].error is not None:
            continue
        try:
            prepared = partial(_prepared, make, max_time=max_time, truth=truth)
            outcomes[name].i_score = draw_score(prepared, truth.frame, n_draws, seed)
        except Exception as error:
            notes.append(f"{name} has no energy-I-Score: {_told(error)}")
    return notes


def _told(error: Exception) -> str:
    text = (str(error).strip() or "no message").splitlines()[0]
    return f"{type(error).__name__}: {text}"


def _check(
    mechanism: Any, rate: Any, n_repeats: Any, max_rows: Any, random_state: Any, max_time: Any, n_draws: Any
) -> int:
    from tabgan.estimators.parameter_checks import integer, seed_of
    from tabgan.imputation.parameters import RULES

    if not isinstance(mechanism, str) or mechanism not in MECHANISMS:
        raise parameter_error("mechanism", mechanism, "one of " + ", ".join(map(repr, MECHANISMS)))
    if not _number(rate) or not 0 < rate < 1:
        raise parameter_error("rate", rate, "a number between 0 and 1, both excluded")
    holds, expected = integer(1)
    if not holds(n_repeats):
        raise parameter_error("n_repeats", n_repeats, expected)
    if max_rows is not None and (not _integer(max_rows) or max_rows < 2):
        raise parameter_error("max_rows", max_rows, "None or an integer >= 2")
    if not _integer(n_draws) or n_draws < 0 or n_draws == 1:
        raise parameter_error("n_draws", n_draws, "0, or an integer >= 2")
    for name, value in (("random_state", random_state), ("max_time", max_time)):
        holds, expected = RULES[name]
        if not holds(value):
            raise parameter_error(name, value, expected)
    return seed_of(random_state)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _integer(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _notes(outcomes: Mapping[str, Outcome], max_time: float | None) -> list[str]:
    notes = []
    for name, outcome in outcomes.items():
        slowest = max(outcome.seconds, default=0.0)
        if outcome.n_stopped:
            notes.append(f"{name} was stopped early by max_time={max_time:g} in {counted(outcome.n_stopped, 'repeat')}")
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
