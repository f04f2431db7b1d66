"""Runs the Python blocks of a page that `tests/test_docs.py` leaves to the tests of an engine."""

import re
from pathlib import Path

import pytest

HOWTO = Path(__file__).resolve().parents[2] / "docs" / "howto"


def run_page(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    """The names that a page's blocks leave."""
    monkeypatch.chdir(tmp_path)
    page = (
        (HOWTO / f"{name}.md").read_text().replace('"filled"', repr(str(tmp_path / "filled")))
    )  # workers are elsewhere
    blocks = re.findall(rf"^```python no-run: needs {name.capitalize()}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert blocks
    names: dict = {}
    for block in blocks:
        exec(compile(block, name, "exec"), names)
    return names
