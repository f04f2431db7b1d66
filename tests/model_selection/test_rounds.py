"""Folds within a time limit, on a clock that only the work moves."""

from types import SimpleNamespace

import pytest

from tabgan.model_selection import rounds
from tabgan.model_selection.rounds import FEWEST_FOLDS, run_rounds


@pytest.fixture
def clock(monkeypatch):
    at = SimpleNamespace(now=0.0)
    monkeypatch.setattr(rounds, "time", SimpleNamespace(time=lambda: at.now))
    return at


def ran(clock, seconds, n_folds=5, **options):
    """How many folds each candidate had, and who failed."""

    def work(candidate, split):
        clock.now += seconds[candidate.name]
        if candidate.name == "broken":
            return {"error": "no", "seconds": seconds[candidate.name]}
        return {"seconds": seconds[candidate.name], "split": split}

    candidates = [SimpleNamespace(name=name) for name in seconds]
    found = run_rounds(candidates, range(n_folds), work, **options)
    for results in found.values():
        assert all(one is None or "error" in one or one["split"] == k for k, one in enumerate(results))
    return {name: sum(one is not None for one in results) for name, results in found.items()}


def test_without_a_limit_all_folds_are_done_but_a_failure_is_not_repeated(clock):
    assert ran(clock, {"none": 1, "broken": 1, "slow": 50}) == {"none": 5, "broken": 1, "slow": 5}


def test_the_slowest_are_left_out_first_and_none_begins_when_time_is_up(clock):
    folds = ran(clock, {"none": 1, "slow": 30, "quick": 2}, max_time=75)
    assert folds == {"none": 5, "slow": 2, "quick": 5}
    assert clock.now <= 75


def test_what_is_compared_to_gets_its_folds_whatever_the_time(clock):
    assert ran(clock, {"none": 10, "slow": 30, "quick": 2}, max_time=5) == {"none": FEWEST_FOLDS, "slow": 0, "quick": 0}


def test_progress_counts_up_to_the_total(clock):
    seen = []
    ran(clock, {"none": 1, "quick": 1}, n_folds=2, progress=lambda *told: seen.append(told))
    assert [told[:2] for told in seen] == [(1, 4), (2, 4), (3, 4), (4, 4), (4, 4)]
    assert seen[0][2] == "none, fold 1 of 2"
    assert seen[-1][2] == "done"


def test_two_workers_take_half_the_time_but_not_for_one_long_fit():
    names = [SimpleNamespace(name=name) for name in ("none", "a", "b", "long")]
    seconds = {"none": 2.0, "a": 4.0, "b": 4.0, "long": 10.0}

    def kept(left, workers):
        return [one.name for one in rounds._in_time(names, seconds, left, workers, None)]

    assert kept(10.0, 2) == ["none", "a", "b", "long"]
    assert kept(9.9, 2) == ["none", "a", "b"], "the long one alone takes 10"
    assert kept(10.0, 1) == ["none", "a", "b"]
    assert kept(1.0, 1) == []
