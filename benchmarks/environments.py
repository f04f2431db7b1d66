"""``python -m benchmarks.environments``: make the environments of competitors that cannot live beside this package.

They are put under ``TABGAN_BENCH_ENVS`` (default ``~/.cache/tabgan-benchmarks``), about 3 GB in all; Python 3.11
has wheels for every pin.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

__all__ = ["ENVIRONMENTS", "environment_python", "make"]

ENVIRONMENTS: dict[str, tuple[tuple[str, ...], ...]] = {
    # HyperImpute 0.1.17 asks for jupyter, notebook and the GPU builds of torch and xgboost, and runs without; newer scikit-learn
    # and pandas make it return column means without a word.
    "hyperimpute": (
        (
            "numpy==1.24.4",
            "pandas==1.5.3",
            "scikit-learn==1.2.2",
            "scipy==1.11.4",
            "torch==2.13.0",
            "lightgbm==4.3.0",
            "catboost==1.2.5",
            "optuna==3.6.1",
            "loguru==0.6.0",
            "pydantic==1.10.17",
            "cloudpickle==3.0.0",
            "geomloss==0.2.6",
            "redis==5.0.4",
        ),
        ("--no-deps", "xgboost==2.0.3", "hyperimpute==0.1.17", "miracle-imputation==0.1.6"),
    ),
    "miceforest": (
        (
            "miceforest==6.0.5",
            "numpy==1.26.4",
            "pandas==2.2.3",
            "scipy==1.13.1",
            "lightgbm==4.6.0",
            "pyarrow==17.0.0",
        ),
    ),
    # smote-variants asks for tensorflow, keras and mkl too; polynom-fit-SMOTE and ProWSyn run without.
    "smote-variants": (
        (
            "numpy==2.4.6",
            "pandas==3.1.1",
            "scikit-learn==1.9.1",
            "scipy==1.17.1",
            "joblib==1.6.0",
            "metric-learn==0.7.0",
            "minisom==2.3.6",
            "seaborn==0.13.2",
            "statistics==1.0.3.5",
        ),
        ("--no-deps", "smote-variants==1.0.1"),
    ),
    # Business Source License 1.1: measured here, never shipped or depended on.
    "ctgan": (
        ("ctgan==0.12.1", "rdt==2.0.0", "torch==2.13.0", "numpy==2.4.6", "pandas==3.1.1", "scikit-learn==1.9.1"),
    ),
}
"""Arguments of each ``pip install``, by environment."""


def environment_python(name: str) -> Path:
    """The interpreter of an environment.

    Raises
    ------
    FileNotFoundError
        If it was not made yet; says how to make it.
    """
    python = _folder() / name / "bin" / "python"
    if not python.exists():
        raise FileNotFoundError(
            f"environment {name!r} is not at {python.parent.parent}: make it by "
            f"`python -m benchmarks.environments {name}`"
        )
    return python


def make(name: str, python: str = sys.executable) -> Path:
    """Create an environment, or bring it to its pins; returns its interpreter."""
    folder = _folder() / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not (folder / "bin" / "python").exists():
        subprocess.run([python, "-m", "venv", str(folder)], check=True)
    for arguments in ENVIRONMENTS[name]:
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, *arguments], check=True)
    return environment_python(name)


def _folder() -> Path:
    return Path(os.environ.get("TABGAN_BENCH_ENVS") or Path.home() / ".cache" / "tabgan-benchmarks")


def main() -> None:
    """Make those named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.environments", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ENVIRONMENTS)} (default: all)")
    parser.add_argument("--python", default=sys.executable, help="a Python 3.11 to make them from")
    options = parser.parse_args()
    if unknown := set(options.names) - set(ENVIRONMENTS):
        parser.error(f"no such environment: {', '.join(sorted(unknown))}; there are {', '.join(ENVIRONMENTS)}")
    for name in options.names or ENVIRONMENTS:
        print(make(name, options.python), flush=True)


if __name__ == "__main__":
    main()
