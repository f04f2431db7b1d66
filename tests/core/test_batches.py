"""What the losses of one step share, and batches inside batches."""

import pytest
import torch

from tabgan.core.cases import Shared
from tabgan.core.conditional import ConditionalTask
from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.core.penalties import Penalty
from tabgan.core.phases import DiscriminatorLoss
from tabgan.core.stabilisers import FlippedLabels, InstanceNoise, ReplayPool, SmoothedLabels
from tabgan.core.tasks import Fakes, GenerationTask, normal_prior
from tabgan.images.translation_tasks import CycleTask, PairTask
from tabgan.verdict import Verdict
from tests.core.points import seeded


def judge(rows, condition):
    return Verdict(rows.flatten(1).sum(1))


def test_a_forward_pass_is_made_once_with_gradients_and_once_without():
    shared, made = Shared(), []

    def make():
        made.append(torch.is_grad_enabled())
        return len(made)

    with torch.no_grad():
        assert (shared.get(make), shared.get(make)) == (1, 1)
    assert (shared.get(make), shared.get(make)) == (2, 2)
    with torch.no_grad():
        assert shared.get(make) == 1
    assert made == [False, True]


def conditional():
    return ConditionalTask(torch.randn(12, 2), torch.arange(12) % 3, normal_prior(2), 6, n_classes=3)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda task: task,
        lambda task: SmoothedLabels(task),
        lambda task: ReplayPool(InstanceNoise(FlippedLabels(task)), 4),
    ],
)
def test_rows_given_to_a_batch_are_judged_and_the_batch_itself_stays(wrap):
    task = wrap(conditional())
    batch = task.batch(seeded())
    given = Fakes(torch.full((6, 2), 7.0), torch.zeros(6, 3), torch.zeros(6).long())
    shown = task.showing(batch, real=torch.full((6, 2), 5.0), fakes=given)
    assert task.fakes({}, shown) is given
    assert task.drawn(shown).fakes is given
    assert (task.drawn(shown).real == 5).all()
    assert torch.equal(task.drawn(shown).classes, task.drawn(batch).classes)
    assert task.drawn(batch).fakes is None
    assert not (task.drawn(batch).real == 5).all()
    (real, fake) = task.discriminator_cases({"discriminator": judge}, shown)
    assert (real.data == 5).all()
    assert (fake.data == 7).all()


def test_a_pool_neither_takes_nor_changes_fakes_that_were_given_to_the_batch():
    task = ReplayPool(conditional(), 4, 1.0)
    batch = task.batch(seeded())
    given = Fakes(torch.full((6, 2), 7.0), torch.zeros(6, 3), torch.zeros(6).long())
    players = {"discriminator": judge}
    task.discriminator_cases(players, task.showing(batch, fakes=given))
    assert len(task) == 0


def test_fakes_of_a_plain_task_have_the_real_rows_condition():
    task = GenerationTask(torch.zeros(5, 1), normal_prior(1), 4, torch.arange(5.0)[:, None])
    batch = task.batch(seeded())
    assert torch.equal(batch.fake_condition, batch.condition)


def test_translations_are_made_once_for_all_terms_of_a_step():
    images = torch.rand(5, 1, 4, 4, generator=seeded())
    calls = []

    def translate(noise, images):
        calls.append(torch.is_grad_enabled())
        return images + 0.5

    players = {"generator": translate, "discriminator": judge}
    task = PairTask(images, images, 4, 1)
    batch = task.batch(seeded())
    task.generator_cases(players, batch)
    assert float(task.absolute_error(players, batch)) == pytest.approx(0.5)
    assert float(task.squared_error(players, batch)) == pytest.approx(0.25)
    assert calls == [True]


def test_both_translations_of_a_cycle_are_made_once_for_all_terms_of_a_step():
    images, calls = torch.rand(5, 1, 4, 4, generator=seeded()), []

    def up(noise, images):
        calls.append("up")
        return images + 0.5

    def down(noise, images):
        calls.append("down")
        return images - 0.25

    players = {"generator": up, "generator_back": down}
    players |= dict.fromkeys(["discriminator", "discriminator_back"], judge)
    task = CycleTask(images, images + 1, 4)
    batch = task.batch(seeded())
    there, back = task.generator_cases(players, batch)
    torch.testing.assert_close(there.data, batch.there.inner.noise + 0.5)
    torch.testing.assert_close(back.data, batch.back.inner.noise - 0.25)
    assert float(task.cycle(players, batch)) == pytest.approx(2 * 0.25, rel=1e-5)
    assert float(task.identity(players, batch)) == pytest.approx(0.5 + 0.25, rel=1e-5)
    assert sorted(calls) == ["down"] * 3 + ["up"] * 3  # to translate, to come back, and for the identity


def test_discriminators_of_translations_learn_at_half_weight():
    def critic(rows, condition):
        return Verdict(rows.mean((1, 2, 3)))

    ones, loss = torch.ones(5, 1, 4, 4), ADVERSARIAL_LOSSES["wasserstein"]
    players = dict.fromkeys(["generator", "generator_back"], lambda noise, images: 3 * images)
    players |= dict.fromkeys(["discriminator", "discriminator_back"], critic)  # each loses 3 - 1
    for task, expected in ((PairTask(ones, ones, 4, 1), 1), (CycleTask(ones, ones, 4), 2)):
        cases = task.discriminator_cases(players, task.batch(seeded()))
        assert float(loss.discriminator_loss(cases)) == pytest.approx(expected)


def test_a_penalty_on_a_task_without_inputs_for_it_is_refused_by_name():
    class CellsOnly:
        def discriminator_cases(self, players, batch):
            return GenerationTask(torch.zeros(5, 1), normal_prior(1), 4).discriminator_cases(players, batch)

    players = {"generator": lambda noise, condition: noise, "discriminator": judge}
    batch = GenerationTask(torch.zeros(5, 1), normal_prior(1), 4).batch(seeded())
    loss = DiscriminatorLoss(ADVERSARIAL_LOSSES["hinge"], CellsOnly(), [Penalty("r1", every=2)])
    assert set(loss(players, batch, seeded(), 1)) == {"discriminator"}
    with pytest.raises(TypeError, match="`penalty_inputs`, which CellsOnly has not"):
        loss(players, batch, seeded(), 0)
