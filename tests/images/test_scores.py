"""`image_scores`: real images score as real, copies and one picture do not; features of any kind; equal numbers, stated."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images.image_scoring import image_scores
from tabgan.metrics import frechet_distance

RNG = np.random.default_rng(0)
REAL, OTHER, FRESH = (RNG.integers(0, 256, (n, 6, 6), dtype=np.uint8) for n in (150, 150, 140))


def test_real_images_score_as_real_ones_and_copies_show():
    scores = image_scores(REAL, OTHER, FRESH)
    assert scores.n == 140
    assert scores.made.coverage == pytest.approx(scores.of_real.coverage, abs=0.1)
    assert scores.made.c2st_auc == pytest.approx(0.5, abs=0.12)
    assert scores.made.nearness == pytest.approx(1, abs=0.1)
    assert scores.of_real.nearness == 1
    copies = image_scores(REAL, REAL, FRESH)
    assert copies.made.nearness < 0.2
    one = image_scores(REAL, np.repeat(REAL[:1], 150, 0))
    assert one.of_real is None
    assert np.isnan(one.made.nearness)
    assert one.made.precision == 1
    assert one.made.recall == pytest.approx(0, abs=0.01)
    assert one.made.c2st_auc > 0.95
    shown = str(scores)
    assert "140 images of each sample, pixels (36 numbers per image)" in shown
    assert "none of them is a published FID" in shown
    assert "real" in shown.splitlines()[0]
    assert "real" not in str(one).splitlines()[0]


class Middle(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Sequential(nn.Linear(36, 3), nn.Dropout(0.9))

    def forward(self, images):
        assert images.dtype == torch.float32
        assert -1 <= float(images.min()) <= float(images.max()) <= 1
        return self.layer(images.flatten(1))[:, :, None]


def test_features_of_a_module_and_of_a_function():
    module = Middle().train()
    scores = image_scores(REAL, OTHER, features=module)
    assert module.training
    assert (scores.n, scores.n_features, scores.features) == (150, 3, "features of Middle")
    with torch.no_grad():
        rows = [
            module.eval()(torch.from_numpy(part / np.float32(127.5) - 1).float()[:, None])[..., 0]
            for part in (REAL, OTHER)
        ]
    assert scores.made.frechet == pytest.approx(frechet_distance(*rows), rel=1e-3)
    means = image_scores(REAL, OTHER, features=lambda images: images.mean((1, 2, 3)).numpy(), max_images=60)
    assert (means.n, means.n_features) == (60, 1)


def test_what_does_not_go_together_is_refused():
    with pytest.raises(InvalidInputError, match="made has images of shape"):
        image_scores(REAL, OTHER[:, :4])
    with pytest.raises(InvalidInputError, match=r"made has float64 values .* training had"):
        image_scores(REAL, OTHER / 255)
    with pytest.raises(InvalidInputError, match="features gave 1 rows"):
        image_scores(REAL, OTHER, features=lambda images: images.mean()[None])
    with pytest.raises(InvalidParameterError, match="max_images=1"):
        image_scores(REAL, OTHER, max_images=1)
