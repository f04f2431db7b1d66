"""Model files of older format versions: from the content of one version to that of the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tabgan.exceptions import ModelFileError

__all__ = ["MIGRATIONS"]


def _from_1(kind: str, content: Any) -> Any:
    """Lists whose places had meanings became dicts, so that what is absent can have a default."""
    if kind == "GAINImputer":
        raise ModelFileError("an early tabgan wrote it, and this one cannot read it; fit again and save")
    if kind in ("BAGANOversampler", "CGANSampler"):
        mean, factor = content["gaussians"]
        content |= {"gaussians": {"mean": mean, "factor": factor}, "encoder": _encoder_from_1(content["encoder"])}
        content.setdefault("gate", None)  # absent before there were gates
    if kind == "ImageGAN":
        content["sizes"] = dict(zip(("shape", "d_condition", "n_classes", "source"), content["sizes"], strict=True))
    return content


def _encoder_from_1(encoder: dict[str, Any]) -> dict[str, Any]:
    names = ("column", "transform", "repeated")  # the first files had no repeated numbers
    return encoder | {"scalings": [dict(zip(names, entry, strict=False)) for entry in encoder["scalings"]]}


MIGRATIONS: dict[int, Callable[[str, Any], Any]] = {1: _from_1}
"""``MIGRATIONS[version](kind, content)`` is the content that the version after would have written; all dicts are plain."""
