"""Single experiments by name; each appends rows to a results file and writes pictures."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.images.experiments.balancing import run_balancing
from benchmarks.images.experiments.collapse import run_ring
from benchmarks.images.experiments.rare import run_rare
from benchmarks.images.experiments.stacked import run_stacked
from benchmarks.images.experiments.translation import run_cycle, run_deblending, run_heat, run_resolution
from benchmarks.images.experiments.unseen import run_unseen

__all__ = ["EXPERIMENTS"]

EXPERIMENTS: dict[str, Callable] = {
    "ring": run_ring,
    "heat": run_heat,
    "cyclegan": run_cycle,
    "bagan": run_rare,
    "deblending": run_deblending,
    "resolution": run_resolution,
    "vectors": run_unseen,
    "stacked": run_stacked,
    "balancing": run_balancing,
}
"""``experiment(results, pictures, only)`` by name; those of the newer ones also take ``n_steps``, for a quick look."""
