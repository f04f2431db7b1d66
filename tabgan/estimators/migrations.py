"""Model files of older format versions: from the content of one version to that of the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

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


def _from_2(kind: str, content: Any) -> Any:
    """Donors drew single cells of training rows; now leaves hold several, of values or of residuals. Samplers redrew no cells."""
    if kind in ("BAGANOversampler", "CGANSampler"):
        for settings in (content["parameters"], content["settings"]):
            settings.setdefault("redraws", 0)
    if kind == "GAINImputer" and "donors" in content["model"].get("stages", {}):
        spans, stored = content["model"]["spans"], content["model"]["stages"]["donors"]["trees"]
        blank = {"trees": None, "donation": None, "curvature": None, "odds": None, "lean": 0.0}
        columns = {j: blank | _by_value(stored[j]) if j in stored else blank for j in range(len(spans))}
        content["model"]["stages"]["donors"] = _plain_donors(columns, spans[-1][2])
    return content


def _by_value(trees: dict[str, Any]) -> dict[str, Any]:
    """Leaves of a single cell each."""
    members = trees["values"]
    numbered = trees | {"values": torch.arange(len(members)).to(members)}
    return {
        "trees": {"trees": numbered, "first": torch.arange(len(members) + 1), "members": members.double()},
        "donation": {"by_value": True, "leaf_size": 1},
    }


def _plain_donors(columns: dict[int, Any], width: int) -> dict[str, Any]:
    """All numbers as they are, and no parameters that are drawn."""
    zero, none = torch.zeros(width, dtype=torch.float64), torch.zeros(0, 193, dtype=torch.float64)
    scales = {"kinds": torch.zeros(width, dtype=torch.long), "origin": zero, "sign": zero + 1, "quantiles": none}
    return {"scales": scales, "moments": None, "columns": columns, "ends": torch.stack([zero, zero])}


MIGRATIONS: dict[int, Callable[[str, Any], Any]] = {1: _from_1, 2: _from_2}
"""``MIGRATIONS[version](kind, content)`` is the content that the version after would have written; all dicts are plain."""
