"""Image sets in three disjoint parts: for the judge, for the GAN, and real images to compare with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.data import data_folder
from tabgan.images.array_files import read_idx

__all__ = ["ImageSet", "load_images"]


@dataclass(frozen=True)
class ImageSet:
    """Images in [0, 1] of shape (n, h, w) and labels, in three parts that share no image.

    Parameters
    ----------
    name : str
    judge_images, judge_labels : the feature net learns from these
    images, labels : the GAN learns from these
    real, real_labels : what its samples are compared with
    """

    name: str
    judge_images: np.ndarray
    judge_labels: np.ndarray
    images: np.ndarray
    labels: np.ndarray
    real: np.ndarray
    real_labels: np.ndarray


def load_images(name: str, n_train: int = 5000, n_judge: int = 5000, n_real: int = 1000) -> ImageSet:
    """``"digits"`` (scikit-learn; all of it, in three parts), ``"mnist"`` or ``"fashion"`` (``shared/data``)."""
    rng = np.random.default_rng(0)
    if name == "digits":
        from sklearn.datasets import load_digits

        digits = load_digits()
        images, labels = digits.images / 16, digits.target
        order = rng.permutation(len(images))
        # The judge's part also serves as the real-real floor's second sample.
        n_judge, n_train, n_real = 500, 648, 649
    else:
        folder = data_folder()
        if folder is None:
            raise FileNotFoundError("no benchmark data: set TABGAN_DATA to the folder that holds manifest.json")
        inner, prefix = {"mnist": ("mnist", "train"), "fashion": ("fashion-mnist", "train-first20000")}[name]
        images = read_idx(folder / inner / f"{prefix}-images-idx3-ubyte.gz") / np.float32(255)
        labels = read_idx(folder / inner / f"{prefix}-labels-idx1-ubyte.gz").astype(int)
        order = rng.permutation(len(images))
    first, second = n_judge, n_judge + n_train
    parts = order[:first], order[first:second], order[second : second + n_real]
    pieces = [piece for part in parts for piece in (images[part].astype(np.float32), labels[part])]
    return ImageSet(name, *pieces)
