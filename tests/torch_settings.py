"""What a caller may have set in torch, to run a block under."""

from collections.abc import Callable
from typing import Any

import torch

__all__ = ["SETTINGS"]


class _DefaultDtype:
    """float64 by default."""

    def __enter__(self) -> None:
        torch.set_default_dtype(torch.float64)

    def __exit__(self, *_: object) -> None:
        torch.set_default_dtype(torch.float32)


SETTINGS: dict[str, Callable[[], Any]] = {
    "default dtype": _DefaultDtype,
    "default device": lambda: torch.device("meta"),
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu"),
}
"""Context managers by name."""
