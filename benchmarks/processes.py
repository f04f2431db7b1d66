"""Cells of a benchmark in processes of their own: a clean memory peak each, and a run that outlives a crash."""

from __future__ import annotations

import multiprocessing
import os
import platform
import resource
import signal
import subprocess
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

__all__ = ["commit", "run_apart"]


def run_apart(work: Callable[[], dict[str, Any]], time_limit: float) -> dict[str, Any]:
    """What ``work`` returns from a forked process, or ``error`` and ``traceback``; with what it took and where it ran.

    Parameters
    ----------
    work : callable
        Returns a row that JSON can hold.
    time_limit : float
        Seconds until it is ended and counted as failed.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(work, sender))
    process.start()
    sender.close()  # so that a process that dies without a word ends the wait
    try:
        answer = receiver.recv() if receiver.poll(time_limit) else {"error": f"no result after {time_limit:.0f} s"}
    except EOFError:
        answer = {"error": "the process died without a word"}
    except BaseException:
        _end(process)  # an ended run must end its cell too
        raise
    if "error" in answer:
        _end(process)
    process.join()
    return answer | {
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {multiprocessing.cpu_count()} cores",
        "commit": commit(),
        "time": time.strftime("%Y-%m-%dT%H:%M:%S"),
    }


def _end(process: Any) -> None:
    """With its group: a competitor's own processes must not go on beside the next cell."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _send(work: Callable[[], dict[str, Any]], sender: Any) -> None:
    os.setpgrp()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    warnings.filterwarnings("ignore")
    base, started = _peak_mb(resource.RUSAGE_SELF), time.process_time()
    try:
        row = work()
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        row |= {
            "cpu_seconds": time.process_time() - started + children.ru_utime + children.ru_stime,
            "peak_mb": max(_peak_mb(resource.RUSAGE_SELF), _peak_mb(resource.RUSAGE_CHILDREN)),
            "base_mb": base,  # what the forked process had before it began
            "device": "cpu",
        }
        row |= {name: version(name) for name in ("torch", "scikit-learn", "imbalanced-learn", "pandas", "numpy")}
        sender.send(row)
    except Exception as error:
        sender.send({"error": f"{type(error).__name__}: {error}"[:1000], "traceback": traceback.format_exc()[-2000:]})


def _peak_mb(who: int) -> float:
    return resource.getrusage(who).ru_maxrss / 1024


def commit() -> str | None:
    """What the code is: the commit, marked where tracked files were changed since; None outside a repository."""
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()
