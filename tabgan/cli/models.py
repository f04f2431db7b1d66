"""Model files named on the command line: whether one is reused, what it holds, and what has no effect on it any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import typer

from tabgan.exceptions import InvalidParameterError

__all__ = ["is_reused", "load_model", "say_ignored"]

_ROLES = {
    "imputer": (("GAINImputer",), "tabgan impute --model"),
    "sampler": (("BAGANOversampler", "CGANSampler"), "tabgan balance --model"),
    "image model": (("ImageGAN",), "tabgan images train"),
}


def is_reused(model: Path | None, refit: bool) -> bool:
    """Whether ``--model`` names a model that is there already and stays, as ``--refit`` does not replace it.

    Raises
    ------
    InvalidParameterError
        ``--refit`` was given without ``--model``.
    """
    if model is None:
        if refit:
            raise InvalidParameterError("--refit needs --model FILE, whose content it replaces.")
        return False
    return model.exists() and not refit


def load_model(path: Path, role: Literal["imputer", "sampler", "image model"]) -> Any:
    """Read the estimator in a model file, and refuse one of another kind.

    Raises
    ------
    FileNotFoundError, ModelFileError
        See `tabgan.load`.
    InvalidParameterError
        It is no imputer, sampler or image model, whichever was asked for.
    """
    from tabgan.estimators.saving import load

    model = load(path)
    kinds, writer = _ROLES[role]
    if type(model).__name__ not in kinds:
        raise InvalidParameterError(
            f"{str(path)!r} holds a {type(model).__name__}; here it takes a model that {writer} writes."
        )
    return model


def say_ignored(context: typer.Context, model: Path, training: Iterable[str], say: Callable[[str], None]) -> None:
    """Say which of the options ``training`` were given and have no effect on a model that was trained already."""
    given = [
        "--" + name.replace("_", "-")
        for name in training
        if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
    ]
    if given:
        say(f"note: the model in {str(model)!r} is reused, so {', '.join(given)} has no effect; --refit fits anew.")
