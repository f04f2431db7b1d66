"""A model card: what a saved or fitted model is, what it learnt from, how far to rely on it, and what only people can say."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from tabgan.core.checkpoint import FORMAT_VERSION
from tabgan.estimators.saving import Savable
from tabgan.exceptions import parameter_error
from tabgan.imputation.scoring import relative_errors
from tabgan.report.imputed_columns import imputed_columns, worst_in_words
from tabgan.tables.kinds import NOT_MODELLED
from tabgan.wording import counted, error_figures

__all__ = ["model_card"]

_MOST_LEVELS = 6
_LIBRARIES = ("tabgan-learn", "torch", "scikit-learn", "pandas", "numpy")
_FOR_PEOPLE = (
    ("What it is for", "Which decisions or analyses use it, and which must not."),
    ("Where the data come from", "Source, period, licence; who is in the table and who is missing from it."),
    ("Who is affected", "People or groups for whom errors cost most, and how errors were looked at for them."),
    ("Who answers for it", "Name, contact, date, when it is fitted again."),
)


def model_card(estimator: Any, title: str | None = None) -> str:
    """Describe a fitted or loaded model in Markdown, with the parts that only people can fill in left open.

    Parameters
    ----------
    estimator : GAINImputer, BAGANOversampler, CGANSampler or ImageGAN
        Fitted, or from `tabgan.load`.
    title : str, default=None
        Of the card; None takes the name of the class.

    Returns
    -------
    str
        Markdown: what not to rely on, what it was trained on, errors on held-out cells, limits, settings, versions.

    Raises
    ------
    InvalidParameterError
        It is no estimator that `tabgan.load` gives.
    sklearn.exceptions.NotFittedError
        Before ``fit``.

    Examples
    --------
    >>> import pandas as pd
    >>> from tabgan import GAINImputer, model_card
    >>> table = pd.DataFrame({"size": [1.5, 2.5, None, 4.5] * 20, "colour": ["red", None, "red", "blue"] * 20})
    >>> print(model_card(GAINImputer(random_state=0, effort="fast").fit(table), "Shirts"))
    # Shirts
    ...
    ## What it was trained on
    ...
    """
    from sklearn.utils.validation import check_is_fitted

    if not isinstance(estimator, Savable):
        expected = "a fitted GAINImputer, BAGANOversampler, CGANSampler or ImageGAN"
        raise parameter_error("estimator", estimator, expected)
    check_is_fitted(estimator)
    kind = type(estimator).__name__
    parts = (
        _of_images if hasattr(estimator, "players_") else _of_sampler if hasattr(estimator, "_fitted") else _of_imputer
    )
    sections = [
        "# " + (title or f"Model card: {kind}").replace("\n", " "),
        *parts(estimator),
        *_settings(estimator),
        *_versions(),
    ]
    sections += ["## For people to fill in", "\n".join(f"- **{what}**: _{ask}_" for what, ask in _FOR_PEOPLE)]
    return "\n\n".join(sections) + "\n"


def _of_imputer(imputer: Any) -> list[str]:
    schema, scores = imputer.schema_, imputer.validation_scores_
    known = imputer.n_missing_ is not None
    missing = imputer.n_missing_ if known else tuple(int(had) for had in imputer.had_missing_)
    n_rows = imputer.n_rows_ or 0
    columns = imputed_columns(scores, schema.names, missing, n_rows)
    worst = worst_in_words(columns) if known else ""
    errors = {str(name): scores.iloc[k] for k, name in enumerate(scores.index)}
    lines: list[Sequence[str]] = [
        ("column", "kind", "missing", "fills are", "error on held-out cells", "mean or mode", "cells")
    ]
    for column, n in zip(schema.columns, missing, strict=True):
        gaps = (f"{n:,}" if known else "some") if n else "none"
        lines.append((_code(column.name), column.kind, gaps, _limits(column), *_errors(errors.get(str(column.name)))))
    size = f"{counted(n_rows, 'row')} and " if n_rows else ""
    size += counted(len(schema.columns), "column")
    cells = int(scores["n_cells"].sum()) if len(scores) else 0
    judged = (
        f"Errors are those of {cells:,} known cells that were hidden from training" if cells else "No cell was held out"
    )
    return [
        f"A `GAINImputer` fills missing values of tables with the columns below. It learnt from {size}.",
        "## What not to rely on",
        "\n".join(
            f"- {line}"
            for line in (
                *([worst] if worst else []),
                *_no_better(scores, schema.names, missing),
                "Filled values are guesses. Standard errors, tests and spreads computed from one filled table are too "
                "small: use `sample` and `tabgan.pool`.",
                "Errors hold for rows like those it learnt from. Other places, years or ways of measuring need errors of their own.",
                "Values missing because of what they are (high incomes left out) may be off by more than the errors say.",
            )
        ),
        "## What it was trained on",
        _table(lines),
        f"{judged}, {'in the units of each column; shares of wrong labels for labels' if cells else 'so errors are not known'}.",
        "## Limits",
        "\n".join(
            f"- {line}"
            for line in (
                "Fills of numbers and dates stay within the range seen in training; draws may leave it, but not its sign.",
                "Fills of labels are labels seen in training; "
                + (
                    "a new label is refused."
                    if imputer.unseen_categories == "error"
                    else "a new label tells nothing about its row."
                ),
                *(f"Kept in every row that allows it: {words}." for words in schema.words()),
                *_kept_rows(imputer),
            )
        ),
    ]


def _no_better(scores: Any, names: Sequence[Any], missing: Sequence[int]) -> list[str]:
    """Columns that were complete, and would be filled badly if they had gaps."""
    complete = {name for name, n in zip(names, missing, strict=True) if not n}
    error = relative_errors(scores)
    bad = [_code(name) for name, value in error.items() if name in complete and value >= 1]
    return [f"Were values of {', '.join(bad)} missing, fills would be no better than the mean or mode."] if bad else []


def _kept_rows(imputer: Any) -> list[str]:
    """What of the training rows a file holds."""
    if imputer.objective == "paper":
        return ["The model holds no training rows."]
    return [
        "The file may hold training rows (`n_references`, `n_records`) and single cells to draw from (`n_donor_trees`): keep it "
        "as you keep the data."
    ]


def _limits(column: Any) -> str:
    """Between what fills of a column lie."""
    if column.kind in NOT_MODELLED:
        return "not imputed" if column.kind != "constant" else f"always {_code(column.constant)}"
    if column.levels:
        shown = ", ".join(_code(level) for level in column.levels[:_MOST_LEVELS])
        more = len(column.levels) - _MOST_LEVELS
        return f"one of {shown}" + (f" and {more} more" if more > 0 else "")
    if column.unit is not None or column.lower is None:
        return "within the range seen"
    return f"{column.lower:.7g} to {column.upper:.7g}"


def _errors(score: Any) -> tuple[str, str, str]:
    if score is None:
        return "not known", "", "0"
    if np.isnan(score["rmse"]):
        return f"{score['error_rate']:.0%} wrong", f"{score['error_rate_mode']:.0%} wrong", f"{score['n_cells']:,}"
    error, baseline = (error_figures(float(score[name]), str(score["kind"])) for name in ("rmse", "rmse_mean"))
    return f"{error} (RMSE)", baseline, f"{score['n_cells']:,}"


def _of_sampler(sampler: Any) -> list[str]:
    fitted, schema = sampler._fitted, sampler.schema_
    counts = fitted.target.counts.tolist()
    classes: list[Sequence[str]] = [("class", "real rows", "asked for", "rows are made by")]
    for (label, method), n in zip(sampler.methods_.items(), counts, strict=True):
        classes.append((_code(label), f"{n:,}", f"{sampler.sampling_strategy_.get(label, 0):,} more", method))
    columns: list[Sequence[str]] = [("column", "kind", "seen in training")]
    for column in schema.columns:
        seen = "names of rows; synthetic rows get new ones" if column.kind == "identifier" else _limits(column)
        columns.append((_code(column.name), column.kind, seen.removeprefix("one of ")))
    gate = (
        str(sampler.gate_)
        if sampler.gate_ is not None
        else "No gate was asked for, so whether rows help was not looked at."
    )
    return [
        f"A `{type(sampler).__name__}` makes synthetic rows of chosen classes, to train classifiers on.",
        "## What not to rely on",
        "\n".join(
            f"- {line}"
            for line in (
                f"Synthetic rows need not help. {gate}",
                "`tabgan.should_rebalance` compares them with doing nothing, class weights and thresholds.",
                "Probabilities of a classifier trained on synthetic rows are too high for the classes that grew; "
                "`tabgan.PriorCorrectedClassifier` mends that.",
                "Synthetic rows are no new evidence: never test on them, and never compute a standard error from them.",
                "They start from real rows and are not anonymous.",
                *fitted.warnings,
            )
        ),
        "## What it was trained on",
        f"{counted(fitted.table.n_rows, 'row')} and {counted(len(schema.columns), 'column')}. The file holds them all: keep it as you "
        "keep the data.",
        _table(classes),
        _table(columns),
        *(["Kept in synthetic rows: " + "; ".join(schema.words()) + "."] if schema.words() else []),
    ]


def _of_images(gan: Any) -> list[str]:
    facts, rows, note = gan._learnt()
    return [
        "An `ImageGAN` makes images like those it was trained on.",
        "## What not to rely on",
        "- Generated images may repeat training images, miss whole kinds of them, and say nothing about how frequent a kind is.",
        "## What it was trained on",
        "\n".join(f"- {name}: {value}" for name, value in facts),
        *([_table(rows)] if rows else []),
        *([note] if note else []),
    ]


def _settings(estimator: Any) -> list[str]:
    """Parameters that are not at their defaults, and how training ended."""
    plain = type(estimator)().get_params(deep=False)
    changed = {k: v for k, v in estimator.get_params(deep=False).items() if repr(v) != repr(plain[k])}
    lines = [f"`{name}={value!r}`".replace("\n", " ") for name, value in changed.items()] or [
        "all parameters at their defaults"
    ]
    reason = getattr(estimator, "stop_reason_", None)
    lines.append(f"training: {counted(estimator.n_iter_, 'step')}" + (f"; {reason}" if reason else ""))
    return ["## Settings", "\n".join(f"- {line}" for line in lines)]


def _versions() -> list[str]:
    found = [f"Python {platform.python_version()}", f"model file format {FORMAT_VERSION}"]
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ["## Versions", "When this card was written: " + ", ".join(found) + "."]


def _table(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; its first row is the heading."""
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    lines = ["| " + " | ".join(row) + " |" for row in cells]
    return "\n".join([lines[0], "|" + "---|" * len(cells[0]), *lines[1:]])


def _code(value: Any) -> str:
    """A name or label as it is, whatever marks it holds."""
    text = str(value).replace("`", "'").replace("\n", " ")
    return f"`{text}`" if text else "(empty)"
