"""Scores of imputations and of generated rows, usable on the output of any method."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Loaded on first use, so that one score does not pull in what another needs.
_PLACES = {
    "Coverage": "imputation",
    "IScore": "i_score",
    "PrecisionRecall": "generative",
    "classifier_two_sample_auc": "distribution",
    "conditional_accuracy": "generative",
    "coverage": "imputation",
    "crps": "scores",
    "earth_movers_distance": "divergences",
    "energy_distance": "distribution",
    "energy_i_score": "i_score",
    "energy_score": "scores",
    "error_rate": "imputation",
    "frechet_distance": "generative",
    "gaussian_frechet_distance": "generative",
    "js_divergence": "divergences",
    "kernel_distance": "generative",
    "kl_divergence": "divergences",
    "mean_wasserstein": "imputation",
    "mmd_squared": "divergences",
    "nearest_distance_ratio": "generative",
    "pair_distance_ratio": "generative",
    "precision_recall_density_coverage": "generative",
    "rmse": "imputation",
    "shared_histograms": "divergences",
    "sinkhorn_distance": "divergences",
    "sliced_wasserstein": "divergences",
    "train_on_synthetic_score": "generative",
    "wasserstein": "imputation",
}

__all__ = [
    "Coverage",
    "IScore",
    "PrecisionRecall",
    "classifier_two_sample_auc",
    "conditional_accuracy",
    "coverage",
    "crps",
    "earth_movers_distance",
    "energy_distance",
    "energy_i_score",
    "energy_score",
    "error_rate",
    "frechet_distance",
    "gaussian_frechet_distance",
    "js_divergence",
    "kernel_distance",
    "kl_divergence",
    "mean_wasserstein",
    "mmd_squared",
    "nearest_distance_ratio",
    "pair_distance_ratio",
    "precision_recall_density_coverage",
    "rmse",
    "shared_histograms",
    "sinkhorn_distance",
    "sliced_wasserstein",
    "train_on_synthetic_score",
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
