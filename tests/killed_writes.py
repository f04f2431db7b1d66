"""SIGKILL during ``save`` and during commands: ``python -m tests.killed_writes SAVES COMMANDS`` prints what was found, as JSON.

Every other kill comes at a call of the system that is drawn among all that a write makes (so the rename is met, from both sides), the
others after a random time. Each time every file must be the old or the new one, whole, with the mode and owner that it had, and what
the killed process left must be gone after the next write. Needs ``fork``; as root, the files belong to somebody else.
"""

from __future__ import annotations

import collections
import json
import os
import random
import signal
import stat
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import tabgan
from tabgan import GAINImputer, _files

CALLS = ("mkdir", "open", "fsync", "chown", "chmod", "link", "replace", "unlink", "rmdir", "close")
MODE, OWNER = 0o640, (12345, 23456) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
TABLE = pd.DataFrame({"x": np.arange(30.0), "y": np.arange(30.0) % 7})
TABLE.loc[::5, "y"] = None


def at_call(number: int, after: bool) -> Callable[[], int]:
    """End this process at a call of the system, counted from 1; the function that comes back says how many there were."""
    seen = [0]

    def watched(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            seen[0] += 1
            mine = seen[0] == number
            if mine and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*arguments, **named)
            if mine:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    for name in CALLS:
        setattr(os, name, watched(getattr(os, name)))
    return lambda: seen[0]


def in_child(work: Callable[[Callable[[], Any]], Any], kill_after: float | None = None) -> tuple[int, float] | None:
    """Run ``work(begin)`` in a child; what it returned and the seconds since it called ``begin()``, None if a kill met it."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        result = work(lambda: os.write(writer, b"!"))
        os.write(writer, str(result or 0).encode())
        os._exit(0)
    os.close(writer)
    os.read(reader, 1)
    began = time.perf_counter()
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    said = b""
    while piece := os.read(reader, 100):
        said += piece
    took = time.perf_counter() - began
    os.close(reader)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return None
    assert os.WEXITSTATUS(status) == 0
    return int(said), took


def bombard(
    n: int, targets: dict[Path, bytes], write: Callable[[], Any], news: dict[Path, Any], rng: random.Random
) -> dict[str, int]:
    """Kill ``write`` so many times and look at every file after each.

    Parameters
    ----------
    n : int
        Kills.
    targets : dict of Path to bytes
        What stands there before.
    write : callable
        ``write(begin)`` in a child, which calls ``begin()`` when files begin to be written.
    news : dict of Path to callable
        Whether these bytes are a whole new file.
    rng : random.Random

    Returns
    -------
    dict of str to int
        What was found, counted.
    """
    found: collections.Counter[str] = collections.Counter()

    def prepare() -> None:
        for path, old in targets.items():
            path.write_bytes(old)
            os.chown(path, *OWNER)
            path.chmod(MODE)

    def watched(number: int, after: bool) -> tuple[int, float] | None:
        def work(begin: Callable[[], Any]) -> int:
            count: Callable[[], int] = int

            def begun() -> None:
                nonlocal count
                begin()
                count = at_call(number, after)

            write(begun)
            return count()

        return in_child(work)

    prepare()
    counted, timed = watched(0, False), in_child(write)
    assert counted is not None
    assert timed is not None
    n_calls, duration = counted[0], timed[1]
    while found["kills"] < n:
        prepare()
        by_call = found["kills"] % 2 == 0
        if by_call:
            ended = watched(rng.randint(1, n_calls), rng.random() < 0.5)
        else:
            ended = in_child(write, rng.uniform(0, duration))
        if ended is not None:
            found["came too late"] += 1
            continue
        found["kills"] += 1
        states = []
        for path, old in targets.items():
            data, status = path.read_bytes(), path.stat()
            kept = stat.S_IMODE(status.st_mode) == MODE and (status.st_uid, status.st_gid) == OWNER
            states.append("old" if data == old else "new" if news[path](data) else "BROKEN")
            found["mode or owner lost"] += not kept
        found["broken"] += "BROKEN" in states
        found["all old" if set(states) == {"old"} else "all new" if set(states) == {"new"} else "some of each"] += 1
        folder = next(iter(targets)).parent
        left = {path.name for path in folder.iterdir()} - {path.name for path in targets} - {"table.csv"}
        found["left something"] += bool(left)
        _files.write_whole(folder / "table.csv", (folder / "table.csv").read_bytes())
        found["not swept"] += bool(
            {path.name for path in folder.iterdir()} - {path.name for path in targets} - {"table.csv"}
        )
    return dict(found)


def saves(n: int, folder: Path, rng: random.Random) -> dict[str, int]:
    """Kills during ``save``, which replaces the model of another seed. (Bytes differ: their metadata come in any order.)"""
    models = [
        GAINImputer(n_steps=0, draw_steps=0, effort="fast", random_state=seed).fit(TABLE + seed) for seed in (0, 1)
    ]
    path = folder / "model.tabgan"
    models[0].save(path)

    def write(begin: Callable[[], Any]) -> None:
        begin()
        models[1].save(path)

    return bombard(n, {path: path.read_bytes()}, write, {path: lambda data: model_in(data).random_state == 1}, rng)


def model_in(data: bytes) -> Any:
    """The model in the bytes of a file; raises where they are not whole."""
    with tempfile.NamedTemporaryFile(suffix=".tabgan") as file:
        file.write(data)
        file.flush()
        return tabgan.load(file.name)


def commands(n: int, folder: Path, rng: random.Random) -> dict[str, int]:
    """Kills while ``tabgan impute --refit`` writes its table, model and report."""
    from tabgan.cli import impute_job
    from tabgan.cli.main import app

    output, model, report = folder / "full.csv", folder / "model.tabgan", folder / "report.json"
    line = ["impute", folder / "table.csv", "-o", output, "--model", model, "--refit", "--report", report]
    line = [*map(str, line), "--effort", "fast", "--steps", "1", "--quiet", "--device", "cpu"]
    real = impute_job.written_together

    def write(begin: Callable[[], Any]) -> None:
        def begun() -> Any:
            begin()
            return real()

        impute_job.written_together = begun
        try:
            app(line)
        except SystemExit as end:
            if end.code:
                raise RuntimeError(f"the command failed with exit code {end.code}") from end

    in_child(write)
    table = output.read_bytes()
    news = {
        output: lambda data: data == table,
        model: lambda data: type(model_in(data)).__name__ == "GAINImputer",
        report: lambda data: json.loads(data)["filled"] == int(TABLE.isna().sum().sum()),
    }
    return bombard(n, dict.fromkeys(news, b"old\n" * 2000), write, news, rng)


def main(n_saves: int, n_commands: int) -> dict[str, dict[str, int]]:
    torch.set_num_threads(1)
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        TABLE.to_csv(folder / "table.csv", index=False)
        found = {"saves": saves(n_saves, folder, rng)}
        (folder / "model.tabgan").unlink()
        found["commands"] = commands(n_commands, folder, rng)
    return found


if __name__ == "__main__":
    print("RESULT " + json.dumps(main(*map(int, sys.argv[1:]))))
