"""How good generated rows are: Frechet and kernel distance, precision, recall, density, coverage, copies, collapse.

All functions take *feature arrays* of shape (n, d): encoded table rows, flattened images, or the inner layer of a classifier trained
on rows that the generator never saw. None of them has a scale of its own: print the score of another real sample beside every number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.metrics.rows import BLOCK, checked_rows, distance_blocks, nearest_distances, total_distance

__all__ = [
    "PrecisionRecall",
    "conditional_accuracy",
    "frechet_distance",
    "gaussian_frechet_distance",
    "kernel_distance",
    "nearest_distance_ratio",
    "pair_distance_ratio",
    "precision_recall_density_coverage",
    "train_on_synthetic_score",
]

Pairs = Literal["mean", "nearest"]


def frechet_distance(real: Any, fake: Any) -> float:
    """Squared Frechet distance between the normal distributions fitted to two samples ("FID" on Inception features).

    Parameters
    ----------
    real, fake : array of float of shape (n, d) and (m, d)
        Features.

    Returns
    -------
    float in [0, inf)
        Biased upwards at small n, by an amount that depends on the generator: compare only at equal sizes, beside the distance of
        another real sample, and below about 1,000 rows trust `kernel_distance` and coverage more.

    Raises
    ------
    InvalidInputError
        Not two-dimensional, different widths, NaN, or fewer than two rows.

    References
    ----------
    Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule", equation 6; Chong and Forsyth 2020, "Effectively Unbiased FID
    and Inception Score", on the bias.

    Examples
    --------
    >>> frechet_distance([[0.0], [2.0]], [[3.0], [5.0]])
    9.0
    """
    moments = [(x.mean(axis=0), np.atleast_2d(np.cov(x, rowvar=False))) for x in checked_rows(real=real, fake=fake)]
    return gaussian_frechet_distance(*moments[0], *moments[1])


def gaussian_frechet_distance(mean_a: Any, covariance_a: Any, mean_b: Any, covariance_b: Any) -> float:
    """Squared Frechet (2-Wasserstein) distance between two normal distributions.

    Parameters
    ----------
    mean_a, mean_b : array of float of shape (d,)
        Means.
    covariance_a, covariance_b : array of float of shape (d, d)
        Symmetric and positive semi-definite; singular ones are fine.

    Returns
    -------
    float in [0, inf)
        ``|mean_a - mean_b|^2 + tr(A + B - 2 (A^(1/2) B A^(1/2))^(1/2))``. The symmetric form needs two symmetric eigenvalue problems
        and cannot turn complex, as the usual square root of the product ``A B`` does on singular covariances.

    References
    ----------
    Dowson and Landau 1982, "The Frechet distance between multivariate normal distributions", equation 4.

    Examples
    --------
    >>> gaussian_frechet_distance([0.0], [[4.0]], [1.0], [[9.0]])
    2.0
    """
    A, B = np.asarray(covariance_a, dtype=float), np.asarray(covariance_b, dtype=float)
    values, vectors = np.linalg.eigh(A)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ B @ root).clip(0)).sum()
    gap = np.asarray(mean_a, dtype=float) - np.asarray(mean_b, dtype=float)
    return float(max(gap @ gap + np.trace(A) + np.trace(B) - 2 * cross, 0.0))


def kernel_distance(real: Any, fake: Any, *, standardize: bool = True) -> float:
    """Unbiased squared maximum mean discrepancy under the cubic kernel ("KID" on Inception features).

    Parameters
    ----------
    real, fake : array of float of shape (n, d) and (m, d)
        Features.
    standardize : bool, default=True
        Scale by the mean and standard deviation of ``real`` first: the cube of raw features of size 10 is in the millions.

    Returns
    -------
    float
        Mean 0 for two samples of one distribution, so it may be negative.

    Raises
    ------
    InvalidInputError
        As for `frechet_distance`.

    References
    ----------
    Binkowski et al. 2018, "Demystifying MMD GANs", section 3 (``k(x, y) = (x.y / d + 1)^3``). Departures: all rows at once instead of
    the mean over random subsets, which has the same expectation and less variance; standardised features.
    """
    first, second = checked_rows(real=real, fake=fake)
    if standardize:
        centre, scale = first.mean(axis=0), first.std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        first, second = (first - centre) / scale, (second - centre) / scale
    n, m = len(first), len(second)
    within = _off_diagonal_kernel(first) / (n * (n - 1)) + _off_diagonal_kernel(second) / (m * (m - 1))
    return float(within - 2 * _kernel_sum(first, second) / (n * m))


class PrecisionRecall(NamedTuple):
    """What `precision_recall_density_coverage` returns.

    Attributes
    ----------
    precision : float in [0, 1]
        Share of generated rows inside the k-nearest ball of some real row. 1 for a collapsed generator too.
    recall : float in [0, 1]
        Share of real rows inside the k-nearest ball of some generated row.
    density : float in [0, n/k]
        Mean number of real balls around a generated row, over k: near 1 for another real sample, above it where the generator
        keeps to crowded places.
    coverage : float in [0, 1]
        Share of real rows whose k-nearest ball holds a generated row; ``1 - (n-1)...(n-k) / ((2n-1)...(2n-k))``, about
        ``1 - 2^-k``, for another real sample of equal size.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall_density_coverage(real: Any, fake: Any, k: int = 5) -> PrecisionRecall:
    """Fidelity and diversity apart, from nearest neighbours.

    Parameters
    ----------
    real, fake : array of float of shape (n, d) and (m, d)
        Features on a common scale.
    k : int, default=5
        Neighbours, a row itself not counted; below n and m.

    Returns
    -------
    PrecisionRecall
        ``precision``, ``recall``, ``density`` and ``coverage``. Time grows with n m d; memory with ``500 (n + m)``.

    Raises
    ------
    InvalidInputError
        As for `frechet_distance`, or no more than ``k`` rows.
    InvalidParameterError
        ``k`` below 1.

    References
    ----------
    Kynkaanniemi et al. 2019, "Improved Precision and Recall Metric for Assessing Generative Models", equations 1-2; Naeem et al. 2020,
    "Reliable Fidelity and Diversity Metrics for Generative Models", equations 4 and 6. Balls are closed, as in the first paper, so
    that a sample with duplicates (rounded or categorical columns) still covers itself.

    Examples
    --------
    >>> line = np.arange(10.0)[:, None]
    >>> precision_recall_density_coverage(line, np.full((10, 1), 4.5), k=1)
    PrecisionRecall(precision=1.0, recall=0.0, density=2.0, coverage=0.2)
    """
    if k < 1:
        raise InvalidParameterError(f"k={k!r} must be at least 1.")
    first, second = checked_rows(real=real, fake=fake)
    if min(len(first), len(second)) <= k:
        raise InvalidInputError(f"{min(len(first), len(second))} rows are too few for k={k}; pass more or lower k.")
    radius, fake_radius = nearest_distances(first, k=k), nearest_distances(second, k=k)
    n_balls = np.zeros(len(second))
    covered, recalled = np.zeros(len(first), dtype=bool), np.zeros(len(first), dtype=bool)
    for rows, block in distance_blocks(first, second):
        inside = block <= radius[rows, None]
        n_balls += inside.sum(axis=0)
        covered[rows] = inside.any(axis=1)
        recalled[rows] = (block <= fake_radius).any(axis=1)
    return PrecisionRecall(
        float((n_balls > 0).mean()), float(recalled.mean()), float(n_balls.mean() / k), float(covered.mean())
    )


def nearest_distance_ratio(train: Any, fake: Any, holdout: Any, *, quantile: float = 0.5) -> float:
    """Whether a generator copies: how near generated rows lie to training rows, against how near fresh real rows do.

    Parameters
    ----------
    train, fake, holdout : array of float of shape (n, d)
        The rows the generator was fitted to, its rows, and real rows it never saw, in the same features.
    quantile : float in [0, 1], default=0.5
        Which quantile of the nearest distances is compared; a low one looks for a few copies among many fresh rows.

    Returns
    -------
    float in [0, inf]
        0: copies; about 1: as far as fresh real rows; above 1: off the data. inf or NaN where the holdout itself consists of copies.
        A high ratio is no evidence of privacy.

    Raises
    ------
    InvalidInputError
        As for `frechet_distance`.
    InvalidParameterError
        ``quantile`` outside [0, 1].

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> train, holdout = rng.normal(size=(100, 2)), rng.normal(size=(100, 2))
    >>> nearest_distance_ratio(train, train[:50], holdout)
    0.0
    """
    if not 0 <= quantile <= 1:
        raise InvalidParameterError(f"quantile={quantile!r} must lie in [0, 1].")
    known, generated, fresh = checked_rows(train=train, fake=fake, holdout=holdout)
    found, expected = (np.quantile(nearest_distances(rows, known), quantile) for rows in (generated, fresh))
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.float64(found) / np.float64(expected))


def pair_distance_ratio(real: Any, fake: Any, *, pairs: Pairs = "mean", random_state: int | None = 0) -> float:
    """Whether a generator collapses: distances among generated rows against those among real rows.

    Parameters
    ----------
    real, fake : array of float of shape (n, d) and (m, d)
        Features, best of one class at a time.
    pairs : {"mean", "nearest"}, default="mean"
        ``"mean"`` averages over all pairs and sees lost modes; ``"nearest"`` over each row's nearest other row, and sees many
        near-copies of few prototypes.
    random_state : int, default=0
        Nearest distances shrink with the number of rows, so for ``"nearest"`` the larger sample is cut to the smaller one's size;
        None draws a fresh cut.

    Returns
    -------
    float in [0, inf]
        0: all generated rows alike; about 1: as diverse as real rows. inf or NaN where real rows are all alike.

    Raises
    ------
    InvalidInputError
        As for `frechet_distance`.
    InvalidParameterError
        Unknown ``pairs``.

    Examples
    --------
    >>> pair_distance_ratio([[0.0], [4.0]], [[0.0], [1.0]])
    0.25
    """
    if pairs not in get_args(Pairs):
        raise InvalidParameterError(f"pairs={pairs!r} is not one of {list(get_args(Pairs))}.")
    samples = checked_rows(real=real, fake=fake)
    if pairs == "mean":
        expected, found = (total_distance(x, x) / (len(x) * (len(x) - 1)) for x in samples)
    else:
        rng, n = np.random.default_rng(random_state), min(map(len, samples))
        cut = [x if len(x) == n else x[rng.choice(len(x), n, replace=False)] for x in samples]
        expected, found = (float(nearest_distances(x).mean()) for x in cut)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.float64(found) / np.float64(expected))


def conditional_accuracy(
    predict: Callable[[Any], Any] | Any, fake: Any, asked: Any, *, balanced: bool = False
) -> float:
    """Share of generated rows that a judge assigns to the class they were asked to be.

    Parameters
    ----------
    predict : callable or classifier
        ``predict(fake) -> labels of shape (n,)``, or an object with such a method; trained on rows that the generator never saw.
    fake : array of shape (n, ...)
        Generated rows, handed on as they are.
    asked : array of shape (n,)
        The label asked for, row by row.
    balanced : bool, default=False
        Mean of the classes' shares instead of the share of all rows.

    Returns
    -------
    float in [0, 1]
        Compare with the judge's accuracy on held-out real rows. 1 is reached by one perfect picture per class, too.

    Raises
    ------
    InvalidInputError
        No rows, or labels of another length than the rows.

    Examples
    --------
    >>> conditional_accuracy(lambda x: x > 0, np.array([-1.0, 2.0, 3.0, 4.0]), np.array([False, False, True, True]))
    0.75
    """
    wanted = np.asarray(asked)
    if not len(wanted) or len(wanted) != len(fake):
        raise InvalidInputError(f"asked has {len(wanted)} labels for {len(fake)} rows of fake; pass one per row.")
    judged = np.asarray((predict.predict if hasattr(predict, "predict") else predict)(fake))
    if judged.shape != wanted.shape:
        raise InvalidInputError(f"predict returned shape {judged.shape}, asked has shape {wanted.shape}.")
    hits = judged == wanted
    if not balanced:
        return float(hits.mean())
    return float(np.mean([hits[wanted == label].mean() for label in np.unique(wanted)]))


def train_on_synthetic_score(
    fake: Any, fake_labels: Any, real: Any, real_labels: Any, *, estimator: Any = None, scoring: str = "accuracy"
) -> float:
    """Score on real rows of a classifier trained on generated ones ("train on synthetic, test on real").

    Parameters
    ----------
    fake, real : array of float of shape (n, d) and (m, d)
        Generated training rows, and real test rows that the generator never saw.
    fake_labels, real_labels : array of shape (n,) and (m,)
        Their labels.
    estimator : scikit-learn estimator, default=None
        Cloned, then fitted; None takes logistic regression on standardised columns.
    scoring : str, default="accuracy"
        A scikit-learn scorer name.

    Returns
    -------
    float
        Compare with the same estimator trained on as many real rows.

    Raises
    ------
    InvalidInputError
        As for `frechet_distance`, labels of another length than the rows, or generated rows of one class only.

    References
    ----------
    Esteban, Hyland, Raetsch 2017, "Real-valued (Medical) Time Series Generation with Recurrent Conditional GANs", section 4.3 (TSTR);
    Ravuri and Vinyals 2019, "Classification Accuracy Score for Conditional Generative Models".
    """
    train, test = checked_rows(fake=fake, real=real)
    labels, truth = np.asarray(fake_labels), np.asarray(real_labels)
    for name, rows, given in (("fake", train, labels), ("real", test, truth)):
        if len(rows) != len(given):
            raise InvalidInputError(f"{name}_labels has {len(given)} labels for {len(rows)} rows; pass one per row.")
    if len(np.unique(labels)) < 2:
        raise InvalidInputError("fake_labels holds one class only; a classifier needs two.")
    model = (
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)) if estimator is None else clone(estimator)
    )
    return float(get_scorer(scoring)(model.fit(train, labels), test, truth))


def _cubic_kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a @ b.T / a.shape[1] + 1) ** 3


def _kernel_sum(a: np.ndarray, b: np.ndarray) -> float:
    return float(sum(_cubic_kernel(a[start : start + BLOCK], b).sum() for start in range(0, len(a), BLOCK)))


def _off_diagonal_kernel(a: np.ndarray) -> float:
    return _kernel_sum(a, a) - float((((a * a).sum(axis=1) / a.shape[1] + 1) ** 3).sum())
