"""Model files that are damaged, or crafted under a right checksum: what comes of `tabgan.load`, and of how much memory.

``python -m tests.estimators.mutated_files 1000 --seed 0`` tries that many. It prints, as JSON, how they ended, how much memory they
took beyond what good files take, and which ended otherwise than in a model or a `ModelFileError`. In a process of its own, since
memory that was once taken shows for good.
"""

from __future__ import annotations

import argparse
import json
import struct
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load, save

import tabgan
from tabgan.core.checkpoint import FORMAT_VERSION, _digest
from tabgan.exceptions import ModelFileError
from tests.golden.models.fitted import CURRENT

__all__ = ["crafted", "damaged", "parts_of", "signed"]

Tensors = dict[str, torch.Tensor]

NUMBERS: list[Any] = [0, 1, -1, 3, 10**6, 10**9, 2**40, 2**63 - 1, -(2**63), 2**64, 1e18, 1e300, -2.5, 10**5000]
ODD: list[Any] = [
    *(None, True, False, 2, 10**400, {"$float": "nan"}, {"$float": "inf"}, {"$float": "x"}, *NUMBERS),
    *("", "x", "mean", "1", "numeric", "a" * 5000, "../../etc", [], [[]], [1], [None], ["x"], {}, {"x": 1}),
    *({"$tensor": "t0"}, {"$tensor": "none"}, {"$tensor": []}, {"$tuple": []}, {"$items": [[1, 2]]}),
    *({"$items": [[[], 2]]}, {"$items": 3}),
]


def parts_of(path: Path) -> tuple[str, Any, Tensors]:
    """Kind, tree and tensors of a good file."""
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    metadata = json.loads(raw[8 : 8 + length])["__metadata__"]
    return metadata["kind"], json.loads(metadata["content"]), load(raw)


def signed(
    kind: str, tree: Any, tensors: Tensors, version: str = str(FORMAT_VERSION), change: Callable[[str], str] = str
) -> bytes:
    """A file with the right checksum; ``change`` changes its tree's text."""
    text = change(json.dumps(tree))
    metadata = {"format": "tabgan", "format_version": version, "kind": kind, "content": text}
    return save(tensors, metadata | {"sha256": _digest(kind, version, text, tensors)})


def damaged(path: Path, rng: np.random.Generator) -> tuple[str, bytes]:
    """Truncated, a bit flipped, bytes put in or taken out, another length of the header, endless numbers in it."""
    raw = path.read_bytes()
    at, some = int(rng.integers(len(raw))), int(rng.integers(1, 40))
    early, bit = int(rng.integers(4000)), 1 << int(rng.integers(8))
    length = int(rng.choice([0, 1, 2**20, 2**40, 2**63]))
    digits = b'"data_offsets":[' + b"9" * int(rng.integers(1, 6000))
    ways = {
        "truncated": raw[:at],
        "bit": raw[:at] + bytes([raw[at] ^ bit]) + raw[at + 1 :],
        "bit of the header": raw[:early] + bytes([raw[early] ^ bit]) + raw[early + 1 :],
        "put in": raw[:at] + rng.bytes(some) + raw[at:],
        "taken out": raw[:at] + raw[at + some :],
        "length": struct.pack("<Q", length) + raw[8:],
        "digits": raw.replace(b'"data_offsets":[', digits, 1),
    }
    what = str(rng.choice(list(ways)))
    return what, ways[what]


def crafted(path: Path, rng: np.random.Generator) -> tuple[str, bytes]:
    """A value, a number, two entries, a tensor or the whole changed, under a right checksum."""
    kind, tree, tensors = parts_of(path)
    what = rng.choice(["value", "number", "gone", "swapped", "tensor", "whole"], p=[0.3, 0.25, 0.08, 0.07, 0.2, 0.1])
    if what == "tensor":
        return _other_tensor(kind, tree, tensors, rng)
    if what == "whole":
        ways = _other_wholes(kind, tree, tensors)
        name = str(rng.choice(list(ways)))
        return name, ways[name]()
    places = [place for place in _places(tree) if what != "number" or type(place[0][place[1]]) in (int, float)]
    holder, key, name = places[int(rng.integers(len(places)))]
    if what == "gone":
        del holder[key]
        return f"{name} gone", signed(kind, tree, tensors)
    if what == "swapped":
        other, second, name_too = places[int(rng.integers(len(places)))]
        holder[key], other[second] = other[second], holder[key]
        inside = name.startswith(name_too) or name_too.startswith(name)  # else the tree would hold itself
        return f"{name} and {name_too}", signed(kind, None if inside else tree, tensors)
    odd = NUMBERS if what == "number" else ODD
    place = int(rng.integers(len(odd)))
    holder[key] = odd[place]
    return f"{name}, {what} {place}", signed(kind, tree, tensors)


def _places(tree: Any, name: str = "") -> Iterator[tuple[Any, Any, str]]:
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        yield tree, key, f"{name}.{key}"
        yield from _places(tree[key], f"{name}.{key}")


def _other_tensor(kind: str, tree: Any, tensors: Tensors, rng: np.random.Generator) -> tuple[str, bytes]:
    name = str(rng.choice(list(tensors)))
    where = next(place for holder, key, place in _places(tree) if key == "$tensor" and holder[key] == name)
    one = tensors.pop(name)
    ways: dict[str, Callable[[], Tensors]] = {
        "double": lambda: {name: one.double() if one.dtype != torch.float64 else one.float()},
        "long": lambda: {name: one.long() if one.dtype != torch.int64 else one.short()},
        "bool": lambda: {name: one.bool()},
        "complex": lambda: {name: one.to(torch.complex64)},
        "half": lambda: {name: one.half()},
        "flat": lambda: {name: one.flatten()},
        "deeper": lambda: {name: one[None]},
        "empty": lambda: {name: one.flatten()[:0]},
        "twice": lambda: {name: torch.cat([one.flatten()] * 2)},
        "endless": lambda: {name: torch.zeros(0, 2**40)},
        "number": lambda: {name: torch.zeros(())},
        "large": lambda: {name: torch.full_like(one, 100) if one.dtype == torch.uint8 else one + 2**14},
        "negative": lambda: {name: ~one if one.dtype == torch.bool else -one},
        "not finite": lambda: {name: torch.full(one.shape, torch.nan)},
        "gone": lambda: {},
        "another": lambda: {name: one, "another": one.clone()},
    }
    what = str(rng.choice(list(ways)))
    changed = {key: part.contiguous().clone() for key, part in ways[what]().items()}
    return f"{where} {what}", signed(kind, tree, tensors | changed)


def _other_wholes(kind: str, tree: Any, tensors: Tensors) -> dict[str, Callable[[], bytes]]:
    def deep(text: str) -> str:
        return "[" * 10**5 + text + "]" * 10**5

    def deeper(text: str) -> str:
        return text.replace("{", '{"x":' + "[" * 400 + "]" * 400 + ",", 1)

    versions = ("1", "0", "-1", "٢", "²", "2.0", "9" * 5000, "")
    kinds = ("GAINImputer", "BAGANOversampler", "CGANSampler", "ImageGAN", "Trainer", "")
    texts = ("", "null", "[]", "{}", "1", '"x"', "{")
    return {
        "deep": lambda: signed(kind, tree, tensors, change=deep),
        "deeper": lambda: signed(kind, tree, tensors, change=deeper),
        "NaN": lambda: signed(kind, tree, tensors, change=lambda text: text.replace("1", "NaN", 1)),
        "infinity": lambda: signed(kind, tree, tensors, change=lambda text: text.replace("0.", "Infinity, 0.", 1)),
        "tensor twice": lambda: signed(kind, tree, tensors, change=lambda text: text.replace('"t1"', '"t0"', 1)),
        **{f"version {one[:5]}": lambda one=one: signed(kind, tree, tensors, one) for one in versions},
        **{f"kind {one}": lambda one=one: signed(one, tree, tensors) for one in kinds},
        **{f"text {one}": lambda one=one: signed(kind, tree, tensors, change=lambda _: one) for one in texts},
    }


def _checksum(path: Path) -> str:
    """Over kind, version, tree and tensors."""
    with safe_open(str(path), "pt") as opened:
        return opened.metadata()["sha256"]


def _peak() -> float:
    """MB of address space that were taken at once, at most, so far."""
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmPeak")).split()[1]) / 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    sys.set_int_max_str_digits(0)  # to write numbers that long; `tabgan.load` runs under the usual limit
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    sources = sorted(CURRENT.glob("*.tabgan"))
    for source in sources:
        tabgan.load(source)
    start, rng = _peak(), np.random.default_rng(asked.seed)
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.tabgan")
        for number in range(asked.n):
            source, mutate = sources[number % len(sources)], crafted if number % 3 else damaged
            sys.set_int_max_str_digits(0)
            what, raw = mutate(source, rng)
            sys.set_int_max_str_digits(4300)
            path.write_bytes(raw)
            try:
                tabgan.load(path)
                result = "loaded"
                if mutate is damaged and _checksum(path) != _checksum(source):
                    wrong.append(f"{number} {source.stem}: {what}: loaded as something else")
            except ModelFileError:
                result = "refused"
            except BaseException as error:  # what must not happen is what is looked for
                result = type(error).__name__
                wrong.append(f"{number} {source.stem}: {what}: {result}: {str(error)[:150]}")
            counts[f"{mutate.__name__} {result}"] += 1
    print(json.dumps({"counts": counts, "MB": _peak() - start, "wrong": wrong}, indent=1))


if __name__ == "__main__":
    main()
