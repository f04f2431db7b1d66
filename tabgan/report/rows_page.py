"""`report_rows`: rows drawn from a fitted sampler against the rows it was fitted on."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidInputError
from tabgan.plotting.marginals import ColumnPair, disagreement
from tabgan.plotting.resampled import ResamplingDisplay
from tabgan.plotting.synthetic_rows import Resampled
from tabgan.plotting.views import check_count, feature_columns, is_number, label_columns, view
from tabgan.report.html import HTMLReport, render
from tabgan.report.page import Cell, Head, Notice, Page, Table, number_cell, settings_of, text_cell, versions
from tabgan.report.pictures import NO_MATPLOTLIB, can_draw, picture_of
from tabgan.tables.frames import read_table
from tabgan.wording import figures

__all__ = ["report_rows"]

_SAME = 1e-6
_COPIES = 0.05
_FEW = 10
_FAR = 0.3
_MOST_NAMED = 6


def report_rows(
    sampler: Any,
    X: Any,
    y: Any,
    *,
    where: Mapping[Any, Any] | None = None,
    random_state: int | None = None,
    max_classes: int = 3,
    source: str | None = None,
) -> HTMLReport:
    """Write a one-file HTML report on rows that a sampler's ``sample`` returned, beside the rows it was fitted on.

    Parameters
    ----------
    sampler : BAGANOversampler or CGANSampler
        Fitted, also read back from a file.
    X, y : tables of shape (n_rows, n_features) and (n_rows,)
        What ``sampler.sample`` returned.
    where : dict of column to value, default=None
        What the rows were asked to have, to be said in the report.
    random_state : int, default=None
        Seed of the draw, to be said in the report.
    max_classes : int, default=3
        Draw at most this many classes, those with the most rows.
    source : str, default=None
        Where the rows came from, such as the file of the model: stands in the title and the tab.

    Returns
    -------
    HTMLReport
        With ``save(path)``, ``to_html``, ``to_markdown`` and ``to_dict``; notebooks show it.

    Raises
    ------
    InvalidInputError
        It is no fitted sampler of ours, or the rows are not of its table.

    Examples
    --------
    >>> from tabgan import CGANSampler, report_rows
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> sampler = CGANSampler(n_steps=0, random_state=0).fit(X, np.repeat([0, 1], [45, 15]))
    >>> report_rows(sampler, *sampler.sample(10, y=1), max_classes=1).title
    'Report on synthetic rows'
    """
    check_count("max_classes", max_classes)
    if not hasattr(sampler, "resample") or not hasattr(sampler, "methods_"):
        raise InvalidInputError(
            f"report_rows takes a fitted BAGANOversampler or CGANSampler, not {type(sampler).__name__} as it is."
        )
    result = _beside_training(sampler, X, y)
    counts = pd.Series(result.labels[result.made]).value_counts()
    found = {
        label: ResamplingDisplay.compared(result, label=label)
        for label in counts.index
        if (result.labels[~result.made] == label).any()
    }
    n_real, n_synthetic = int((~result.made).sum()), int(result.made.sum())
    of = f"class {counts.index[0]}" if len(counts) == 1 else f"{len(counts)} classes"
    page = Page(
        "Report on synthetic rows",
        f"{n_synthetic:,} rows of {of}, drawn from a {type(sampler).__name__} that was fitted on {n_real:,} real rows.",
    )
    page.source, page.headline = source or "", _headline(found)
    page.facts = [
        ("Synthetic rows", f"{n_synthetic:,}"),
        ("Training rows", f"{n_real:,}"),
        ("Columns", f"{sampler.n_features_in_:,}"),
        ("Classes", f"{len(counts):,}"),
        ("Seed", "not given" if random_state is None else repr(random_state)),
    ]
    page.notices = _notices(result, found, where)
    page.tables = [_class_table(sampler, result, counts, found), _column_table(sampler, result)]
    asked = [("model", type(sampler).__name__), ("rows", f"{n_synthetic:,}"), ("seed", repr(random_state))]
    page.details = [
        ("Draw", asked + [(f"where {name}", repr(value)) for name, value in (where or {}).items()]),
        ("Settings of the model", settings_of(sampler)),
        ("Versions", versions()),
    ]
    if can_draw():
        page.pictures = [
            picture_of(
                partial(found[label].plot),
                f"Class {label}: synthetic against real rows",
                "Distributions of the columns that differ most, differences of correlations, a projection to two dimensions, and "
                "distances to the nearest real row.",
                "Synthetic rows should lie among the real ones of their class without sitting on them.",
            )
            for label in [label for label in counts.index if label in found][:max_classes]
        ]
    else:
        page.no_pictures = NO_MATPLOTLIB
    return render(page)


def _headline(found: dict[Any, ResamplingDisplay]) -> str:
    """Whether rows are copies, and where they are least like real ones, in one sentence."""
    if not found:
        return ""
    n = sum(len(display.made_distances) for display in found.values())
    copies = sum(int(np.sum(display.made_distances <= _SAME)) for display in found.values())
    told = f"{copies:,} of {n:,} synthetic rows equal a real one" if copies else "No synthetic row equals a real one"
    worst = max(
        (pair for display in found.values() for pair in display.pairs[:1]),
        key=lambda pair: pair.disagreement,
        default=None,
    )
    if worst is None or round(worst.disagreement, 2) == 0:
        return f"{told}; no column differs from the real rows' beyond chance."
    return f"{told}; least like the real rows' is column {worst.name} ({worst.disagreement:.2f} from 0, alike, to 1, apart)."


def _beside_training(sampler: Any, X: Any, y: Any) -> Resampled:
    fitted_on, real_labels = copy(sampler).resample({})  # a copy, so that report_ stays about the rows made last
    tables = [table.toarray() if hasattr(table, "toarray") else table for table in (fitted_on, X)]
    width = read_table(tables[1]).n_columns
    if width != sampler.n_features_in_:
        raise InvalidInputError(f"X has {width} columns, but the sampler was fitted on {sampler.n_features_in_}.")
    kinds = label_columns(sampler.schema_)
    real, made = (view(table, kinds, sampler.missing_values) for table in tables)
    made.columns = real.columns
    classes = [_labels(real_labels), _labels(y)]
    if len(classes[1]) != len(made):
        raise InvalidInputError(f"X has {len(made)} rows, but y {len(classes[1])}; they must agree.")
    frame = pd.concat([real, made], ignore_index=True).loc[:, feature_columns(sampler.schema_)]
    return Resampled(frame, np.concatenate(classes), np.arange(len(frame)) >= len(real))


def _labels(y: Any) -> np.ndarray:
    labels = np.asarray(y)
    return labels if labels.ndim == 1 else labels[:, 0] if labels.shape[1] == 1 else labels.argmax(axis=1)


def _class_table(sampler: Any, result: Resampled, counts: pd.Series, found: dict[Any, ResamplingDisplay]) -> Table:
    heads = [
        Head("Class"),
        Head("Training", True, "rows in the table that the sampler was fitted on"),
        Head("Synthetic", True),
        Head("Method"),
        Head("Nearest real", True, "median distance to the nearest real row over that between real rows"),
        Head("Copies", True, "synthetic rows that equal a real one"),
        Head("Differs most in", hint="the column whose distribution differs most from the real rows'"),
    ]
    rows = []
    for label, n in counts.items():
        display = found.get(label)
        n_real = float((result.labels[~result.made] == label).sum())
        row: list[Cell] = [text_cell(label, ""), number_cell(n_real), number_cell(float(n))]
        row.append(text_cell(sampler.methods_.get(label, "-")))
        if display is None:
            rows.append([*row, number_cell(None), number_cell(None), text_cell("-")])
            continue
        worst = display.pairs[0] if display.pairs and display.pairs[0].disagreement > 0 else None
        row += [
            number_cell(_nearest(display), ".2f"),
            number_cell(_copies(display), ".0%"),
            text_cell("-" if worst is None else f"{worst.name} ({worst.disagreement:.2f})"),
        ]
        rows.append(row)
    return Table("Class by class", heads, rows, "Distances between standardised numbers and one-hot labels.")


def _nearest(display: ResamplingDisplay) -> float | None:
    if not len(display.real_distances) or not np.median(display.real_distances) > _SAME:
        return None
    return float(np.median(display.made_distances) / np.median(display.real_distances))


def _copies(display: ResamplingDisplay) -> float:
    return float(np.mean(display.made_distances <= _SAME))


def _column_table(sampler: Any, result: Resampled) -> Table:
    heads = [
        Head("Column"),
        Head("Kind"),
        Head("Training", hint="mean and standard deviation, or the most frequent label and its share"),
        Head("Synthetic", hint="the same of synthetic rows"),
        Head("Difference", True, "of the distributions beyond chance: 0 none, 1 apart"),
    ]
    pairs = []
    for name, column in result.frame.items():
        cells, known = column.to_numpy(), column.notna().to_numpy()
        first, second = cells[known & ~result.made], cells[known & result.made]
        number = is_number(column)
        pairs.append(ColumnPair(str(name), number, first, second, disagreement(first, second, number)))
    kept = feature_columns(sampler.schema_)
    kinds = [column.kind for column, is_kept in zip(sampler.schema_.columns, kept, strict=True) if is_kept]
    rows = []
    for pair, kind in sorted(zip(pairs, kinds, strict=True), key=lambda one: -one[0].disagreement):
        rows.append(
            [
                text_cell(pair.name, ""),
                text_cell(kind),
                *_summed_up(pair),
                number_cell(pair.disagreement, ".2f", "bad" if pair.disagreement > _FAR else ""),
            ]
        )
    for column in (one for one, is_kept in zip(sampler.schema_.columns, kept, strict=True) if not is_kept):
        rows.append([text_cell(column.name, ""), text_cell(column.kind), *[text_cell("-")] * 2, number_cell(None)])
    note = "Over all classes: synthetic rows of other class frequencies differ for that reason alone. Select a heading to sort."
    return Table("Column by column", heads, rows, note)


def _summed_up(pair: ColumnPair) -> tuple[Cell, Cell]:
    if not len(pair.first):
        return text_cell("-"), text_cell("-")
    if pair.is_number:
        texts = [
            f"{figures(part.mean())} ± {figures(part.std())}" if len(part) else "-"
            for part in (pair.first, pair.second)
        ]
    else:
        level = pd.Series(pair.first).value_counts().index[0]
        texts = [f"{level}: {np.mean(part == level):.0%}" if len(part) else "-" for part in (pair.first, pair.second)]
    return text_cell(texts[0]), text_cell(texts[1])


def _notices(result: Resampled, found: dict[Any, ResamplingDisplay], where: Mapping[Any, Any] | None) -> list[Notice]:
    notices = []
    for label, display in found.items():
        n_real = int((result.labels[~result.made] == label).sum())
        if n_real < _FEW:
            rows = "1 row" if n_real == 1 else f"{n_real} rows"
            notices.append(
                Notice(
                    f"Class {label!r} had {rows} in training: whatever is made from so few tells little that is new.",
                    "Collect more rows of this class.",
                )
            )
        if len(display.made_distances) and _copies(display) > _COPIES + float(np.mean(display.real_distances <= _SAME)):
            notices.append(
                Notice(
                    f"Class {label!r}: {_copies(display):.0%} of the synthetic rows equal a real row.",
                    "They add weight, not information, and disclose the rows that they copy.",
                )
            )
    if where:
        names = ", ".join(f"{name} = {value!r}" for name, value in list(where.items())[:_MOST_NAMED])
        notices.append(
            Notice(f"All rows were asked to have {names}, so these columns differ from the real rows' by wish.")
        )
    notices.append(
        Notice(
            "Synthetic rows start from real rows, and may disclose them.",
            "Do not share them where the training table may not be shared, and score models on real rows only.",
        )
    )
    return notices
