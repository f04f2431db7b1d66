"""A name that begins with an underscore belongs to its module: no other module of tabgan imports or reaches for it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "tabgan").rglob("*.py"))


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def is_private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def borrowed(source: str) -> list[str]:
    """Private names of other modules of tabgan that a module imports, or takes as attributes of a module it imported."""
    found, modules = [], {}
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "tabgan":
                    modules[alias.asname or "tabgan"] = alias.name if alias.asname else "tabgan"
        elif isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] == "tabgan"):
            assert not node.level, "imports within tabgan are absolute"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if is_module(name):
                    modules[alias.asname or alias.name] = name
                elif is_private(alias.name):
                    found.append(name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            path = ast.unparse(node.value).split(".")
            name = ".".join([modules.get(path[0], ""), *path[1:]])
            if path[0] in modules and is_module(name) and not is_module(f"{name}.{node.attr}"):
                found.append(f"{name}.{node.attr}")
    return found


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("from tabgan.cli.impute import _check_numbers, impute", ["tabgan.cli.impute._check_numbers"]),
        ("def f():\n    from tabgan.cli.impute import _text as text", ["tabgan.cli.impute._text"]),
        ("import tabgan.cli.impute as job\njob._text(1)", ["tabgan.cli.impute._text"]),
        ("import tabgan.cli.impute\ntabgan.cli.impute._text(1)", ["tabgan.cli.impute._text"]),
        ("from tabgan.cli import impute\nimpute._text(1)", ["tabgan.cli.impute._text"]),
        ("from tabgan._runtime import own_torch\nfrom tabgan import _runtime\n_runtime.own_torch(1)", []),
        ("import tabgan._runtime\ntabgan._runtime.own_torch(1)", []),
        ("from tabgan import __version__", []),
        ("from sklearn.utils import _safe_indexing\nself._own = other._own", []),
    ],
)
def test_the_finder_finds_them(source, names):
    assert borrowed(source) == names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_borrows_a_private_name(path):
    assert borrowed(path.read_text()) == []
