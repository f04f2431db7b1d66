"""Fitted estimators where many processes read them: a file, read once per process."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from sklearn.utils.validation import check_is_fitted

from tabgan.estimators.saving import Savable, load
from tabgan.exceptions import InvalidParameterError

__all__ = ["loaded", "stored"]


def stored(estimator: Any, name: str = "imputer") -> str:
    """Path of a model file.

    Parameters
    ----------
    estimator : fitted estimator with ``save``, or path-like
        An estimator is saved to a folder of this machine that goes when Python ends.
    name : str, default="imputer"
        Of the parameter, for messages.

    Raises
    ------
    InvalidParameterError
        It is neither.
    FileNotFoundError, ModelFileError
        The path holds no model.
    NotFittedError
        The estimator is not fitted.
    """
    if isinstance(estimator, str | os.PathLike):
        path = str(Path(estimator).absolute())
        loaded(path)
        return path
    if not isinstance(estimator, Savable):
        raise InvalidParameterError(
            f"{name}={type(estimator).__name__} cannot be saved to a file; give a fitted estimator of tabgan, or the path that its "
            "save method wrote."
        )
    check_is_fitted(estimator)
    folder = tempfile.mkdtemp(prefix="tabgan-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = str(Path(folder) / "model.tabgan")
    estimator.save(path)
    return path


def loaded(path: str) -> Any:
    """The estimator of a model file; read once per process, and again where the file was replaced.

    Raises
    ------
    FileNotFoundError
        There is no such file; says what to do where other machines have it.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            error.errno,
            "no model file here; save it where every machine reads it (imputer.save('/shared/...')) and give that path",
            path,
        ) from error
    return _read(path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=4)
def _read(path: str, changed: int, size: int) -> Any:
    return load(path)
