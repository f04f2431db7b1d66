"""What is handed out: the typed marker, one version everywhere, and a conda recipe that asks for what pyproject.toml asks for."""

import re
import sys
from pathlib import Path

import pytest

import tabgan

ROOT = Path(__file__).resolve().parents[1]
RECIPE = (ROOT / "conda" / "recipe.yaml").read_text()
OTHER_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}
"""Of packages whose name on conda-forge is not that on PyPI."""


@pytest.fixture
def project():
    if sys.version_info < (3, 11):
        pytest.skip("tomllib is there from Python 3.11 on")
    import tomllib

    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def needed(listed):
    """Names on conda-forge and bounds of requirements."""
    pairs = (re.match(r"([\w-]+)(?:\[.*?\])?(.*)", one).groups() for one in listed)
    return {OTHER_NAMES.get(name, name): bound.strip() for name, bound in pairs}


def section(name):
    """The items of a list of the recipe."""
    (found,) = re.findall(rf"^  {name}:\n((?:    - .*\n)+)", RECIPE, re.MULTILINE)
    return re.findall(r"- (.*)", found)


def test_type_checkers_may_read_our_types():
    assert (Path(tabgan.__file__).parent / "py.typed").is_file()


def test_the_recipe_asks_for_what_the_project_asks_for(project):
    theirs = needed(section("run"))
    assert theirs.pop("python") == ">=${{ python_min }}"
    assert theirs == needed(project["dependencies"])
    extras = needed(
        one for name in ("plot", "parquet", "excel", "mlflow") for one in project["optional-dependencies"][name]
    )
    assert needed(section("run_constraints")) == extras


def test_versions_agree(project):
    version = project["version"]
    assert f'version: "{version}"' in RECIPE
    assert f"version: {version}" in (ROOT / "CITATION.cff").read_text()
    assert re.search(r'python_min: "(.*)"', RECIPE)[1] == project["requires-python"].removeprefix(">=")
    assert f"tabgan = {project['scripts']['tabgan']}" in RECIPE
