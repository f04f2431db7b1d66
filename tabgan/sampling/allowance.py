"""How long a sampler may take, and how much of that is kept back for writing its rows."""

from __future__ import annotations

import time

__all__ = ["Allowance"]

_LEEWAY = 0.1


class Allowance:
    """A budget of seconds that starts now.

    Parameters
    ----------
    max_time : float or None
        Seconds; None is no limit.

    Notes
    -----
    What cannot be left out is reading the table and writing rows, which take about equally long; so the time that reading took is
    kept back. Training, the gate and drawing rows in stop at the deadline.
    """

    def __init__(self, max_time: float | None) -> None:
        self.max_time = max_time
        self._started = time.monotonic()
        self._reading = 0.0

    def end_reading(self) -> None:
        """The table is read and encoded: from now on that much is kept back."""
        self._reading = time.monotonic() - self._started

    @property
    def deadline(self) -> float | None:
        """The value of ``time.monotonic()`` after which nothing begins that can be left out; None without a limit."""
        return None if self.max_time is None else self._started + self.max_time - self._reading

    @property
    def is_used_up(self) -> bool:
        """Whether that time has come."""
        return not self.leaves(0.0)

    def leaves(self, seconds: float) -> bool:
        """Whether that many seconds are left."""
        return self.deadline is None or time.monotonic() + seconds <= self.deadline

    def overrun(self, n_rows: int, n_columns: int) -> str | None:
        """What to say where much more was needed: over a second, and over a tenth of what was allowed; else None."""
        taken = time.monotonic() - self._started
        if self.max_time is None or taken <= self.max_time + max(1.0, _LEEWAY * self.max_time):
            return None
        return (
            f"max_time={self.max_time:g} was too short by {taken - self.max_time:.1f} s: reading the {n_rows:,} rows and "
            f"{n_columns:,} columns alone took {self._reading:.1f} s, and writing the synthetic rows cannot be left out. What can, "
            "training above all, was; see stop_reason_. Allow more time, or ask for fewer rows in sampling_strategy."
        )
