"""The public names of the packages that import them on first use: shown, found, and free of what they do not need."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from tabgan._lazy import lazy_names

SOURCE = Path(__file__).resolve().parents[1] / "tabgan"
LAZY = sorted(
    ".".join(path.parent.relative_to(SOURCE.parent).parts)
    for path in SOURCE.rglob("__init__.py")
    if "lazy_names(" in path.read_text()
)


def fresh(script: str) -> None:
    """Run a script in a process that has imported nothing yet."""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_four_packages_are_lazy():
    assert LAZY == ["tabgan", "tabgan.images", "tabgan.metrics", "tabgan.plotting"]


@pytest.mark.parametrize("package", LAZY)
def test_dir_shows_the_public_names_and_nothing_else(package):
    module = import_module(package)
    for name in module.__all__:  # what was asked for before must not show either
        getattr(module, name)
    shown = [name for name in dir(module) if not (name.startswith("__") and name.endswith("__"))]
    assert shown == [name for name in module.__all__ if name != "__version__"]
    assert {"__all__", "__doc__", "__file__", "__name__"} <= set(dir(module))
    fresh(f"import {package} as m; assert set(m.__all__) <= set(dir(m)), dir(m)")


@pytest.mark.parametrize("package", LAZY)
def test_every_public_name_resolves_to_the_thing_of_that_name(package):
    module = import_module(package)
    assert module.__all__ == sorted(set(module.__all__))
    for name in module.__all__:
        thing = getattr(module, name)
        assert getattr(thing, "__name__", name) == name
        assert getattr(module, name) is thing
        assert name in vars(module)  # the second time without a search
    everything: dict = {}
    exec(f"from {package} import *", everything)
    assert set(module.__all__) <= set(everything)


@pytest.mark.parametrize("package", LAZY)
def test_an_unknown_name_is_an_attribute_error_that_names_the_package(package):
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'GAINImpute'"):
        import_module(package).GAINImpute  # noqa: B018
    assert not hasattr(import_module(package), "import_module")


def test_a_place_that_lacks_its_name_is_an_error():
    of_name, _ = lazy_names("tabgan", ["nothing"], {"nothing": ".exceptions"})
    with pytest.raises(AttributeError, match="nothing"):
        of_name("nothing")


def test_importing_tabgan_imports_neither_torch_nor_pandas_nor_extras():
    fresh(
        "import sys, tabgan, tabgan.metrics, tabgan.plotting; dir(tabgan); tabgan.__version__\n"
        "assert not {'torch', 'pandas', 'sklearn', 'matplotlib', 'pyarrow', 'ray', 'pyspark'} & set(sys.modules)"
    )
    fresh(
        "import sys, tabgan.ray, tabgan.spark, tabgan.cli.stream_job\nassert not {'ray', 'pyspark'} & set(sys.modules)"
    )
