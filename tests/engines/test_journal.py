"""What a killed run leaves: parts that are whole count, others do not; and only the same run may go on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tabgan.engines.journal import Journal, fingerprint, write_hashed
from tabgan.exceptions import InvalidInputError, InvalidParameterError

SETTINGS, INPUTS = {"--seed": 0, "--leave": ["id"]}, {"a.csv": {"size": 3}}


def begun(folder: Path, n: int = 3) -> Path:
    """A run that was killed after so many parts; gives the folder of its parts."""
    journal = Journal(folder, SETTINGS, INPUTS, resume=False)
    for number in range(n):
        written = write_hashed(journal.path(f"{number}.part"), lambda stream, k=number: stream.write(b"part %d" % k))
        journal.record(number, {"file": written, "gaps": {"x": number}})
    journal.close(keep=True)
    return journal.parts


def resumed(folder: Path) -> dict[int, dict]:
    journal = Journal(folder, SETTINGS, INPUTS, resume=True)
    try:
        return journal.done()
    finally:
        journal.close(keep=True)


def test_parts_that_are_done_are_found_again(tmp_path: Path) -> None:
    begun(tmp_path / "j")
    assert {number: facts["gaps"] for number, facts in resumed(tmp_path / "j").items()} == {
        k: {"x": k} for k in range(3)
    }


@pytest.mark.parametrize("harm", ["changed", "longer", "absent", "line cut", "line lost"])
def test_a_part_that_is_not_whole_is_done_again(tmp_path: Path, harm: str) -> None:
    parts = begun(tmp_path / "j")
    part, log = parts / "2.part", parts / "done.jsonl"
    if harm == "changed":
        part.write_bytes(b"part 3")
    elif harm == "longer":
        part.write_bytes(b"part 2 and more")
    elif harm == "absent":
        part.unlink()
    else:
        lines = log.read_text().splitlines(keepends=True)
        log.write_text("".join(lines[:-1]) + (lines[-1][:20] if harm == "line cut" else ""))
    assert set(resumed(tmp_path / "j")) == {0, 1}
    journal = Journal(tmp_path / "j", SETTINGS, INPUTS, resume=True)
    journal.record(2, {"file": write_hashed(journal.path("2.part"), lambda stream: stream.write(b"part 2"))})
    journal.close(keep=True)
    assert set(resumed(tmp_path / "j")) == {0, 1, 2}


@pytest.mark.parametrize(
    ("settings", "inputs", "said"),
    [
        ({**SETTINGS, "--seed": 1}, INPUTS, "--seed is 1 now and was 0"),
        ({"--seed": 0}, INPUTS, r"--leave is None now and was \['id'\]"),
        (SETTINGS, {"a.csv": {"size": 4}}, "'a.csv' has changed"),
        (SETTINGS, {**INPUTS, "b.csv": {}}, "'b.csv' is new"),
        (SETTINGS, {}, "'a.csv' is gone"),
    ],
)
def test_another_run_does_not_go_on(tmp_path: Path, settings: dict, inputs: dict, said: str) -> None:
    begun(tmp_path / "j")
    with pytest.raises((InvalidParameterError, InvalidInputError), match=said):
        Journal(tmp_path / "j", settings, inputs, resume=True)
    assert set(resumed(tmp_path / "j")) == {0, 1, 2}, "and what is there stays"


def test_there_must_be_something_to_resume(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameterError, match="no unfinished run"):
        Journal(tmp_path / "j", SETTINGS, INPUTS, resume=True)
    assert not (tmp_path / "j").exists()


def test_a_new_run_begins_anew_in_a_folder_of_its_own(tmp_path: Path) -> None:
    """What a worker of the old run still writes, it writes nowhere."""
    old = begun(tmp_path / "j")
    journal = Journal(tmp_path / "j", SETTINGS, INPUTS, resume=False)
    assert journal.parts != old
    assert not old.exists()
    assert journal.done() == {}
    with pytest.raises(FileNotFoundError):
        write_hashed(old / "0.part", lambda stream: stream.write(b"late"))
    journal.close(keep=False)
    assert list(tmp_path.iterdir()) == []


def test_two_runs_do_not_share_a_journal(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    journal = Journal(tmp_path / "j", SETTINGS, INPUTS, resume=False)
    for resume in (True, False):
        with pytest.raises(InvalidInputError, match="another run is at work"):
            Journal(tmp_path / "j", SETTINGS, INPUTS, resume=resume)
    assert journal.parts.exists()
    journal.close(keep=True)
    resumed(tmp_path / "j")


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    def fail(stream: object) -> None:
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space") as caught:
        write_hashed(tmp_path / "0.part", fail)
    assert caught.value.filename == str(tmp_path / "0.part")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", [0, 100_000, 199_999])
def test_fingerprints_differ_where_files_do(tmp_path: Path, place: int) -> None:
    path = tmp_path / "a"
    content = bytearray(200_000)
    path.write_bytes(content)
    os.utime(path, ns=(0, 1))
    before = fingerprint(path)
    assert json.loads(json.dumps(before)) == before
    content[place] = 1
    path.write_bytes(content)
    os.utime(path, ns=(0, 1 if place != 100_000 else 2))
    assert fingerprint(path) != before
