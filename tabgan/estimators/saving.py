"""`tabgan.load`: from a model file back to the estimator that wrote it."""

from __future__ import annotations

import os
from typing import Any

from tabgan.core.checkpoint import read_model_file
from tabgan.exceptions import ModelFileError

__all__ = ["load"]


def load(path: str | os.PathLike[str]) -> Any:
    """Read a fitted estimator that its ``save`` method wrote.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    GAINImputer, BAGANOversampler, CGANSampler or ImageGAN
        The kind of estimator that was saved, on the CPU, wherever it was trained. A sampler gives pandas frames and series
        where it was fitted on frames and series of any kind, and arrays, lists and sparse matrices as before.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ModelFileError
        The file is truncated, was changed, or comes from a newer tabgan. Nothing in a file is ever executed.
    """
    kind, content = read_model_file(path)
    if kind == "GAINImputer":
        from tabgan.imputation import imputer_state as state
        from tabgan.imputation.gain import GAINImputer

        restore = lambda: state.from_state(GAINImputer, content)  # noqa: E731
    elif kind in ("BAGANOversampler", "CGANSampler"):
        from tabgan.sampling import sampler_state as sampler_state
        from tabgan.sampling.bagan import BAGANOversampler
        from tabgan.sampling.cgan import CGANSampler

        sampler: Any = BAGANOversampler if kind == "BAGANOversampler" else CGANSampler
        restore = lambda: sampler_state.from_state(sampler, content)  # noqa: E731
    elif kind == "ImageGAN":
        from tabgan.images import gan_state as image_state
        from tabgan.images.gan import ImageGAN

        restore = lambda: image_state.from_state(ImageGAN, content)  # noqa: E731
    else:
        raise ModelFileError(f"{str(path)!r} holds a {kind!r}, which this tabgan does not know; upgrade tabgan-learn.")
    try:
        return restore()
    except (KeyError, TypeError, ValueError, RuntimeError, IndexError) as error:
        raise ModelFileError(f"{str(path)!r} is not a complete {kind} model: {error}") from error
