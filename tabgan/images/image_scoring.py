"""`image_scores`: how near generated images come to real ones, in features of one's choice, beside what real images reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tabgan._results import ReportsItself
from tabgan._runtime import own_torch
from tabgan.exceptions import InvalidInputError, parameter_error
from tabgan.images.reading import ReadOptions, open_images
from tabgan.metrics.distribution import classifier_two_sample_auc
from tabgan.metrics.generative import (
    frechet_distance,
    kernel_distance,
    nearest_distance_ratio,
    precision_recall_density_coverage,
)

__all__ = ["ImageScores", "Scores", "image_scores"]

_AT_ONCE = 256

Features = Callable[[Tensor], Any]
"""Images of shape (n, c, h, w) in [-1, 1] to one row of numbers per image."""


@dataclass(frozen=True)
class Scores:
    """Scores of one sample of images against real ones.

    Parameters
    ----------
    frechet, kernel : float
        Distances; 0 is best. See `tabgan.metrics.frechet_distance` and `tabgan.metrics.kernel_distance`.
    precision, recall, density, coverage : float
        See `tabgan.metrics.precision_recall_density_coverage`.
    c2st_auc : float
        How well a classifier tells them from real ones: 0.5 not at all, 1 without error.
    nearness : float
        Median distance to the nearest training image, over that of held-out images: 0 is copies, about 1 as it should be. NaN without
        held-out images.
    """

    frechet: float
    kernel: float
    precision: float
    recall: float
    density: float
    coverage: float
    c2st_auc: float
    nearness: float


@dataclass(frozen=True)
class ImageScores(ReportsItself):
    """What `image_scores` returns; print it.

    Parameters
    ----------
    made : Scores
        Of the generated images.
    of_real : Scores or None
        Of as many held-out real images: what a perfect generator would reach.
    n : int
        Images of each sample, the same number of all, as most scores depend on it.
    features : str
        What distances are taken between.
    n_features : int
        How many numbers per image.
    """

    made: Scores
    of_real: Scores | None
    n: int
    features: str
    n_features: int

    def __str__(self) -> str:
        """As a table."""
        lines = [f"{'':10}{'made':>10}" + (f"{'real':>10}" if self.of_real else "")]
        real = [None] * len(fields(Scores)) if self.of_real is None else list(astuple(self.of_real))
        for part, value, other in zip(fields(Scores), astuple(self.made), real, strict=True):
            lines.append(f"{part.name:10}{value:10.3g}" + ("" if other is None else f"{other:10.3g}"))
        lines.append(
            f"{self.n:,} images of each sample, {self.features} ({self.n_features:,} numbers per image). Compare with other figures "
            "only at the same n and features: none of them is a published FID, which stands on 50,000 images and Inception's features."
        )
        return "\n".join(lines)


@own_torch(None)
def image_scores(
    real: Any,
    made: Any,
    held_out: Any = None,
    *,
    features: Features | None = None,
    k: int = 5,
    max_images: int = 2000,
    value_range: tuple[float, float] | None = None,
    random_state: int = 0,
) -> ImageScores:
    """Score generated images against real ones.

    Parameters
    ----------
    real : ndarray, Tensor, Dataset or path
        The images that the generator was trained on; see `tabgan.images.reading.open_images`.
    made : ndarray, Tensor, Dataset or path
        Generated images of the same size, with black and white at the same values.
    held_out : like ``real``, default=None
        Real images that the generator never saw: with them its scores stand beside what real images reach, and copies show.
    features : nn.Module or callable, default=None
        ``features(images) -> (n, ...)``, given float32 images (n, c, h, w) in [-1, 1]: a network that was trained on other images,
        such as a classifier without its last layer. None takes the pixels. A module is used in evaluation mode, where it is.
    k : int, default=5
        Neighbours of precision, recall, density and coverage.
    max_images : int, default=2000
        Of each sample; all are cut to the size of the smallest.
    value_range : (low, high), default=None
        Values of black and white, if these cannot be known from ``real``.
    random_state : int, default=0
        Of the cuts and folds.

    Returns
    -------
    ImageScores

    Raises
    ------
    InvalidInputError
        Images of different sizes or ranges, too few of them, or features that are no finite numbers.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> real, made = rng.random((60, 4, 4)), 0.5 * rng.random((60, 4, 4))
    >>> scores = image_scores(real, made, rng.random((60, 4, 4)))
    >>> scores.made.recall < scores.of_real.recall, scores.n
    (True, 60)
    """
    if not isinstance(max_images, (int, np.integer)) or max_images < 2:
        raise parameter_error("max_images", max_images, "an integer >= 2")
    trained = open_images(real, ReadOptions(value_range), name="real")
    samples = [trained]
    for name, source in (("made", made), ("held_out", held_out)):
        if source is None:
            continue
        opened = open_images(source, ReadOptions(), like=trained.form, name=name)
        if opened.form.shape != trained.form.shape:
            raise InvalidInputError(
                f"{name} has images of shape {opened.form.shape}, but real has {trained.form.shape}."
            )
        samples.append(opened)
    n = min(max_images, *(len(one.pixels) for one in samples))
    rng = np.random.default_rng(random_state)
    rows = [_features(one.pixels, rng.permutation(len(one.pixels))[:n], features) for one in samples]
    known, generated, fresh = rows[0], rows[1], (rows[2] if len(rows) > 2 else None)
    made_scores = _scores(known, generated, fresh, k, random_state)
    of_real = None if fresh is None else _scores(known, fresh, fresh, k, random_state)
    words = "pixels" if features is None else f"features of {getattr(features, '__name__', type(features).__name__)}"
    return ImageScores(made_scores, of_real, n, words, known.shape[1])


def _scores(real: np.ndarray, made: np.ndarray, fresh: np.ndarray | None, k: int, random_state: int) -> Scores:
    return Scores(
        frechet_distance(real, made),
        kernel_distance(real, made),
        *precision_recall_density_coverage(real, made, k),
        classifier_two_sample_auc(real, made, random_state=random_state),
        float("nan") if fresh is None else nearest_distance_ratio(real, made, fresh),
    )


@torch.no_grad()
def _features(pixels: Any, rows: np.ndarray, features: Features | None) -> np.ndarray:
    """One row of numbers per image, a batch at a time."""
    module = features if isinstance(features, nn.Module) else None
    device = next((weight.device for weight in module.parameters()), torch.device("cpu")) if module else None
    mode = module.training if module else False
    if module:
        module.eval()
    found = []
    try:
        for some in torch.from_numpy(rows).split(_AT_ONCE):
            images = pixels[some]
            value = images if features is None else features(images.to(device) if device else images)
            array = value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
            if len(array) != len(some):
                raise InvalidInputError(
                    f"features gave {len(array)} rows for {len(some)} images; one per image is needed."
                )
            found.append(array.reshape(len(array), -1).astype(float))
    finally:
        if module:
            module.train(mode)
    return np.concatenate(found)
