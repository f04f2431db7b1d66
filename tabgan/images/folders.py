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
_SYSTEM_FOLDERS = (
    "__macosx",
    "__pycache__",
    "@eadir",
    "#recycle",
    "$recycle.bin",
    "system volume information",
    "lost+found",
)
_SYSTEM_FILES = ("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r")
"""What file managers and network drives leave behind, in small letters."""


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

    Warns
    -----
    UserWarning
        The classes are likely to lie one folder deeper: there is a single one with several subfolders, or all have the same.
    """
    root = Path(path)
    entries = sorted(entry for entry in root.iterdir() if not _hidden(entry.name))
    files = [entry for entry in entries if not entry.is_dir()]
    own = [file for file in files if _is_picture(file)]
    within = {folder.name: _pictures_below(folder) for folder in entries if folder.is_dir()}
    filled = {name: found for name, (found, _) in within.items() if found}
    others = [file.name for file in files if not _is_picture(file)]
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
    _tell_of_deeper_classes(root, filled)
    pairs = [(file, name) for name, found in filled.items() for file in found]
    return Listing(root, [file for file, _ in pairs], [name for _, name in pairs], others)


def tell_left_out(what: str, names: list[str]) -> None:
    """Warn of files that are left out, how many, and which."""
    if names:
        more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
        warn_caller(f"{len(names):,} {what} left out: {', '.join(names[:_MOST_NAMED])}{more}.")


def _pictures_below(folder: Path) -> tuple[list[Path], list[str]]:
    pictures, strangers = [], []
    above: dict[str, tuple[str, ...]] = {str(folder): (os.path.realpath(folder.parent), os.path.realpath(folder))}
    for place, folders, names in os.walk(folder, followlinks=True):
        inside = {name: os.path.realpath(Path(place, name)) for name in sorted(folders) if not _hidden(name)}
        chain = above.pop(place)
        folders[:] = [name for name, real in inside.items() if real not in chain]
        above |= {os.path.join(place, name): (*chain, inside[name]) for name in folders}
        loops = [Path(place, name).relative_to(folder.parent).as_posix() for name in inside if name not in folders]
        strangers += [f"{name} (a link to a folder that it lies in)" for name in loops]
        for name in sorted(names):
            if _hidden(name):
                continue
            if _is_picture(Path(place, name)):
                pictures.append(Path(place, name))
            else:
                strangers.append(Path(place, name).relative_to(folder.parent).as_posix())
    return sorted(pictures), strangers


def _is_picture(file: Path) -> bool:
    """By its name; a link to nothing is none, nor a pipe, which would be read for ever."""
    return file.suffix.lower() in SUFFIXES and file.is_file()


def _tell_of_deeper_classes(root: Path, filled: dict[str, list[Path]]) -> None:
    """Warn where the labels are likely to be of a wrapping folder, or of parts such as train and test."""
    within = {
        name: {file.relative_to(root / name).parts[0] for file in found if file.parent != root / name}
        for name, found in filled.items()
    }
    deeper = next(iter(within.values()))
    if len(deeper) < 2 or any(names != deeper for names in within.values()):
        return
    some, first = ", ".join(sorted(deeper)[:_MOST_NAMED]), next(iter(within))
    what = (
        f"all have the subfolders {some}" if len(within) > 1 else f"there is only this one, with the subfolders {some}"
    )
    warn_caller(
        f"the subfolders of {str(root)!r} are the classes ({', '.join(list(within)[:_MOST_NAMED])}), but {what}; if those are the "
        f"classes, give {str(root / first)!r}."
    )


def _hidden(name: str) -> bool:
    """Neither a picture of the user's nor a class."""
    return name.startswith(".") or name.lower() in (*_SYSTEM_FOLDERS, *_SYSTEM_FILES)
