"""Files of one block appear together; what a signal or a kill interrupts leaves nothing, or nothing for long."""

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tabgan import _files
from tabgan._files import write_last, write_whole, written_together

ROOT = Path(__file__).resolve().parents[1]
posix = pytest.mark.skipif(os.name != "posix", reason="locks and signals are a POSIX matter")


def names(folder):
    return sorted(os.listdir(folder))


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("failing", [1, 2, 3])
def test_together_means_that_a_failing_move_puts_everything_back(tmp_path, monkeypatch, failing, links):
    for name in "ab":
        (tmp_path / name).write_text("old")
        (tmp_path / name).chmod(0o600)
    (tmp_path / "sub").mkdir()
    before = names(tmp_path)
    real, calls = os.replace, []

    def refused(source, target):
        calls.append(target)
        if len(calls) == failing:
            raise PermissionError(errno.EPERM, "Operation not permitted", str(source), None, str(target))
        real(source, target)

    def no_links(*arguments):
        raise OSError(errno.EOPNOTSUPP, "no links here")

    monkeypatch.setattr(_files.os, "replace", refused)
    if not links:
        monkeypatch.setattr(_files.os, "link", no_links)
    files = [tmp_path / "a", tmp_path / "sub" / "new", tmp_path / "b"]

    def write():
        with written_together():
            for path in files:
                write_whole(path, b"new")

    with pytest.raises(PermissionError) as raised:
        write()
    assert raised.value.filename == str(files[failing - 1])
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text() == "old"
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in "ab"} == {0o600}
    assert names(tmp_path) == before
    assert names(tmp_path / "sub") == []


@pytest.mark.parametrize("after", [1, 2])
def test_ctrl_c_just_after_a_move_puts_everything_back(tmp_path, monkeypatch, after):
    (tmp_path / "a").write_text("old")
    real, calls = os.replace, []

    def interrupted(source, target):
        real(source, target)
        calls.append(target)
        if len(calls) == after:
            raise KeyboardInterrupt

    def write():
        with written_together():
            write_whole(tmp_path / "a", b"new")
            write_whole(tmp_path / "b", b"new")

    monkeypatch.setattr(_files.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write()
    assert (tmp_path / "a").read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_streams_are_written_when_all_files_are_there_and_before_any_is_moved(tmp_path):
    path, said = tmp_path / "file", []
    with written_together():
        write_last(lambda: said.append(path.exists()))
        write_whole(path, b"new")
        assert said == []
    assert said == [False]

    def leave_early():
        with written_together():
            write_whole(path, b"newer")
            write_last(lambda: (_ for _ in ()).throw(BrokenPipeError))

    with pytest.raises(BrokenPipeError):
        leave_early()
    assert path.read_text() == "new"
    write_last(lambda: said.append("at once"))
    assert said[-1] == "at once"


def test_blocks_inside_a_block_wait_for_it(tmp_path):
    with written_together():
        with written_together():
            write_whole(tmp_path / "a", b"")
        assert not (tmp_path / "a").exists()
    assert names(tmp_path) == ["a"]


def test_many_files_at_once_need_few_handles(tmp_path):
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 200
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 30, limits[1]))
    try:
        with written_together():
            for k in range(100):
                write_whole(tmp_path / f"{k}.png", b"")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert len(names(tmp_path)) == 100


def test_threads_that_write_beside_each_other_do_not_sweep_each_other(tmp_path):
    failed = []

    def write(k):
        try:
            for _ in range(20):
                write_whole(tmp_path / f"{k % 3}", bytes([65 + k]) * 1000)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert names(tmp_path) == ["0", "1", "2"]
    assert all(len(set(path.read_bytes())) == 1 and path.stat().st_size == 1000 for path in tmp_path.iterdir())


@posix
def test_what_a_killed_process_left_is_swept_and_what_a_living_one_holds_is_not(tmp_path):
    for kind in ("dead", "alive"):
        script = (
            "import sys, time\nfrom tabgan._files import write_whole, written_together\n"
            "with written_together():\n"
            f"    write_whole(sys.argv[1] + '/{kind}', b'x')\n"
            "    print('there', flush=True)\n"
            "    sys.stdin.read()\n"
        )
        words = [sys.executable, "-c", script, str(tmp_path)]
        process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"there\n"
        if kind == "dead":
            process.kill()
            process.communicate(timeout=60)
            assert len(names(tmp_path)) == 1
    (held,) = tmp_path.iterdir()  # the second has swept what the first left
    os.utime(held, (time.time() - 48 * 3600,) * 2)
    mine = tmp_path / ".tabgan-notes.part"  # of nearly such a name
    mine.mkdir()
    write_whole(tmp_path / "file", b"")
    assert names(tmp_path) == sorted([held.name, mine.name, "file"])
    process.communicate(b"", timeout=60)
    assert process.returncode == 0
    assert names(tmp_path) == [mine.name, "alive", "file"]


@posix
def test_without_locks_only_old_leftovers_are_swept(tmp_path, monkeypatch):
    def unsupported(*arguments):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(_files.fcntl, "flock", unsupported)
    old, young = tmp_path / f".tabgan-{'0' * 16}.part", tmp_path / f".tabgan-{'1' * 16}.part"
    for folder in (old, young):
        folder.mkdir()
        (folder / "0").write_text("x")
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    write_whole(tmp_path / "file", b"")
    assert names(tmp_path) == [young.name, "file"]


@posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_signals_remove_the_parts_and_then_end_the_process(tmp_path, name):
    (tmp_path / "a").write_text("old")
    script = (
        "import os, signal, sys\nfrom tabgan._files import write_whole, written_together\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "with written_together():\n"
        "    write_whole(sys.argv[1] + '/a', b'new')\n"
        f"    os.kill(os.getpid(), signal.{name})\n"
        "print('not reached')"
    )
    words = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, timeout=60)
    assert done.returncode == -getattr(signal, name)
    assert done.stdout == b""
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"


@posix
def test_a_second_signal_does_not_keep_the_parts_from_going(tmp_path):
    script = (
        "import os, signal, sys\nfrom tabgan import _files\nreal = _files.Path.rmdir\n"
        "_files.Path.rmdir = lambda path: (os.kill(os.getpid(), signal.SIGTERM), real(path))\n"
        "with _files.written_together():\n"
        "    _files.write_whole(sys.argv[1] + '/a', b'new')\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGTERM
    assert names(tmp_path) == []


@posix
def test_handlers_that_others_set_stay(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    write_whole(tmp_path / "a", b"")
    assert signal.getsignal(signal.SIGTERM) is before
    seen = []
    mine = lambda number, frame: seen.append(number)  # noqa: E731
    signal.signal(signal.SIGTERM, mine)
    try:
        with written_together():
            os.kill(os.getpid(), signal.SIGTERM)
            write_whole(tmp_path / "a", b"new")
        assert signal.getsignal(signal.SIGTERM) is mine
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [signal.SIGTERM]
    with contextlib.suppress(ValueError):
        thread = threading.Thread(target=write_whole, args=(tmp_path / "b", b""))
        thread.start()
        thread.join()
    assert (tmp_path / "b").exists()


@posix
def test_kills_leave_old_or_new_files_and_nothing_for_long():
    """A few of them; ``python -m tests.killed_writes 200 100`` does many."""
    words = [sys.executable, "-m", "tests.killed_writes", "6", "4"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1].removeprefix("RESULT "))
    for kind, n in (("saves", 6), ("commands", 4)):
        assert found[kind]["kills"] == n
        assert found[kind]["broken"] == found[kind]["mode or owner lost"] == found[kind]["not swept"] == 0
