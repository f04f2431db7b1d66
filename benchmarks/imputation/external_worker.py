"""Runs inside a competitor's environment: ``external_worker.py METHOD IN OUT SEED N_DRAWS``; knows nothing of this package.

IN holds ``train`` and ``test`` (numbers and codes, NaN for gaps) and ``levels`` (0 for a number); OUT gets completed tables of both,
one per draw. The last line on standard output says in JSON what it took.
"""

import json
import sys
import time
import warnings
from importlib.metadata import version

import numpy as np
import pandas as pd


def hyperimpute(method, train, test, levels, seed, n_draws):
    """HyperImpute's own search, or its GAIN, both as their authors set them."""
    from hyperimpute.plugins.imputers import Imputers

    started = time.perf_counter()
    filled = Imputers().get(method, random_state=seed).fit_transform(pd.DataFrame(train).add_prefix("c"))
    report = {"fit_seconds": time.perf_counter() - started, "transform_seconds": 0.0}
    return np.asarray(filled, dtype=float)[None], np.empty((1, *test.shape)), report


def miceforest(method, train, test, levels, seed, n_draws):
    """Five rounds of LightGBM with mean matching, as its documentation shows it.

    Mean matching of labels breaks off on levels so rare that LightGBM gives them probability 0; they are then drawn by LightGBM's
    probabilities (``mean_match_strategy="fast"``), and the report says so.
    """
    import miceforest

    def frame(values):
        table = pd.DataFrame(values).add_prefix("c")
        for name, n_levels in zip(table.columns, levels, strict=True):
            if n_levels:
                table[name] = pd.Categorical(table[name], categories=np.arange(n_levels, dtype=float))
        return table

    def completed(kernel):
        return np.stack([kernel.complete_data(k).astype(float).to_numpy() for k in range(n_draws)])

    def run(strategy):
        started = time.perf_counter()
        kernel = miceforest.ImputationKernel(
            frame(train), num_datasets=n_draws, random_state=seed, mean_match_strategy=strategy
        )
        kernel.mice(5, num_threads=1)
        found = completed(kernel)
        fitted = time.perf_counter()
        others = np.empty((n_draws, *test.shape))
        if len(test):
            others = completed(kernel.impute_new_data(frame(test), random_state=seed))
        return found, others, {"fit_seconds": fitted - started, "transform_seconds": time.perf_counter() - fitted}

    try:
        return run("normal")
    except ValueError as error:
        if "finite" not in str(error):
            raise
    gapped = np.isnan(train).any(axis=0)
    strategy = {f"c{j}": "fast" if levels[j] else "normal" for j in range(len(levels)) if gapped[j]}
    found, others, report = run(strategy)
    return found, others, report | {"note": "labels drawn by probability: mean matching broke off"}


def main():
    warnings.filterwarnings("ignore")
    method, given, taken, seed, n_draws = sys.argv[1:]
    with np.load(given) as arrays:
        train, test, levels = arrays["train"], arrays["test"], arrays["levels"]
    run, package = (miceforest, "miceforest") if method == "miceforest" else (hyperimpute, "hyperimpute")
    found, others, report = run(method, train, test, levels, int(seed), int(n_draws))
    np.savez(taken, train=found, test=others)
    print("\n" + json.dumps(report | {"package": f"{package} {version(package)}"}))


if __name__ == "__main__":
    main()
