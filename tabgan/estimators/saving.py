"""Model files of fitted estimators: `Savable.save`, and `tabgan.load` from a file back to the estimator that wrote it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

from sklearn.utils.validation import check_is_fitted

from tabgan._runtime import own_torch
from tabgan.core.checkpoint import Stored, read_model_file, write_model_file
from tabgan.core.trust import allowance_of
from tabgan.estimators.migrations import MIGRATIONS
from tabgan.exceptions import MissingExtraError, ModelFileError
from tabgan.written.detect import Style
from tabgan.written.stored_styles import style_from_state, style_to_state

__all__ = ["HOMES", "Savable", "load"]

HOMES = {
    "GAINImputer": "tabgan.imputation.gain",
    "BAGANOversampler": "tabgan.sampling.bagan",
    "CGANSampler": "tabgan.sampling.cgan",
    "ImageGAN": "tabgan.images.gan",
}
"""Where the classes live that files are read back to, by the kind that files state: their name. Imported when a file asks for it."""


class Savable:
    """Mixin before ``BaseEstimator``: ``save``. Subclasses say what they are made of, and how they are made of it again.

    Attributes
    ----------
    column_styles_ : mapping of str to Style
        How the cells of text columns were written in the file that the estimator was fitted on; empty where there was none.
    """

    column_styles_: Mapping[str, Style] = MappingProxyType({})

    def _to_state(self) -> dict[str, Any]:
        """Of the fitted estimator, what `tabgan.core.checkpoint.write_model_file` takes."""
        raise NotImplementedError

    @classmethod
    def _from_state(cls, state: Stored) -> Any:
        """Rebuild what `_to_state` described; takes out all that it knows."""
        raise NotImplementedError

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted estimator to one file, without pickle; `tabgan.load` reads it.

        A sampler's file holds the training table, since synthetic rows start from its rows, and an imputer's some of its rows: keep
        files as you keep the table.

        Parameters
        ----------
        path : path-like
            Customarily ends in ``.tabgan``. Written whole or not at all. A file of that name is replaced, with the mode and
            owner that it had; symbolic links are followed, other hard links to it keep the old content. A pipe or terminal is
            written to.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit``.
        InvalidInputError
            A label, a column name, a dtype or a parameter cannot be stored; the message names it.
        ModelFileError
            The estimator is of a subclass that `tabgan.load` does not know.
        OSError
            The file cannot be written, or not without taking it from its owner; it is as before, and ``filename`` says which.
        """
        check_is_fitted(self)
        cls = type(self)
        if HOMES.get(cls.__name__) != cls.__module__:
            raise ModelFileError(
                f"tabgan.load does not know the class {cls.__qualname__} of {cls.__module__}, only {', '.join(HOMES)}; "
                "pickle it, or fit one of these."
            )
        content = self._to_state()
        if self.column_styles_:
            content["column_styles"] = [[name, style_to_state(style)] for name, style in self.column_styles_.items()]
        write_model_file(path, cls.__name__, content)


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
        The file is truncated, was changed, comes from a newer tabgan, or from one so old that it is no longer read. Nothing in a
        file is ever executed.
    """
    kind, content = read_model_file(path, MIGRATIONS)
    if kind not in HOMES:
        raise ModelFileError(f"{str(path)!r} holds a {kind!r}, which this tabgan does not know; upgrade tabgan-learn.")
    cls: type[Savable] = getattr(import_module(HOMES[kind]), kind)
    try:
        with own_torch(None), allowance_of(content):
            styles = content.pop("column_styles", None)
            estimator = cls._from_state(content)
            if styles:
                estimator.column_styles_ = {str(name): style_from_state(style) for name, style in styles}
        content.refuse(set(content))  # whatever is left over
    except MissingExtraError:
        raise
    except (
        Exception
    ) as error:  # whatever it ends in, the file is to blame: its checksum says nothing about who wrote it
        raise ModelFileError(f"{str(path)!r} is no {kind} that this tabgan can read: {error}") from error
    return estimator
