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


def test_training_on_a_folder_imports_no_more_than_torch_sklearn_and_pillow(tmp_path):
    # What scikit-learn imports itself (pandas, scipy.stats) cannot be helped; every further library would be memory for nothing.
    image = pytest.importorskip("PIL.Image")
    for number in range(4):
        image.new("L", (8, 8), 60 * number).save(tmp_path / f"{number}.png")
    fresh(
        "import sys, torch, sklearn.base\n"
        "try: import sklearn.callback\n"
        "except ImportError: pass\n"
        "before = {name.split('.')[0] for name in sys.modules}\n"
        "from tabgan.images import ImageGAN\n"
        f"ImageGAN('dcgan', n_steps=1, settings={{'width': 4}}, stream=True, device='cpu').fit({str(tmp_path)!r})\n"
        "more = {name.split('.')[0] for name in sys.modules} - before - set(sys.stdlib_module_names)\n"
        "assert more <= {'tabgan', 'PIL', 'tqdm', 'defusedxml', 'olefile'}, more\n"
        "heavy = {'torch._dynamo', 'sympy', 'matplotlib', 'imblearn', 'sklearn.ensemble', 'tabgan.imputation'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
