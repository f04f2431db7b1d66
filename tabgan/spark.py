"""Tables on a cluster of Spark: fit in one pass, fill, draw and rebalance in tasks that may be run again (extra ``spark``)."""

from __future__ import annotations

from tabgan.engines.spark_frames import fit, fit_resample, sample, sample_rows, transform

__all__ = ["fit", "fit_resample", "sample", "sample_rows", "transform"]
