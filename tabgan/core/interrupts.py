"""Ctrl-C during training: the first ends it after the current step with what was learnt, the second aborts."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from tabgan._warnings import warn_caller
from tabgan.exceptions import TrainingInterruptedWarning

__all__ = ["INTERRUPTED", "Interruption", "ctrl_c_aborts", "interrupted", "interruptible"]

INTERRUPTED = "interrupted"
"""The ``stop_reason`` of training that Ctrl-C ended."""


class Interruption:
    """Whether the user pressed Ctrl-C within one fit.

    Attributes
    ----------
    requested : bool
        Training is to end after the current step.
    where : str
        The step at which it ended; empty if none was under way.
    """

    def __init__(self) -> None:
        self.requested = False
        self.where = ""

    def request(self) -> None:
        """Take note of a Ctrl-C.

        Raises
        ------
        KeyboardInterrupt
            It is the second one.
        """
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True


class _Refused(Interruption):
    """Inside `ctrl_c_aborts` the first Ctrl-C is one too many."""

    def request(self) -> None:
        raise KeyboardInterrupt


_current: ContextVar[Interruption | None] = ContextVar("tabgan_interruption", default=None)


@contextlib.contextmanager
def interruptible(name: str) -> Iterator[Interruption]:
    """Let the first Ctrl-C within the block only be noted, and warn at the end if there was one.

    Blocks within a block share its note, so that all stages of a fit end together.

    Parameters
    ----------
    name : str
        Who is interrupted, for the warning.

    Yields
    ------
    Interruption

    Notes
    -----
    Signals reach Python's main thread only, and a handler that somebody else has set is left alone: there, a loop that catches
    KeyboardInterrupt hands it to `Interruption.request`.
    """
    outer = _current.get()
    if outer is not None:
        yield outer
        return
    interruption = Interruption()
    token = _current.set(interruption)
    listening = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if listening:
        signal.signal(signal.SIGINT, _listener(interruption))
    try:
        yield interruption
    finally:
        if listening:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        _current.reset(token)
    if interruption.requested:
        warn_caller(
            f"{name} was interrupted {interruption.where or 'outside of training steps'}: the best weights so far are kept. Press "
            "Ctrl-C twice to abort instead.",
            TrainingInterruptedWarning,
        )


@contextlib.contextmanager
def ctrl_c_aborts() -> Iterator[None]:
    """Let Ctrl-C abort fits within the block at once: half-trained models would make comparisons wrong, and commands lie."""
    token = _current.set(_Refused())
    try:
        yield
    finally:
        _current.reset(token)


def interrupted() -> bool:
    """Whether Ctrl-C was pressed within the current fit, for long work that is not made of training steps."""
    interruption = _current.get()
    return interruption is not None and interruption.requested


def _listener(interruption: Interruption) -> Any:
    def listen(number: int, frame: Any) -> None:
        interruption.request()
        # Printing inside a signal handler may meet a print that is under way.
        with contextlib.suppress(RuntimeError, ValueError, OSError, AttributeError):
            sys.stderr.write("\nCtrl-C: training ends with what was learnt so far; once more aborts.\n")

    return listen
