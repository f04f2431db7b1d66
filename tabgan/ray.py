"""Tables on a cluster of Ray: fit in one pass, fill, draw and rebalance in tasks that may be run again (extra ``ray``)."""

from __future__ import annotations

from tabgan.engines.ray_data import fit, fit_resample, sample, sample_rows, transform

__all__ = ["fit", "fit_resample", "sample", "sample_rows", "transform"]
