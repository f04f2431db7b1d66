"""Displays in scikit-learn's style: look before you read. matplotlib comes with the extra ``tabgan-learn[plot]``."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = [
    "CalibrationDisplay",
    "ClassCountsDisplay",
    "ComparisonDisplay",
    "DecisionDisplay",
    "DrawsDisplay",
    "HiddenCheck",
    "ImageGridDisplay",
    "ImputationDisplay",
    "MissingnessDisplay",
    "PredictionDisplay",
    "ResamplingDisplay",
    "TrainingDisplay",
    "hide_and_fill",
]

_PLACES = {
    "CalibrationDisplay": "calibration",
    "ClassCountsDisplay": "class_counts",
    "ComparisonDisplay": "comparison",
    "DecisionDisplay": "decision",
    "DrawsDisplay": "draw_summaries",
    "HiddenCheck": "hidden",
    "ImageGridDisplay": "image_grids",
    "ImputationDisplay": "imputed",
    "MissingnessDisplay": "missingness",
    "PredictionDisplay": "predictions",
    "ResamplingDisplay": "resampled",
    "TrainingDisplay": "training",
    "hide_and_fill": "hidden",
}


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        value = getattr(import_module(f"tabgan.plotting.{_PLACES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'tabgan.plotting' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
