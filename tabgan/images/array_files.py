"""Arrays of images or labels in files: numpy's, and MNIST's idx format."""

from __future__ import annotations

import gzip
import os
import struct
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from tabgan.exceptions import InvalidInputError

__all__ = ["read_array", "read_idx"]

_IDX_TYPES: dict[int, Any] = {8: np.uint8, 9: np.int8, 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def read_array(path: Path) -> Any:
    """An array from a ``.npy`` or idx file, or a dict of them from ``.npz`` that names them; ``.npy`` is mapped into memory, not read.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    InvalidInputError
        It is of another kind, or damaged.
    """
    if path.suffix.lower() not in (".npy", ".npz"):
        return read_idx(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file at {str(path)!r}")
    try:
        if path.suffix.lower() == ".npy":
            return np.load(path, mmap_mode="c", allow_pickle=False)
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except (ValueError, EOFError, OSError, BadZipFile) as error:
        raise InvalidInputError(f"{str(path)!r} is no readable {path.suffix.lower()} file: {error}") from error
    return found["arr_0"] if list(found) == ["arr_0"] else found  # numpy's name for an array that was given none


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """An array in MNIST's idx format.

    Parameters
    ----------
    path : path-like
        Compressed (``.gz``) or not.

    Returns
    -------
    ndarray
        Of the file's shape; uint8 for images and labels of MNIST.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    InvalidInputError
        It is no idx file, or is cut short.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file at {str(path)!r}")
    raw = path.read_bytes()
    try:
        raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (OSError, EOFError) as error:
        raise InvalidInputError(f"{str(path)!r} is a damaged gzip file: {error}") from error
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in _IDX_TYPES or len(raw) < 4 + 4 * raw[3]:
        raise InvalidInputError(f"{str(path)!r} is neither a folder, nor a picture, a .npy, .npz or idx file.")
    shape = struct.unpack(f">{raw[3]}I", raw[4 : 4 + 4 * raw[3]])
    dtype: np.dtype[Any] = np.dtype(_IDX_TYPES[raw[2]])
    body = raw[4 + 4 * raw[3] :]
    if len(body) != int(np.prod(shape)) * dtype.itemsize:
        raise InvalidInputError(f"{str(path)!r} promises shape {shape}, but holds {len(body)} bytes.")
    return np.frombuffer(body, dtype).reshape(shape).astype(dtype.newbyteorder("="))
