"""Displays in scikit-learn's style: look before you read. matplotlib comes with the extra ``tabgan-learn[plot]``."""

from __future__ import annotations

from tabgan._lazy import lazy_names

__all__ = [
    "CalibrationDisplay",
    "ClassCountsDisplay",
    "ComparisonDisplay",
    "ConditionalImputationDisplay",
    "CostCurveDisplay",
    "DecisionDisplay",
    "DrawsDisplay",
    "HiddenCheck",
    "ImageGridDisplay",
    "ImputationDisplay",
    "MissingPatternsDisplay",
    "MissingnessDisplay",
    "PoolingDisplay",
    "PredictionDisplay",
    "PropensityDisplay",
    "ResamplingDisplay",
    "TrainingDisplay",
    "hide_and_fill",
]

# Loaded on first use: matplotlib takes long, and an extra brings it.
__getattr__, __dir__ = lazy_names(
    __name__,
    __all__,
    {
        "CalibrationDisplay": ".calibration",
        "ClassCountsDisplay": ".class_counts",
        "ComparisonDisplay": ".comparison",
        "ConditionalImputationDisplay": ".strata",
        "CostCurveDisplay": ".cost_curve",
        "DecisionDisplay": ".decision",
        "DrawsDisplay": ".draw_summaries",
        "MissingPatternsDisplay": ".missing_patterns_plot",
        "HiddenCheck": ".hidden",
        "ImageGridDisplay": ".image_grids",
        "ImputationDisplay": ".imputed",
        "MissingnessDisplay": ".missingness",
        "PoolingDisplay": ".pooled",
        "PredictionDisplay": ".predictions",
        "PropensityDisplay": ".propensity_plot",
        "ResamplingDisplay": ".resampled",
        "TrainingDisplay": ".training",
        "hide_and_fill": ".hidden",
    },
)
