"""Folders of pictures: which files are pictures, their labels by subfolder, and what was left out."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from tabgan._warnings import warn_caller
from tabgan.exceptions import InvalidInputError
from tabgan.images.decoding import SUFFIXES

__all__ = ["Listing", "list_folder", "tell_left_out"]

_MOST_NAMED = 5


@dataclass
class Listing:
    """Files of a folder.

    Parameters
    ----------
    root : Path
        The folder.
    files : list of Path
        Pictures, in the order of their names.
    labels : list of str or None
        The subfolder of each, where all lie in subfolders.
    others : list of str
        Names of what is no picture.
    """

    root: Path
    files: list[Path]
    labels: list[str] | None
    others: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Of the files, from the folder on."""
        return [file.relative_to(self.root).as_posix() for file in self.files]


def list_folder(path: str | os.PathLike[str]) -> Listing:
    """Pictures of a folder; those of its subfolders, which are classes then, where it holds none itself.

    Parameters
    ----------
    path : path-like
        The folder.

    Returns
    -------
    Listing

    Raises
    ------
    InvalidInputError
        No picture there, or pictures beside subfolders with pictures: are these classes or not?
    """
    root = Path(path)
    entries = sorted(entry for entry in root.iterdir() if not _hidden(entry.name))
    files = [entry for entry in entries if entry.is_file()]
    own = [file for file in files if file.suffix.lower() in SUFFIXES]
    within = {folder.name: _pictures_below(folder) for folder in entries if folder.is_dir()}
    filled = {name: found for name, (found, _) in within.items() if found}
    others = [file.name for file in files if file.suffix.lower() not in SUFFIXES]
    if own and filled:
        raise InvalidInputError(
            f"{str(root)!r} holds {len(own)} pictures, and {len(filled)} subfolders with pictures "
            f"({', '.join(list(filled)[:_MOST_NAMED])}); give a folder of pictures, or one whose subfolders are the classes."
        )
    if own:
        return Listing(root, own, None, others)
    if not filled:
        raise InvalidInputError(
            f"no pictures in {str(root)!r}, neither in it nor in its subfolders; they are known by their names: "
            f"{' '.join(sorted(SUFFIXES))}."
        )
    empty = [f"{name}/ (no pictures)" for name in within if name not in filled]
    others += empty + [other for _, strangers in within.values() for other in strangers]
    pairs = [(file, name) for name, found in filled.items() for file in found]
    return Listing(root, [file for file, _ in pairs], [name for _, name in pairs], others)


def tell_left_out(what: str, names: list[str]) -> None:
    """Warn of files that are left out, how many, and which."""
    if names:
        more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
        warn_caller(f"{len(names):,} {what} left out: {', '.join(names[:_MOST_NAMED])}{more}.")


def _pictures_below(folder: Path) -> tuple[list[Path], list[str]]:
    pictures, strangers = [], []
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not _hidden(name))
        for name in sorted(names):
            if _hidden(name):
                continue
            if Path(name).suffix.lower() in SUFFIXES:
                pictures.append(Path(place, name))
            else:
                strangers.append(Path(place, name).relative_to(folder.parent).as_posix())
    return sorted(pictures), strangers


def _hidden(name: str) -> bool:
    """What file managers leave behind."""
    return name.startswith((".", "__MACOSX")) or name in ("Thumbs.db", "desktop.ini")
