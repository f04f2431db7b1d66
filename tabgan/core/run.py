"""What every training run of an estimator is given: randomness, a device, a time budget and a progress bar."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from tabgan.core.callbacks import Callback, Progress, TimeBudget
from tabgan.core.interrupts import interrupted

__all__ = ["Run", "deadline_after", "run_callbacks"]


@dataclass(frozen=True)
class Run:
    """How to run, apart from what.

    Parameters
    ----------
    generator : torch.Generator
        A CPU generator: the one source of randomness.
    device : torch.device
        Where to train.
    deadline : float or None
        A value of ``time.monotonic()`` after which training stops.
    verbose : bool
        Show a progress bar.
    """

    generator: torch.Generator
    device: torch.device
    deadline: float | None
    verbose: bool

    @property
    def time_is_up(self) -> bool:
        """Whether the deadline has passed, or Ctrl-C asked for an end."""
        return interrupted() or (self.deadline is not None and time.monotonic() > self.deadline)


def run_callbacks(run: Run, description: str) -> list[Callback]:
    """What every run has: its time budget, and a progress bar if one was asked for."""
    callbacks: list[Callback] = []
    if run.deadline is not None:
        callbacks.append(TimeBudget(run.deadline))
    if run.verbose:
        callbacks.append(Progress(description))
    return callbacks


def deadline_after(max_time: float | None) -> float | None:
    """The clock value at which a budget of ``max_time`` seconds that starts now is used up."""
    return None if max_time is None else time.monotonic() + max_time
