"""The judge: a small classifier trained on images that no GAN sees, for features and for class questions."""

from __future__ import annotations

import numpy as np
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

from benchmarks.images.data import ImageSet
from tabgan.metrics.distribution import classifier_two_sample_auc
from tabgan.metrics.generative import (
    conditional_accuracy,
    frechet_distance,
    kernel_distance,
    nearest_distance_ratio,
    precision_recall_density_coverage,
    train_on_synthetic_score,
)

__all__ = ["Judge"]


class Judge:
    """A network with 32 features before its last layer for distances, and a support vector machine for class questions.

    On 500 digits the network names 95 % of held-out images rightly, the machine 98 %.

    Parameters
    ----------
    data : ImageSet
        It learns from the judge's part.
    """

    def __init__(self, data: ImageSet) -> None:
        self.data = data
        hidden = (128, 32) if data.name == "digits" else (256, 32)
        self.net = MLPClassifier(hidden, alpha=1e-3, max_iter=60 if data.name == "digits" else 15, random_state=0)
        self.net.fit(_flat(data.judge_images), data.judge_labels)
        self.classifier = SVC(C=10).fit(_flat(data.judge_images), data.judge_labels)
        self.accuracy = float(self.classifier.score(_flat(data.real), data.real_labels))

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Labels."""
        return self.classifier.predict(_flat(images))

    def features(self, images: np.ndarray) -> np.ndarray:
        """The last hidden layer, shape (n, 32)."""
        inner = _flat(images)
        for weights, bias in zip(self.net.coefs_[:-1], self.net.intercepts_[:-1], strict=True):
            inner = np.maximum(inner @ weights + bias, 0)
        return inner

    def scores(self, fake: np.ndarray, asked: np.ndarray | None) -> dict[str, float | None]:
        """All metrics of generated images against the real part; ``asked`` are the labels they were made for."""
        real, made, known = (self.features(part) for part in (self.data.real, fake, self.data.images))
        spread = precision_recall_density_coverage(real, made)
        row: dict[str, float | None] = {
            "frechet": frechet_distance(real, made),
            "kid": kernel_distance(real, made),
            "precision": spread.precision,
            "recall": spread.recall,
            "density": spread.density,
            "coverage": spread.coverage,
            "c2st_auc": classifier_two_sample_auc(real, made),
            "nn_ratio": nearest_distance_ratio(known, made, real),
            "accuracy": None,
            "cas": None,
        }
        if asked is not None:
            row["accuracy"] = conditional_accuracy(self.predict, fake, asked)
            row["cas"] = train_on_synthetic_score(_flat(fake), asked, _flat(self.data.real), self.data.real_labels)
        return row


def _flat(images: np.ndarray) -> np.ndarray:
    return np.asarray(images, dtype=np.float64).reshape(len(images), -1)
