"""Mixed precision: networks compute in bfloat16 where that is fast, and keep their weights in float32."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from tabgan.exceptions import InvalidParameterError, parameter_error

__all__ = ["check_precision", "compute_type", "computing_in"]

_TYPES: dict[str, torch.dtype | None] = {"float32": None, "bfloat16": torch.bfloat16}


def check_precision(precision: Any, device: torch.device) -> None:
    """Refuse a precision that is unknown, or that the device has no fast arithmetic for.

    Parameters
    ----------
    precision : {"float32", "bfloat16"}
    device : torch.device
        Where training is to run.

    Raises
    ------
    InvalidParameterError
        Says what to do.
    """
    if not isinstance(precision, str) or precision not in _TYPES:
        raise parameter_error("precision", precision, "one of " + ", ".join(map(repr, _TYPES)))
    if _TYPES[precision] is None:
        return
    if device.type != "cuda":
        raise InvalidParameterError(
            f"precision={precision!r} is for device='cuda', but training would run on {device.type!r}; leave it out there."
        )
    if not torch.cuda.is_bf16_supported():
        raise InvalidParameterError(f"precision={precision!r}: this CUDA device has no bfloat16; leave it out.")


def compute_type(precision: str) -> torch.dtype | None:
    """What networks compute in; None leaves everything in float32."""
    return _TYPES[precision]


def computing_in(kind: torch.dtype | None, device: torch.device) -> AbstractContextManager[Any]:
    """Autocast to ``kind`` on that device, or nothing where it is None.

    References
    ----------
    Micikevicius et al. 2018, "Mixed Precision Training", section 3.1. bfloat16 has the range of float32, so that no loss is scaled
    (Kalamkar et al. 2019, "A Study of BFLOAT16 for Deep Learning Training").
    """
    return nullcontext() if kind is None else torch.autocast(device.type, kind)
