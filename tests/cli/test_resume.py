"""A run over many parts that is killed, or finds no place on the disk: nothing half is left, and `--resume` goes on from there."""

from __future__ import annotations

import errno
import os
import random
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from tabgan import GAINImputer
from tabgan.cli.main import app
from tabgan.cli.stream_work import Filling
from tabgan.engines import journal

ROWS, BATCH = 80, 10
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills children that are forked")


def run(*arguments: object) -> object:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """A table, a model, and the table filled without a break."""
    folder = tmp_path_factory.mktemp("base")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"id": np.arange(ROWS), "x": rng.normal(size=ROWS).round(3), "kind": rng.choice(["a", "b"], ROWS)}
    )
    frame["y"] = (2 * frame["x"]).round(2)
    for name in ("x", "y", "kind"):
        frame.loc[rng.random(ROWS) < 0.3, name] = None
    frame.to_csv(folder / "a.csv", index=False)
    quick = {"n_steps": 0, "n_trees": 0, "n_boosts": 0, "n_references": 0, "n_donor_trees": 0, "random_state": 0}
    GAINImputer(**quick).fit(frame.drop(columns="id")).save(folder / "m.tabgan")
    result = run("impute", folder / "a.csv", "-o", folder / "full.csv", *OPTIONS, "--model", folder / "m.tabgan")
    assert result.exit_code == 0, result.output
    return folder


OPTIONS = ("--leave", "id", "--batch-rows", BATCH)


def command(base: Path, folder: Path, *further: object) -> tuple[object, ...]:
    return ("impute", base / "a.csv", "-o", folder / "full.csv", *OPTIONS, "--model", base / "m.tabgan", *further)


def killed_at(base: Path, folder: Path, number: int, after: bool, *further: object) -> None:
    """Run the command in a child that is killed at a call, counted from 1, that writes to the disk."""
    child = os.fork()
    if child == 0:
        seen = [0]

        def watched(real):
            def call(*arguments, **named):
                seen[0] += 1
                if seen[0] == number and not after:
                    os.kill(os.getpid(), signal.SIGKILL)
                result = real(*arguments, **named)
                if seen[0] == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                return result

            return call

        for name in ("replace", "mkdir", "fsync"):
            setattr(os, name, watched(getattr(os, name)))
        journal.Journal.record = watched(journal.Journal.record)
        run(*command(base, folder, *further))
        os._exit(0)
    os.waitpid(child, 0)


def test_killed_runs_go_on_to_the_same_file(base: Path, tmp_path: Path) -> None:
    """Kills at calls drawn among all that write, each time from both sides; some runs are killed twice."""
    draw = random.Random(0)
    met = 0
    for round_ in range(5):
        folder = tmp_path / str(round_)
        folder.mkdir()
        killed_at(base, folder, draw.randrange(1, 22), bool(draw.getrandbits(1)))
        assert (
            not (folder / "full.csv").exists() or (folder / "full.csv").read_bytes() == (base / "full.csv").read_bytes()
        )
        if round_ % 3 == 0 and (folder / ".full.csv.resume" / "run.json").exists():
            killed_at(base, folder, draw.randrange(1, 9), True, "--resume")
        result = run(*command(base, folder, "--resume"))
        if result.exit_code == 2:  # the kill came before there was anything to resume
            assert "no unfinished run" in result.output
            assert run(*command(base, folder)).exit_code == 0
        else:
            assert result.exit_code == 0, result.output
            met += 1
        assert (folder / "full.csv").read_bytes() == (base / "full.csv").read_bytes()
        assert [path.name for path in folder.iterdir()] == ["full.csv"]
    assert met >= 3


def stopped(base: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, n: int, error: BaseException) -> object:
    """A run in which the part after so many fails."""
    real, done = Filling.__call__, []

    def call(self, part):
        if len(done) == n:
            raise error
        done.append(part)
        return real(self, part)

    with monkeypatch.context() as patch:
        patch.setattr(Filling, "__call__", call)
        return run(*command(base, folder))


def test_finished_parts_are_not_done_again(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = stopped(base, tmp_path, monkeypatch, 5, KeyboardInterrupt())
    assert result.exit_code == 130
    assert "--resume goes on" in result.output.replace("\n", " ")
    assert [path.name for path in tmp_path.iterdir()] == [".full.csv.resume"]
    (damaged,) = tmp_path.glob(".full.csv.resume/*/3.part")
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    real, done = Filling.__call__, []
    monkeypatch.setattr(Filling, "__call__", lambda self, part: done.append(part.number) or real(self, part))
    result = run(*command(base, tmp_path, "--resume"))
    assert result.exit_code == 0, result.output
    assert "4 of 8 parts were done before; 4 are left" in result.output
    assert done == [3, 5, 6, 7]
    assert (tmp_path / "full.csv").read_bytes() == (base / "full.csv").read_bytes()


def test_a_full_disk_is_said_and_the_run_goes_on_later(base: Path, tmp_path: Path, monkeypatch) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "somewhere"))
    result = stopped(base, tmp_path, monkeypatch, 4, full)
    assert result.exit_code == 1
    assert "No space left on device" in result.output
    assert not (tmp_path / "full.csv").exists()
    assert run(*command(base, tmp_path, "--resume", "--workers", 1)).exit_code == 0
    assert (tmp_path / "full.csv").read_bytes() == (base / "full.csv").read_bytes()


def test_a_fit_is_not_done_again(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ("impute", base / "a.csv", "-o", tmp_path / "full.csv", *OPTIONS, "--effort", "fast", "--device", "cpu")
    with monkeypatch.context() as patch:
        patch.setattr(Filling, "__call__", lambda self, part: 1 / 0)
        assert run(*options, "--model", tmp_path / "m.tabgan").exit_code == 1
    assert not (tmp_path / "m.tabgan").exists()
    monkeypatch.setattr(GAINImputer, "fit", lambda self, X: 1 / 0)
    result = run(*options, "--model", tmp_path / "m.tabgan", "--resume")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "m.tabgan").exists()


@pytest.mark.parametrize(
    ("further", "said"),
    [
        (("--batch-rows", 11), "--batch-rows is 11 now and was 10"),
        (("--missing", "b"), "--missing is ['b'] now and was []"),
    ],
)
def test_other_settings_are_named(base: Path, tmp_path: Path, monkeypatch, further, said) -> None:
    stopped(base, tmp_path, monkeypatch, 2, KeyboardInterrupt())
    result = run(*command(base, tmp_path, "--resume", *further))
    assert result.exit_code == 2
    assert said in result.output
    assert run(*command(base, tmp_path, "--resume")).exit_code == 0


def test_several_processes_give_the_same_file(base: Path, tmp_path: Path) -> None:
    result = run(*command(base, tmp_path, "--workers", 2))
    assert result.exit_code == 0, result.output
    assert (tmp_path / "full.csv").read_bytes() == (base / "full.csv").read_bytes()


def test_an_error_in_a_cell_leaves_nothing(base: Path, tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_bytes((base / "a.csv").read_bytes() + b"1,2\n")
    result = run("impute", source, "-o", tmp_path / "full.csv", *OPTIONS, "--model", base / "m.tabgan")
    assert result.exit_code == 2
    assert f"a.csv', line {ROWS + 2}: 2 cells where the header has 4" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
