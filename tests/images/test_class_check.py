"""A generator that ignores its class is told of; one that follows it, or that nobody can judge, is not."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from tabgan.images import ImageGAN
from tabgan.images.class_check import class_accuracy, ignored_classes

DIGITS = load_digits()
IMAGES = torch.from_numpy(DIGITS.images).float()[:, None] / 8 - 1
CLASSES = torch.from_numpy(DIGITS.target)


def drawn(classes, wrong=0.0):
    """Real images of the classes, a share of them of the next class."""
    rng = np.random.default_rng(1)
    shown = np.where(rng.random(len(classes)) < wrong, (classes.numpy() + 1) % 10, classes.numpy())
    return torch.stack([IMAGES[rng.choice(np.flatnonzero(DIGITS.target == c))] for c in shown])


def test_images_of_their_classes_are_fine():
    assert ignored_classes(IMAGES, CLASSES, drawn) is None
    assert ignored_classes(IMAGES, CLASSES, lambda classes: drawn(classes, 0.3)) is None


def test_images_of_any_class_are_told_of_with_figures():
    found = ignored_classes(IMAGES, CLASSES, lambda classes: drawn(classes[torch.randperm(len(classes))]))
    assert "ignores its class" in found
    assert "by chance: 10%" in found
    assert ignored_classes(IMAGES, CLASSES, lambda classes: drawn(classes, 0.7)) is not None


def test_nothing_is_said_where_real_images_are_not_told_apart_either():
    classes = CLASSES[torch.randperm(len(CLASSES), generator=torch.Generator().manual_seed(0))]
    assert ignored_classes(IMAGES, classes, lambda asked: IMAGES[: len(asked)]) is None


def test_nothing_is_said_of_one_class_or_of_tiny_ones():
    assert ignored_classes(IMAGES, torch.zeros_like(CLASSES), lambda asked: IMAGES[: len(asked)]) is None
    rare = torch.where(torch.arange(len(CLASSES)) < 9, 1, 0)
    assert ignored_classes(IMAGES, rare, lambda asked: IMAGES[: len(asked)]) is None


def test_the_classifier_is_a_ridge_regression_and_classes_count_alike():
    known = torch.tensor([[-1.0], [1.0]]).repeat(4, 1)[:, :, None, None]
    numbers = torch.tensor([0, 1]).repeat(4)
    tried = torch.tensor([-0.5, 0.5, 0.5, 0.5])[:, None, None, None]
    assert class_accuracy(known, numbers, tried, torch.tensor([0, 1, 1, 1])) == 1
    assert class_accuracy(known, numbers, tried, torch.tensor([1, 1, 1, 1])) == 0.75
    assert class_accuracy(known, numbers, tried, torch.tensor([1, 1, 1, 0])) == pytest.approx((2 / 3 + 0) / 2)


def test_training_warns_and_remembers():
    gan = ImageGAN("sngan", n_steps=120, random_state=0, learning_rate=1e-9, batch_size=8, settings={"width": 8})
    with pytest.warns(UserWarning, match="'sngan'.*ignores its class"):
        gan.fit(DIGITS.images / 16, DIGITS.target)
    assert "step 120:" in gan.warnings_[-1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gan.set_params(n_steps=99).fit(DIGITS.images / 16, DIGITS.target)
        gan.set_params(n_steps=120).fit(DIGITS.images / 16)
