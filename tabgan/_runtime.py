"""Device, threads and random generators: the only module that asks torch what exists."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from tabgan.exceptions import InvalidParameterError

__all__ = ["available_devices", "jobs", "make_generator", "own_torch", "resolve_device"]


def available_devices() -> list[str]:
    """Names of the device types usable here, fastest first."""
    devices = []
    if torch.cuda.is_available():
        devices.append("cuda")
    if torch.backends.mps.is_available():
        devices.append("mps")
    return [*devices, "cpu"]


def resolve_device(device: str | torch.device = "auto") -> torch.device:
    """Turn the ``device`` parameter of an estimator into a usable ``torch.device``.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda", "cuda:N", "mps"} or torch.device, default="auto"
        ``"auto"`` takes CUDA, then Apple's MPS, then the CPU.

    Raises
    ------
    InvalidParameterError
        The name is unknown, or this machine has no such device.
    """
    usable = available_devices()
    if isinstance(device, str) and device == "auto":
        return torch.device(usable[0])
    try:
        resolved = torch.device(device)
    except (RuntimeError, TypeError, ValueError) as error:
        raise InvalidParameterError(
            f"device={device!r} is not a device; use 'auto', 'cpu', 'cuda', 'cuda:N' or 'mps'."
        ) from error
    if resolved.type not in usable:
        raise InvalidParameterError(
            f"device={str(device)!r} is not available on this machine, which has {usable}; use 'auto' or one of these."
        )
    if resolved.type == "cuda" and (resolved.index or 0) >= torch.cuda.device_count():
        raise InvalidParameterError(
            f"device={str(device)!r}: this machine has {torch.cuda.device_count()} CUDA devices."
        )
    return resolved


def make_generator(seed: int) -> torch.Generator:
    """A CPU generator of its own; draws are made on the CPU and moved, so a seed means the same on every device."""
    generator = torch.Generator(device="cpu")
    generator.manual_seed(seed)
    return generator


@contextmanager
def own_torch(n_threads: int | None) -> Iterator[None]:
    """Run a block with torch as it is after import, whatever the caller set, and give the caller's settings back.

    Parameters
    ----------
    n_threads : int or None
        Of torch; None leaves them alone.

    Notes
    -----
    Default dtype and device, gradients off, inference mode and autocast would otherwise break a fit, or change what it gives.
    """
    before, dtype = torch.get_num_threads(), torch.get_default_dtype()
    elsewhere = torch.get_default_device() != torch.device("cpu")
    if n_threads is not None:
        torch.set_num_threads(n_threads)
    torch.set_default_dtype(torch.float32)
    try:
        with (
            torch.inference_mode(False),
            torch.enable_grad(),
            torch.autocast("cpu", enabled=False),
            torch.device("cpu") if elsewhere else nullcontext(),
        ):
            yield
    finally:
        torch.set_default_dtype(dtype)
        torch.set_num_threads(before)


def jobs(n_jobs: int | None) -> AbstractContextManager[object]:
    """Run a block in which scikit-learn's parallel parts take ``n_jobs`` threads; None leaves joblib's setting alone."""
    if n_jobs is None:
        return nullcontext()
    from joblib import parallel_config

    return parallel_config(backend="threading", n_jobs=n_jobs)
