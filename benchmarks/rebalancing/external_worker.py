"""Runs inside a competitor's environment: ``external_worker.py METHOD IN OUT SEED``; knows nothing of this package.

IN holds ``rows`` (numbers and codes), ``y`` and ``levels`` (0 for a number); OUT gets the rows made and their classes, as many as
bring every class to the size of the largest. The last line on standard output says in JSON what it took.
"""

import json
import logging
import sys
import time
import warnings
from importlib.metadata import version

import numpy as np
import pandas as pd

MOST_ROUNDS = 40  # of drawing until a class has its rows


def interpolate(method, rows, y, seed):
    """Each class against the largest one with smote-variants' defaults: star topology; L=5, theta=1."""
    import smote_variants

    logging.getLogger("smote_variants").setLevel(logging.ERROR)
    kind = {"polynom-fit-SMOTE": "polynom_fit_SMOTE_star", "ProWSyn": "ProWSyn"}[method]
    counts = np.bincount(y)
    started = time.perf_counter()
    made, classes = [], []
    for c in np.flatnonzero(counts < counts.max()):
        pair = np.isin(y, [c, counts.argmax()])
        sampler = getattr(smote_variants, kind)(random_state=seed)
        found, labels = sampler.sample(rows[pair], (y[pair] == c).astype(int))
        # It appends; a topology may overshoot the size of the largest class by a few rows.
        new = found[pair.sum() :][labels[pair.sum() :] == 1][: counts.max() - counts[c]]
        made.append(new)
        classes.append(np.full(len(new), c))
    notes = {"package": f"smote-variants {version('smote-variants')}", "seconds": time.perf_counter() - started}
    return np.vstack(made), np.concatenate(classes), notes


def generate(method, rows, y, levels, seed):
    """300 epochs with ctgan's defaults, then rows drawn until each class has its share: its class condition is not exact."""
    import ctgan
    import torch

    torch.set_num_threads(1)
    frame = pd.DataFrame(rows).add_prefix("c")
    discrete = [name for name, n_levels in zip(frame.columns, levels, strict=False) if n_levels] + ["class"]
    frame["class"] = y
    for name in discrete:
        frame[name] = frame[name].astype(int).astype(str)
    model = (ctgan.CTGAN if method == "CTGAN" else ctgan.TVAE)(epochs=300, enable_gpu=False)
    model.set_random_state(seed)
    started = time.perf_counter()
    model.fit(frame, discrete)
    notes = {"package": f"ctgan {version('ctgan')}", "generator_fit_seconds": time.perf_counter() - started}
    counts = np.bincount(y)
    made, drawn, kept, short = [], 0, 0, 0
    for c in np.flatnonzero(counts < counts.max()):
        need, found = int(counts.max() - counts[c]), []
        for _ in range(MOST_ROUNDS):
            asked = max(need, 500)
            if method == "CTGAN":
                batch = model.sample(asked, condition_column="class", condition_value=str(c))
            else:
                batch = model.sample(asked)
            hits = batch[batch["class"] == str(c)]
            drawn, kept = drawn + asked, kept + len(hits)
            found.append(hits)
            if sum(map(len, found)) >= need:
                break
        rows_of_class = pd.concat(found, ignore_index=True)
        if rows_of_class.empty:
            raise RuntimeError(
                f"no row of class {c}, of {counts[c]} in {len(y)} given, among {MOST_ROUNDS * asked} drawn"
            )
        if len(rows_of_class) < need:  # what there is, again
            short += need - len(rows_of_class)
            rows_of_class = rows_of_class.sample(need, replace=True, random_state=seed)
        made.append(rows_of_class.iloc[:need])
    table = pd.concat(made, ignore_index=True)
    classes = table.pop("class").astype(int).to_numpy()
    notes |= {"asked_class_share": kept / drawn, "short": int(short), "seconds": time.perf_counter() - started}
    return table.astype(float).to_numpy(), classes, notes


def main():
    warnings.filterwarnings("ignore")
    method, given, taken, seed = sys.argv[1:]
    with np.load(given) as arrays:
        rows, y, levels = arrays["rows"], arrays["y"], arrays["levels"]
    if method in ("CTGAN", "TVAE"):
        made, classes, notes = generate(method, rows, y, levels, int(seed))
    else:
        made, classes, notes = interpolate(method, rows, y, int(seed))
    np.savez(taken, rows=made, y=classes)
    print(json.dumps(notes))


if __name__ == "__main__":
    main()
