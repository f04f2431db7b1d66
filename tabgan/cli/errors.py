"""How the command line reports trouble: one ``error: ...`` on stderr, an exit code, and a traceback only on request."""

from __future__ import annotations

import os
import sys
import traceback
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tabgan.cli.words import in_options
from tabgan.exceptions import InvalidInputError, MissingExtraError, TabganError, TrainingDivergedError

__all__ = [
    "BAD_INPUT",
    "BROKEN_PIPE",
    "FAILED",
    "INTERRUPTED",
    "note",
    "printable",
    "remember_debug",
    "report_error",
    "shortened",
    "teller",
    "warnings_in_words",
    "warnings_told",
]

FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130
BROKEN_PIPE = 141

_wanted = {"debug": False}
_UNSEEN = ("Cc", "Cf", "Zl", "Zp")
"""Unicode's control and format characters (escape sequences, bells, right-to-left marks), and its line ends."""


def remember_debug(value: bool) -> bool:
    """``--debug`` was given, before or after the subcommand: the next error shows its traceback."""
    _wanted["debug"] = _wanted["debug"] or value
    return value


def note(text: str) -> None:
    """One line for the user on stderr, in the place of what `StatusLine` says there; stdout is for data only."""
    over = "\r\x1b[K" if sys.stderr.isatty() else ""
    print(over + printable(in_options(text)), file=sys.stderr, flush=True)


def printable(text: str) -> str:
    """Text from a table as a terminal may show it: characters that would move its cursor, ring or turn its text, escaped."""
    return "".join(
        character
        if character in "\n\t" or unicodedata.category(character) not in _UNSEEN
        else character.encode("unicode_escape").decode()
        for character in text
    )


def shortened(text: str, most: int = 40) -> str:
    """The same for a column of a printed table: a long one without its middle."""
    text = printable(text).replace("\n", "\\n")
    half = (most - 1) // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


def teller(quiet: bool) -> Callable[[str], None]:
    """`note`, or with ``--quiet`` a function that says nothing."""
    return (lambda text: None) if quiet else note


@contextmanager
def warnings_told(say: Callable[[str], None]) -> Iterator[None]:
    """Say each warning of a block once, in a line of its own, when the block is through."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        yield
    for text in dict.fromkeys(str(warning.message) for warning in caught if warning.category is UserWarning):
        say(f"warning: {text}")


@contextmanager
def warnings_in_words() -> Iterator[None]:
    """What still warns in Python's way within a command: plain warnings in a line each, once; those for callers in Python not at all.

    Warnings of a class of their own, such as `tabgan.exceptions.IdentifierWarning`, name parameters of Python; what they are about is
    in the command's own words already.
    """
    shown: set[str] = set()
    with warnings.catch_warnings():
        as_python_does = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if not issubclass(category, UserWarning):
                as_python_does(message, category, *place, **more)
            elif category is UserWarning and str(message) not in shown:
                shown.add(str(message))
                note(f"warning: {message}")

        warnings.showwarning = show
        yield


def report_error(error: BaseException) -> int:
    """Print what went wrong.

    Parameters
    ----------
    error : BaseException
        Whatever ended the command.

    Returns
    -------
    int
        Exit code: 2 for bad usage or input, 130 for Ctrl-C, 1 for everything else.
    """
    debug = _wanted["debug"] or os.environ.get("TABGAN_DEBUG", "") not in ("", "0")
    _wanted["debug"] = False
    if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "Abort":
        note("error: interrupted; every output file is either as it was or whole.")
        return INTERRUPTED
    if debug:
        traceback.print_exception(error)
    if hasattr(error, "format_message"):
        return _usage_error(error)
    note(f"error: {_described(error)}")
    if isinstance(error, (TrainingDivergedError, MissingExtraError)):
        return FAILED
    if isinstance(error, (TabganError, FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)):
        return BAD_INPUT
    if not debug and not isinstance(error, (OSError, MemoryError)):
        note("This is a bug in tabgan or in a package it uses; run again with --debug for the traceback.")
    return FAILED


def _usage_error(error: BaseException) -> int:
    """Bad options, as the command line library found them; typer brings its own or an installed click, by version."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()  # type: ignore[attr-defined]
        return BAD_INPUT
    note(f"error: {error.format_message()}")  # type: ignore[attr-defined]
    context = getattr(error, "ctx", None)
    if context is not None:
        note(f"Try '{context.command_path} --help'.")
    return BAD_INPUT


def _described(error: BaseException) -> str:
    if isinstance(error, InvalidInputError):
        return str(error).rstrip()
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{str(error.filename)!r}: {error.strerror}."
    if isinstance(error, MemoryError):
        return "not enough memory; use a smaller table, or leave wide columns out with --leave."
    if isinstance(error, (TabganError, OSError)):
        return str(error).rstrip()
    return f"{type(error).__name__}: {error}"
