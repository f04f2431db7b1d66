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
def settings():
    if sys.version_info < (3, 11):
        pytest.skip("tomllib is there from Python 3.11 on")
    import tomllib

    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture
def project(settings):
    return settings["project"]


@pytest.fixture
def long_description(settings):
    """README as PyPI shows it: put together and changed as the build does."""
    hook = settings["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    text = "".join(part["text"] if "text" in part else (ROOT / part["path"]).read_text() for part in hook["fragments"])
    for change in hook["substitutions"]:
        text = re.sub(change["pattern"], change["replacement"], text)
    return text


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


def test_the_recipe_builds_with_what_the_project_builds_with(settings):
    host = needed(section("host"))
    assert needed(settings["build-system"]["requires"]).items() <= host.items()


def test_what_pypi_shows_has_no_link_that_leads_nowhere(project, long_description):
    assert project["dynamic"] == ["readme"]
    targets = re.findall(r"\]\(([^)]*)\)", long_description)
    assert [target for target in targets if not target.startswith("https://")] == []
    assert "<img" not in long_description
    readme = (ROOT / "README.md").read_text()
    assert long_description.count("```") == readme.count("```")  # code is as it was
    assert '`pip install "tabgan-learn[demo]"`, then `tabgan demo`.\n\n**Install and impute' in long_description
    assert "*Mean rank by RMSE of five imputers" in long_description  # what the picture shows
    assert "moved threshold is often as good" in long_description
    assert "(inference: docs/benchmarks/inference.md)" in long_description
    assert "starts with docs/quickstart.md\n" in long_description
    assert "(evidence below)" in long_description
    assert "\n\nPages named `docs/...` are in the source distribution" in long_description


def test_links_of_a_clone_lead_somewhere():
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]*)", page.read_text()):
            assert (ROOT / target).exists(), target


def test_versions_agree(project):
    version = project["version"]
    assert f'version: "{version}"' in RECIPE
    assert f"version: {version}" in (ROOT / "CITATION.cff").read_text()
    assert re.search(r'python_min: "(.*)"', RECIPE)[1] == project["requires-python"].removeprefix(">=")
    assert f"tabgan = {project['scripts']['tabgan']}" in RECIPE
