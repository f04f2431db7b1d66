"""The conditional task: who is drawn, under which condition, and with which weight."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tabgan.core.conditional import ClassIndex, ConditionalTask
from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.core.penalties import gradient_penalty
from tabgan.core.phases import DiscriminatorLoss, GeneratorLoss, OptimizerSpec, Phase
from tabgan.core.tasks import normal_prior
from tabgan.core.trainer import Trainer
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.verdict import Verdict


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


COUNTS = (60, 30, 0, 10)
CLASSES = torch.repeat_interleave(torch.arange(4), torch.tensor(COUNTS))[torch.randperm(100, generator=seeded(9))]
# Column 0 names the row, column 1 its class.
DATA = torch.stack([torch.arange(100.0), CLASSES.float()], 1)


def task_of(**settings):
    return ConditionalTask(DATA, CLASSES, normal_prior(2), **({"batch_size": 40, "n_classes": 4} | settings))


class Teller(nn.Module):
    """A discriminator that keeps what it was shown."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.seen = []

    def forward(self, x, condition):
        self.seen.append((x.detach(), condition))
        return Verdict(x.sum(1) * self.weight)


class Maker(nn.Module):
    """A generator that writes the class it was asked for into column 1."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, noise, condition):
        return torch.stack([noise[:, 0], condition.argmax(1).float()], 1) * self.weight


def players():
    return {"generator": Maker(), "discriminator": Teller()}


def drawn(task, key, n=100, seed=0):
    generator = seeded(seed)
    return torch.cat([getattr(task.batch(generator), key) for _ in range(n)])


def shares(classes):
    return (torch.bincount(classes, minlength=4) / len(classes)).tolist()


THIRDS = [1 / 3, 1 / 3, 0, 1 / 3]
NATURAL = [0.6, 0.3, 0, 0.1]


@pytest.mark.parametrize(
    ("key", "rule", "expected"),
    [
        ("fake_classes", {"fake_classes": "balanced"}, THIRDS),
        ("fake_classes", {"fake_classes": "uniform"}, THIRDS),
        ("fake_classes", {"fake_classes": "data"}, NATURAL),
        ("classes", {"real_classes": "data"}, NATURAL),
        ("classes", {"real_classes": "balanced"}, THIRDS),
    ],
)
def test_classes_come_as_often_as_the_rule_says_and_empty_ones_never(key, rule, expected):
    found = shares(drawn(task_of(**rule), key))
    assert found == pytest.approx(expected, abs=0.03)  # 4000 draws: 3.9 standard errors at most
    assert found[2] == 0


def test_a_balanced_batch_of_fakes_is_balanced_and_a_uniform_one_only_on_average():
    for rule, spread in (("balanced", {13, 14}), ("uniform", None)):
        task, generator, counts = task_of(fake_classes=rule), seeded(), set()
        for _ in range(20):
            classes = task.batch(generator).fake_classes
            counts |= {int((classes == c).sum()) for c in (0, 1, 3)}
        assert counts == spread if spread else len(counts) > 4


def test_balanced_fakes_are_in_random_order():
    """Sorted fakes would meet the same noise rows, or the same halves of the batch, in every step."""
    batches = [task_of().batch(seeded(seed)).fake_classes for seed in range(30)]
    assert {int(classes[0]) for classes in batches} == {0, 1, 3}
    assert not any(torch.equal(classes[3:], classes[:-3]) for classes in batches)  # no repeating pattern either


def test_every_row_of_a_class_is_drawn_alike():
    index = ClassIndex(CLASSES, 4)
    rows = index.rows_of(torch.full((10_000,), 3), seeded())
    counts = torch.bincount(rows, minlength=100)
    assert (CLASSES[counts > 0] == 3).all()
    assert (counts[CLASSES == 3] > 850).all()  # 1000 expected, standard deviation 30
    others = torch.bincount(index.rows_of_others(torch.full((90_000,), 3), seeded()), minlength=100)
    assert (others[CLASSES == 3] == 0).all()
    assert (others[CLASSES != 3] > 850).all()


@settings(max_examples=60)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=30), st.integers(0, 2**31))
def test_a_row_of_another_class_is_of_another_class(labels, seed):
    classes = torch.tensor(labels)
    index = ClassIndex(classes, 6)
    if len(index.present) > 1:
        assert (classes[index.rows_of_others(classes, seeded(seed))] != classes).all()
    assert (classes[index.rows_of(classes, seeded(seed))] == classes).all()


def test_condition_is_the_one_hot_class_of_each_row():
    batch = task_of().batch(seeded())
    assert torch.equal(batch.condition.argmax(1), batch.classes)
    assert (batch.condition.sum(1) == 1).all()
    assert batch.condition.shape == (40, 4)
    assert torch.equal(batch.fake_condition.argmax(1), batch.fake_classes)
    assert torch.equal(batch.real[:, 1].long(), batch.classes)


def test_a_given_condition_stays_with_its_row_and_fakes_take_one_of_their_class():
    condition = torch.stack([torch.arange(100.0), CLASSES.float() * 10], 1)
    batch = task_of(condition=condition, fake_classes="uniform").batch(seeded())
    assert torch.equal(batch.condition[:, 0], batch.real[:, 0])
    assert torch.equal(batch.fake_condition[:, 1], batch.fake_classes * 10.0)
    assert len(batch.fake_condition[:, 0].unique()) > 15


def test_cases_carry_targets_classes_and_data():
    task, judged = task_of(), players()
    batch = task.batch(seeded())
    real, fake = task.discriminator_cases(judged, batch)
    assert (real.target, fake.target, real.scale, fake.scale) == (1.0, 0.0, 1.0, 1.0)
    assert torch.equal(real.classes, batch.classes)
    assert torch.equal(fake.classes, batch.fake_classes)
    assert torch.equal(fake.data[:, 1].long(), fake.classes)
    assert not fake.data.requires_grad
    (asked,) = task.generator_cases(judged, batch)
    assert asked.target == 1.0
    assert torch.equal(asked.classes, batch.fake_classes)
    assert asked.data.requires_grad
    for (x, condition), classes in zip(
        judged["discriminator"].seen, (real.classes, fake.classes, asked.classes), strict=True
    ):
        assert torch.equal(x[:, 1].long(), classes)
        assert torch.equal(condition.argmax(1), classes)


def test_wrong_conditions_are_wrong_and_share_one_unit_of_weight_with_the_fakes():
    task, judged = task_of(wrong_weight=0.25), players()
    for seed in range(20):
        batch = task.batch(seeded(seed))
        real, fake, wrong = task.discriminator_cases(judged, batch)
        (x, condition) = judged["discriminator"].seen[-1]
        assert torch.equal(x, batch.real)
        assert (condition.argmax(1) != batch.classes).all()
        assert (wrong.weight == 1).all()
    assert (real.scale, fake.scale, wrong.scale) == (1.0, 0.75, 0.25)
    assert (wrong.target, wrong.classes) == (0.0, None)
    assert len(task.generator_cases(judged, batch)) == 1


def test_a_pair_with_equal_conditions_is_no_mismatch_and_weighs_nothing():
    condition = (CLASSES > 0).float().unsqueeze(1)  # classes 1 and 3 read alike
    task = task_of(condition=condition, wrong_weight=0.5, batch_size=80)
    batch = task.batch(seeded())
    wrong = task.discriminator_cases(players(), batch)[-1]
    differs = (batch.wrong_condition != batch.condition)[:, 0]
    assert 0 < int(differs.sum()) < 80
    assert torch.equal(wrong.weight, differs.float())


def test_a_mismatch_of_ones_own_is_used():
    task = task_of(wrong_weight=0.5, mismatch=lambda rows, generator: torch.full_like(rows, 7))
    wrong = task.batch(seeded()).wrong_condition
    assert (wrong.argmax(1) == CLASSES[7]).all()


def test_matching_aware_loss_is_reeds_formula():
    """D: -log s(x, c) - (1 - w) log(1 - s(G, c)) - w log(1 - s(x, c')), the two negatives sharing one unit of weight."""
    task, judged = task_of(wrong_weight=0.4), players()
    batch = task.batch(seeded())
    scores = [case.verdict.adversarial for case in task.discriminator_cases(judged, batch)]
    real, fake, wrong = (s.double() for s in scores)
    by_hand = -(torch.sigmoid(real).log().mean() + 0.6 * torch.sigmoid(-fake).log().mean())
    by_hand = by_hand + 0.4 * nn.functional.softplus(wrong).mean()
    loss = ADVERSARIAL_LOSSES["non-saturating"].discriminator_loss(task.discriminator_cases(judged, batch))
    assert float(loss.detach()) == pytest.approx(float(by_hand.detach()), rel=1e-5)


def test_a_matching_aware_discriminator_learns_to_reject_what_does_not_match():
    """Real rows are their class, fakes never look real: only the wrong pairs can teach D to look at the condition."""

    class Linear(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(4, 4))

        def forward(self, x, condition):
            return Verdict((nn.functional.one_hot(x[:, 1].long(), 4).float() @ self.weight * condition).sum(1))

    gaps = {}
    for weight in (0.0, 0.5):
        task = task_of(wrong_weight=weight)
        judged = {"generator": Maker(), "discriminator": Linear()}
        loss = DiscriminatorLoss(ADVERSARIAL_LOSSES["non-saturating"], task)
        phase = Phase("discriminator", loss, OptimizerSpec("adam", 0.05))
        Trainer(judged, [phase], task, generator=seeded()).fit(60)
        batch = task_of(wrong_weight=0.5).batch(seeded(1))
        judge = judged["discriminator"]
        right, wrong = (judge(batch.real, c).adversarial.mean() for c in (batch.condition, batch.wrong_condition))
        gaps[weight] = float((right - wrong).detach())
    assert gaps[0.5] > 2
    assert abs(gaps[0.0]) < 1


def test_penalties_compare_rows_under_the_same_condition():
    task, judged = task_of(), players()
    batch = task.batch(seeded())
    judge, real, fake = task.penalty_inputs(judged, batch)
    assert torch.equal(real[:, 1], fake[:, 1])
    gradient_penalty(judge, real, fake, seeded())
    x, condition = judged["discriminator"].seen[-1]
    assert torch.equal(condition, batch.condition)
    torch.testing.assert_close(x[:, 1].round().long(), batch.classes)


def test_equal_seeds_give_equal_batches():
    one, two = (task_of(wrong_weight=0.5).batch(seeded(3)) for _ in range(2))
    assert torch.equal(one.real, two.real)
    assert torch.equal(one.classes, two.classes)
    assert torch.equal(one.fake_classes, two.fake_classes)
    assert torch.equal(one.fake_condition, two.fake_condition)


def test_it_trains_with_both_phases():
    task, judged = task_of(), players()
    loss = ADVERSARIAL_LOSSES["hinge"]
    phases = [
        Phase("discriminator", DiscriminatorLoss(loss, task)),
        Phase("generator", GeneratorLoss(loss, task)),
    ]
    before = torch.get_rng_state()
    history = Trainer(judged, phases, task, generator=seeded(), read_every=1).fit(3)
    assert len(history["generator"]) == 3
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"fake_classes": "even"}, InvalidParameterError, "fake_classes='even'"),
        ({"real_classes": "uniform"}, InvalidParameterError, "real_classes='uniform'"),
        ({"wrong_weight": 1.0}, InvalidParameterError, "wrong_weight=1.0"),
        ({"batch_size": 0}, InvalidParameterError, "batch_size=0"),
        ({"n_classes": 3}, InvalidInputError, "n_classes=3"),
        ({"condition": torch.zeros(99, 2)}, InvalidInputError, "condition has 99 rows"),
    ],
)
def test_impossible_settings_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        task_of(**settings)


def test_impossible_classes_are_refused():
    prior = normal_prior(2)
    with pytest.raises(InvalidInputError, match="classes has 3 rows"):
        ConditionalTask(DATA, CLASSES[:3], prior, 4, n_classes=4)
    with pytest.raises(InvalidInputError, match="whole numbers"):
        ConditionalTask(DATA, CLASSES.float(), prior, 4, n_classes=4)
    with pytest.raises(InvalidParameterError, match="two classes"):
        ConditionalTask(DATA, torch.ones_like(CLASSES), prior, 4, n_classes=4, wrong_weight=0.5)


def test_real_and_generated_rows_are_judged_in_two_passes():
    """Batch norm then has statistics of its own for either kind; one joint pass would give the fakes away."""

    class Normed(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm1d(2)

        def forward(self, x, condition):
            return Verdict(self.norm(x).sum(1), features=self.norm(x))

    task, judged = task_of(), players() | {"discriminator": Normed()}
    real, fake = task.discriminator_cases(judged, task.batch(seeded()))
    for case in (real, fake):
        torch.testing.assert_close(case.verdict.features.mean(0), torch.zeros(2), atol=1e-5, rtol=0)
    both = torch.cat([real.data, fake.data])
    assert (Normed()(both, None).features[:40].mean(0).abs() > 0.1).any()
