"""LeCam regularisation against sums worked out by hand, and that its averages are part of what is saved."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tabgan
from tabgan.core.cases import Case
from tabgan.core.lecam import LeCamLoss
from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.exceptions import InvalidParameterError
from tabgan.images import ImageGAN, recipes
from tabgan.verdict import Verdict

HINGE = ADVERSARIAL_LOSSES["hinge"]


def cases(real, fake):
    made = [torch.tensor(scores, dtype=torch.float64, requires_grad=True) for scores in (real, fake)]
    return [Case(Verdict(scores), target) for scores, target in zip(made, (1.0, 0.0), strict=True)]


def test_scores_further_apart_than_their_averages_are_paid_for():
    loss = LeCamLoss(HINGE, weight=0.5, decay=0.9)
    first = cases([2.0, 1.0], [-1.0, 0.0])
    # The averages begin at the first batch's own: 1.5 and -0.5.
    far = ((2.5**2 + 1.5**2) + (2.5**2 + 1.5**2)) / 2
    assert float(loss.discriminator_loss(first)) == pytest.approx(float(HINGE.discriminator_loss(first)) + 0.5 * far)
    loss.after_phase("discriminator", first)
    second = cases([-1.0, 0.5], [2.0, 0.0])
    # A real row below -0.5 and a generated one above 1.5 are no gain to hold back.
    far = (0 + 1.0**2) / 2 + (0 + 1.5**2) / 2
    value = loss.discriminator_loss(second)
    assert float(value) == pytest.approx(float(HINGE.discriminator_loss(second)) + 0.5 * far)
    loss.after_phase("discriminator", second)
    assert loss.anchors.tolist() == pytest.approx([0.9 * 1.5 + 0.1 * -0.25, 0.9 * -0.5 + 0.1 * 1.0])
    value.backward()
    assert second[0].verdict.adversarial.grad.tolist() == pytest.approx([-0.5, -0.5 + 0.5 * 1.0])


def test_the_generator_pays_nothing_and_moves_no_average():
    loss, made = LeCamLoss(HINGE), cases([0.3], [0.2])
    assert float(loss.generator_loss(made[1:])) == float(HINGE.generator_loss(made[1:]))
    loss.after_phase("generator", made[1:])
    assert loss.anchors is None


def test_out_of_range():
    with pytest.raises(InvalidParameterError, match="weight=-1"):
        LeCamLoss(HINGE, -1)
    with pytest.raises(InvalidParameterError, match="decay=1"):
        LeCamLoss(HINGE, decay=1)


@pytest.mark.parametrize("recipe", [name for name, known in recipes.items() if "lecam" in known.settings])
def test_recipes_go_on_with_its_averages(recipe, tmp_path):
    images, labels = np.random.default_rng(0).random((30, 8, 8)), np.arange(30) % 3

    def make(n_steps, lecam=0.3):
        settings = {"width": 4, "lecam": lecam}
        gan = ImageGAN(recipe, n_steps=n_steps, batch_size=6, d_noise=4, random_state=0, settings=settings)
        return gan.fit(images, labels)

    make(2).save(tmp_path / "half.tabgan")
    half, whole, without = tabgan.load(tmp_path / "half.tabgan"), make(4), make(4, 0.0)
    half.partial_fit(images, labels, n_steps=2)
    drawn = [gan.sample(3, y=[0, 1, 2], random_state=0) for gan in (half, whole, without)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[1], drawn[2])
