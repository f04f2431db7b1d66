"""Runs of `tabgan impute` whose processes are killed at random moments, then compared with one without a break.

``python -m benchmarks.imputation.faults --kills 24`` prints a table: what was killed, how often, and whether rows were lost or
came twice, or a run hung. Needs Linux; as root it also fills a small disk of its own (tmpfs).
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

FILES, ROWS, BATCH = 4, 3_000, 100
PARTS = FILES * ROWS // BATCH
HUNG = 300.0
"""Seconds after which a run counts as hung."""


def table(number: int) -> pd.DataFrame:
    """One of the files: numbers, labels and dates, a fifth of them missing; every row has an id."""
    rng = np.random.default_rng(number)
    x = rng.normal(size=ROWS)
    frame = pd.DataFrame(
        {
            "x": x.round(3),
            "y": (2 * x + rng.normal(size=ROWS)).round(2),
            "n": pd.array(rng.poisson(4, size=ROWS), dtype="Int64"),
            "kind": np.where(x > 0.5, "up", np.where(x < -0.5, "down", "level, or so")),
            "day": (pd.Timestamp("2024-01-01") + pd.to_timedelta((30 * x).round(), unit="D")).strftime("%d/%m/%Y"),
        }
    )
    frame = frame.mask(rng.random(frame.shape) < 0.2)
    frame.insert(0, "id", np.arange(number * ROWS, (number + 1) * ROWS))
    return frame


@dataclass
class Found:
    """What became of the runs of one kind."""

    kills: int = 0
    runs: int = 0
    lost: int = 0
    double: int = 0
    other: int = 0
    hung: int = 0
    kept: int = 0
    """Parts that resumed runs found done."""


class Runs:
    """Runs of the command in a folder of their own.

    Parameters
    ----------
    folder : Path
    seed : int
        Of the moments of kills.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.random = folder, random.Random(seed)
        self.source, self.model = folder / "in", folder / "m.tabgan"
        self.source.mkdir()
        for number in range(FILES):
            table(number).to_csv(self.source / f"{number}.csv", index=False)

    def start(self, output: Path, *further: object, model: bool = True) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tabgan", "impute", self.source, "-o", output, "--leave", "id", "--workers", 2]
        command += ["--batch-rows", BATCH, "--sample-rows", 2000, "--effort", "fast", "--device", "cpu", *further]
        command += ["--model", self.model] if model else []
        return subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True)

    def reference(self) -> float:
        """Fill the table without a break, and keep the model; seconds that the first run took, with its fit."""
        seconds = []
        for output in ("fitted", "full"):
            began = time.monotonic()
            run = self.start(self.folder / output)
            _, said = run.communicate(timeout=10 * HUNG)
            if run.returncode:
                raise SystemExit(said)
            seconds.append(time.monotonic() - began)
        return seconds[0]

    def compare(self, output: Path, found: Found) -> None:
        """Count rows that are not there, there twice, or others than in the reference."""
        for number in range(FILES):
            name = f"{number}.csv"
            whole = (self.folder / "full" / name).read_bytes().splitlines()
            try:
                made = (output / name).read_bytes().splitlines()
            except FileNotFoundError:
                found.lost += ROWS
                continue
            ids = Counter(line.partition(b",")[0] for line in made[1:])
            wanted = Counter(line.partition(b",")[0] for line in whole[1:])
            found.lost += sum((wanted - ids).values())
            found.double += sum((ids - wanted).values())
            found.other += sum(a != b for a, b in zip(made, whole, strict=False))

    def wait(self, run: subprocess.Popen[str], found: Found) -> tuple[int, str]:
        try:
            _, said = run.communicate(timeout=HUNG)
        except subprocess.TimeoutExpired:
            found.hung += 1
            run.kill()
            _, said = run.communicate()
        return run.returncode, said

    def until(self, run: subprocess.Popen[str], output: Path, n_parts: int) -> bool:
        """Wait until so many parts are done; False if the run was through before."""
        folder, deadline = output.parent / f".{output.name}.resume", time.monotonic() + HUNG
        while run.poll() is None and time.monotonic() < deadline:
            for log in folder.glob("*/done.jsonl"):
                with suppress(FileNotFoundError):
                    if log.read_bytes().count(b"\n") >= n_parts:
                        return True
            time.sleep(0.01)
        return False

    def kill_workers(self, kills: int) -> Found:
        """SIGKILL to worker processes, up to four per run, each after a random number of parts; the run itself goes on to its end."""
        found = Found()
        while found.kills < kills:
            output = self.folder / f"workers-{found.runs}"
            run = self.start(output)
            found.runs += 1
            for n_parts in sorted(self.random.sample(range(1, PARTS - 5), min(4, kills - found.kills))):
                if self.until(run, output, n_parts) and (pids := workers_of(run.pid)):
                    os.kill(self.random.choice(pids), signal.SIGKILL)
                    found.kills += 1
            self.end(run, output, found)
        return found

    def kill_filling(self, kills: int) -> Found:
        """SIGKILL to the command itself after a random number of parts, up to three times until it may go on to its end."""
        found = Found()
        while found.kills < kills:
            output = self.folder / f"filling-{found.runs}"
            found.runs += 1
            for n_parts in sorted(self.random.sample(range(1, PARTS - 5), min(3, kills - found.kills))):
                run = self.start(output, *self.resume(output))
                if self.until(run, output, n_parts):
                    self.kill(run, found)
                run.wait()
            if not output.exists():
                self.end(self.start(output, *self.resume(output)), output, found)
        return found

    def kill_anywhere(self, kills: int, seconds: float) -> Found:
        """SIGKILL to the command after random times from its start on, while it imports, looks, samples, fits and fills."""
        found = Found()
        while found.kills < kills:
            output = self.folder / f"anywhere-{found.runs}"
            found.runs += 1
            for _ in range(min(3, kills - found.kills)):
                run = self.start(output, *self.resume(output), model=False)
                time.sleep(self.random.uniform(0.2, 1.0) * seconds)
                if run.poll() is None:
                    self.kill(run, found)
                run.wait()
            if not output.exists():
                self.end(self.start(output, *self.resume(output), model=False), output, found)
        return found

    @staticmethod
    def resume(output: Path) -> list[str]:
        return ["--resume"] if (output.parent / f".{output.name}.resume" / "run.json").exists() else []

    @staticmethod
    def kill(run: subprocess.Popen[str], found: Found) -> None:
        run.kill()
        found.kills += 1

    def end(self, run: subprocess.Popen[str], output: Path, found: Found) -> None:
        """Wait for the end of a run, and compare what it wrote."""
        code, said = self.wait(run, found)
        found.kept += sum(int(n) for n in re.findall(r"(\d+) of \d+ parts were done before", said))
        if code:
            print(said, file=sys.stderr)
        self.compare(output, found)

    def poison(self) -> str:
        """A row with a cell too few in one of the files; what is said of it."""
        path = self.source / "2.csv"
        before = path.read_bytes()
        lines = before.split(b"\n")
        lines[ROWS // 2] = lines[ROWS // 2].rpartition(b",")[0]
        path.write_bytes(b"\n".join(lines))
        run = self.start(self.folder / "poisoned")
        _, said = run.communicate(timeout=HUNG)
        path.write_bytes(before)
        left = [entry.name for entry in self.folder.iterdir() if "poisoned" in entry.name]
        return f"exit code {run.returncode}, left behind: {left or 'nothing'}: {said.strip().splitlines()[-1]}"

    def fill_disk(self) -> str:
        """A disk that is full after some parts, and the same run once it has grown; what was said."""
        disk = self.folder / "disk"
        disk.mkdir()
        if (
            os.geteuid() != 0
            or subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={self.model.stat().st_size // 1024 + 200}k", "tmpfs", disk]
            ).returncode
        ):
            return "no disk of its own could be mounted here"
        try:
            run = self.start(disk / "full")
            _, said = run.communicate(timeout=HUNG)
            first = f"exit code {run.returncode}: {' / '.join(said.strip().splitlines())}"
            subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
            found = Found()
            code, said = self.wait(self.start(disk / "full", "--resume"), found)
            self.compare(disk / "full", found)
            return f"{first}; on the larger disk exit code {code}, {found.lost} lost, {found.double} double, {found.other} other"
        finally:
            subprocess.run(["umount", disk], check=True)


def workers_of(driver: int) -> list[int]:
    """Worker processes of a command: children of the process that it forks them from."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
    servers = [pid for pid, parent in parents.items() if parent == driver]
    return [pid for pid, parent in parents.items() if parent in servers]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        runs = Runs(Path(name), given.seed)
        seconds = runs.reference()
        third = -(-given.kills // 3)
        print(
            f"{FILES} CSV files of {ROWS:,} rows, parts of {BATCH:,}, 2 workers, {seconds:.0f} s with a fit and without a break\n"
        )
        print(
            "| killed by SIGKILL | kills | runs | rows lost | rows double | rows other | runs hung | parts not redone |"
        )
        print("|---|---|---|---|---|---|---|---|")
        for what, find in (
            ("a worker, while it fills", lambda: runs.kill_workers(third)),
            ("the command, while it fills; resumed", lambda: runs.kill_filling(third)),
            ("the command, at any time; resumed, or begun again", lambda: runs.kill_anywhere(third, seconds)),
        ):
            found = find()
            cells = (what, found.kills, found.runs, found.lost, found.double, found.other, found.hung, found.kept)
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)
        print(f"\nA row with a cell too few in one file: {runs.poison()}".replace(name, "..."))
        print(f"\nA full disk: {runs.fill_disk()}".replace(name, "..."))


if __name__ == "__main__":
    main()
