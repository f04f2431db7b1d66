"""R's mice by subprocess: many repetitions per call, tables as CSV in a temporary folder.

Needs ``Rscript`` on the PATH and R's packages mice, jsonlite, nnet, ranger and rpart (Debian: ``apt-get install r-cran-mice
r-cran-jsonlite r-cran-nnet r-cran-ranger r-cran-rpart``).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pandas as pd

from benchmarks.imputation.inference.filling import Fill, Kinds, Work

__all__ = ["MICE", "mice", "mice_version"]

# mice's `defaultMethod`: for numbers, two levels, more levels, ordered levels. A method without a model of labels gets mice's own.
MICE = {
    "pmm": ("pmm", "logreg", "polyreg", "polr"),
    "norm": ("norm", "logreg", "polyreg", "polr"),
    "cart": ("cart",) * 4,
    "rf": ("rf",) * 4,
}
"""Methods of mice that are run."""
_SCRIPT = Path(__file__).with_name("mice.R")


@cache
def mice_version() -> str | None:
    """Such as "mice 3.15.0, R 4.2.2"; None where R or mice is not there."""
    if shutil.which("Rscript") is None:
        return None
    loaded = "; ".join(f"loadNamespace('{name}')" for name in ("jsonlite", "nnet", "ranger", "rpart"))
    version = "cat(sprintf('mice %s, R %s', packageVersion('mice'), getRversion()))"
    answer = subprocess.run(["Rscript", "-e", f"{{{loaded}; {version}}}"], capture_output=True, text=True)
    return answer.stdout.strip() if answer.returncode == 0 else None


def mice(name: str) -> Fill:
    """One method of mice for all columns that it can fill, with mice's other defaults: 5 rounds, or 1 where that is as good."""

    def fill(works: Sequence[Work], kinds: Kinds, m: int) -> Iterator[list[pd.DataFrame] | Exception]:
        with tempfile.TemporaryDirectory() as folder:
            for case, seed in works:
                case.given.to_csv(Path(folder) / f"in_{seed}.csv", index=False)
            settings = {"seeds": [seed for _, seed in works], "m": m, "methods": MICE[name], "kinds": dict(kinds)}
            (Path(folder) / "settings.json").write_text(json.dumps(settings))
            answer = subprocess.run(
                ["Rscript", "--vanilla", str(_SCRIPT), folder],
                capture_output=True,
                text=True,
            )
            if answer.returncode:
                raise RuntimeError(f"mice failed: {answer.stderr.strip()[-500:]}")
            for case, seed in works:
                yield _completed(Path(folder), seed, len(case.truth))

    return fill


def _completed(folder: Path, seed: int, n: int) -> list[pd.DataFrame] | Exception:
    """The tables of one repetition, or what R said of its failure."""
    failure = folder / f"error_{seed}.txt"
    if failure.exists():
        return RuntimeError(failure.read_text().strip()[:500])
    long = pd.read_csv(folder / f"out_{seed}.csv", dtype=float)
    return [long.iloc[start : start + n].reset_index(drop=True) for start in range(0, len(long), n)]
