"""`train`, which every family trains through: what it hands back, what it always guards against, and exact resumption."""

import pytest
import torch

from tabgan.core.callbacks import Callback
from tabgan.core.health import HealthWatch
from tabgan.core.phases import Phase, Term, TermLoss
from tabgan.core.run import Run, Stopping, deadline_after, train
from tabgan.exceptions import TrainingDivergedError
from tests.core.points import SGD, Counting, Point, bowl, seeded, slide


def trained(loss=slide, n_steps=4, *, deadline=None, optimizer=SGD, **options):
    run = Run(seeded(), torch.device("cpu"), deadline, verbose=False)
    phase = Phase("point", TermLoss([Term("loss", loss)]), optimizer)
    return train({"point": Point()}, [phase], Counting(), run, n_steps, description="point", **options)


def at(result):
    return float(result.players["point"].at.detach())


def distance(point, goal):
    return abs(float(point.at.detach()) - goal)


class Watching(Callback):
    """Counts steps."""

    n_seen = 0

    def on_step_end(self, trainer):
        self.n_seen += 1

    def state_dict(self):
        return {"n_seen": self.n_seen}


def test_the_last_weights_are_kept_in_evaluation_mode_where_nothing_else_is_asked_for():
    result = trained()
    assert at(result) == pytest.approx(0.6)
    assert not result.players["point"].training
    assert (result.n_steps, result.stop_reason, result.best_step, result.state) == (4, None, None, None)
    assert result.warnings == []


def test_averages_replace_the_players_they_are_of():
    result = trained(averages={"point": 0.5})
    average = 1.0
    for step, position in enumerate([0.9, 0.8, 0.7, 0.6], start=1):
        decay = min(0.5, (1 + step) / (10 + step))
        average = decay * average + (1 - decay) * position
    assert at(result) == pytest.approx(average)


def test_the_weights_with_the_best_score_are_put_back_and_training_ends():
    stopping = Stopping("point", lambda module: distance(module, 0.71), patience=2, every=1)
    result = trained(n_steps=20, stopping=stopping)
    assert (at(result), result.best_step, result.n_steps) == (pytest.approx(0.7), 3, 5)
    assert result.stop_reason == "no better validation score in 2 scorings"
    assert [row["step"] for row in result.history if "validation" in row] == [0, 1, 2, 3, 4, 5]


def test_an_averaged_player_is_scored_by_its_average():
    shown = []
    stopping = Stopping("point", lambda module: shown.append(module) or 1.0, every=1)
    result = trained(averages={"point": 0.9}, stopping=stopping)
    assert all(module is result.players["point"] for module in shown)


def test_early_stopping_scores_every_50_steps_unless_told_otherwise():
    result = trained(n_steps=120, stopping=Stopping("point", lambda module: 1.0))
    assert [row["step"] for row in result.history if "validation" in row] == [0, 50, 100]


def test_a_run_in_two_parts_equals_one_and_keeps_the_last_weights_for_it_not_the_best():
    def options():
        best = Stopping("point", lambda module: distance(module, 0.9), patience=9, every=1)
        return {"averages": {"point": 0.5}, "stopping": best, "callbacks": [Watching()], "watch": HealthWatch()}

    first = trained(bowl, 3, keep_state=True, **options())
    rest = trained(bowl, 4, keep_state=True, saved=first.state, **options())
    whole = trained(bowl, 7, keep_state=True, **options())
    assert (rest.n_steps, rest.best_step) == (7, whole.best_step)
    assert torch.equal(rest.players["point"].at, whole.players["point"].at)
    assert torch.equal(rest.state["players"]["point"]["at"], whole.state["players"]["point"]["at"])
    assert torch.equal(rest.state["generator"], whole.state["generator"])
    assert float(whole.state["players"]["point"]["at"]) == pytest.approx(0.8**7)


@pytest.mark.parametrize("averages", [None, {"point": 0.5}])
def test_a_run_goes_on_from_the_last_weights_where_the_best_ones_are_handed_back(averages):
    def options():
        best = Stopping("point", lambda module: distance(module, 0.8), patience=9, every=1)
        return {"averages": averages, "stopping": best, "keep_state": True}

    first, whole = trained(bowl, 4, **options()), trained(bowl, 6, **options())
    assert first.best_step < first.n_steps
    assert float(first.state["players"]["point"]["at"]) == pytest.approx(0.8**4)
    rest = trained(bowl, 2, saved=first.state, **options())
    scores = [[row["validation"] for row in run.history] for run in (rest, whole)]
    assert scores[0] == scores[1]
    assert torch.equal(rest.state["players"]["point"]["at"], whole.state["players"]["point"]["at"])


def test_callbacks_are_stored_in_a_fixed_order_and_passing_ones_not_at_all():
    passing, shown = Watching(), []

    def of_this_run(players):
        shown.append(players["point"])
        return [passing]

    result = trained(
        averages={"point": 0.9},
        stopping=Stopping("point", lambda module: 1.0),
        callbacks=[Watching()],
        watch=HealthWatch(),
        passing=of_this_run,
        deadline=deadline_after(1000),
        keep_state=True,
    )
    names = [set(state) for state in result.state["callbacks"]]
    assert len(names) == 5
    for state, key in zip(names, ["module", "best_score", "n_seen", "found", "n_restarts"], strict=True):
        assert key in state
    assert passing.n_seen == 4
    assert shown == [result.players["point"]]


def test_a_deadline_in_the_past_ends_training_after_a_step():
    result = trained(deadline=deadline_after(-1))
    assert (result.n_steps, result.stop_reason) == (1, "time budget used up")


def test_losses_that_stay_infinite_end_in_an_error():
    with pytest.raises(TrainingDivergedError, match="not finite"):
        trained(lambda players, batch: players["point"].at * float("inf"), 10, read_every=1)


def test_what_the_watch_saw_is_told():
    result = trained(lambda players, batch: 1e4 * players["point"].at, watch=HealthWatch(), read_every=2)
    assert len(result.warnings) == 1
    assert "step 2: the gradient norm of the point reached 1e+04" in result.warnings[0]


def test_losses_are_read_as_often_as_asked_for():
    assert [row["step"] for row in trained(n_steps=7, read_every=3).history] == [3, 6, 7]
