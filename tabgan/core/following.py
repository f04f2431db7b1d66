"""Who follows a fit from outside: told of its stages and of its training, and able to end it early."""

from __future__ import annotations

from typing import Protocol

from tabgan.core.callbacks import Callback, Training

__all__ = ["ENDED_FROM_OUTSIDE", "Followed", "Follower"]

ENDED_FROM_OUTSIDE = "a callback asked to stop"
"""Why a run ended that its follower ended."""

_MOST_READINGS = 20
_FEWEST_STEPS = 10
"""Between two readings: followers cost time."""


class Follower(Protocol):
    """What is told how far a fit is; see `tabgan.estimators.fit_tasks.FitTasks`."""

    stopped: bool
    """Whether the fit is to end with what it has, as when its time is up."""

    def enter(self, stage: str) -> None:
        """The stage before is done, this one begins."""
        ...

    def begin_training(self, description: str, n_readings: int) -> None:
        """Training by steps begins within the stage; at most this many readings follow."""
        ...

    def read(self, step: int, row: dict[str, float]) -> bool:
        """Latest losses and scores after some further steps; True ends the training."""
        ...

    def end_training(self) -> None:
        """Training has ended."""
        ...


class Followed(Callback):
    """Tells a follower of the training that it is handed to.

    Parameters
    ----------
    follower : Follower
        Who is told.
    description : str
        What is trained.
    """

    def __init__(self, follower: Follower, description: str) -> None:
        self.follower = follower
        self.description = description
        self._every = 1
        self._steps = 0

    def on_fit_begin(self, trainer: Training, n_steps: int) -> None:
        """Say what begins."""
        self._every = max(_FEWEST_STEPS, -(-n_steps // _MOST_READINGS))
        self._steps = 0
        self.follower.begin_training(self.description, -(-n_steps // self._every))

    def on_step_end(self, trainer: Training) -> None:
        """Show the latest losses when it is time, and end if that is asked for."""
        self._steps += 1
        if self._steps % self._every == 0:
            rows = trainer.history.rows
            latest = {name: value for name, value in rows[-1].items() if name != "step"} if rows else {}
            if self.follower.read(trainer.step_count, latest):
                trainer.stop(ENDED_FROM_OUTSIDE)

    def on_fit_end(self, trainer: Training) -> None:
        """Say that it is over."""
        self.follower.end_training()
