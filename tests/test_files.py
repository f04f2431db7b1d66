"""Files that appear whole or not at all: through links and pipes, with the mode and owner that they had, or errors that name them."""

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tabgan import _files
from tabgan._files import check_place, write_whole, written_together

ROOT = Path(__file__).resolve().parents[1]
posix = pytest.mark.skipif(os.name != "posix", reason="permission bits, links and signals are a POSIX matter")


def root_only():
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root may give files away")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def names(folder):
    return sorted(os.listdir(folder))


def refuse_to_write(monkeypatch, number=errno.ENOSPC, after=0):
    """Let the disk be full from some call of fsync on."""
    real, calls = os.fsync, []

    def full(handle):
        calls.append(handle)
        if len(calls) > after:
            raise OSError(number, os.strerror(number))
        real(handle)

    monkeypatch.setattr(_files.os, "fsync", full)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_old_files_stay_when_the_block_raises(tmp_path, error):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def write():
        with written_together():
            write_whole(path, b"new")
            write_whole(tmp_path / "other", b"new")
            (folder,) = (one for one in tmp_path.iterdir() if one.is_dir())
            assert _files._PART.fullmatch(folder.name)
            raise error

    with pytest.raises(error):
        write()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["table.csv"]


def test_files_are_replaced_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in (tmp_path / "a.txt", "b.txt", Path("c" * 255)):
        for text in (b"old and longer", b"new"):
            write_whole(path, text)
    assert names(tmp_path) == ["a.txt", "b.txt", "c" * 255]
    assert (tmp_path / "b.txt").read_text() == "new"


@posix
def test_a_new_file_has_the_permissions_of_any_other_and_the_umask_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "umask", None)  # setting it, even for a moment, opens files that other threads make
    write_whole(tmp_path / "ours", b"")
    (tmp_path / "plain").write_text("")
    assert mode(tmp_path / "ours") == mode(tmp_path / "plain")


@posix
@pytest.mark.parametrize("bits", [0o600, 0o640, 0o664, 0o777, 0o4750])
def test_the_mode_of_a_replaced_file_stays(tmp_path, bits):
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(bits)
    write_whole(path, b"new")
    assert (path.read_text(), mode(path)) == ("new", bits)


@posix
def test_content_is_never_readable_by_more_than_the_file_is_to_be(tmp_path, monkeypatch):
    path, seen = tmp_path / "secret", []
    path.write_text("old")
    path.chmod(0o600)
    monkeypatch.setattr(_files.os, "fsync", lambda handle: seen.append(stat.S_IMODE(os.fstat(handle).st_mode)))
    write_whole(path, b"new")
    assert seen == [0o600]


@posix
def test_the_owner_of_a_replaced_file_stays(tmp_path):
    root_only()
    path = tmp_path / "theirs"
    path.write_text("old")
    path.chmod(0o640)
    os.chown(path, 12345, 23456)
    with written_together():
        write_whole(path, b"new")
        write_whole(tmp_path / "beside", b"new")
    found = path.stat()
    assert (path.read_text(), found.st_uid, found.st_gid, mode(path)) == ("new", 12345, 23456, 0o640)


@posix
def test_a_file_whose_owner_would_be_lost_is_refused_by_name(tmp_path, monkeypatch):
    path = tmp_path / "theirs"
    path.write_text("old")

    def forbidden(*arguments, **named):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    real = Path.stat
    owner = lambda self, **named: os.stat_result([*real(self, **named)[:4], 12345, *real(self, **named)[5:]])  # noqa: E731
    monkeypatch.setattr(Path, "stat", owner)  # of the part: not that of the old file
    monkeypatch.setattr(_files.os, "chown", forbidden)
    for attempt in (lambda: write_whole(path, b"new"), lambda: check_place(path)):
        with pytest.raises(PermissionError, match="another user") as raised:
            attempt()
        assert raised.value.filename == str(path)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["theirs"]


@posix
def test_a_read_only_file_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "kept"
    path.write_text("old")
    path.chmod(0o444)
    monkeypatch.setattr(_files.os, "access", lambda path, how: False)  # root may write anything
    with pytest.raises(PermissionError) as raised:
        write_whole(path, b"new")
    assert raised.value.filename == str(path)
    assert path.read_text() == "old"


@posix
def test_access_lists_and_other_attributes_stay(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    try:
        os.setxattr(path, "user.origin", b"here")
    except (OSError, AttributeError):
        pytest.skip("no extended attributes here")
    write_whole(path, b"new")
    assert os.getxattr(path, "user.origin") == b"here"


@posix
def test_symbolic_links_are_followed(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "away").mkdir()
    target, new = tmp_path / "data" / "target", tmp_path / "data" / "new"
    target.write_text("old")
    (tmp_path / "away" / "middle").symlink_to("../data/target")
    (tmp_path / "link").symlink_to(tmp_path / "away" / "middle")
    (tmp_path / "folder").symlink_to("data")
    (tmp_path / "dangling").symlink_to("data/new")
    (tmp_path / "loop").symlink_to("loop")
    write_whole(tmp_path / "link", b"through links")
    assert target.read_text() == "through links"
    write_whole(tmp_path / "folder" / "target", b"through a folder")
    assert target.read_text() == "through a folder"
    write_whole(tmp_path / "dangling", b"made")
    assert new.read_text() == "made"
    with pytest.raises(OSError, match="loop") as raised:
        write_whole(tmp_path / "loop", b"")
    assert raised.value.errno == errno.ELOOP
    assert all((tmp_path / name).is_symlink() for name in ("link", "folder", "dangling", "away/middle"))
    assert names(tmp_path / "data") == ["new", "target"]


@posix
def test_other_hard_links_keep_the_old_content(tmp_path):
    path, backup = tmp_path / "file", tmp_path / "backup"
    path.write_text("old")
    os.link(path, backup)
    write_whole(path, b"new")
    assert (path.read_text(), backup.read_text()) == ("new", "old")


@posix
def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path):
    pipe, seen = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: seen.append(pipe.read_bytes()), daemon=True)
    reader.start()
    check_place(pipe)
    write_whole(pipe, b"x" * 300_000)
    reader.join(20)
    assert seen == [b"x" * 300_000]
    assert pipe.is_fifo()
    assert names(tmp_path) == ["pipe"]


@posix
def test_a_disk_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "disk"
    path.write_text("all that there is")
    real = os.stat
    block = os.stat_result([stat.S_IFBLK | 0o660, *real(path)[1:]])
    monkeypatch.setattr(
        _files.os, "stat", lambda place, **named: block if Path(place) == path else real(place, **named)
    )
    with pytest.raises(PermissionError, match="Is a disk") as raised:
        write_whole(path, b"new")
    monkeypatch.undo()
    assert raised.value.filename == str(path)
    assert path.read_text() == "all that there is"


@posix
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_an_open_file_is_written_to_at_its_end(tmp_path, name):
    if not os.path.exists(name):
        pytest.skip(f"no {name} here")
    path = tmp_path / "log"
    path.write_text("first\n")
    script = f"from tabgan._files import write_whole\nwrite_whole({name!r}, b'ours\\n')\nprint('last')"
    with path.open("a") as log:
        subprocess.run([sys.executable, "-c", script], cwd=ROOT, stdout=log, check=True, timeout=60)
    assert path.read_text() == "first\nours\nlast\n"
    assert names(tmp_path) == ["log"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nowhere/file", FileNotFoundError),
        ("folder", IsADirectoryError),
        ("file/file", NotADirectoryError),
        ("", FileNotFoundError),
    ],
)
def test_errors_name_the_destination(tmp_path, monkeypatch, name, expected):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    for attempt in (lambda: write_whole(name, b""), lambda: check_place(name)):
        with pytest.raises(expected) as raised:
            attempt()
        assert raised.value.filename == name
        assert raised.value.strerror
    assert names(tmp_path) == ["file", "folder"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_failing_disk_leaves_the_old_file_and_is_named(tmp_path, monkeypatch, number):
    path = tmp_path / "file"
    path.write_text("old")
    refuse_to_write(monkeypatch, number)
    with pytest.raises(OSError, match="file") as raised:
        write_whole(path, b"new")
    assert (raised.value.errno, raised.value.filename) == (number, str(path))
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


@posix
def test_a_limit_of_the_system_is_no_exception(tmp_path):
    """What the system itself refuses half way through, without a fake."""
    path = tmp_path / "file"
    path.write_text("old")
    script = (
        "import resource, sys\nfrom tabgan._files import write_whole\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: write_whole(sys.argv[1], bytes(10_000))\n"
        "except OSError as error: print(error.filename)"
    )
    done = subprocess.run([sys.executable, "-c", script, path], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == str(path), done.stderr
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]
