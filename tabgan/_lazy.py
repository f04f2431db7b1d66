"""Public names of a package that are imported when they are first asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from typing import Any

__all__ = ["lazy_names"]


def lazy_names(
    package: str, names: Collection[str], places: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make the ``__getattr__`` and ``__dir__`` of a package whose public names live in modules that take long to import.

    Parameters
    ----------
    package : str
        The package's ``__name__``.
    names : collection of str
        Its ``__all__``: what ``dir()`` shows, beside the dunders that every module has.
    places : mapping of str to str
        Module to import, by name; relative to the package if it begins with a dot. A name must not be that of a module of the
        package itself: importing the module would put it in the name's place.

    Returns
    -------
    getattr, dir : callable
        To be assigned to ``__getattr__`` and ``__dir__``.
    """

    def of_name(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(places[name], package), name)
        setattr(sys.modules[package], name, value)
        return value

    def shown() -> list[str]:
        dunders = (name for name in vars(sys.modules[package]) if name.startswith("__") and name.endswith("__"))
        return sorted({*dunders, *names})

    return of_name, shown
