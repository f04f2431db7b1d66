"""`report_resampling`: which rows were made, whether they look like their class, and whether they copy."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from tabgan.core.callbacks import EarlyStopping
from tabgan.exceptions import InvalidInputError
from tabgan.report.html import HTMLReport, render
from tabgan.report.page import Head, Notice, Page, Table, number_cell, settings_of, text_cell, versions
from tabgan.report.pictures import NO_MATPLOTLIB, can_draw, has_curves, picture_of

__all__ = ["class_table", "report_nothing_to_make", "report_resampling", "resampling_page", "row_notices"]

_NEXT = [
    (
        "See by cross-validation whether synthetic rows help, or a moved threshold does as much",
        "tabgan.should_rebalance(X, y)",
    ),
    ("Keep the model, for more rows without training", "sampler.save('rows.tabgan'); sampler.sample(100)"),
]

_MEASURES = [
    (
        "consistency",
        Head(
            "Look like their class", True, "share of synthetic rows that a forest fitted on real rows gives the class"
        ),
        ".0%",
    ),
    ("consistency_real", Head("Real rows do", True, "the same share of real rows, cross-fitted"), ".0%"),
    ("density", Head("Density", True, "synthetic rows in the neighbourhoods of real ones; about 1 is good"), ".2f"),
    ("coverage", Head("Coverage", True, "real rows with a synthetic one in their neighbourhood; 1 is best"), ".2f"),
    (
        "nearest",
        Head("Nearest real", True, "median distance to the nearest real row over that between real rows"),
        ".2f",
    ),
    ("copies", Head("Copies", True, "synthetic rows that equal a real one"), ".0%"),
    ("distinct", Head("Distinct", True, "different synthetic rows over all of them"), ".0%"),
    ("spread", Head("Spread", True, "mean distance among synthetic rows over that among real ones"), ".2f"),
]

_ADVICE = {
    "collapse": "Train longer, or use start='kernel', which keeps the spread of the real rows.",
    "equal a real row": "They add weight, not information: class weights do the same at no cost.",
    "tells little": "Collect more rows of this class, or do not rebalance it.",
    "guessing would find": "Collect more rows of this class, or select columns before resampling.",
    "real rows are what": "Use focus=0, and ask with should_rebalance whether the rows help.",
    "look like their class": "The class overlaps others, or the rows are poor: check with should_rebalance whether they help.",
}

_FEWEST_HELD_OUT = 10
"""Rows of a class: on fewer, precision and recall say little."""


def report_resampling(
    sampler: Any, *, check: bool = False, max_classes: int = 3, random_state: int = 0, source: str | None = None
) -> HTMLReport:
    """Write a one-file HTML report on the rows that a sampler makes for the table it was fitted on.

    Parameters
    ----------
    sampler : BAGANOversampler or CGANSampler
        Fitted.
    check : bool, default=False
        Also hold out a quarter of the real rows, fit a clone without them, and show what synthetic rows change in a classifier's
        decisions. Takes about as long as `fit`.
    max_classes : int, default=3
        Draw at most this many classes, those with the most synthetic rows.
    random_state : int, default=0
        Of the rows held out.
    source : str, default=None
        What the table is called, such as its file's name: stands in the title and the tab.

    Returns
    -------
    HTMLReport
        With ``save(path)``, ``to_html``, ``to_markdown`` and ``to_dict``; notebooks show it.

    Raises
    ------
    InvalidInputError
        It is no fitted sampler of ours.

    Examples
    --------
    >>> from tabgan import CGANSampler, report_resampling
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> report_resampling(CGANSampler(n_steps=0, random_state=0).fit(X, np.repeat([0, 1], [45, 15])), max_classes=1).title
    'Resampling report'
    """
    page = resampling_page(sampler, check=check, max_classes=max_classes, random_state=random_state, source=source)
    return render(page)


def resampling_page(
    sampler: Any, *, check: bool = False, max_classes: int = 3, random_state: int = 0, source: str | None = None
) -> Page:
    """What `report_resampling` renders, for those who have something to add."""
    from tabgan.plotting.synthetic_rows import resampled_by
    from tabgan.plotting.views import check_count, check_draws

    check_count("max_classes", max_classes)
    check_draws(random_state, check)
    if not hasattr(sampler, "resample") or not hasattr(sampler, "methods_"):
        raise InvalidInputError(
            f"report_resampling takes a fitted BAGANOversampler or CGANSampler, not {type(sampler).__name__} as it is."
        )
    result = resampled_by(sampler)
    found = sampler.report_
    n_synthetic = int(result.made.sum())
    page = Page("Resampling report", _lead(n_synthetic, len(result.made) - n_synthetic, len(found.table), found.gate))
    page.facts = [
        ("Real rows", f"{len(result.made) - n_synthetic:,}"),
        ("Synthetic rows", f"{n_synthetic:,}"),
        ("Columns", f"{sampler.n_features_in_:,}"),
        ("Classes", f"{len(sampler.classes_):,}"),
        ("Seed", repr(sampler.random_state)),
    ]
    page.notices = _notices(sampler)
    page.tables = [class_table(found.table)] if len(found.table) else []
    page.details = [
        ("Settings", settings_of(sampler)),
        (
            "Training",
            [
                ("steps", str(sampler.n_iter_)),
                ("stopped because", str(sampler.stop_reason_ or "all steps were done")),
                *sampler.schema_.facts(50),
            ],
        ),
        ("Versions", versions()),
    ]
    decision, why_not = (
        _decision(sampler, int((~result.made).sum()), random_state) if check and n_synthetic else (None, None)
    )
    page.notices += [why_not] if why_not else []
    page.source, page.headline = source or "", _headline(decision, n_synthetic)
    page.tables = ([_decision_table(decision)] if decision else []) + page.tables
    page.next_steps = _NEXT if n_synthetic else []
    if can_draw():
        page.pictures = _pictures(sampler, result, max_classes, decision)
    else:
        page.no_pictures = NO_MATPLOTLIB
    return page


def report_nothing_to_make(counts: pd.Series, source: str | None = None) -> HTMLReport:
    """Write the report on a table whose classes are large enough, for which no sampler was fitted.

    Parameters
    ----------
    counts : pandas.Series of int
        Rows by class.
    source : str, default=None
        What the table is called.
    """
    page = Page("Resampling report", _lead(0, int(counts.sum()), 0))
    page.source = source or ""
    page.facts = [("Real rows", f"{counts.sum():,}"), ("Synthetic rows", "0"), ("Classes", f"{len(counts):,}")]
    rows = [[text_cell(name, ""), number_cell(float(count))] for name, count in counts.items()]
    page.tables = [Table("Class by class", [Head("Class"), Head("Real", True)], rows)]
    page.details = [("Versions", versions())]
    return render(page)


def _headline(decision: Any, n_synthetic: int) -> str:
    """What synthetic rows changed for a classifier, in one sentence."""
    if not n_synthetic:
        return ""
    if decision is None:
        return f"{n_synthetic:,} rows were made; whether they help a classifier was not measured here."
    measures, name = decision.measures_, decision.label
    told = []
    for what in ("precision", "recall"):
        before, after = (float(measures.loc[f"{what} of {name}", column]) for column in ("without", "with"))
        if np.isnan(before) or np.isnan(after):
            continue
        moved = "stays" if round(100 * before) == round(100 * after) else "falls" if after < before else "rises"
        told.append(
            f"{what} stays at {before:.0%}" if moved == "stays" else f"{what} {moved} from {before:.0%} to {after:.0%}"
        )
    n, n_mine = len(decision.truth), int(np.sum(decision.truth == name))
    if n_mine < _FEWEST_HELD_OUT:
        what = f"Too few rows of class {name} were held out to tell what synthetic rows change"
    elif all(" stays " in one for one in told):
        what = f"Synthetic rows do not change how a classifier finds class {name}"
    else:
        what = f"Synthetic rows change how a classifier finds class {name}"
    return f"{what}: {', '.join(told)}, on {n:,} held-out rows, {n_mine:,} of them of this class."


def _lead(n_synthetic: int, n_real: int, n_classes: int, gate: str | None = None) -> str:
    if not n_synthetic and gate is not None:
        return f"No row was made. {gate}"
    if not n_synthetic:
        return "No row was made: the classes are as sampling_strategy wants them already."
    classes = "one class" if n_classes == 1 else f"{n_classes} classes"
    return (
        f"{n_synthetic:,} rows were made for {classes}, beside {n_real:,} real ones. Whether they help a classifier, "
        "tabgan.should_rebalance(X, y) says; more often than not a moved decision threshold does as much."
    )


def class_table(found: pd.DataFrame) -> Table:
    """The table of a `SamplingReport`, with what its measures mean."""
    heads = [
        Head("Class"),
        Head("Real", True),
        Head("Synthetic", True),
        Head("Method"),
        *(head for _, head, _ in _MEASURES),
    ]
    rows = [
        [
            text_cell(name, ""),
            number_cell(float(line["n_real"])),
            number_cell(float(line["n_synthetic"])),
            text_cell(line["method"]),
            *(number_cell(float(line[key]), form) for key, _, form in _MEASURES),
        ]
        for name, line in zip(found.index, found.to_dict(orient="records"), strict=True)
    ]
    return Table(
        "Class by class", heads, rows, "Measured on the synthetic rows against the real ones. Select a heading to sort."
    )


def row_notices(found: Any) -> list[Notice]:
    """The warnings of a `SamplingReport`, each with what to do about it."""
    return [
        Notice(text[:1].upper() + text[1:], next((advice for key, advice in _ADVICE.items() if key in text), ""))
        for text in found.warnings
    ]


def _notices(sampler: Any) -> list[Notice]:
    notices = row_notices(sampler.report_)
    notices += [Notice(f"In training: {text}", "See the curves below.") for text in sampler.report_.training]
    if sampler.stop_reason_ and not sampler.stop_reason_.startswith(EarlyStopping.SETTLED):
        notices.append(Notice(f"Training ended early: {sampler.stop_reason_}."))
    if int(np.sum(sampler.synthetic_mask_)):
        notices.append(
            Notice(
                "Synthetic rows change the class frequencies, and with them predicted probabilities.",
                "Score on real rows only, and use PriorCorrectedClassifier where probabilities matter.",
            )
        )
    return notices


def _decision(sampler: Any, n_real: int, random_state: int) -> tuple[Any, Notice | None]:
    """A display that is not drawn yet, or why there is none."""
    from tabgan.plotting.decision import decision_of
    from tabgan.plotting.hidden import rows_of

    X, y = sampler.resample()
    rows, labels = rows_of(X, np.arange(n_real)), np.asarray(y)[:n_real]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the fit has said them; here a clone is fitted to some of the rows
            return decision_of(sampler, rows, labels, random_state=random_state), None
    except InvalidInputError as error:
        return None, Notice(f"The classifier's decisions were not compared: {error}")


def _decision_table(decision: Any) -> Table:
    heads = [
        Head("Measure"),
        Head("Without synthetic rows", True),
        Head("With synthetic rows", True),
        Head("Change in points", True, "difference of the two percentages: from 40% to 50% are 10 points"),
    ]
    rows = [
        [text_cell(name, ""), number_cell(a, ".1%"), number_cell(b, ".1%"), number_cell(100 * (b - a), "+.1f")]
        for name, a, b in zip(
            decision.measures_.index, decision.measures_["without"], decision.measures_["with"], strict=True
        )
    ]
    return Table(
        "What synthetic rows change in a classifier",
        heads,
        rows,
        f"A logistic regression fitted twice; {len(decision.truth):,} real rows were held out from it and from a clone of the "
        f"sampler; {decision.n_changed_:,} predictions changed. Recall: the share of a class that is found. "
        "Precision: the share of those called a class that are of it. More recall with less precision is what a moved threshold "
        "gives, too.",
    )


def _pictures(sampler: Any, result: Any, max_classes: int, decision: Any) -> list[Any]:
    from tabgan.plotting import ClassCountsDisplay, ResamplingDisplay, TrainingDisplay

    labels, made = result.labels, result.made
    pictures = [
        picture_of(
            lambda: ClassCountsDisplay.from_predictions(labels[~made], labels),
            "Rows per class",
            "Real and synthetic rows per class.",
            "Real rows stay as they are; synthetic rows stand at the end of the table.",
        )
    ]
    for name in pd.Series(labels[made]).value_counts().index[:max_classes]:
        pictures.append(
            picture_of(
                partial(ResamplingDisplay.from_resampled, result, label=name),
                f"Class {name}: synthetic against real rows",
                "Distributions of the columns that differ most, differences of correlations, a projection to two dimensions, and "
                "distances to the nearest real row.",
                "Synthetic rows should lie among the real ones without sitting on them: distances far to the left of the real rows' "
                "mean near-copies.",
            )
        )
    if decision is not None:
        pictures.append(
            picture_of(
                decision.plot,
                "A classifier's decisions, without and with synthetic rows",
                "Probabilities of one class on held-out rows without synthetic rows and with them, and recall and precision of both.",
                "Points above the diagonal became more likely to be called the class. Synthetic rows that help separate the marks; "
                "those that only move the threshold lift all of them alike.",
            )
        )
    if has_curves(sampler.history_):
        pictures.append(
            picture_of(
                lambda: TrainingDisplay.from_estimator(sampler),
                "Training",
                "Losses and validation error by training step.",
                "The weights of the best validation error are kept.",
            )
        )
    return pictures
