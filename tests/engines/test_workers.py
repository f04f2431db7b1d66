"""Parts done in several processes: the same results as in one, whatever becomes of the processes; and never a hang."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tabgan.engines.workers import run_parts
from tabgan.exceptions import InvalidInputError, PartFailedError

FAST = {"n_workers": 2, "preload": False}


@dataclass
class Work:
    """Squares of parts; some processes die or hang on the way, as many times as the folder has no note of."""

    folder: Path
    harm: dict[int, tuple[str, int]]

    def __call__(self, part: int) -> int:
        what, times = self.harm.get(part, ("none", 0))
        with (self.folder / f"{part}.log").open("a") as log:
            log.write(f"{os.getpid()}\n")
        if len((self.folder / f"{part}.log").read_text().split()) <= times:
            if what == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            if what == "leave":
                os._exit(3)
            if what == "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            if what == "hang":
                time.sleep(1000)
        if what == "raise":
            raise InvalidInputError(f"part {part} cannot be read")
        if what == "odd":
            raise Unportable(part, "no")
        return part * part


class Unportable(Exception):
    def __init__(self, a: object, b: object) -> None:
        super().__init__("odd")

    def __reduce__(self) -> object:
        raise pickle.PicklingError("never")


def tries(folder: Path, part: int) -> int:
    return len((folder / f"{part}.log").read_text().split())


@pytest.mark.parametrize("n_workers", [1, 2])
def test_every_part_is_done_once(tmp_path: Path, n_workers: int) -> None:
    found = dict(run_parts(Work(tmp_path, {}), range(7), n_workers=n_workers, preload=False))
    assert found == {part: part * part for part in range(7)}
    assert all(tries(tmp_path, part) == 1 for part in range(7))


def test_parts_of_dead_and_hung_processes_are_done_again(tmp_path: Path) -> None:
    harm = {0: ("die", 2), 2: ("leave", 1), 3: ("stop", 1), 5: ("hang", 1)}
    found = list(run_parts(Work(tmp_path, harm), range(7), timeout=1.0, **FAST))
    assert sorted(found) == [(part, part * part) for part in range(7)]
    assert [tries(tmp_path, part) for part in range(7)] == [3, 1, 2, 2, 1, 2, 1]


@pytest.mark.parametrize(("how", "said"), [("die", "died (signal 9)"), ("hang", "gave no answer within 0.5 s")])
def test_a_part_that_ends_every_process_is_named_in_the_end(tmp_path: Path, how: str, said: str) -> None:
    work = Work(tmp_path, {1: (how, 100)})
    with pytest.raises(PartFailedError) as caught:
        list(
            run_parts(
                work, range(3), retries=1, timeout=0.5 if how == "hang" else None, name_of="part {}".format, **FAST
            )
        )
    assert "part 1: the process that worked on it " in str(caught.value)
    assert said in str(caught.value)
    assert "2 times over" in str(caught.value)
    assert tries(tmp_path, 1) == 2


def test_what_the_work_raises_is_raised_and_not_tried_again(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="part 2 cannot be read"):
        list(run_parts(Work(tmp_path, {2: ("raise", 0)}), range(4), **FAST))
    assert tries(tmp_path, 2) == 1
    with pytest.raises(RuntimeError, match="Unportable: odd"):
        list(run_parts(Work(tmp_path, {3: ("odd", 0)}), range(4), **FAST))
    with pytest.raises((AttributeError, pickle.PicklingError, TypeError)):
        list(run_parts(lambda part: part, range(4), **FAST))


def alive(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes through /proc")
def test_no_process_stays(tmp_path: Path) -> None:
    """Neither when the results are left, nor when this process is killed."""
    left = run_parts(Work(tmp_path, {1: ("hang", 9)}), range(9), **FAST)
    next(left)
    left.close()
    script = (
        "import sys; from pathlib import Path; from tests.engines.test_workers import *\n"
        "for part, _ in run_parts(Work(Path(sys.argv[1]), {15: ('hang', 1)}), range(10, 19), n_workers=2, preload=False):\n"
        "    if part == 18: print('!', flush=True); time.sleep(1000)\n"
    )
    driver = subprocess.Popen([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE)
    assert driver.stdout is not None
    assert driver.stdout.read(1) == b"!"
    driver.kill()
    driver.wait()
    driver.stdout.close()
    workers = {int(text) for log in tmp_path.glob("*.log") for text in log.read_text().split()}
    hung = int((tmp_path / "15.log").read_text())
    os.kill(hung, signal.SIGKILL)  # what works on goes to the end of its part
    deadline = time.monotonic() + 10
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, workers))
