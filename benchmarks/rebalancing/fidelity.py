"""How like the real rows of a class the made ones are, judged by held-out real rows; and how near they lie to those they came from."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp
from sklearn.ensemble import RandomForestClassifier

from benchmarks.rebalancing.space import Space

__all__ = ["class_fidelity", "correlation_difference", "fidelity"]

ENOUGH = 10  # real held-out rows of a class below which nothing is said about its shape
COPY = 1e-9  # standard deviations


def fidelity(
    space: Space, train: tuple[pd.DataFrame, np.ndarray], test: tuple[pd.DataFrame, np.ndarray],
    made: tuple[pd.DataFrame, np.ndarray], seed: int,
) -> dict[str, dict[str, float]]:  # fmt: skip
    """Measures of every class that has made rows, by class number as a string.

    Parameters
    ----------
    space : Space
        Fitted to the training rows.
    train, test, made : tuple of (pandas.DataFrame, ndarray of int)
        Real rows learnt from, real rows held out, and made rows, each with classes.
    """
    judge = RandomForestClassifier(100, class_weight="balanced", n_jobs=1, random_state=seed)
    judge.fit(space.one_hot(test[0]), test[1])
    found = {}
    for c in np.unique(made[1]):
        rows = [space.fill(frame[label == c].reset_index(drop=True)) for frame, label in (train, test, made)]
        found[str(c)] = class_fidelity(space, *rows, seed=seed)
        # A classifier that never saw the rows these were made from; what it says of them is the ceiling.
        found[str(c)] |= {
            "consistency": float((judge.predict(space.one_hot(rows[2])) == c).mean()),
            "consistency_of_real": float((judge.predict(space.one_hot(rows[0])) == c).mean()),
        }
    return found


def class_fidelity(
    space: Space, train: pd.DataFrame, held_out: pd.DataFrame, made: pd.DataFrame, *, seed: int
) -> dict[str, float]:
    """Column shapes, correlations, two-sample AUC, density and coverage against held-out rows; copies of training rows.

    What needs more than `ENOUGH` held-out rows is left out where there are fewer.
    """
    from tabgan.metrics.rows import nearest_distances

    real, fake, source = space.one_hot(held_out), space.one_hot(made), space.one_hot(train)
    near = nearest_distances(fake, source)
    found = {"n_made": len(made), "n_train": len(train), "n_held_out": len(held_out)}
    found |= {"copies": float((near < COPY).mean()), "nearest_train": float(np.median(near))}
    if len(train) > 1:
        found["nearest_within_train"] = float(np.median(nearest_distances(source)))
    if len(held_out) < ENOUGH or len(made) < ENOUGH:
        return found
    found["shape"] = _shape(space, held_out, made)
    found["shape_of_real"] = _shape(space, held_out, train)
    if len(space.numeric) > 1:
        found["correlation_difference"] = correlation_difference(real, fake, len(space.numeric))
        found["correlation_difference_of_real"] = correlation_difference(real, source, len(space.numeric))
    found["two_sample_auc"] = _two_sample(real, fake, seed)
    found["two_sample_auc_of_real"] = _two_sample(real, source, seed)
    try:
        from tabgan.metrics.generative import precision_recall_density_coverage
    except ImportError:
        return found
    rng = np.random.default_rng(seed)
    few = fake[rng.permutation(len(fake))[: max(len(real), ENOUGH)]]  # both measures depend on the sizes
    k = min(5, len(real) - 1, len(few) - 1)
    cloud = precision_recall_density_coverage(real, few, k=k)
    return found | {"density": float(cloud.density), "coverage": float(cloud.coverage)}


def _shape(space: Space, real: pd.DataFrame, other: pd.DataFrame) -> float:
    """Mean over columns of 1 - Kolmogorov-Smirnov distance (numbers) or 1 - total variation (categories)."""
    parts = [1 - ks_2samp(real[column], other[column]).statistic for column in space.numeric]
    for column in space.categorical:
        shares = [frame[column].value_counts(normalize=True) for frame in (real, other)]
        parts.append(1 - shares[0].sub(shares[1], fill_value=0).abs().sum() / 2)
    return float(np.mean(parts))


def correlation_difference(real: np.ndarray, other: np.ndarray, width: int) -> float:
    """Mean absolute difference of correlations between numbers; a column without spread correlates with nothing."""
    first, second = (_correlation_matrix(rows[:, :width]) for rows in (real, other))
    upper = np.triu_indices(width, 1)
    return float(np.abs(first - second)[upper].mean())


def _correlation_matrix(rows: np.ndarray) -> np.ndarray:
    scale = rows.std(axis=0)
    unit = (rows - rows.mean(axis=0)) / np.where(scale > 1e-12, scale, np.inf)
    return unit.T @ unit / len(rows)


def _two_sample(real: np.ndarray, other: np.ndarray, seed: int) -> float | None:
    from tabgan.metrics.distribution import classifier_two_sample_auc

    n = min(len(real), len(other), 300)
    rng = np.random.default_rng(seed)
    pair = [rows[rng.permutation(len(rows))[:n]] for rows in (real, other)]
    return float(classifier_two_sample_auc(*pair, classifier="logistic", n_splits=3, random_state=seed))
