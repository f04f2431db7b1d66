"""Work on the parts of a table in several processes: one that dies or hangs is replaced, and its part done again, a few times."""

from __future__ import annotations

import multiprocessing
import pickle
import queue
import signal
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tabgan.exceptions import PartFailedError

__all__ = ["run_parts"]

_TICK = 0.2
_SLOWEST, _AT_LEAST = 20.0, 600.0
"""A part may take so many times as long as the slowest one before it, and so many seconds at least."""
_MOST_IDLE_ENDS = 100
_PRELOAD = ["tabgan.engines.preload"]


def run_parts(
    work: Callable[[Any], Any],
    parts: Sequence[Any],
    *,
    n_workers: int = 1,
    retries: int = 3,
    timeout: float | None = None,
    name_of: Callable[[Any], str] = str,
    preload: bool = True,
) -> Iterator[tuple[Any, Any]]:
    """Call ``work`` for each part, and give parts and results as they come.

    Parameters
    ----------
    work : callable
        Takes a part. With several workers it is pickled once per worker, and so are the parts and the results; what it keeps in
        itself stays there from part to part.
    parts : sequence
        Begun in this order.
    n_workers : int, default=1
        Processes; 1 works in this one.
    retries : int, default=3
        How often a part is begun again after its worker died or hung.
    timeout : float, default=None
        Seconds after which a part counts as hung; None takes 20 times the slowest part so far, and at least 10 minutes.
    name_of : callable, default=str
        What a part is called in errors.
    preload : bool, default=True
        Import the package once, in the process that all workers are forked from, where the system can do that.

    Yields
    ------
    part, result

    Raises
    ------
    PartFailedError
        The workers of one part died or hung once more than ``retries`` times; the part is named.
    Exception
        Whatever ``work`` raises ends all of it, and is not tried again.

    Notes
    -----
    A worker ends when this process does, also if that is killed.

    Examples
    --------
    >>> sorted(run_parts(abs, [-1, -2]))
    [(-2, 2), (-1, 1)]
    """
    if n_workers <= 1 or len(parts) <= 1:
        for part in parts:
            yield part, work(part)
        return
    pool = _Pool(work, parts, retries, timeout, name_of, preload)
    try:
        yield from pool.run(min(n_workers, len(parts)))
    finally:
        pool.stop()


@dataclass(eq=False)
class _Worker:
    """A process, what it is to do next, and what it is at."""

    process: Any
    inbox: queue.SimpleQueue[Any]
    begun: float
    ready: bool = False
    part: int | None = None


class _Pool:
    def __init__(
        self,
        work: Callable[[Any], Any],
        parts: Sequence[Any],
        retries: int,
        timeout: float | None,
        name_of: Callable[[Any], str],
        preload: bool,
    ) -> None:
        self._work, self._parts, self._retries = work, parts, retries
        self._timeout, self._name_of = timeout, name_of
        methods = multiprocessing.get_all_start_methods()
        self._context: Any = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
        if preload and "forkserver" in methods:
            self._context.set_forkserver_preload(_PRELOAD)
        self._workers: list[_Worker] = []
        self._waiting = deque(range(len(parts)))
        self._tries: Counter[int] = Counter()
        self._answers: queue.SimpleQueue[tuple[_Worker, str, int | None, Any]] = queue.SimpleQueue()
        self._slowest, self._idle_ends = 0.0, 0

    def run(self, n_workers: int) -> Iterator[tuple[Any, Any]]:
        """Parts and results as they come."""
        left = len(self._parts)
        for _ in range(n_workers):
            self._begin()
        while left:
            for worker in list(self._workers):
                if worker.ready and worker.part is None and self._waiting:
                    self._hand_out(worker)
            try:
                worker, kind, number, answer = self._answers.get(timeout=_TICK)
            except queue.Empty:
                self._end_hung()
                continue
            if worker not in self._workers:
                continue  # it was given up
            if kind == "died":
                self._replace(worker, "died")
            elif kind == "ready":
                worker.ready = True
            elif kind == "raised":
                raise answer
            else:
                self._slowest = max(self._slowest, time.monotonic() - worker.begun)
                worker.part = None
                left -= 1
                yield self._parts[number], answer  # type: ignore[index]
            self._end_hung()

    def _begin(self) -> None:
        """Start a worker, and a thread that talks to it: whatever that one does, this thread does not wait for it."""
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        worker = _Worker(process, queue.SimpleQueue(), time.monotonic())
        self._workers.append(worker)
        threading.Thread(target=_converse, args=(worker, ours, self._work, self._answers), daemon=True).start()

    def _hand_out(self, worker: _Worker) -> None:
        if not worker.process.is_alive():
            return self._replace(worker, "died")
        worker.part, worker.begun = self._waiting.popleft(), time.monotonic()
        worker.inbox.put((worker.part, self._parts[worker.part]))

    def _end_hung(self) -> None:
        limit = self._timeout if self._timeout is not None else max(_AT_LEAST, _SLOWEST * self._slowest)
        now = time.monotonic()
        for worker in list(self._workers):
            allowed = limit if worker.part is not None else _AT_LEAST
            if (worker.part is not None or not worker.ready) and now - worker.begun > allowed:
                self._replace(worker, f"gave no answer within {allowed:g} s")

    def _replace(self, worker: _Worker, how: str) -> None:
        """Put a new worker in the place of one, and its part back."""
        self._workers.remove(worker)
        _end(worker)
        if worker.part is not None:
            self._tries[worker.part] += 1
            if self._tries[worker.part] > self._retries:
                code = worker.process.exitcode
                ended = f" (signal {-code})" if how == "died" and code is not None and code < 0 else ""
                raise PartFailedError(
                    f"{self._name_of(self._parts[worker.part])}: the process that worked on it {how}{ended}, "
                    f"{self._tries[worker.part]} times over. Where memory does not suffice, systems kill processes: take fewer "
                    "workers, or fewer rows at a time."
                )
            self._waiting.appendleft(worker.part)
        else:  # no part has to do with it
            self._idle_ends += 1
            if self._idle_ends > _MOST_IDLE_ENDS:
                raise PartFailedError("worker processes end before they take up any work; work with a single one.")
        self._begin()

    def stop(self) -> None:
        """End all workers."""
        for worker in self._workers:
            _end(worker)
        self._workers.clear()


def _end(worker: _Worker) -> None:
    worker.inbox.put(None)
    worker.process.kill()
    worker.process.join(10)


def _converse(worker: _Worker, pipe: Any, work: Any, answers: queue.SimpleQueue[Any]) -> None:
    """Send a worker what it is to do, and hand on what it says."""
    with pipe:
        try:
            pipe.send(work)
            answers.put((worker, *pipe.recv()))
            while (task := worker.inbox.get()) is not None:
                pipe.send(task)
                answers.put((worker, *pipe.recv()))
        except (EOFError, OSError):
            answers.put((worker, "died", None, None))
        except BaseException as error:
            answers.put((worker, "raised", None, error))  # what cannot be pickled


def _serve(pipe: Any) -> None:
    """What a worker does: take the work, then part by part, until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the driver ends this one
    try:
        work = pipe.recv()
        pipe.send(("ready", None, None))
        while True:
            number, part = pipe.recv()
            try:
                answer = "done", number, work(part)
            except BaseException as error:
                answer = "raised", number, _portable(error)
            pipe.send(answer)
    except (EOFError, OSError):
        return  # the driver is gone
    except BaseException as error:  # the work or a part cannot be read here
        with suppress(OSError):
            pipe.send(("raised", None, _portable(error)))


def _portable(error: BaseException) -> BaseException:
    """An error that gets through a pipe, with its traceback as a note where there may be one."""
    told = "".join(traceback.format_exception(error))
    try:
        copy = pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(told)
    if type(copy) is not type(error) or str(copy) != str(error):
        return RuntimeError(told)
    if hasattr(copy, "add_note"):
        copy.add_note(f"In a worker process:\n{told}")
    return copy
