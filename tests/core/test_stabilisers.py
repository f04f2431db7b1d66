"""Wrappers around a task: label smoothing, label flips, instance noise and the replay pool."""

import copy
import dataclasses

import pytest
import torch
from torch import nn

from tabgan.core.class_losses import FakeClassLoss
from tabgan.core.conditional import ConditionalTask
from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.core.phases import DiscriminatorLoss, GeneratorLoss, Phase
from tabgan.core.stabilisers import FlippedLabels, InstanceNoise, ReplayPool, SmoothedLabels
from tabgan.core.tasks import GenerationTask, normal_prior
from tabgan.core.trainer import Trainer
from tabgan.exceptions import InvalidParameterError
from tabgan.imputation.published import GainTask
from tabgan.verdict import Verdict


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


P, Q = torch.tensor([0.7, 0.2, 0.1]), torch.tensor([0.2, 0.3, 0.5])


class Same(nn.Module):
    """A generator that gives its noise, plus a number to train."""

    def __init__(self):
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(()))

    def forward(self, noise, condition):
        return noise + self.shift


class Table(nn.Module):
    """A discriminator over three values: one logit each."""

    def __init__(self, logits):
        super().__init__()
        self.logits = nn.Parameter(logits.clone())

    def forward(self, x, condition):
        return Verdict(self.logits[x[:, 0].long()])


def three_values(n=60_000):
    """Data distributed as P and noise as Q, with exact shares, every row in the batch once."""

    def rows(shares):
        return torch.repeat_interleave(torch.arange(3.0), (shares * n).round().long()).unsqueeze(1)

    class Whole(GenerationTask):
        def batch(self, generator):
            return dataclasses.replace(super().batch(generator), real=self.data)

    return Whole(rows(P), lambda _, generator: rows(Q), n)


@pytest.mark.parametrize(
    ("wrap", "best"),
    [
        (lambda task: task, P / (P + Q)),
        (lambda task: SmoothedLabels(task, 0.9), 0.9 * P / (P + Q)),
        (lambda task: FlippedLabels(task, 0.2), (0.8 * P + 0.2 * Q) / (P + Q)),
        (lambda task: SmoothedLabels(FlippedLabels(task, 0.2), 0.9), 0.9 * (0.8 * P + 0.2 * Q) / (P + Q)),
    ],
)
def test_best_discriminator_under_smoothing_and_flips(wrap, best):
    """The loss is convex in the logits, so its minimum is where the gradient vanishes: at the formula, and only there."""
    task = wrap(three_values())
    batch = task.batch(seeded())

    def gradient(logits):
        judge = Table(logits)
        cases = task.discriminator_cases({"generator": Same(), "discriminator": judge}, batch)
        ADVERSARIAL_LOSSES["non-saturating"].discriminator_loss(cases).backward()
        return judge.logits.grad.abs().max()

    assert gradient(torch.logit(best)) < 0.004  # sampled flips: a standard error of 0.0015
    if not torch.equal(best, P / (P + Q)):
        assert gradient(torch.logit(P / (P + Q))) > 0.02


def test_smoothing_is_one_sided_and_spares_the_generator():
    task = SmoothedLabels(three_values(100), 0.9)
    batch, players = task.batch(seeded()), {"generator": Same(), "discriminator": Table(torch.zeros(3))}
    assert [case.target for case in task.discriminator_cases(players, batch)] == [0.9, 0.0]
    assert [case.target for case in task.generator_cases(players, batch)] == [1.0]


def test_cell_targets_are_smoothed_cell_by_cell():
    values, visible = torch.rand(20, 3, generator=seeded()), (torch.rand(20, 3, generator=seeded(1)) > 0.4).float()
    inner = GainTask(values, visible, torch.arange(3), batch_size=8, hint="paper")
    task = SmoothedLabels(inner, 0.8)

    class Cells(nn.Module):
        def forward(self, x, other):
            return Verdict(x) if other.shape[1] == 3 else x

    players = {"generator": nn.Identity(), "discriminator": Cells()}
    players["generator"].forward = lambda x, m: x
    batch = task.batch(seeded())
    (case,) = task.discriminator_cases(players, batch)
    assert torch.equal(case.target, 0.8 * batch.inner.visible)


def test_flips_have_their_rate_and_are_the_same_whenever_one_asks():
    task = FlippedLabels(three_values(), 0.2)
    players = {"generator": Same(), "discriminator": Table(torch.zeros(3))}
    batch = task.batch(seeded())
    real, fake = task.discriminator_cases(players, batch)
    assert float((real.target == 0).float().mean()) == pytest.approx(0.2, abs=0.008)  # 5 standard errors
    assert float((fake.target == 1).float().mean()) == pytest.approx(0.2, abs=0.008)
    again, _ = task.discriminator_cases(players, batch)
    assert torch.equal(real.target, again.target)
    other, _ = task.discriminator_cases(players, task.batch(seeded(1)))
    assert not torch.equal(real.target, other.target)
    assert not torch.equal(real.target, 1 - fake.target)
    assert task.generator_cases(players, batch)[0].target == 1.0


@pytest.mark.parametrize("shape", [(6,), (6, 4), (6, 1, 2, 2)])
def test_flips_are_per_row_for_rows_cells_and_patches(shape):
    task = FlippedLabels(GenerationTask(torch.zeros(9, 1), normal_prior(1), 6), 0.4)

    class Patches(nn.Module):
        def forward(self, x, condition):
            return Verdict(torch.zeros(shape))

    real, _ = task.discriminator_cases({"generator": Same(), "discriminator": Patches()}, task.batch(seeded(2)))
    assert real.target.shape == (6, *[1] * (len(shape) - 1))
    assert 0 < int((real.target == 0).sum()) < 6
    value = ADVERSARIAL_LOSSES["lsgan"].discriminator_loss([real])
    assert float(value) == pytest.approx(0.5 * float(real.target.mean()))


def test_flips_reach_a_single_class_head():
    task = FlippedLabels(ConditionalTask(torch.zeros(8, 1), torch.arange(8) % 2, normal_prior(1), 50, n_classes=2), 0.4)

    class Head(nn.Module):
        def forward(self, x, condition):
            return Verdict(None, torch.zeros(len(x), 3))

    real, fake = task.discriminator_cases({"generator": Same(), "discriminator": Head()}, task.batch(seeded()))
    assert real.target.shape == (50,)
    FakeClassLoss(2).discriminator_loss([real, fake])


class Keeper(nn.Module):
    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(torch.ones(()))
        self.seen = []

    def forward(self, x, condition):
        self.seen.append((x, condition))
        return Verdict(self.slope * x.sum(1))


def test_instance_noise_has_its_scale_and_fades_linearly():
    task = InstanceNoise(GenerationTask(torch.zeros(50, 2), lambda n, generator: torch.ones(n, 2), 5000), 0.4, 4)
    players = {"generator": Same(), "discriminator": Keeper()}
    draw, scales = seeded(), []
    for _ in range(6):
        batch = task.batch(draw)
        task.discriminator_cases(players, batch)
        task.generator_cases(players, batch)
        (real, _), (fake, _), (asked, _) = players["discriminator"].seen[-3:]
        scales.append([float(x.detach().std()) for x in (real, fake, asked)])
        assert float(fake.detach().mean()) == pytest.approx(1, abs=0.02)
        if scales[-1][0] > 0:
            assert not torch.equal(real, fake - 1)
            assert not torch.equal(fake, asked)
    for found, expected in zip(scales, [0.4, 0.3, 0.2, 0.1, 0, 0], strict=True):
        assert found == pytest.approx([expected] * 3, rel=0.05)


def test_gradients_pass_through_instance_noise_and_penalties_see_it():
    task = InstanceNoise(GenerationTask(torch.zeros(50, 2), normal_prior(2), 8), 0.4)
    players = {"generator": Same(), "discriminator": Keeper()}
    batch = task.batch(seeded())
    (case,) = task.generator_cases(players, batch)
    case.verdict.adversarial.sum().backward()
    assert float(players["generator"].shift.grad) == pytest.approx(16)
    judge, real, _ = task.penalty_inputs(players, batch)
    assert not torch.equal(judge(real).adversarial, judge(real).adversarial)


def pool_task(capacity, share=0.5, batch_size=10, *, labelled=False):
    """Fakes are numbered in the order in which they are made; with ``labelled``, their condition is their class."""
    made = [0]

    def prior(n, generator):
        made[0] += n
        return torch.arange(made[0] - n, made[0]).float().unsqueeze(1)

    data = torch.full((30, 1), -1.0)
    if labelled:
        task = ConditionalTask(data, torch.arange(30) % 3, prior, batch_size, n_classes=3)
    else:
        task = GenerationTask(data, prior, batch_size)
    return ReplayPool(task, capacity, share)


def shown(task, players, draw):
    task.discriminator_cases(players, task.batch(draw))
    return players["discriminator"].seen[-1]


def test_the_pool_fills_with_what_is_shown_and_then_mixes_old_with_new():
    task, players, draw = pool_task(25), {"generator": Same(), "discriminator": Keeper()}, seeded()
    for start in (0, 10):
        rows, _ = shown(task, players, draw)
        assert rows[:, 0].tolist() == list(range(start, start + 10))
    assert len(task) == 20
    shown(task, players, draw)
    assert len(task) == 25
    old = 0
    for step in range(3, 103):
        rows, _ = shown(task, players, draw)
        fresh = torch.arange(step * 10, step * 10 + 10).float()
        replaced = rows[:, 0] != fresh
        assert (rows[replaced, 0] < step * 10).all()
        old += int(replaced.sum())
    assert len(task) == 25
    assert old == pytest.approx(500, abs=80)  # 5 standard deviations
    assert len(task._pool["rows"].unique()) == 25


def test_no_fake_is_lost_or_doubled_by_an_exchange():
    task, players, draw = pool_task(12, 0.7), {"generator": Same(), "discriminator": Keeper()}, seeded()
    for step in range(1, 30):
        before = set(task._pool["rows"][:, 0].tolist()) if len(task) else set()
        rows, _ = shown(task, players, draw)
        after = set(task._pool["rows"][:, 0].tolist())
        fresh = set(range(step * 10 - 10, step * 10))
        if len(before) == 12:
            assert set(rows[:, 0].tolist()) | after == before | fresh
            assert len(set(rows[:, 0].tolist()) & after) == 0


@pytest.mark.parametrize(("capacity", "share"), [(3, 1.0), (10, 1.0), (40, 0.0), (1, 0.5)])
def test_pools_smaller_than_a_batch_and_extreme_shares_work(capacity, share):
    task, players, draw = pool_task(capacity, share), {"generator": Same(), "discriminator": Keeper()}, seeded()
    for _ in range(8):
        rows, _ = shown(task, players, draw)
        assert len(rows[:, 0].unique()) == 10
    assert len(task) == capacity
    if share == 0:
        assert rows[:, 0].tolist() == list(range(70, 80))


def test_old_fakes_keep_their_own_condition_and_class():
    task = pool_task(20, labelled=True)
    asked = {}

    class Noting(Same):
        def forward(self, noise, condition):
            asked.update(zip(noise[:, 0].tolist(), condition.argmax(1).tolist(), strict=True))
            return super().forward(noise, condition)

    players, draw = {"generator": Noting(), "discriminator": Keeper()}, seeded()
    for _ in range(10):
        _, fake = task.discriminator_cases(players, task.batch(draw))
        rows, condition = players["discriminator"].seen[-1]
        for row, label, seen in zip(
            rows[:, 0].tolist(), fake.classes.tolist(), condition.argmax(1).tolist(), strict=True
        ):
            assert asked[row] == label == seen


def test_the_generators_phase_sees_new_fakes_only():
    task, players, draw = pool_task(10, 1.0), {"generator": Same(), "discriminator": Keeper()}, seeded()
    for step in range(5):
        batch = task.batch(draw)
        task.discriminator_cases(players, batch)
        task.generator_cases(players, batch)
        assert players["discriminator"].seen[-1][0][:, 0].tolist() == list(range(10 * step, 10 * step + 10))
    assert len(task) == 10


def test_pool_state_survives_a_save_and_wrappers_pass_it_on():
    task, players, draw = SmoothedLabels(InstanceNoise(pool_task(12), 0.1, 9)), {"generator": Same()}, seeded()
    players["discriminator"] = Keeper()
    for _ in range(3):
        shown(task, players, draw)
    state = copy.deepcopy(task.state_dict())
    other = SmoothedLabels(InstanceNoise(pool_task(12), 0.1, 9))
    other.load_state_dict(state)
    assert torch.equal(other.task.task._pool["rows"], task.task.task._pool["rows"])
    assert other.task.current_scale == task.task.current_scale == pytest.approx(0.1 * 6 / 9)


def test_wrappers_compose_in_any_order_and_train():
    base = GenerationTask(torch.randn(50, 2, generator=seeded()), normal_prior(2), 8)
    for task in (
        ReplayPool(InstanceNoise(FlippedLabels(SmoothedLabels(base)))),
        SmoothedLabels(FlippedLabels(InstanceNoise(InstanceNoise(ReplayPool(base))))),
    ):
        players = {"generator": Same(), "discriminator": Keeper()}
        loss = ADVERSARIAL_LOSSES["non-saturating"]
        phases = [Phase("discriminator", DiscriminatorLoss(loss, task)), Phase("generator", GeneratorLoss(loss, task))]
        before = torch.get_rng_state()
        history = Trainer(players, phases, copy.copy(task), generator=seeded()).fit(4)
        assert len(history) == 1
        assert torch.equal(before, torch.get_rng_state())


def test_what_does_not_fit_is_refused():
    base = GenerationTask(torch.zeros(5, 1), normal_prior(1), 2)
    for make, message in (
        (lambda: SmoothedLabels(base, 1.1), "real_target=1.1"),
        (lambda: FlippedLabels(base, 0.5), "probability=0.5"),
        (lambda: InstanceNoise(base, -1), "scale=-1"),
        (lambda: InstanceNoise(base, 1, 0), "n_batches=0"),
        (lambda: ReplayPool(base, 0), "capacity=0"),
        (lambda: ReplayPool(base, 5, 2), "share=2"),
    ):
        with pytest.raises(InvalidParameterError, match=message):
            make()
