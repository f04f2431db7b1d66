"""Write what is absent of the current version's model files: ``python -m tests.golden.models [--renew | --outputs]``.

Files that are there stay, also when entries were added to the layout: that they still load shows that the new entries have
defaults. ``--renew`` writes all files of the current version anew, which is right only while nobody has files of that version.
``--outputs`` stores anew what the files of all versions give, after a change of results that is meant. Model files of older versions
are never written.
"""

import sys
import tempfile
from pathlib import Path

import torch

import tabgan
from tests.golden.models.fitted import CURRENT, FITS, FOLDER, LAYOUT, NO_LONGER_READ, RECIPES, fit_recipe, given, write
from tests.golden.models.layout import differences, layout_of, read_layouts, write_layouts


def renew(everything: bool) -> None:
    CURRENT.mkdir(exist_ok=True)
    stored, fresh = {} if everything else read_layouts(LAYOUT), {}
    with tempfile.TemporaryDirectory() as folder:
        for name, fit in FITS.items():
            made, kept = Path(folder, f"{name}.tabgan"), CURRENT / f"{name}.tabgan"
            fit().save(made)
            fresh[name] = layout(name, made, stored)
            if everything or not kept.exists():
                kept.write_bytes(made.read_bytes())
                write(kept.with_suffix(".npz"), given(name, tabgan.load(kept)))
                print(f"  wrote {kept.relative_to(FOLDER)} ({kept.stat().st_size:,} bytes)")
            else:
                tabgan.load(kept)  # without what was added
        for recipe in RECIPES:
            fit_recipe(recipe).save(made)
            fresh[f"recipe {recipe}"] = layout(f"recipe {recipe}", made, stored)
    write_layouts(LAYOUT, fresh)


def layout(name: str, made: Path, stored: dict[str, dict[str, str]]) -> dict[str, str]:
    """Of a file that was just made, where it only adds to the stored one."""
    fresh = layout_of(made)
    added, changed = differences(stored.get(name, fresh), fresh)
    print(name, *added, *changed, sep="\n  ")
    if changed:
        sys.exit(
            f"{name} has another layout: raise FORMAT_VERSION, as tabgan/core/checkpoint.py says. Nothing recorded."
        )
    return fresh


def renew_outputs() -> None:
    for path in sorted(FOLDER.glob("version*/*.npz")):
        if (path.parent.name, path.stem) in NO_LONGER_READ:
            continue
        write(path, given(path.stem, tabgan.load(path.with_suffix(".tabgan"))))


torch.set_num_threads(1)
if "--outputs" in sys.argv:
    renew_outputs()
else:
    renew("--renew" in sys.argv)
