"""What a model file says is believed as far as its tensors go: how much may be built of it, and what fits into what was built."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from tabgan.exceptions import ModelFileError

__all__ = ["allowance_of", "load_weights"]

_BUILT_PER_STORED = 8
"""Numbers that are made for one that is stored: a network is laid out and drawn before it takes over what is stored."""
_PER_TENSOR = 10_000
_AT_LEAST = 1_000_000
_PER_CALL = 2_000
"""Numbers that the smallest tensor counts as: the module around it takes memory too."""

_OF_A_SIZE = {"empty", "zeros", "ones", "rand", "randn", "full", "eye", "arange", "randperm", "linspace"}
_NEW = {"new_empty", "new_zeros", "new_ones", "new_full", "repeat", "expand"}
_LIKE = {"empty_like", "zeros_like", "ones_like", "rand_like", "randn_like", "full_like"}


class _Allowance(TorchFunctionMode):
    """Refuses tensors before torch makes them, once they are more than a file's own could fill."""

    def __init__(self, stored: list[Tensor]) -> None:
        super().__init__()
        self.most = max(sum(tensor.numel() for tensor in stored), _PER_TENSOR)
        self.left = _BUILT_PER_STORED * self.most + _PER_TENSOR * len(stored) + _AT_LEAST

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        asked = _asked(getattr(func, "__name__", ""), args, kwargs)
        if asked is not None:
            self.left -= max(asked, _PER_CALL)
            if asked > self.most or self.left < 0:
                raise ModelFileError("its numbers ask for more than its tensors can fill.")
        return func(*args, **kwargs)


def allowance_of(content: Any) -> TorchFunctionMode:
    """A context in which no more is built than the content of a model file can fill.

    Parameters
    ----------
    content : nested state tree
        As `tabgan.core.checkpoint.read_model_file` gives it.

    Returns
    -------
    context manager
        In it, `ModelFileError` is raised instead of making a tensor that is larger than all that are stored, or too many tensors.
    """
    return _Allowance(list(_tensors(content)))


def load_weights(module: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Load stored weights into a network that was built for them.

    Parameters
    ----------
    module : nn.Module
        Changed in place.
    weights : mapping of str to Tensor
        Its ``state_dict()``, from a file.

    Raises
    ------
    ModelFileError
        A tensor is of another type, or says of the layout (which slot belongs to which column) something else than the module.
    RuntimeError
        Names or shapes differ.
    """
    for name, own in module.state_dict().items():
        stored = weights.get(name)
        if stored is None:
            continue  # torch names all that are absent
        if stored.dtype != own.dtype:
            raise ModelFileError(f"{name!r} is of {stored.dtype}, where {own.dtype} is needed.")
        if own.dim() and not own.is_floating_point() and not torch.equal(own, stored):
            raise ModelFileError(f"{name!r} contradicts the layout of the columns.")
    module.load_state_dict(dict(weights))


def _asked(name: str, args: Any, kwargs: Any) -> int | None:
    """How many numbers a call asks for; None for calls that make nothing larger than what they are given."""
    if name in _LIKE:
        return args[0].numel()
    if name in _OF_A_SIZE:
        given = kwargs.get("size", args)
    elif name in _NEW:
        given = kwargs.get("size", args[1:])
    else:
        return None
    given = given if isinstance(given, list | tuple) else [given]
    sides = (
        given[0] if given and isinstance(given[0], list | tuple) else given
    )  # after a size stands what to fill it with
    if name in ("arange", "linspace"):
        return int(max(map(abs, sides)))
    told = math.prod(int(side) for side in sides if not isinstance(side, bool) and side >= 0)
    if name == "eye" and len(sides) == 1:
        return told * told
    return told * args[0].numel() if name == "repeat" else told


def _tensors(content: Any) -> Iterator[Tensor]:
    if isinstance(content, Tensor):
        yield content
    elif isinstance(content, dict):
        for key, value in content.items():
            yield from _tensors(key)
            yield from _tensors(value)
    elif isinstance(content, list | tuple):
        for value in content:
            yield from _tensors(value)
