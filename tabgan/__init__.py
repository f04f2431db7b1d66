"""Fill missing values and rebalance rare classes in real tables, with GANs that are measured against the baselines."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

__all__ = [
    "BAGANOversampler",
    "CGANSampler",
    "GAINImputer",
    "PriorCorrectedClassifier",
    "__version__",
    "ampute",
    "compare_imputers",
    "correct_prior",
    "load",
    "pool",
    "report_comparison",
    "report_images",
    "report_imputation",
    "report_resampling",
    "report_rows",
    "should_rebalance",
]

try:
    __version__ = version("tabgan-learn")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"

# Loaded on first use: `import tabgan` and `tabgan --help` should not wait for torch.
_PLACES = {
    "BAGANOversampler": "tabgan.sampling.bagan",
    "CGANSampler": "tabgan.sampling.cgan",
    "GAINImputer": "tabgan.imputation.gain",
    "PriorCorrectedClassifier": "tabgan.model_selection.prior_correction",
    "ampute": "tabgan.tables.amputation",
    "compare_imputers": "tabgan.model_selection.compare_imputers",
    "correct_prior": "tabgan.model_selection.prior_correction",
    "load": "tabgan.estimators.saving",
    "pool": "tabgan.inference.pooling",
    "report_comparison": "tabgan.report.comparison_page",
    "report_images": "tabgan.report.images_page",
    "report_imputation": "tabgan.report.imputation_page",
    "report_resampling": "tabgan.report.resampling_page",
    "report_rows": "tabgan.report.rows_page",
    "should_rebalance": "tabgan.model_selection.should_rebalance",
}


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        value = getattr(import_module(_PLACES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'tabgan' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
