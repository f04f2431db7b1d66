"""Memory and speed of `fit_batches` and `transform_batches` over the number of rows: ``python -m benchmarks.imputation.streaming``."""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator

import numpy as np
import pandas as pd

from tabgan import GAINImputer, fit_batches, transform_batches

BATCH = 50_000
"""Rows."""


def batches(n_rows: int) -> Iterator[pd.DataFrame]:
    """A mixed table of 20 columns, of which a fifth of the cells is missing: three factors, numbers, counts and labels."""
    weights = np.random.default_rng(0).normal(size=(3, 20))
    for number, start in enumerate(range(0, n_rows, BATCH)):
        rng = np.random.default_rng([1, number])
        n = min(BATCH, n_rows - start)
        values = rng.normal(size=(n, 3)) @ weights + rng.normal(size=(n, 20))
        frame = pd.DataFrame(values, columns=[f"x{j}" for j in range(20)]).round(3)
        for j in range(14, 17):
            frame[f"x{j}"] = np.exp(frame[f"x{j}"] / 3).round()
        for j in range(17, 20):
            frame[f"x{j}"] = pd.cut(frame[f"x{j}"], [-np.inf, -1, 0, 1, np.inf], labels=list("abcd")).astype("str")
        frame = frame.mask(rng.random(frame.shape) < 0.2)
        frame.insert(0, "id", np.arange(start, start + n))
        yield frame


def peak() -> float:
    """Most memory so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print a line of figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--sample", type=int, default=20_000, help="rows that are learnt from")
    parser.add_argument("--effort", default="fast")
    given = parser.parse_args()
    began, started = peak(), time.process_time()
    for _ in batches(given.rows):
        pass
    made = time.process_time() - started
    started = time.process_time()
    imputer = GAINImputer(effort=given.effort, random_state=0)
    fit_batches(imputer, batches(given.rows), n_rows=given.sample, keys="id")
    fitted, started = time.process_time() - started - made, time.process_time()
    n_missing = sum(
        int(filled.isna().sum().sum()) for filled in transform_batches(imputer, batches(given.rows), keys="id")
    )
    filled = time.process_time() - started - made
    print(
        f"{given.rows:>10,} rows, effort {given.effort}, sample {given.sample:,}: fit {fitted:.0f} CPU s, transform {filled:.0f} "
        f"CPU s ({given.rows / filled:,.0f} rows per s), peak {peak():.0f} MiB ({began:.0f} after imports), {n_missing} cells left"
    )


if __name__ == "__main__":
    main()
