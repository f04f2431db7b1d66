"""Model files without pickle: a tree of numbers, strings and tensors in one safetensors file, written atomically.

Layout (format version 1): a safetensors file whose metadata hold ``format`` ("tabgan"), ``format_version``, ``kind`` (what was
saved), ``content`` (JSON; a tensor stands there as ``{"$tensor": name}``) and ``sha256`` over all of these and the tensor bytes.
To change the layout: raise `FORMAT_VERSION`, keep reading the old one, and add a file of the old version to the tests.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tabgan.exceptions import ModelFileError

__all__ = ["FORMAT_VERSION", "atomic_path", "plain_value", "read_model_file", "write_model_file"]

FORMAT_VERSION = 1


def write_model_file(path: str | os.PathLike[str], kind: str, content: Any) -> None:
    """Write a state tree to ``path``; the file appears whole or not at all.

    Parameters
    ----------
    path : path-like
        Replaced if it exists.
    kind : str
        What the file holds, for example ``"GAINImputer"``.
    content : nested dict, list, tuple, str, int, float, bool, None and Tensor
        Dict keys may be anything hashable made of these.

    Raises
    ------
    TypeError
        ``content`` holds something else.
    OSError
        The folder does not exist or cannot be written.
    """
    from safetensors.torch import save_file

    tensors: dict[str, Tensor] = {}
    text = json.dumps(_packed(content, tensors), allow_nan=False, separators=(",", ":"))
    metadata = {
        "format": "tabgan",
        "format_version": str(FORMAT_VERSION),
        "kind": kind,
        "content": text,
        "sha256": _digest(kind, str(FORMAT_VERSION), text, tensors),
    }
    with atomic_path(path) as temporary:
        save_file(tensors, str(temporary), metadata=metadata)


def read_model_file(path: str | os.PathLike[str]) -> tuple[str, Any]:
    """Read what `write_model_file` wrote. Nothing in the file is executed.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    kind : str
    content : nested state tree
        Tensors on the CPU.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ModelFileError
        The file is truncated, was changed, is no tabgan file, or comes from a newer format version.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no model file at {str(path)!r}")
    try:
        with safe_open(str(path), framework="pt", device="cpu") as opened:
            metadata = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}
    except (SafetensorError, ValueError, OverflowError, KeyError, RuntimeError) as error:
        raise ModelFileError(f"{str(path)!r} is no readable model file (truncated or damaged?): {error}") from error
    if metadata.get("format") != "tabgan":
        raise ModelFileError(f"{str(path)!r} is a safetensors file, but not one that tabgan wrote.")
    version = metadata.get("format_version", "")
    if not version.isdecimal() or int(version) > FORMAT_VERSION:
        raise ModelFileError(
            f"{str(path)!r} has format version {version!r}; this tabgan reads up to {FORMAT_VERSION}: upgrade tabgan-learn."
        )
    kind, text = metadata.get("kind", ""), metadata.get("content", "")
    if metadata.get("sha256") != _digest(kind, version, text, tensors):
        raise ModelFileError(f"{str(path)!r} was changed after it was written (its checksum does not match).")
    try:
        return kind, _unpacked(json.loads(text), tensors)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelFileError(f"{str(path)!r} holds content that no tabgan wrote: {error}") from error


def plain_value(value: Any) -> Any:
    """A parameter as a file can hold it: numpy scalars and arrays as Python's, pandas.NA and a RandomState as None."""
    if isinstance(value, np.ndarray):
        return [plain_value(item) for item in value.tolist()]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {plain_value(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(plain_value(item) for item in value)
    # pandas.NA (known by name: no pandas here) says what None says; a RandomState's draws are already in the weights.
    return None if type(value).__name__ == "NAType" or isinstance(value, np.random.RandomState) else value


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside ``path`` that replaces it when the block ends well, and vanishes when it does not."""
    path = Path(path)
    handle, name = tempfile.mkstemp(dir=path.parent or Path(), prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())  # a power cut must not leave a name without its bytes
        # mkstemp makes the file private; the final file follows the user's umask like any other.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _packed(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        name = f"t{len(tensors)}"
        tensors[name] = value.detach().cpu().contiguous().clone()
        return {"$tensor": name}
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": repr(float(value))}
    if isinstance(value, dict):
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: _packed(item, tensors) for key, item in value.items()}
        return {"$items": [[_packed(key, tensors), _packed(item, tensors)] for key, item in value.items()]}
    if isinstance(value, tuple):
        return {"$tuple": [_packed(item, tensors) for item in value]}
    if isinstance(value, list):
        return [_packed(item, tensors) for item in value]
    raise TypeError(f"a model file cannot hold a {type(value).__name__}: {value!r}")


def _unpacked(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, list):
        return [_unpacked(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if "$tensor" in value:
        return tensors[value["$tensor"]]
    if "$float" in value:
        return float(value["$float"])
    if "$tuple" in value:
        return tuple(_unpacked(item, tensors) for item in value["$tuple"])
    if "$items" in value:
        return {_unpacked(key, tensors): _unpacked(item, tensors) for key, item in value["$items"]}
    return {key: _unpacked(item, tensors) for key, item in value.items()}


def _digest(kind: str, version: str, text: str, tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(json.dumps([kind, version, text]).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b"")
    return digest.hexdigest()
