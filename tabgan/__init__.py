"""Fill missing values and rebalance rare classes in real tables, with GANs that are measured against the baselines."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from tabgan._lazy import lazy_names

__all__ = [
    "BAGANOversampler",
    "BalancedSamplingClassifier",
    "CGANSampler",
    "GAINImputer",
    "PriorCorrectedClassifier",
    "__version__",
    "ampute",
    "check",
    "compare_imputers",
    "correct_prior",
    "fit_batches",
    "load",
    "model_card",
    "neighbourhood_weights",
    "pool",
    "report_comparison",
    "report_images",
    "report_imputation",
    "report_resampling",
    "report_result",
    "report_rows",
    "sample_batches",
    "should_rebalance",
    "transform_batches",
]

try:
    __version__ = version("tabgan-learn")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"

# Loaded on first use: `import tabgan` and `tabgan --help` should not wait for torch.
__getattr__, __dir__ = lazy_names(
    __name__,
    __all__,
    {
        "BAGANOversampler": ".sampling.bagan",
        "BalancedSamplingClassifier": ".model_selection.balanced_sampling",
        "CGANSampler": ".sampling.cgan",
        "GAINImputer": ".imputation.gain",
        "PriorCorrectedClassifier": ".model_selection.prior_correction",
        "ampute": ".tables.amputation",
        "check": ".report.table_check",
        "compare_imputers": ".model_selection.compare_imputers",
        "correct_prior": ".model_selection.prior_correction",
        "fit_batches": ".engines.streaming",
        "load": ".estimators.saving",
        "model_card": ".report.model_card",
        "neighbourhood_weights": ".sampling.row_weights",
        "pool": ".inference.pooling",
        "report_comparison": ".report.comparison_page",
        "report_images": ".report.images_page",
        "report_imputation": ".report.imputation_page",
        "report_resampling": ".report.resampling_page",
        "report_result": ".report.result_page",
        "report_rows": ".report.rows_page",
        "sample_batches": ".engines.streaming",
        "should_rebalance": ".model_selection.should_rebalance",
        "transform_batches": ".engines.streaming",
    },
)
