"""README's Python blocks run as they stand, and its two commands are the ones CI and users run."""

import re
from pathlib import Path

README = (Path(__file__).resolve().parents[1] / "README.md").read_text()


def test_python_blocks_run():
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert blocks
    for block in blocks:
        names: dict = {}
        exec(
            compile(block.replace("random_state=0", "random_state=0, n_steps=30, draw_steps=5"), "README.md", "exec"),
            names,
        )
        assert not names["filled"].isna().any().any()
        assert len(names["draws"]) == 5


def test_names_and_commands_are_said():
    assert "tabgan-learn" in README
    assert '.venv/bin/pip install -c constraints.txt ".[demo]" && .venv/bin/tabgan demo' in README
    assert '.venv/bin/pip install -c constraints.txt -e ".[test]" && .venv/bin/pytest' in README
