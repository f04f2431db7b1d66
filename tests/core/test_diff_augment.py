"""DiffAugment: what each change does, that gradients pass, and how its strength follows the discriminator."""

from __future__ import annotations

import pytest
import torch

from tabgan.core.augmentation import AUGMENTATIONS, DiffAugment, coloured, cut_out
from tabgan.core.tasks import GenerationTask, normal_prior
from tabgan.exceptions import InvalidParameterError
from tabgan.images import ImageGAN
from tabgan.verdict import Verdict
from tests.core.points import seeded

IMAGES = torch.rand(200, 3, 8, 12, generator=seeded()) * 2 - 1


def maker(noise, condition):
    return noise.reshape(-1, 3, 8, 12)


def inner(n=16):
    return GenerationTask(IMAGES, normal_prior(3 * 8 * 12), n)


def test_colour_moves_scales_and_mixes_as_published():
    b, s, c = torch.rand(3, 200, 1, 1, 1, generator=seeded(4))
    x = IMAGES + b - 0.5
    x = (x - x.mean(1, keepdim=True)) * 2 * s + x.mean(1, keepdim=True)
    x = (x - x.mean((1, 2, 3), keepdim=True)) * (c + 0.5) + x.mean((1, 2, 3), keepdim=True)
    torch.testing.assert_close(coloured(IMAGES, seeded(4)), x)
    # Nothing but brightness moves the mean, by half the range of [-0.5, 0.5] at most.
    moved = (coloured(IMAGES, seeded(4)) - IMAGES).mean((1, 2, 3))
    torch.testing.assert_close(moved, (b - 0.5).flatten(), atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(8, 12), (7, 9), (2, 2)])
def test_a_rectangle_of_half_the_sides_is_cut_around_every_place(size):
    images = torch.ones(4000, 1, *size)
    cut = cut_out(images, seeded()) == 0
    high, wide = cut.any(3).sum(2), cut.any(2).sum(2)
    assert int(high.max()) == size[0] // 2
    assert int(wide.max()) == size[1] // 2
    assert torch.equal(cut.sum((1, 2, 3)), (high * wide)[:, 0])  # a rectangle
    assert bool(cut.any(0).all())  # every pixel now and then
    share = cut.float().mean(0)[0]
    torch.testing.assert_close(share, share.flip(0).flip(1), atol=0.05, rtol=0)


def test_translation_moves_by_an_eighth_at_most():
    images = torch.zeros(500, 1, 16, 8)
    images[:, :, 8, 4] = 1
    moved = AUGMENTATIONS["translation"](images, seeded())
    rows, columns = moved.amax((0, 1)).nonzero().T
    assert set(rows.tolist()) == {6, 7, 8, 9, 10}
    assert set(columns.tolist()) == {3, 4, 5}


@pytest.mark.parametrize("kind", sorted(AUGMENTATIONS))
def test_gradients_pass(kind):
    images = IMAGES[:4].clone().requires_grad_()
    AUGMENTATIONS[kind](images, seeded()).square().sum().backward()
    assert float(images.grad.abs().max()) > 0


def test_everybody_is_changed_in_both_phases_and_the_generator_learns_through_it():
    seen = []

    def judge(rows, condition):
        seen.append(rows)
        return Verdict(rows.flatten(1).sum(1))

    task = DiffAugment(inner(), ["colour"])
    batch = task.batch(seeded())
    players = {"generator": maker, "discriminator": judge}
    task.discriminator_cases(players, batch)
    batch.inner.noise.requires_grad_()
    batch.inner.made.with_gradients = None
    task.generator_cases(players, batch)[0].verdict.adversarial.sum().backward()
    assert float(batch.inner.noise.grad.abs().max()) > 0
    given = [batch.inner.real, maker(batch.inner.noise, None), maker(batch.inner.noise, None)]
    for rows, before in zip(seen, given, strict=True):
        assert bool((rows.detach() - before).abs().amax((1, 2, 3)).gt(1e-4).all())


def test_probability_falls_and_rises_with_the_discriminators_sureness():
    task = DiffAugment(inner(100), ["translation"], target=0.6, n_images=1000)
    assert task.probability == 0
    scores = {}

    def judge(rows, condition):
        return Verdict(scores["real"] if torch.equal(rows, batch.inner.real) else scores["made"])

    def run(real, made):
        nonlocal batch
        task.probability = start
        batch = task.batch(seeded())
        batch.strength = 0.0  # what is shown is not changed here
        scores.update(real=real, made=made)
        task.discriminator_cases({"generator": maker, "discriminator": judge}, batch)
        return task.probability

    batch, start = None, 0.5
    ones = torch.ones(100)
    assert run(ones, -ones) == pytest.approx(0.6)  # told apart: 100 of 1,000 images
    assert run(ones + 50, -ones + 50) == pytest.approx(0.6)  # whatever the offset
    mixed = torch.where(torch.arange(100) < 50, 1.0, -1.0)
    assert run(mixed, mixed) == pytest.approx(0.4)
    start = 0.95
    assert run(ones, -ones) == 1.0
    start = 0.05
    assert run(mixed, mixed) == 0.0


def test_at_half_strength_half_of_the_images_are_changed():
    task = DiffAugment(inner(), ["colour"], target=0.5)
    batch = task.batch(seeded())
    batch.strength = 0.5
    changed = (task.seen(IMAGES, batch, seeded()) - IMAGES).abs().amax((1, 2, 3)) > 0
    assert 70 < int(changed.sum()) < 130


def test_strength_is_resumed_and_settings_reach_it():
    rows = torch.rand(30, 8, 8, generator=seeded()).numpy()
    options = {"augment": "translation,cut-out", "augment_target": 0.3, "width": 8}
    gan = ImageGAN("non-saturating", n_steps=3, batch_size=8, random_state=0, settings=options).fit(rows)
    kept = gan._training_state["task"]["own"]["probability"]
    assert 0 <= kept <= 1
    other = DiffAugment(inner(), ["colour"], target=0.5)
    other.load_state_dict({"own": {"probability": 0.25}, "task": {}})
    assert other.state_dict()["own"] == {"probability": 0.25}


@pytest.mark.parametrize(
    "options",
    [
        {"augment": "colour,blur"},
        {"augment": "colour", "augment_target": 1.0},
        {"augment": "colour", "augment_target": -1.0},
    ],
)
def test_what_is_unknown_is_refused(options):
    with pytest.raises(InvalidParameterError, match="augment"):
        ImageGAN("non-saturating", n_steps=1, settings=options).fit(torch.rand(10, 8, 8))
    with pytest.raises(InvalidParameterError, match="n_images=0"):
        DiffAugment(inner(), n_images=0)
