"""`report_result`: what a decision, a pooled analysis, scores or a sampling report say, as a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidInputError
from tabgan.images.image_scoring import ImageScores
from tabgan.inference.combined_tests import PooledTest
from tabgan.inference.number_of_draws import n_draws_needed
from tabgan.inference.pooling import PooledEstimates
from tabgan.metrics.i_score import IScore
from tabgan.model_selection.ranking import Comparison
from tabgan.model_selection.weighing import RebalanceDecision
from tabgan.report.comparison_page import comparison_page
from tabgan.report.html import HTMLReport, render
from tabgan.report.page import Cell, Head, Notice, Page, Table, number_cell, text_cell, versions
from tabgan.report.resampling_page import class_table, row_notices
from tabgan.sampling.gate import GateDecision
from tabgan.sampling.row_report import SamplingReport
from tabgan.wording import counted

__all__ = ["report_result"]

_POOLED = {
    "estimate": Head("Estimate", True, "mean over the imputed tables"),
    "standard_error": Head("Standard error", True, "from within and between the imputed tables"),
    "lower": Head("Lower", True, "end of the confidence interval"),
    "upper": Head("Upper", True, "end of the confidence interval"),
    "p_value": Head("p-value", True, "two-sided, of the hypothesis that the parameter is 0"),
    "df": Head("df", True, "degrees of freedom of the t distribution"),
    "riv": Head("Increase in variance", True, "what missing values add, relative to the variance within a table"),
    "fmi": Head(
        "Information lost", True, "fraction of the information on the parameter that is lost to missing values"
    ),
}
_SCORES = {
    "frechet": "distance between the samples' means and covariances; 0 is best",
    "kernel": "distance between the samples by a kernel; 0 is best",
    "precision": "generated images that lie among real ones",
    "recall": "real images that lie among generated ones",
    "density": "generated images in the neighbourhoods of real ones; about 1 is good",
    "coverage": "real images with a generated one in their neighbourhood; 1 is best",
    "c2st_auc": "how well a classifier tells them from real ones: 0.5 not at all, 1 without error",
    "nearness": "distance to the nearest training image, over that of held-out images: 0 is copies, about 1 as it should be",
}


def report_result(result: Any, *, source: str | None = None) -> HTMLReport:
    """Write a one-file HTML report on a result.

    Parameters
    ----------
    result : RebalanceDecision, SamplingReport, GateDecision, PooledEstimates, PooledTest, IScore, ImageScores or Comparison
        What `should_rebalance`, ``report_`` and ``gate_`` of samplers, `pool` and its tests, `energy_i_score`, `image_scores` and
        `compare_imputers` give.
    source : str, default=None
        What the table is called, such as its file's name: stands in the title and the tab.

    Returns
    -------
    HTMLReport
        With ``save(path)``, ``to_html``, ``to_markdown`` and ``to_dict``; notebooks show it.

    Raises
    ------
    InvalidInputError
        It is something else.

    Examples
    --------
    >>> from tabgan import pool, report_result
    >>> report_result(pool([([1.0], [0.1]), ([1.2], [0.1]), ([0.9], [0.1])])).to_dict()["headline"][:51]
    '3 imputed tables pooled. Parameter 0 loses most to '
    """
    for kind, write in _PAGES.items():
        if isinstance(result, kind):
            page = write(result)
            page.source = source or ""
            page.details = [*page.details, ("Versions", versions())]
            return render(page)
    known = ", ".join(kind.__name__ for kind in _PAGES)
    raise InvalidInputError(f"report_result takes a result ({known}), not {type(result).__name__}.")


def _decision(result: RebalanceDecision) -> Page:
    headline, _, lead = result.recommendation.partition(". ")
    page = Page("Rebalance or not", lead, headline=headline if headline.endswith(".") else f"{headline}.")
    known, shown = result.settings, result.shown()
    page.facts = [
        ("Rows", f"{known['rows']:,}"),
        ("Classes", ", ".join(f"{name}: {n:,}" for name, n in known["classes"].items())),
        ("Folds", f"{known['n_repeats']} x {known['cv']}"),
        ("Best", result.best),
    ]
    if result.threshold is not None:
        page.facts.append(("Threshold", f"{result.threshold:.3g}"))
    first = next(iter(shown))
    heads = [Head(name[:1].upper() + name[1:], name not in (first, "note")) for name in shown]
    rows = [[_sortable(text) for text in row] for row in shown.itertuples(index=False)]
    page.tables = [Table("Candidates, simplest first", heads, rows, result.remarks()[-1])]
    page.notices = [Notice(text.removeprefix("! ")) for text in result.remarks()[:-1]]
    return page


def _synthetic_rows(result: SamplingReport) -> Page:
    n_synthetic = int(result.table["n_synthetic"].sum()) if len(result.table) else 0
    warned = len(result.warnings) + len(result.training)
    said = f"{counted(warned, 'thing')} to look at below." if warned else "Nothing stands out."
    classes = "one class" if len(result.table) == 1 else f"{len(result.table):,} classes"
    told = f"{n_synthetic:,} rows made for {classes}. {said}" if n_synthetic else "No row was made."
    page = Page("Synthetic rows", result.gate or "", headline=told)
    page.facts = [("Synthetic rows", f"{n_synthetic:,}"), ("Classes", f"{len(result.table):,}")]
    page.tables = [class_table(result.table)] if len(result.table) else []
    page.notices = [*row_notices(result), *(Notice(f"In training: {text}") for text in result.training)]
    return page


def _gate(result: GateDecision) -> Page:
    told, _, why = str(result).partition("; ")
    page = Page("Gate", why, headline=f"{told[:1].upper()}{told[1:]}.")
    page.facts = [("Measure", result.measure), ("Share made", f"{result.share:.0%}")]
    if len(result.table):
        heads = [Head("Share made", True), Head(result.measure, True), Head("Difference to none", True)]
        heads.append(Head("Its standard error", True))
        rows = [
            [number_cell(share, ".0%"), *(number_cell(value, ".4f") for value in others)]
            for share, *others in result.table.astype(float).itertuples(index=False)
        ]
        page.tables = [Table("Shares compared", heads, rows)]
    return page


def _pooled(result: PooledEstimates) -> Page:
    worst = int(np.argmax(result.fmi))
    needed = int(np.max(n_draws_needed(result)))
    page = Page(
        "Pooled estimates",
        f"Intervals hold with a confidence of {result.confidence:.0%}, the missing values counted in.",
        headline=f"{result.m} imputed tables pooled. Parameter {result.names[worst]} loses most to missing values: "
        f"{result.fmi[worst]:.0%} of the information on it.",
    )
    complete = "large sample" if np.isinf(result.n_complete_df) else f"{result.n_complete_df:,.6g}"
    page.facts = [
        ("Imputed tables", f"{result.m:,}"),
        ("Parameters", f"{len(result.names):,}"),
        ("Confidence", f"{result.confidence:.0%}"),
        ("Degrees of freedom without missing values", complete),
    ]
    frame = result.to_frame()[list(_POOLED)]
    rows = [
        [text_cell(name, ""), *(_measured(value) for value in row)]
        for name, row in zip(result.names, frame.to_numpy(), strict=True)
    ]
    page.tables = [Table("Parameters", [Head("Parameter"), *_POOLED.values()], rows)]
    if needed > result.m:
        page.notices = [
            Notice(
                f"{result.m} imputed tables are few here: with others, standard errors and p-values would differ noticeably.",
                f"Standard errors that repeat within 5 % take {needed:,}: sample(X, {needed}).",
            )
        ]
    return page


def _test(result: PooledTest) -> Page:
    page = Page(
        "Pooled test",
        f"F({result.df1:.4g}, {result.df2:.4g}) = {result.statistic:.4g}, pooled by rule {result.method}.",
        headline=f"p = {result.p_value:.3g} over {result.m} imputed tables.",
    )
    page.facts = [
        ("Imputed tables", f"{result.m:,}"),
        ("p-value", f"{result.p_value:.4g}"),
        ("Statistic", f"{result.statistic:.4g}"),
        ("Increase in variance due to missing values", f"{result.riv:.3g}"),
    ]
    return page


def _i_score(result: IScore) -> Page:
    scored = result.columns["score"].dropna()
    told = "No column could be scored." if scored.empty else f"Energy-I-Score {result.score:.4g}; lower is better."
    page = Page("Energy-I-Score", "Compare it with that of another method on the same table.", headline=told)
    page.facts = [("Columns with missing values", f"{len(result.columns):,}"), ("Scored", f"{len(scored):,}")]
    heads = [
        Head("Column"),
        Head("Score", True, "lower is better"),
        Head("Weight", True, "of the column in the mean"),
        Head("Missing", True, "share of its cells"),
        Head("Cells compared", True),
        Head("Predictors", True, "columns that the method was given beside it"),
    ]
    rows = [
        [text_cell(name, ""), *(number_cell(float(v), form) for v, form in zip(row, _I_SCORE_FORMS, strict=True))]
        for name, row in zip(result.columns.index, result.columns[_I_SCORE_COLUMNS].to_numpy(), strict=True)
    ]
    page.tables = [Table("Column by column", heads, rows)]
    return page


_I_SCORE_COLUMNS = ["score", "weight", "missing_share", "n_scored", "n_predictors"]
_I_SCORE_FORMS = [".4f", ".3f", ".0%", ",.0f", ",.0f"]


def _image_scores(result: ImageScores) -> Page:
    auc = result.made.c2st_auc
    page = Page(
        "Scores of images",
        "Compare only with figures of the same number of images and the same features.",
        headline=f"A classifier tells generated images from real ones with an AUC of {auc:.2f} (0.5: not at all).",
    )
    page.facts = [("Images of each sample", f"{result.n:,}"), ("Features", result.features)]
    page.facts.append(("Numbers per image", f"{result.n_features:,}"))
    made, real = asdict(result.made), asdict(result.of_real) if result.of_real else {}
    heads = [Head("Score"), Head("Generated", True), *([Head("Real, held out", True)] if real else [])]
    heads.append(Head("What it says"))
    rows = []
    for part in fields(result.made):
        values = [made[part.name], *([real[part.name]] if real else [])]
        rows.append([text_cell(part.name, ""), *(_measured(value) for value in values), text_cell(_SCORES[part.name])])
    page.tables = [Table("Scores", heads, rows)]
    return page


_PAGES: dict[type, Callable[[Any], Page]] = {
    RebalanceDecision: _decision,
    SamplingReport: _synthetic_rows,
    GateDecision: _gate,
    PooledEstimates: _pooled,
    PooledTest: _test,
    IScore: _i_score,
    ImageScores: _image_scores,
    Comparison: comparison_page,
}


def _measured(value: float) -> Cell:
    return number_cell(float(value), ".4g")


def _sortable(text: str) -> Cell:
    """A cell of text that is sorted by the number it begins with, if any."""
    number = pd.to_numeric(text.partition(" ")[0], errors="coerce")
    return text_cell(text, "") if np.isnan(number) else Cell(text, repr(float(number)), "")
