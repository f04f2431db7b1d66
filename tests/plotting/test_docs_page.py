"""The code of docs/plots.md runs, on its own small table, and its pictures exist and are small."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "plots.md"


def test_every_block_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(compile(block, str(PAGE), "exec"), names)
    assert (tmp_path / "filled.html").stat().st_size > 10_000
    assert (tmp_path / "made.html").stat().st_size > 10_000


def test_pictures_are_there_and_small():
    named = re.findall(r"!\[(.+?)\]\((.+?)\)", PAGE.read_text(encoding="utf-8"))
    assert len(named) == 5
    for text, path in named:
        assert text
        assert (PAGE.parent / path).stat().st_size < 150_000


def test_every_display_is_on_the_page():
    import tabgan.plotting

    text = PAGE.read_text(encoding="utf-8")
    missing = [name for name in tabgan.plotting.__all__ if name not in text]
    assert not missing


@pytest.mark.parametrize(
    "name", ["report_comparison", "report_images", "report_imputation", "report_resampling", "report_rows"]
)
def test_reports_are_public(name):
    import tabgan

    assert name in tabgan.__all__
    assert callable(getattr(tabgan, name))
