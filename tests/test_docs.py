"""The documentation keeps its word: Python blocks and notebooks run, commands exist, and every public name is in the reference.

Training is cut short for all pages alike, so that they may say what a reader should say: `Trainer.fit` and the imputer's metrics
take at most `MOST_STEPS` steps, and the tree chain `MOST_TREES` trees. Blocks of a page share their names, and an empty working
directory.
"""

import ast
import inspect
import json
import re
import shlex
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import typer

from tabgan.cli.main import app
from tabgan.core.trainer import Trainer
from tabgan.images import recipes
from tabgan.imputation.stages import neighbours
from tabgan.model_selection.baselines import TreeChain

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
NOT_PROSE = {"_build", "generated", "benchmarks"}
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(path for path in DOCS.rglob("*.md") if not NOT_PROSE & set(path.relative_to(DOCS).parts)),
]
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
ROOMS = [
    "tabgan",
    "tabgan.metrics",
    "tabgan.images",
    "tabgan.plotting",
    "tabgan.exceptions",
    "tabgan.mlflow",
    "tabgan.ray",
    "tabgan.spark",
]
MOST_STEPS = 6
MOST_TREES = 3
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _images() -> dict:
    """What docs/images.md takes as given."""
    rng = np.random.default_rng(0)
    images = rng.random((40, 16, 16), dtype=np.float32)
    y = np.array([0, 1, 2, 3] * 8 + [0, 0, 1, 1, 2, 2, 0, 1])
    pairs = rng.random((20, 16, 16), dtype=np.float32)
    names = ["sources", "targets", "new_sources", "domain_a", "domain_b"]
    return {"images": images, "labels": y, "y": y, **dict.fromkeys(names, pairs)}


GIVEN = {"docs/images.md": _images}
"""Names that a page takes as given, by page."""


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _fences(path: Path, language: str) -> list[tuple[int, str, str]]:
    """Line, info string and text of a page's blocks in a language."""
    text = path.read_text()
    return [
        (text.count("\n", 0, found.start()) + 1, found[2].strip(), found[3])
        for found in FENCE.finditer(text)
        if found[1] == language
    ]


def _run(name: str, pieces: list[tuple[int, str]], names: dict) -> None:
    if any(re.search(r"tabgan\.plotting|matplotlib|\.to_html\(|report_", source) for _, source in pieces):
        pytest.importorskip("matplotlib", reason="pip install tabgan-learn[plot]")
    for line, source in pieces:
        exec(compile("\n" * line + source, name, "exec"), names)


@pytest.fixture
def quick(monkeypatch, tmp_path):
    """Short training, few trees, no windows, an empty working directory."""
    fit = Trainer.fit
    monkeypatch.setattr(Trainer, "fit", lambda self, n_steps: fit(self, min(n_steps, MOST_STEPS)))
    monkeypatch.setattr(neighbours, "METRIC_STEPS", MOST_STEPS)
    monkeypatch.setitem(TreeChain.__init__.__kwdefaults__, "n_trees", MOST_TREES)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.chdir(tmp_path)
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("page", [page for page in PAGES if _fences(page, "python")], ids=_name)
def test_python_blocks_run(page):
    pieces = []
    for line, info, source in _fences(page, "python"):
        if info.startswith("no-run"):
            assert re.fullmatch(r"no-run: needs (a GPU|the network|MLflow|Ray|Spark|scikit-learn 1\.9)", info), (
                f"line {line}: say why it cannot run"
            )
            compile(source, _name(page), "exec")
        else:
            pieces.append((line, source))
    _run(_name(page), pieces, GIVEN.get(_name(page), dict)())


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=_name)
def test_notebooks_run(path):
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert cells
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert outputs, "no outputs to look at: python docs/renew_notebooks.py"
    assert not any(output["output_type"] == "error" for output in outputs)
    _run(_name(path), [(0, "".join(cell["source"])) for cell in cells], {"display": print})


def _commands(page: Path) -> list[tuple[int, list[str]]]:
    """The arguments of each `tabgan` call in a page's shell blocks."""
    calls = []
    for line, _, block in _fences(page, "bash"):
        for offset, text in enumerate(block.splitlines(), start=1):
            words = shlex.split(text, comments=True)
            ends = [k for k, word in enumerate(words) if word in ("|", ">", "&&")] + [len(words)]
            for start, end in zip([0] + [k + 1 for k in ends], ends, strict=False):
                if words[start:end] and words[start] == "tabgan":
                    calls.append((line + offset, words[start + 1 : end]))
    return calls


@pytest.mark.parametrize("page", [page for page in PAGES if _commands(page)], ids=_name)
def test_commands_exist(page):
    for line, words in _commands(page):
        command = typer.main.get_command(app)
        while words and words[0] in getattr(command, "commands", {}):
            command, words = command.commands[words[0]], words[1:]
        known = {option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]}
        asked = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert asked <= known | {"--help", "-h"}, f"{_name(page)}, line {line}"


def _reference() -> set[str]:
    """Names that the API pages document."""
    text = "\n".join(path.read_text() for path in (DOCS / "api").glob("*.rst"))
    return set(re.findall(r"^   (tabgan[\w.]+)$", text, re.MULTILINE)) | set(
        re.findall(r"^\.\. py:data:: (\S+)$", text, re.MULTILINE)
    )


@pytest.mark.parametrize("room", ROOMS)
def test_public_names_are_in_the_reference(room):
    missing = {f"{room}.{name}" for name in import_module(room).__all__} - _reference()
    assert not missing


@pytest.mark.parametrize("folder", ["howto", "benchmarks"])
def test_indexes_say_a_line_about_every_page(folder):
    index = (DOCS / folder / "index.md").read_text()
    told = {name: line for line in index.splitlines() for name in re.findall(r"\]\((\w[\w-]*\.md)\)", line)}
    assert set(told) == {path.name for path in (DOCS / folder).glob("*.md")} - {"index.md"}
    assert [name for name, line in told.items() if len(line.split()) < 6] == []


def test_pictures_have_texts_for_those_who_do_not_see_them():
    for page in [*PAGES, *(DOCS / "benchmarks").glob("*.md")]:
        texts = re.findall(r"!\[([^\]]*)\]\(", page.read_text())
        bare = [text for text in texts if len(text.split()) < 4]
        assert not bare, f"{_name(page)}: {bare}"


def test_every_version_of_the_documentation_reads_one_list():
    versions = json.loads((DOCS / "_static" / "switcher.json").read_text())
    assert all({"name", "version", "url"} <= set(one) for one in versions)
    assert sum(bool(one.get("preferred")) for one in versions) == 1


def _resolved(name: str):
    room, _, last = name.rpartition(".")
    return getattr(import_module(room), last)


def test_referenced_names_exist_and_are_documented():
    bare = [name for name in sorted(_reference()) if not inspect.getdoc(_resolved(name))]
    assert not bare


PUBLIC = [f"{room}.{name}" for room in ROOMS[1:4] for name in import_module(room).__all__ if name != "recipes"]


def _told_parameters(thing) -> dict[str, str]:
    """Type and default as the docstring says them, by name (a named tuple's fields are attributes)."""
    section = r"^(?:Parameters|Attributes)\n-+\n(.*?)(?=^\w[^\n]*\n---|\Z)"
    found = re.search(section, inspect.getdoc(thing), re.MULTILINE | re.DOTALL)
    lines = re.findall(r"^(\w[\w, ]*?)(?: : (.*))?$", found[1] if found else "", re.MULTILINE)
    return {name: rest for names, rest in lines for name in names.split(", ")}


@pytest.mark.parametrize("name", PUBLIC)
def test_parameters_are_documented_with_their_defaults(name):
    told = _told_parameters(_resolved(name))
    for parameter in inspect.signature(_resolved(name)).parameters.values():
        assert parameter.name in told, parameter.name
        said = re.search(r"default=(.+)$", told[parameter.name])
        if parameter.default is inspect.Parameter.empty:
            assert said is None, parameter.name
        else:
            assert said is not None, parameter.name
            assert ast.literal_eval(said[1]) == parameter.default, parameter.name


def test_the_developer_page_names_every_part_of_the_core():
    page = (DOCS / "developer.md").read_text()
    rooms = [path.name for path in (ROOT / "tabgan").iterdir() if (path / "__init__.py").is_file()]
    assert not [room for room in rooms if f"`{room}/`" not in page]
    files = [path.name for room in ("core", "networks") for path in (ROOT / "tabgan" / room).glob("[a-z]*.py")]
    assert not [name for name in files if f"`{name}`" not in page]


PLACES = [ROOT, ROOT / "tabgan", ROOT / "tests"]
FILE = re.compile(r"`([\w.]+(?:/[\w.]+)+\.(?:py|md|jsonl))`")
# The image page is written from a template, which must not fall behind.
ALL_PAGES = sorted({*PAGES, *DOCS.rglob("*.md"), ROOT / "benchmarks" / "images" / "page.md"})


@pytest.mark.parametrize("page", [page for page in ALL_PAGES if FILE.search(page.read_text())], ids=_name)
def test_named_files_exist(page):
    named = set(FILE.findall(page.read_text()))
    missing = [name for name in sorted(named) if not any((place / name).is_file() for place in PLACES)]
    assert not missing


def test_the_front_page_counts_the_recipes():
    assert f"{len(recipes)} recipes" in (DOCS / "index.md").read_text()
