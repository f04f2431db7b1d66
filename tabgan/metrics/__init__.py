"""Scores of imputations and of generated rows, usable on the output of any method."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Loaded on first use, so that one score does not pull in what another needs.
_PLACES = {
    "Coverage": "imputation",
    "IScore": "i_score",
    "classifier_two_sample_auc": "distribution",
    "coverage": "imputation",
    "crps": "scores",
    "energy_distance": "distribution",
    "energy_i_score": "i_score",
    "energy_score": "scores",
    "error_rate": "imputation",
    "mean_wasserstein": "imputation",
    "rmse": "imputation",
    "wasserstein": "imputation",
}

__all__ = [
    "Coverage",
    "IScore",
    "classifier_two_sample_auc",
    "coverage",
    "crps",
    "energy_distance",
    "energy_i_score",
    "energy_score",
    "error_rate",
    "mean_wasserstein",
    "rmse",
    "wasserstein",
]


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        value = getattr(import_module(f"tabgan.metrics.{_PLACES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'tabgan.metrics' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
