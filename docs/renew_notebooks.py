"""Run the notebooks at full training length and keep their outputs: ``python docs/renew_notebooks.py [PART OF A NAME]``."""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

FOLDER = Path(__file__).parent / "notebooks"
COLOURS = 256  # a third of the bytes


def in_few_colours(encoded: str) -> str:
    """A PNG with a palette, base64 as notebooks hold it."""
    picture = Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB")
    small = io.BytesIO()
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode()


def tidy(notebook: nbformat.NotebookNode) -> None:
    """Shrink pictures, and drop what would differ from run to run for no reason."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                data["image/png"] = in_few_colours(data["image/png"])
    notebook.metadata = {"kernelspec": notebook.metadata.kernelspec, "language_info": {"name": "python"}}


def main(part: str = "") -> None:
    """Renew the notebooks whose name contains ``part``."""
    for path in sorted(path for path in FOLDER.glob("*.ipynb") if part in path.name):
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=1800, resources={"metadata": {"path": str(FOLDER)}}).execute()
        tidy(notebook)
        nbformat.write(notebook, path)
        print(f"{path.name}: {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main(*sys.argv[1:2])
