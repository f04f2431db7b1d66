"""Candidates fold by fold, as many folds of each as fit into the time there is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from joblib import effective_n_jobs
from sklearn.utils.parallel import Parallel, delayed

__all__ = ["FEWEST_FOLDS", "run_rounds"]

FEWEST_FOLDS = 3
"""A standard error of fewer folds is worth nothing; candidates for which there was no time for so many are not compared."""

Progress = Callable[[int, int, str], None]


def run_rounds(
    candidates: Sequence[Any],
    splits: Sequence[Any],
    work: Callable[[Any, Any], dict[str, Any]],
    *,
    n_jobs: int | None = None,
    max_time: float | None = None,
    progress: Progress | None = None,
) -> dict[str, list[dict[str, Any] | None]]:
    """All candidates on the first fold, then all on the next, and so on.

    Parameters
    ----------
    candidates : sequence
        With ``name``; the first is what others are compared to and gets `FEWEST_FOLDS` folds whatever the time.
    splits : sequence
        What ``work`` gets as its second argument, one per fold.
    work : callable
        Returns a dict with ``seconds``, or with ``error``: such a candidate is not run again.
    n_jobs : int or None, default=None
        Processes, as in scikit-learn.
    max_time : float or None, default=None
        Seconds. Work under way is finished, and none begins later; before each fold, as many of the slowest candidates are left out
        as would end too late by what their folds took so far.
    progress : callable, default=None
        Called as ``progress(done, total, what)`` after each piece of work, and once at the end.

    Returns
    -------
    dict of str to list
        By name, a result per fold; None where there was none.
    """
    started = time.time()  # a clock that other processes read alike
    until = None if max_time is None else started + max_time
    found: dict[str, list[dict[str, Any] | None]] = {one.name: [None] * len(splits) for one in candidates}
    running, first = list(candidates), next(iter(candidates), None)
    workers, done, total = effective_n_jobs(n_jobs), 0, len(candidates) * len(splits)
    with Parallel(n_jobs=n_jobs, return_as="generator") as parallel:
        for k, split in enumerate(splits):
            needed = k < FEWEST_FOLDS
            if k > 0:
                seconds = {one.name: _mean_seconds(found[one.name]) for one in running}
                running = sorted(running, key=lambda one: (one is not first, -seconds[one.name]))
                if until is not None:
                    keep = first if needed else None
                    running = _in_time(running, seconds, until - time.time(), workers, keep)
            tasks = [delayed(_timed)(work, one, split, None if needed and one is first else until) for one in running]
            for one, result in zip(running, parallel(tasks), strict=True):
                found[one.name][k] = result
                done += 1
                if progress is not None:
                    progress(done, total, f"{one.name}, fold {k + 1} of {len(splits)}")
            running = [one for one in running if (last := found[one.name][k]) is not None and "error" not in last]
    if progress is not None:
        progress(total, total, "done")
    return found


def _timed(work: Callable[[Any, Any], Any], candidate: Any, split: Any, until: float | None) -> dict[str, Any] | None:
    """Result, or None once time is up."""
    return None if until is not None and time.time() >= until else work(candidate, split)


def _mean_seconds(results: Sequence[dict[str, Any] | None]) -> float:
    known = [one["seconds"] for one in results if one is not None]
    return sum(known) / len(known)


def _in_time(running: list[Any], seconds: dict[str, float], left: float, workers: int, keep: Any) -> list[Any]:
    """Those of the candidates, slowest left out first, that end within the time left."""
    kept = sorted(running, key=lambda one: (one is not keep, seconds[one.name]))
    while kept and max(sum(seconds[one.name] for one in kept) / workers, seconds[kept[-1].name]) > left:
        if kept[-1] is keep:
            break
        kept.pop()
    return [one for one in running if one in kept]
