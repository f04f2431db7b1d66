"""From estimates to van Buuren's criteria (FIMD 2.5): bias, coverage, width, beside complete data of the same repetitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from benchmarks.imputation.inference.scenarios import SCENARIOS

__all__ = ["PAIRED", "bars", "criteria", "with_intervals"]

PAIRED = "complete data"
_ROUNDING = 1e-9  # 184 of 200 are 92 percent
CELL = ["scenario", "n", "estimand", "method"]


def with_intervals(estimates: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """`estimates_frame` with ``truth``, ``lower``, ``upper``, ``covers``, and ``difference`` from complete data of the same seed."""
    truths = {
        (name, estimand.name): estimand.truth for name, scenario in SCENARIOS.items() for estimand in scenario.estimands
    }
    found = estimates[[key in truths for key in zip(estimates["scenario"], estimates["estimand"], strict=True)]].copy()
    found["truth"] = [truths[key] for key in zip(found["scenario"], found["estimand"], strict=True)]
    reach = student.ppf((1 + confidence) / 2, found["df"]) * found["error"]
    found["lower"], found["upper"] = found["estimate"] - reach, found["estimate"] + reach
    found["covers"] = (found["lower"] <= found["truth"]) & (found["truth"] <= found["upper"])
    key = ["scenario", "n", "estimand", "seed"]
    whole = found[found["method"] == PAIRED].set_index(key)["estimate"]
    found["difference"] = found["estimate"].to_numpy() - whole.reindex(pd.MultiIndex.from_frame(found[key])).to_numpy()
    return found


def criteria(estimates: pd.DataFrame) -> pd.DataFrame:
    """A line per scenario, n, estimand and method.

    Columns ``repeats`` and ``failed``; ``bias``, the mean difference from complete data, with its standard error ``bias_error``;
    ``percent`` and ``percent_error``, the same in percent of the truth; ``estimate`` (mean) and ``spread`` (standard deviation);
    ``coverage`` and ``coverage_error``; ``width`` (mean) and ``fmi`` (mean).
    """
    lines = []
    for cell, part in with_intervals(estimates).groupby(CELL, sort=False):
        known = part.dropna(subset="estimate")
        n, truth = len(known), abs(part["truth"].iloc[0])
        differences = known["difference"].dropna()
        bias = differences.mean()
        error = differences.std(ddof=1) / np.sqrt(len(differences)) if len(differences) > 1 else np.nan
        coverage = known["covers"].mean()
        lines.append(
            dict(zip(CELL, cell, strict=True))
            | {"repeats": n, "failed": len(part) - n, "bias": bias, "bias_error": error}
            | {"percent": 100 * bias / truth, "percent_error": 100 * error / truth}
            | {"estimate": known["estimate"].mean(), "spread": known["estimate"].std(ddof=1)}
            | {"coverage": coverage, "coverage_error": np.sqrt(coverage * (1 - coverage) / n) if n else np.nan}
            | {"width": (known["upper"] - known["lower"]).mean(), "fmi": known["fmi"].mean()}
        )
    return pd.DataFrame(lines)


def bars(estimates: pd.DataFrame, method: str) -> pd.DataFrame:
    """What one method has to reach, a line per scenario, n and estimand, over the repetitions that it has.

    ``unbiased``: bias of at most 5 percent of the truth. ``covers``: coverage of at least 92 percent, or what complete data
    reach, and at most 3 points below them. ``narrow``: intervals at most 1.15 times as wide as the narrower of mice norm and
    mice rf, of those that cover; None where neither does or was run. Scenario ``mnar`` is left out: nothing that sees only the
    table can pass there.
    """
    lines = []
    estimates = estimates[estimates["scenario"] != "mnar"]
    for (scenario, n), part in estimates[estimates["method"] == method].groupby(["scenario", "n"], sort=False):
        alike = (estimates["scenario"] == scenario) & (estimates["n"] == n) & estimates["seed"].isin(part["seed"])
        found = criteria(estimates[alike]).set_index(["estimand", "method"])
        for estimand in part["estimand"].unique():
            own, whole = found.loc[(estimand, method)], found.loc[(estimand, PAIRED)]
            rivals = found.loc[[key for key in ((estimand, "mice norm"), (estimand, "mice rf")) if key in found.index]]
            widths = rivals["width"][_covers(rivals["coverage"], whole["coverage"])]
            lines.append(
                {"scenario": scenario, "n": n, "estimand": estimand, "repeats": own["repeats"]}
                | {"percent": own["percent"], "percent_error": own["percent_error"]}
                | {"coverage": own["coverage"], "whole_coverage": whole["coverage"]}
                | {"width_ratio": own["width"] / widths.min() if len(widths) else np.nan}
                | {"unbiased": abs(own["percent"]) <= 5, "covers": _covers(own["coverage"], whole["coverage"])}
                | {"narrow": own["width"] <= 1.15 * widths.min() if len(widths) else None}
            )
    return pd.DataFrame(lines)


def _covers(coverage: Any, whole: float) -> Any:
    return (coverage >= min(0.92, whole) - _ROUNDING) & (coverage >= whole - 0.03 - _ROUNDING)
