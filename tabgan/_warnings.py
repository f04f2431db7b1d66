"""Warnings that name the user's own line."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

__all__ = ["warn_caller"]

_OURS = str(Path(__file__).parent)
_CALLERS = frozenset({"sklearn", "imblearn", "joblib"})


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line that called tabgan, however deep the warning arises.

    Parameters
    ----------
    message : str
        What happened, and what to do.
    category : type of Warning, default=UserWarning
        For filters.

    Notes
    -----
    Frames of tabgan, of `contextlib` (which wraps our methods), of scikit-learn (whose ``fit_transform`` and pipelines call them) and
    of joblib (through which pipelines do) are passed over, so that the line shown is the user's own. Where there is no other, the
    outermost one is shown.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and _passed_over(frame.f_code.co_filename):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level + 1)


def _passed_over(file: str) -> bool:
    path = Path(file)
    return file.startswith(_OURS) or path.name == "contextlib.py" or not _CALLERS.isdisjoint(path.parts)
