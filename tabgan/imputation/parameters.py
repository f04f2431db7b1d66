"""What each parameter of `GAINImputer` may be."""

from __future__ import annotations

from typing import Any

import numpy as np

from tabgan.estimators.parameter_checks import BOOLEAN, JOBS, SEED, Rule, integer, number, one_of, optional
from tabgan.imputation.effort import EFFORTS
from tabgan.tables.numeric import NUMERIC_TRANSFORMS

__all__ = ["GROUPS", "RULES", "is_count"]


def _rates(v: Any) -> bool:
    try:
        low, high = v
    except (TypeError, ValueError):
        return False
    return all(isinstance(rate, (int, float, np.number)) for rate in (low, high)) and 0 <= low <= high < 1 and high > 0


RULES: dict[str, Rule] = {
    "effort": one_of(*EFFORTS),
    "objective": one_of("remask", "paper"),
    "n_steps": optional(integer(0)),
    "batch_size": integer(1),
    "learning_rate": number(0, open_low=True),
    "width": integer(1),
    "n_blocks": integer(0),
    "n_members": integer(1),
    "n_bins": integer(1),
    "network_steps": optional(integer(0)),
    "network_width": optional(integer(1)),
    "n_references": optional(integer(0)),
    "n_records": optional(integer(0)),
    "n_trees": optional(integer(0)),
    "n_rounds": optional((lambda v: integer(1)[0](v) and v <= 2, "1 or 2")),
    "n_boosts": optional(integer(0)),
    "n_donor_trees": integer(0),
    "hide_rates": (_rates, "two rates (low, high) with 0 <= low <= high < 1 and high > 0"),
    "pattern_fraction": number(0, 1),
    "validation_fraction": number(0, 0.5),
    "patience": integer(1),
    "draw_steps": integer(0),
    "adversarial_weight": number(0),
    "alpha": number(0),
    "hint": one_of("code", "paper"),
    "hint_rate": number(0, 1),
    "activation": one_of("relu", "tanh"),
    "numeric_transform": optional(one_of(*NUMERIC_TRANSFORMS)),
    "max_categories": integer(1),
    "unseen_categories": one_of("missing", "error"),
    "round_like_observed": BOOLEAN,
    "keep_empty_features": BOOLEAN,
    "add_indicator": BOOLEAN,
    "sample_posterior": BOOLEAN,
    "warm_start": BOOLEAN,
    "max_time": optional(number(0, open_low=True, infinite=True, note=" (seconds)")),
    "random_state": SEED,
    "n_threads": optional(integer(1)),
    "n_jobs": JOBS,
    "verbose": (lambda v: isinstance(v, (int, np.integer)) and v >= 0, "an integer >= 0"),
}


def is_count(value: Any) -> bool:
    """Whether a value is an integer of at least 1."""
    return bool(RULES["batch_size"][0](value))


GROUPS: dict[str, tuple[str, ...]] = {
    "Basics": (
        "effort",
        "max_time",
        "missing_values",
        "categorical_features",
        "column_kinds",
        "random_state",
        "n_jobs",
        "verbose",
    ),
    "What comes out": (
        "sample_posterior",
        "round_like_observed",
        "add_indicator",
        "keep_empty_features",
        "unseen_categories",
    ),
    "How columns are encoded": ("max_categories", "numeric_transform"),
    "Where it runs, and going on from an earlier fit": ("device", "n_threads", "warm_start"),
    "Which cells are hidden to learn from, and to judge by": ("hide_rates", "pattern_fraction", "validation_fraction"),
    "Stage: most similar rows (small tables), near duplicates (large ones)": ("n_references", "n_records"),
    "Stage: trees": ("n_trees", "n_rounds", "n_boosts"),
    "Stage: network of all columns (large tables)": ("network_steps", "network_width"),
    "Stage: correction network (small tables)": (
        "n_steps",
        "patience",
        "batch_size",
        "learning_rate",
        "width",
        "n_blocks",
        "n_members",
        "n_bins",
    ),
    "Stage: draws and intervals": ("n_donor_trees", "draw_steps", "adversarial_weight"),
    "GAIN as published": ("objective", "alpha", "hint", "hint_rate", "activation"),
}
"""The parameters of `GAINImputer`, the ones that matter most first, then stage by stage; signature and documentation follow it."""
