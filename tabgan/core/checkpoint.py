"""Model files without pickle: a tree of numbers, strings and tensors in one safetensors file, written whole or not at all.

A safetensors file whose metadata hold ``format`` ("tabgan"), ``format_version``, ``kind`` (what was saved), ``content`` (JSON; a
tensor stands there as ``{"$tensor": name}``) and ``sha256`` over all of these and the tensor bytes.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from tabgan._files import write_whole
from tabgan._runtime import own_torch
from tabgan.exceptions import ModelFileError

__all__ = [
    "FORMAT_VERSION",
    "Stored",
    "built_from",
    "plain_value",
    "read_model_file",
    "write_model_file",
]

FORMAT_VERSION = 3
"""Of the files that are written. `tests/golden/models` holds files of every version, and the layout of the current one.

- **A new entry** (a setting, a buffer, a key) needs a default on reading that says what files without it meant. Then
  ``python -m tests.golden.models`` records the new layout and leaves this version's files as they are: they show that the default
  works.
- **Any other change** (an entry renamed, moved, dropped, of another type or meaning, or without a sensible default): raise the
  version, say in `tabgan.estimators.migrations` how content of the version before becomes content of the new one, and let
  ``python -m tests.golden.models`` write files of the new version beside the old ones, which stay.
"""

Built = TypeVar("Built")


class Stored(dict[Any, Any]):
    """A dict of a model file, which says by its whole name what is absent.

    Whoever reads a file takes entries out with ``pop``, so that what is left over at the end is known to be unknown.

    Parameters
    ----------
    items : mapping, default=()
        The entries.
    where : str, default=""
        The dict's own name in the file, such as ``"encoder.parameters"``.

    Examples
    --------
    >>> Stored({"width": 8}, "settings")["depth"]
    Traceback (most recent call last):
    tabgan.exceptions.ModelFileError: it holds no 'settings.depth'.
    """

    def __init__(self, items: Any = (), where: str = "") -> None:
        super().__init__(items)
        self.where = where

    def __missing__(self, key: Any) -> Any:
        raise ModelFileError(f"it holds no {_inside(self.where, key)!r}.")

    def pop(self, key: Any, *default: Any) -> Any:
        """Take an entry out; one without a default must be there."""
        return super().pop(key, *default) if default or key in self else self.__missing__(key)

    def refuse(self, unknown: Iterable[Any]) -> None:
        """Raise `ModelFileError` if any of these entries is there.

        What a newer tabgan wrote may mean anything, so that leaving it out could give other results.
        """
        names = sorted(_inside(self.where, key) for key in unknown if key in self)
        if names:
            raise ModelFileError(
                f"it holds {', '.join(map(repr, names))}, unknown to this tabgan; upgrade tabgan-learn."
            )


def built_from(cls: Callable[..., Built], stored: Mapping[str, Any]) -> Built:
    """Call a class with stored arguments: settings, parameters, any dataclass.

    Parameters
    ----------
    cls : type
        Its signature says what may be stored, and the defaults of what is absent.
    stored : mapping
        The arguments by name.

    Returns
    -------
    object of type ``cls``

    Raises
    ------
    ModelFileError
        An argument is unknown, or is absent and has no default; the message names it.

    Examples
    --------
    >>> from fractions import Fraction
    >>> built_from(Fraction, {"numerator": 3})
    Fraction(3, 1)
    >>> built_from(Fraction, Stored({"counter": 3}, "number"))
    Traceback (most recent call last):
    tabgan.exceptions.ModelFileError: it holds 'number.counter', unknown to this tabgan; upgrade tabgan-learn.
    """
    stored = stored if isinstance(stored, Stored) else Stored(stored)
    known = inspect.signature(cls).parameters
    stored.refuse(set(stored) - set(known))
    return cls(**{name: stored[name] for name, part in known.items() if name in stored or part.default is part.empty})


def write_model_file(path: str | os.PathLike[str], kind: str, content: Any) -> None:
    """Write a state tree to ``path``; the file appears whole or not at all.

    Parameters
    ----------
    path : path-like
        Replaced if it exists.
    kind : str
        What the file holds: the name of a class.
    content : nested dict, list, tuple, str, int, float, bool, None and Tensor
        Dict keys may be anything hashable made of these.

    Raises
    ------
    TypeError
        ``content`` holds something else.
    OSError
        See `tabgan._files.write_whole`.
    """
    from safetensors.torch import save

    tensors: dict[str, Tensor] = {}
    text = json.dumps(_packed(content, tensors), allow_nan=False, separators=(",", ":"))
    metadata = {
        "format": "tabgan",
        "format_version": str(FORMAT_VERSION),
        "kind": kind,
        "content": text,
        "sha256": _digest(kind, str(FORMAT_VERSION), text, tensors),
    }
    write_whole(path, save(tensors, metadata=metadata))


def read_model_file(
    path: str | os.PathLike[str], migrations: Mapping[int, Callable[[str, Any], Any]] = MappingProxyType({})
) -> tuple[str, Any]:
    """Read what `write_model_file` wrote. Nothing in the file is executed.

    Parameters
    ----------
    path : path-like
        The file.
    migrations : mapping of int to callable, default={}
        ``migrations[version](kind, content) -> content`` of the version after; called in turn for a file of an older version, where
        the content is made of plain dicts.

    Returns
    -------
    kind : str
    content : nested state tree
        Of the current version. Tensors on the CPU; dicts are `Stored`.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ModelFileError
        The file is truncated, was changed, is no tabgan file, comes from a newer format version, or from an older one that is no
        longer read.
    """
    from safetensors import safe_open

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no model file at {str(path)!r}")
    try:
        # Older safetensors put tensors where the caller's default device is.
        with own_torch(None), safe_open(str(path), framework="pt", device="cpu") as opened:
            metadata = opened.metadata() or {}
            # Copied to where torch puts tensors: kernels take another way, and round otherwise, at the file's odd addresses.
            tensors = {name: opened.get_tensor(name).clone() for name in opened.keys()}
    except OSError:
        raise
    except Exception as error:  # a damaged header can end in any error
        raise ModelFileError(f"{str(path)!r} is no readable model file (truncated or damaged?): {error}") from error
    if metadata.get("format") != "tabgan":
        raise ModelFileError(f"{str(path)!r} is a safetensors file, but not one that tabgan wrote.")
    version = metadata.get("format_version", "")
    if version not in map(str, range(1, FORMAT_VERSION + 1)):
        raise ModelFileError(
            f"{str(path)!r} has format version {version[:20]!r}; this tabgan reads up to {FORMAT_VERSION}: upgrade tabgan-learn."
        )
    kind, text = metadata.get("kind", ""), metadata.get("content", "")
    if metadata.get("sha256") != _digest(kind, version, text, tensors):
        raise ModelFileError(f"{str(path)!r} was changed after it was written (its checksum does not match).")
    try:
        content = _unpacked(json.loads(text, parse_constant=_finite, parse_float=_finite), tensors)
        if tensors:
            raise ValueError(f"its tensor {next(iter(tensors))!r} has no place")
        content = _migrated(kind, content, int(version), migrations)
        return kind, _named(content, "")
    except ModelFileError as error:
        raise ModelFileError(f"{str(path)!r} holds a {kind} of format version {version}: {error}") from error
    except Exception as error:  # whatever reading it ends in, the file is to blame
        raise ModelFileError(f"{str(path)!r} holds content that no tabgan wrote: {error}") from error


def plain_value(value: Any) -> Any:
    """A value as a file can hold it: numpy scalars and arrays as Python's, paths as text, pandas.NA and a RandomState as None."""
    if isinstance(value, np.ndarray):
        return [plain_value(item) for item in value.tolist()]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, dict):
        return {plain_value(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(plain_value(item) for item in value)
    # pandas.NA (known by name: no pandas here) says what None says; a RandomState's draws are already in the weights.
    return None if type(value).__name__ == "NAType" or isinstance(value, np.random.RandomState) else value


def _migrated(kind: str, content: Any, version: int, migrations: Mapping[int, Callable[[str, Any], Any]]) -> Any:
    """The content as a file of the current version would hold it."""
    for older in range(version, FORMAT_VERSION):
        if older not in migrations:
            raise ModelFileError("this tabgan reads no such files any more.")
        try:
            content = migrations[older](kind, content)
        except ModelFileError as error:
            raise ModelFileError(f"{error}.") from error
        except Exception as error:
            raise ModelFileError("something is absent or damaged.") from error
    return content


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
    """What `_packed` was given; tensors are taken out, so that none stands in two places and what is left has none."""
    if isinstance(value, list):
        return [_unpacked(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if "$tensor" in value:
        return tensors.pop(value["$tensor"])
    if "$float" in value:
        return float(value["$float"])
    if "$tuple" in value:
        return tuple(_unpacked(item, tensors) for item in value["$tuple"])
    if "$items" in value:
        return {_unpacked(key, tensors): _unpacked(item, tensors) for key, item in value["$items"]}
    return {key: _unpacked(item, tensors) for key, item in value.items()}


def _named(value: Any, where: str) -> Any:
    """The same tree with dicts that know their names."""
    if isinstance(value, dict):
        return Stored({key: _named(item, _inside(where, key)) for key, item in value.items()}, where)
    if isinstance(value, (list, tuple)):
        return type(value)(_named(item, f"{where}[{position}]") for position, item in enumerate(value))
    return value


def _finite(text: str) -> float:
    """A number of JSON, in which others stand as ``{"$float": "nan"}``."""
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text[:20]} stands where a number must")
    return number


def _inside(where: str, key: Any) -> str:
    if not isinstance(key, str):
        return f"{where}[{key!r}]"
    return f"{where}.{key}" if where else key


def _digest(kind: str, version: str, text: str, tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(json.dumps([kind, version, text]).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data if tensor.numel() else b"")
    return digest.hexdigest()
