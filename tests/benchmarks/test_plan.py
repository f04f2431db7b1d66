"""The simulation behind the plan: queues and merge trees whose times can be reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.imputation.plan import Cluster, queue_times, simulated, tree_time

EVEN = Cluster(spread=0.0, failing=0.0, start=1.0)
COSTS = {
    "read": 1e-6,
    "sample": 2e-6,
    "merge": 4e-6,
    "write": 1e-6,
    "stored_bytes": 40,
    "memory_bytes": 160,
    "strata": 6000,
}


@pytest.mark.parametrize(("parts", "workers", "last"), [(8, 4, 5.0), (9, 4, 7.0), (2, 4, 3.0), (5, 1, 11.0)])
def test_workers_take_the_next_part_when_they_are_free(parts: int, workers: int, last: float) -> None:
    found = queue_times(parts, 2.0, workers, EVEN, np.random.default_rng(0))
    assert found.max() == last
    assert len(found) == min(parts, workers)


def test_parts_of_dead_workers_take_longer() -> None:
    found = queue_times(100, 2.0, 4, Cluster(spread=0.0, failing=1.0, start=1.0), np.random.default_rng(0))
    assert 1 + 25 * 3 < found.max() < 1 + 26 * 5


def test_trees_merge_as_samples_come() -> None:
    assert tree_time(np.zeros(8), 8, 1.0) == 7.0
    assert tree_time(np.zeros(64), 8, 1.0) == 14.0
    assert tree_time(np.zeros(64), 65, 1.0) == 63.0
    assert tree_time(np.array([0.0, 0.0, 10.0]), 8, 1.0) == 11.0
    assert tree_time(np.array([3.0]), 8, 1.0) == 3.0


def test_more_workers_gain_until_the_fit_is_all() -> None:
    found = [simulated(10**9, workers, COSTS, EVEN, np.random.default_rng(0)) for workers in (1, 10, 100, 1000)]
    totals = [one["total"] for one in found]
    assert totals == sorted(totals, reverse=True)
    assert found[0]["efficiency"] == pytest.approx(1, abs=0.01)
    assert totals[-1] > found[-1]["fit"]
    assert len({one["memory"] for one in found}) == 1
