"""Every error that tabgan raises on purpose, and its own warnings. Lowest layer: imports nothing of ours."""

from __future__ import annotations

from typing import Any

__all__ = [
    "CodesWarning",
    "EmptyColumnsWarning",
    "IdentifierWarning",
    "InvalidInputError",
    "InvalidParameterError",
    "MissingExtraError",
    "ModelFileError",
    "NoSyntheticRowsWarning",
    "PartFailedError",
    "RepeatedKeysWarning",
    "SchemaMismatchError",
    "SmallClassesWarning",
    "SpellingsWarning",
    "StalledError",
    "TabganError",
    "TextsWarning",
    "TrainingDivergedError",
    "TrainingInterruptedWarning",
    "parameter_error",
]


class TabganError(Exception):
    """Base class: ``except TabganError`` catches whatever tabgan raises on purpose."""


class InvalidInputError(TabganError, ValueError):
    """The data cannot be used; the message names the column (and row) and what to do."""


class InvalidParameterError(TabganError, ValueError):
    """A parameter has a value outside its documented range; the message names both."""


class SchemaMismatchError(InvalidInputError):
    """A table does not fit the columns seen in ``fit``; the message shows the difference."""


class ModelFileError(TabganError, ValueError):
    """A model file is truncated, changed, of another kind, or written by a newer tabgan."""


class TrainingDivergedError(TabganError, RuntimeError):
    """Training gave non-finite losses even after its restarts."""


class StalledError(TabganError, TimeoutError):
    """Work on other machines or processes made no progress for as long as was allowed; the message says what it was."""


class MissingExtraError(TabganError, ImportError):
    """An optional dependency is absent; the message names the extra that brings it."""


class PartFailedError(TabganError, RuntimeError):
    """The processes that worked on one part of a table died or hung, several times over; the message names the part."""


class CodesWarning(UserWarning):
    """Columns of few different whole numbers may hold codes; the message names them, and says how to declare either."""


class EmptyColumnsWarning(UserWarning):
    """Columns of a training table hold no value at all; the message names them, and says what becomes of them."""


class IdentifierWarning(UserWarning):
    """Columns in which every cell differs are taken for names of rows; the message names them, and says how to declare either."""


class NoSyntheticRowsWarning(UserWarning):
    """A sampler's gate made none of the rows asked for; ``gate_`` says why, and `tabgan.should_rebalance` what else may help."""


class RepeatedKeysWarning(UserWarning):
    """Rows of a table share their keys, and so the random numbers that belong to these; the message says how many, and what to do."""


class SmallClassesWarning(UserWarning):
    """Classes have too few images for a GAN to learn from; the message names them, and says what helps more."""


class SpellingsWarning(UserWarning):
    """Labels of a column, or classes, differ only in case or blanks, and are kept apart; the message names them and what to do."""


class TextsWarning(UserWarning):
    """Columns of text read as dates or amounts, but are modelled as labels; the message names them, and says what to do."""


class TrainingInterruptedWarning(UserWarning):
    """Ctrl-C ended training early; the estimator is fitted with the best weights so far, and ``stop_reason_`` says so."""


def parameter_error(name: str, value: Any, expected: str) -> InvalidParameterError:
    """The one wording for a bad parameter."""
    return InvalidParameterError(f"{name}={value!r} is not valid; it must be {expected}.")
