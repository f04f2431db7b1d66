"""Model files: exact round trips, no damaged file read as a good one, no good file lost to a failed write."""

import json
import math
import os
import pickle
import re
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file

from tabgan.core.checkpoint import (
    FORMAT_VERSION,
    Stored,
    built_from,
    plain_value,
    read_model_file,
    write_model_file,
)
from tabgan.exceptions import ModelFileError

DTYPES = [
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int8,
    torch.uint8,
    torch.bool,
]


@st.composite
def tensors(draw):
    dtype = draw(st.sampled_from(DTYPES))
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    values = 10 * torch.randn(shape, generator=torch.Generator().manual_seed(draw(st.integers(0, 99))))
    if dtype.is_floating_point and values.numel() and draw(st.booleans()):
        values.view(-1)[0] = draw(st.sampled_from([float("nan"), float("inf"), -0.0]))
    if len(shape) == 2 and draw(st.booleans()):
        values = values.T  # not contiguous
    return (values > 0) if dtype is torch.bool else values.abs().to(dtype) if dtype is torch.uint8 else values.to(dtype)


keys = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["$tensor", "$items", "$float"]),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=4,
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
trees = st.recursive(
    scalars | tensors(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple) | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=12,
)


def same(a, b):
    """Equal in type, order and bits; one NaN equals another."""
    kinds = [dict if isinstance(value, Stored) else type(value) for value in (a, b)]
    if kinds[0] is not kinds[1]:
        return False
    if isinstance(a, torch.Tensor):
        raw = (t.contiguous().reshape(-1).view(torch.uint8) for t in (a, b)) if a.numel() else (a.view(-1), b.view(-1))
        return a.dtype == b.dtype and a.shape == b.shape and torch.equal(*raw)
    if isinstance(a, dict):
        return len(a) == len(b) and all(same(x, y) and same(a[x], b[y]) for x, y in zip(a, b, strict=True))
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or struct.pack("d", a) == struct.pack("d", b)
    return a == b


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=trees, kind=st.text())
def test_what_was_written_is_read(tmp_path, content, kind):
    path = tmp_path / "file.tabgan"
    write_model_file(path, kind, content)
    read_kind, read = read_model_file(path)
    assert read_kind == kind
    assert same(content, read)


def test_bool_and_int_keys_stay_what_they_are(tmp_path):
    content = {0: "a", "0": "b", (1, ("x", None)): "c", None: "d", "$tensor": "e"}
    write_model_file(tmp_path / "f", "x", content)
    assert same(read_model_file(tmp_path / "f")[1], content)


@pytest.mark.parametrize("number", [1.5, float("nan"), float("-inf")])
def test_numpy_floats_are_read_as_floats(tmp_path, number):
    """A float64 scalar is a float, and a score function may return one."""
    write_model_file(tmp_path / "f", "x", {"score": np.float64(number)})
    assert same(read_model_file(tmp_path / "f")[1], {"score": number})


def test_tensors_that_share_memory_are_written_each(tmp_path):
    base = torch.arange(6.0)
    write_model_file(tmp_path / "f", "x", [base, base[2:4], base.expand(2, 6)])
    assert same(read_model_file(tmp_path / "f")[1], [base, base[2:4].clone(), base.repeat(2, 1)])


def test_tensors_lie_where_torch_puts_them(tmp_path):
    """Kernels round otherwise at other addresses, and a loaded model must answer as the saved one does."""
    write_model_file(tmp_path / "f", "x", [torch.rand(n) for n in range(1, 9)])
    assert {tensor.data_ptr() % 64 for tensor in read_model_file(tmp_path / "f")[1]} == {torch.rand(3).data_ptr() % 64}


CONTENT = {"weights": torch.arange(6, dtype=torch.float32).reshape(2, 3), "steps": [1, 2.5, None], "name": "é"}


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "file.tabgan"
    write_model_file(path, "GAINImputer", CONTENT)
    return path


def test_every_truncation_is_noticed(written):
    whole = written.read_bytes()
    for length in range(len(whole)):
        written.write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            read_model_file(written)


@pytest.mark.parametrize("flip", [0x01, 0x04, 0x20, 0x80])
def test_one_flipped_bit_anywhere_is_noticed(written, flip):
    """Header, kind, version, content, checksum, tensor bytes: all of the file."""
    whole = written.read_bytes()
    unnoticed = []
    for position in range(len(whole)):
        changed = bytearray(whole)
        changed[position] ^= flip
        written.write_bytes(changed)
        try:
            read = read_model_file(written)
        except ModelFileError:
            continue
        unnoticed.append((position, whole[max(position - 20, 0) : position + 1], read))
    assert unnoticed == []


@pytest.mark.parametrize("extra", [b"\0", b"more", b"{}"])
def test_bytes_added_at_the_end_are_noticed(written, extra):
    written.write_bytes(written.read_bytes() + extra)
    with pytest.raises(ModelFileError):
        read_model_file(written)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=200), header=st.none() | st.text(max_size=50))
def test_random_bytes_are_no_model_file(tmp_path, junk, header):
    if header is not None:
        junk = struct.pack("<Q", len(header.encode())) + header.encode() + junk
    (tmp_path / "junk").write_bytes(junk)
    with pytest.raises(ModelFileError):
        read_model_file(tmp_path / "junk")


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}])
def test_a_foreign_safetensors_file_is_refused(tmp_path, metadata):
    save_file({"weight": torch.ones(2)}, str(tmp_path / "foreign.safetensors"), metadata=metadata)
    with pytest.raises(ModelFileError, match="not one that tabgan wrote"):
        read_model_file(tmp_path / "foreign.safetensors")


def rewritten(path, **changes):
    """The file with other metadata and the same tensors."""
    with safe_open(str(path), "pt") as opened:
        metadata, kept = opened.metadata(), {name: opened.get_tensor(name) for name in opened.keys()}
    metadata.update(changes)
    save_file(kept, str(path), metadata={key: value for key, value in metadata.items() if value is not None})


@pytest.mark.parametrize("version", [str(FORMAT_VERSION + 1), "999", "2.0", "", None])
def test_a_newer_or_unknown_version_asks_for_an_upgrade(written, version):
    rewritten(written, format_version=version)
    with pytest.raises(ModelFileError, match="upgrade"):
        read_model_file(written)


@pytest.fixture
def older(monkeypatch, tmp_path):
    """A file of version 1 for a tabgan that writes version 3."""
    monkeypatch.setattr("tabgan.core.checkpoint.FORMAT_VERSION", 1)
    write_model_file(tmp_path / "old.tabgan", "Toy", {"numbers": [1, 2]})
    monkeypatch.setattr("tabgan.core.checkpoint.FORMAT_VERSION", 3)
    return tmp_path / "old.tabgan"


def test_an_older_file_goes_through_the_migrations_of_all_versions_since(older):
    def named(kind, content):
        assert (kind, type(content)) == ("Toy", dict)
        return {"first": content["numbers"][0], "second": content["numbers"][1]}

    migrations = {1: named, 2: lambda kind, content: {"inner": content | {"third": 3}}, 3: None}
    kind, content = read_model_file(older, migrations)
    assert (kind, content) == ("Toy", {"inner": {"first": 1, "second": 2, "third": 3}})
    assert content["inner"].where == "inner"


def _refuse(kind, content):
    raise ModelFileError("too old")


@pytest.mark.parametrize(
    ("migrations", "why"),
    [
        ({}, "this tabgan reads no such files any more"),
        ({1: lambda kind, content: content}, "this tabgan reads no such files any more"),
        ({1: lambda kind, content: content["letters"]}, "something is absent or damaged"),
        ({1: _refuse}, "too old"),
    ],
)
def test_an_older_file_that_cannot_be_migrated_says_what_it_is(older, migrations, why):
    with pytest.raises(ModelFileError, match=f"old.tabgan' holds a Toy of format version 1: {why}."):
        read_model_file(older, migrations)


def test_an_entry_that_is_absent_is_named_wherever_it_is_missed(tmp_path):
    write_model_file(tmp_path / "f", "x", {"a": {"b": [{"c": 1}, {0: {"d": 2}}]}})
    content = read_model_file(tmp_path / "f")[1]
    assert content == {"a": {"b": [{"c": 1}, {0: {"d": 2}}]}}
    for miss, name in [
        (lambda: content["z"], "z"),
        (lambda: content["a"]["z"], "a.z"),
        (lambda: content["a"]["b"][0]["z"], "a.b[0].z"),
        (lambda: content["a"]["b"][1][0].pop("z"), "a.b[1][0].z"),
        (lambda: content["a"]["b"][1]["0"], "a.b[1].0"),
    ]:
        with pytest.raises(ModelFileError, match=f"^it holds no '{re.escape(name)}'.$"):
            miss()
    assert content.get("z") is None
    assert content.pop("z", 4) == 4
    assert "z" not in content
    assert content.pop("a") == {"b": [{"c": 1}, {0: {"d": 2}}]}
    assert content == {}
    assert same(pickle.loads(pickle.dumps(content)), content)


@dataclass
class Settings:
    width: int
    depth: int = 2


def test_settings_are_built_from_what_is_stored():
    assert built_from(Settings, {"width": 3}) == Settings(3)
    assert built_from(Settings, Stored({"width": 3, "depth": 4}, "settings")) == Settings(3, 4)
    with pytest.raises(ModelFileError, match=r"it holds no 'net\.settings\.width'"):
        built_from(Settings, Stored({"depth": 3}, "net.settings"))
    with pytest.raises(ModelFileError, match=r"it holds 'net\.a', 'net\.b', unknown to this tabgan; upgrade"):
        built_from(Settings, Stored({"width": 3, "b": 0, "a": 0}, "net"))


def test_plain_values():
    given = {
        "a": np.float32(0.5),
        "b": np.array([[1, 2]]),
        "c": (np.int8(3), pd.NA),
        "d": np.random.RandomState(0),
        4: None,
    }
    plain = {"a": 0.5, "b": [[1, 2]], "c": (3, None), "d": None, 4: None}
    assert same(plain_value(given), plain)
    assert plain_value([Path("a", "b"), np.str_("x"), np.bool_(True), "y"]) == [os.path.join("a", "b"), "x", True, "y"]


@pytest.mark.parametrize("field", ["kind", "content", "sha256"])
@pytest.mark.parametrize("value", ["other", None])
def test_changed_metadata_are_noticed(written, field, value):
    rewritten(written, **{field: value})
    with pytest.raises(ModelFileError, match="changed"):
        read_model_file(written)


def test_the_file_is_plain_safetensors_with_json_content(written):
    """Another tool, and a later tabgan, can read it without this code."""
    with safe_open(str(written), "pt") as opened:
        metadata = opened.metadata()
        assert torch.equal(opened.get_tensor("t0"), CONTENT["weights"])
    assert (metadata["format"], metadata["format_version"], metadata["kind"]) == (
        "tabgan",
        str(FORMAT_VERSION),
        "GAINImputer",
    )
    assert json.loads(metadata["content"]) == {"weights": {"$tensor": "t0"}, "steps": [1, 2.5, None], "name": "é"}


@pytest.mark.parametrize("bad", [object(), {1, 2}, b"bytes", np.ones(2), np.int64(3), 1j, [{"deep": (lambda: 0,)}]])
def test_an_unsupported_type_leaves_the_old_file_and_nothing_else(written, bad):
    before = written.read_bytes()
    with pytest.raises(TypeError, match="cannot hold"):
        write_model_file(written, "x", {"good": torch.ones(2), "bad": bad})
    assert written.read_bytes() == before
    assert os.listdir(written.parent) == [written.name]


def test_a_write_that_fails_half_way_leaves_the_old_file_and_nothing_else(written, monkeypatch):
    def full(handle):
        raise OSError(28, "disk full")

    before = written.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="disk full") as raised:
        write_model_file(written, "x", {})
    assert raised.value.filename == str(written)
    assert written.read_bytes() == before
    assert os.listdir(written.parent) == [written.name]


def test_a_missing_folder_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        write_model_file(tmp_path / "nowhere" / "file.tabgan", "x", {})


@pytest.mark.parametrize("name", ["absent", "."])
def test_a_missing_file_or_a_folder_is_a_file_not_found_error(tmp_path, name):
    with pytest.raises(FileNotFoundError):
        read_model_file(tmp_path / name)
