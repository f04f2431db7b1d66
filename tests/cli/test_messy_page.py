"""Every command of the page on messy files runs on the file that the page makes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "howto" / "messy_files.md").read_text()
QUICK = ("--effort", "fast", "--steps", "1", "--device", "cpu")
CALLS = [line for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    source = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(source[1], {})
    return folder


@pytest.mark.parametrize("call", CALLS)
def test_commands_of_the_page_run(tabgan, shop, monkeypatch, call):
    monkeypatch.chdir(shop)
    words = shlex.split(call.partition(" > ")[0])[1:]
    result = tabgan(*words, *QUICK)
    assert result.exit_code == 0, result.output
    if call == CALLS[0]:
        assert "1 line at the top begins with '#'" in result.stderr
        assert "cells are cut at ';'" in result.stderr
        assert "if 'NA' is a value there, like the others, add --missing 'land='" in result.stderr
        assert result.stderr.count("warning: ") == 1 + result.stderr.count("no better than")
        gap = Path("full.csv").read_text().splitlines()[-2]
        assert re.fullmatch(r"ware 40;\d{1,3}(\.\d{3})*,50 €;3,5 %;\d\d\.0[23]\.2024;BW", gap)
