"""Worker processes of this program, killed with SIGKILL at random moments while they work."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["Killer", "offspring", "ray_task", "spark_worker"]


def offspring() -> Iterator[tuple[int, str]]:
    """Processes that descend from this one, and their command lines."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
    for process in parents:
        above: int | None = process
        while above and above != os.getpid():
            above = parents.get(above)
        if above and process != os.getpid():
            with contextlib.suppress(OSError):
                yield process, Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def ray_task(command: str) -> bool:
    """Whether a command line is that of a worker of Ray with a task; without its agents, whose end is that of the whole machine."""
    return command.startswith("ray::") and not any(word in command for word in ("IDLE", "Agent", "Actor"))


def spark_worker(command: str) -> bool:
    """Whether a command line is that of a Python worker of Spark, of what starts them, or of an executor with a JVM of its own."""
    started = ("pyspark.daemon pyspark.worker", "spark_daemon pyspark.worker", "CoarseGrainedExecutorBackend")
    return any(word in command for word in started)  # the driver has the daemon's name among its settings, too


class Killer:
    """A context in which a working process is killed now and then.

    Parameters
    ----------
    at_work : callable
        Whether a process of this command line works.
    most : int
        Processes to kill.
    seed : int
    pause : tuple of two floats
        Seconds between two kills.
    """

    def __init__(
        self, at_work: Callable[[str], bool], most: int, seed: int, pause: tuple[float, float] = (0.3, 2.0)
    ) -> None:
        self.at_work, self.most, self.pause = at_work, most, pause
        self.n_killed = 0
        self._random = random.Random(seed)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Killer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while self.n_killed < self.most and not self._over.wait(self._random.uniform(*self.pause)):
            working = [process for process, command in offspring() if self.at_work(command)]
            if working:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._random.choice(working), signal.SIGKILL)
                    self.n_killed += 1
