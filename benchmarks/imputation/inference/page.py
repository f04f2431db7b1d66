"""The page and its plot, from rows of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.imputation.inference.measures import PAIRED, bars, criteria
from benchmarks.imputation.inference.methods import METHODS
from benchmarks.imputation.inference.running import estimates_frame
from benchmarks.imputation.inference.scenarios import SCENARIOS
from benchmarks.imputation.report import markdown

__all__ = ["page", "plot", "write_page"]

OURS = "tabgan"
DOCS = Path(__file__).parents[3] / "docs" / "benchmarks"
# Multiple imputation; the others need no dot in a plot of coverage.
_SHOWN = {
    PAIRED: ("black", "|"),
    "mice norm": ("tab:blue", "s"),
    "mice pmm": ("tab:cyan", "D"),
    "mice cart": ("tab:olive", "v"),
    "mice rf": ("tab:green", "^"),
    "IterativeImputer draws": ("tab:purple", "x"),
    "miceforest": ("tab:brown", "+"),
    OURS: ("tab:red", "o"),  # last: on top
}
_OPENING = """# Inference from several imputations

Multiple imputation is a promise about estimates, not about cells. Tables are drawn from populations whose estimands are known, cells
are hidden, each method imputes {m} times, the analyses are pooled by Rubin's rules (`tabgan.pool`, Barnard and Rubin's degrees of
freedom), and three things are asked (van Buuren 2018, "Flexible Imputation of Missing Data", section 2.5):

- **bias**, in percent of the truth, against the estimate from the same table with nothing missing; at most 5 % is taken as good;
- **coverage**: how often the nominal 95 % interval holds the truth; 90 % or more is taken as good;
- **width** of that interval: narrower is better among methods that cover.

Every method sees the same tables. {repeats}. With 200 repetitions the standard error of a coverage of 95 % is 1.5 points.
{packages}.

Methods of mice are its own `defaultMethod` with numbers by the named method (norm and pmm: logistic, multinomial and
proportional-odds models for labels). `IterativeImputer` draws with `sample_posterior=True`, labels as numbers or indicators. All other
settings are defaults, but that one round is run where one column is incomplete and further rounds would change nothing.
*single* is one imputation analysed as if it had been observed: **unfit for inference**, and shown for that.

![Bias and coverage of pooled estimates by method](inference.png)
"""


def write_page(rows: Sequence[Mapping[str, Any]], folder: Path = DOCS) -> str:
    """Write ``inference.md`` and ``inference.png``, and return the page's text."""
    estimates = estimates_frame(rows)
    estimates = estimates[estimates["method"].isin(METHODS)]
    folder.mkdir(parents=True, exist_ok=True)
    text = page(estimates, sorted({str(row["package"]) for row in rows if "package" in row}))
    (folder / "inference.md").write_text(text)
    plot(criteria(estimates), folder / "inference.png")
    return text


def page(estimates: pd.DataFrame, packages: Sequence[str] = ()) -> str:
    """The Markdown text."""
    found = criteria(estimates)
    order = [name for name in METHODS if (found["method"] == name).any()]
    counts = found.groupby("method")["repeats"].agg(["min", "max"])
    same = len(set(counts.to_numpy().ravel())) == 1
    repeats = f"{counts['max'].max()} repetitions each" if same else "Repetitions are stated where they differ from 200"
    opening = _OPENING.format(
        m=int(estimates["m"].mode()[0]), repeats=repeats, packages="; ".join(packages) or "No packages were recorded"
    )
    parts = [opening.strip(), "## Over the scenarios", _summary(found, order)]
    if OURS in order:
        parts += ["## What the imputer has to reach", _bars(bars(estimates, OURS))]
    for n, part in found.groupby("n"):
        parts += [
            f"## {n} rows",
            "Bias in percent of the truth ± its standard error · coverage in percent · width of the interval.",
            _table(part, order),
        ]
    parts += ["## Scenarios", _scenarios(), _failures(found)]
    parts.append("Made by `python -m benchmarks.imputation.inference report`.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _summary(found: pd.DataFrame, order: list[str]) -> str:
    """Means over the scenarios that are missing at random, of the estimands that all methods of a size have."""
    random = found[found["scenario"] != "mnar"]
    parts = []
    for n, part in random.groupby("n"):
        wide = part.pivot(index=["scenario", "estimand"], columns="method")
        names = [name for name in order if name in wide["repeats"]]
        shared = wide[wide["repeats"][names].gt(0).all(axis=1)]
        if shared.empty:
            continue
        percent, coverage = shared["percent"][names].abs(), shared["coverage"][names]
        table = pd.DataFrame(
            {
                "mean absolute bias, %": percent.mean().map("{:.1f}".format),
                "bias within 5 %": (percent <= 5).sum().map(str),
                "mean coverage, %": (100 * coverage.mean()).map("{:.1f}".format),
                "least coverage, %": (100 * coverage.min()).map("{:.0f}".format),
                "coverage of 90 % or more": (coverage >= 0.9).sum().map(str),
                "width over complete data's": shared["width"][names]
                .div(shared["width"][PAIRED], axis=0)
                .mean()
                .map("{:.2f}".format),
            },
            index=names,
        )
        table.index.name = f"{n} rows, {len(shared)} estimands"
        parts.append(markdown(table))
    parts.append("Without *mnar*, and over the estimands that all methods of a table have.")
    return "\n\n".join(parts)


def _bars(reached: pd.DataFrame) -> str:
    def sign(value: Any) -> str:
        return "-" if value is None or pd.isna(value) else "yes" if value else "**no**"

    shown = pd.DataFrame(
        {
            "rows": reached["n"].map(str),
            "bias, %": [
                f"{p:.1f} ± {e:.1f}" for p, e in zip(reached["percent"], reached["percent_error"], strict=True)
            ],
            "within 5 %": reached["unbiased"].map(sign),
            "coverage (complete data's), %": [
                f"{100 * own:.1f} ({100 * whole:.1f})"
                for own, whole in zip(reached["coverage"], reached["whole_coverage"], strict=True)
            ],
            "covers": reached["covers"].map(sign),
            "width ratio": reached["width_ratio"].map(lambda v: "-" if np.isnan(v) else f"{v:.2f}"),
            "narrow": reached["narrow"].map(sign),
            "repetitions": reached["repeats"].map("{:.0f}".format),
        }
    )
    shown.index = pd.Index(reached["scenario"] + ", " + reached["estimand"], name="scenario, estimand")
    explained = (
        "Covers: at least 92 % (or what complete data reach), and at most 3 points below complete data. Narrow: at most 1.15 times as "
        "wide as the narrower of mice norm and mice rf, of those that cover."
    )
    return f"{explained}\n\n{markdown(shown)}"


def _table(part: pd.DataFrame, order: list[str]) -> str:
    def cell(row: pd.Series) -> str:
        if not row["repeats"]:
            return "failed"
        bias = "" if row["method"] == PAIRED else f"{row['percent']:.1f} ± {row['percent_error']:.1f} · "
        count = "" if row["repeats"] == 200 else f" ({row['repeats']})"
        return f"{bias}{100 * row['coverage']:.0f} · {row['width']:.2f}{count}"

    shown = part.assign(cell=part.apply(cell, axis=1)).pivot(
        index=["scenario", "estimand"], columns="method", values="cell"
    )
    rows = [(s, e.name) for s, scenario in SCENARIOS.items() for e in scenario.estimands if (s, e.name) in shown.index]
    shown = shown.reindex(rows).reindex(columns=[name for name in order if name in shown]).fillna("-")
    shown.index = pd.Index([f"{scenario}, {estimand}" for scenario, estimand in shown.index], name="scenario, estimand")
    return markdown(shown)


def _scenarios() -> str:
    lines = []
    for name, scenario in SCENARIOS.items():
        missing = scenario.case(20_000, 0).hidden.mean()
        shares = ", ".join(f"{column} {share:.0%}" for column, share in missing[missing > 0].items())
        truths = ", ".join(f"{estimand.name} {estimand.truth:.4g}" for estimand in scenario.estimands)
        lines.append(f"- **{name}**: {scenario.about}. Missing: {shares}. Truth: {truths}.")
    return "\n".join(lines)


def _failures(found: pd.DataFrame) -> str:
    failed = found[found["failed"] > 0]
    if failed.empty:
        return "No repetition failed."
    lines = [
        f"- {r.scenario}, {r.n} rows, {r.estimand}, {r.method}: {r.failed} of {r.failed + r.repeats} repetitions"
        for r in failed.itertuples()
    ]
    return "Failed, and left out:\n\n" + "\n".join(lines)


def plot(found: pd.DataFrame, path: Path) -> None:
    """Percent bias and coverage, a line per scenario and estimand, a dot per method; a column of panels per size."""
    from matplotlib.figure import Figure

    sizes = sorted(found["n"].unique())
    rows = [(name, e.name) for name, scenario in SCENARIOS.items() for e in scenario.estimands]
    rows = [row for row in rows if row in set(zip(found["scenario"], found["estimand"], strict=True))]
    figure = Figure(figsize=(4.2 * len(sizes) * 1.3 + 1.5, 0.36 * len(rows) + 1.8), layout="constrained")
    axes = figure.subplots(1, 2 * len(sizes), sharey=True, squeeze=False)[0]
    for k, n in enumerate(sizes):
        part = found[found["n"] == n].set_index(["scenario", "estimand", "method"])
        for measure, low, high, panel in (("percent", -30, 30, axes[2 * k]), ("coverage", 40, 100, axes[2 * k + 1])):
            for method, (colour, marker) in _SHOWN.items():
                if method not in part.index.get_level_values("method") or (measure == "percent" and method == PAIRED):
                    continue
                values = (
                    part.xs(method, level="method")[measure].reindex(pd.MultiIndex.from_tuples(rows)).to_numpy(float)
                )
                values = values * (100 if measure == "coverage" else 1)
                size = 10 if method == PAIRED else 8 if method == OURS else 6
                panel.plot(
                    np.clip(values, low, high),
                    range(len(rows)),
                    marker,
                    color=colour,
                    ms=size,
                    mew=1.8 if marker in "|x+" else 0.5,
                    ls="",
                    alpha=0.85,
                    label=method,
                )
            panel.set_xlim(low - 2, high + 2)
            panel.grid(axis="y", color="0.92")
            panel.set_axisbelow(True)
        axes[2 * k].axvspan(-5, 5, color="0.93", zorder=0)
        axes[2 * k].axvline(0, color="0.6", lw=0.8)
        axes[2 * k].set_title(f"{n} rows: bias, % of the truth", fontsize=10)
        axes[2 * k + 1].axvspan(90, 100, color="0.93", zorder=0)
        axes[2 * k + 1].axvline(95, color="0.6", lw=0.8)
        axes[2 * k + 1].set_title(f"{n} rows: coverage, %", fontsize=10)
    axes[0].set_yticks(range(len(rows)), [f"{scenario}, {estimand}" for scenario, estimand in rows])
    axes[0].set_ylim(len(rows) - 0.5, -0.5)
    handles, labels = axes[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False, fontsize=9)
    figure.suptitle(
        "Grey: bias within 5 %, coverage of 90 % or more. What lies beyond the ends is drawn at the end.", fontsize=9
    )
    figure.savefig(path, dpi=110)
