"""Class losses against cross-entropies worked out by hand."""

import math

import pytest
import torch

from tabgan.core.cases import Case
from tabgan.core.class_losses import AuxiliaryClassLoss, FakeClassLoss
from tabgan.core.losses import ADVERSARIAL_LOSSES, LossPair
from tabgan.exceptions import InvalidParameterError
from tabgan.verdict import Verdict

BASE = ADVERSARIAL_LOSSES["non-saturating"]


def case(logits, classes, target=1.0, *, scores=(0.3, -0.2), **fields):
    verdict = Verdict(torch.tensor(scores, dtype=torch.float64), torch.tensor(logits, dtype=torch.float64))
    return Case(verdict, target, classes=None if classes is None else torch.tensor(classes), **fields)


def cross_entropy(logits, classes):
    """mean of log sum exp - own logit."""
    rows = zip(logits, classes, strict=True)
    return sum(math.log(sum(map(math.exp, row))) - row[own] for row, own in rows) / len(classes)


REAL = [[2.0, -1.0, 0.5], [0.0, 3.0, 1.0]], [0, 2]
FAKE = [[0.1, 0.2, -4.0], [1.0, -1.0, 1.0]], [1, 1]


def test_ac_gan_adds_the_cross_entropy_of_raw_logits():
    loss = AuxiliaryClassLoss(BASE, 0.5, 2.0)
    real, fake = case(*REAL), case(*FAKE, 0.0)
    by_hand = 0.5 * (cross_entropy(*REAL) + cross_entropy(*FAKE))
    base = float(BASE.discriminator_loss([real, fake]))
    assert float(loss.discriminator_loss([real, fake])) == pytest.approx(base + by_hand, rel=1e-12)
    base = float(BASE.generator_loss([fake]))
    assert float(loss.generator_loss([fake])) == pytest.approx(base + 2 * cross_entropy(*FAKE), rel=1e-12)


def test_logits_are_raw_so_that_a_sure_head_costs_nothing():
    """After a softmax, as in some ports, the loss could not fall below log(e + 2) - 1 = 0.55 with three classes."""
    sure = case([[50.0, 0.0, 0.0], [0.0, 0.0, 50.0]], [0, 2])
    assert float(AuxiliaryClassLoss(BASE).generator_loss([sure]) - BASE.generator_loss([sure])) < 1e-9


def test_fakes_need_not_be_classified_by_the_discriminator():
    loss = AuxiliaryClassLoss(BASE, classify_fakes=False)
    cases = [case(*REAL), case(*FAKE, 0.0)]
    expected = float(BASE.discriminator_loss(cases)) + cross_entropy(*REAL)
    assert float(loss.discriminator_loss(cases)) == pytest.approx(expected, rel=1e-12)
    smoothed = [case(*REAL, 0.9), case(*FAKE, 0.0)]
    expected = float(BASE.discriminator_loss(smoothed)) + cross_entropy(*REAL)
    assert float(loss.discriminator_loss(smoothed)) == pytest.approx(expected, rel=1e-12)
    assert float(loss.generator_loss([cases[1]]) - BASE.generator_loss([cases[1]])) > 0.1


@pytest.mark.parametrize("loss", [AuxiliaryClassLoss(BASE), FakeClassLoss(2)])
def test_cases_without_classes_have_no_class_part(loss):
    cases, wrong = [case(*REAL), case(*FAKE, 0.0)], case(*FAKE[:1], None, 0.0, scale=0.5)
    base = BASE.discriminator_loss([wrong]) if isinstance(loss, AuxiliaryClassLoss) else 0
    both = loss.discriminator_loss([*cases, wrong])
    torch.testing.assert_close(both, loss.discriminator_loss(cases) + base)


@pytest.mark.parametrize("loss", [AuxiliaryClassLoss(BASE), FakeClassLoss(2)])
def test_rows_of_weight_zero_do_not_count(loss):
    weight = torch.tensor([1.0, 0.0], dtype=torch.float64)
    alone = case(REAL[0][:1], REAL[1][:1], scores=(0.3,))
    torch.testing.assert_close(loss.discriminator_loss([case(*REAL, weight=weight)]), loss.discriminator_loss([alone]))


def test_fake_class_loss_is_one_softmax_over_classes_and_fake():
    """Two classes and "fake" = 2: real rows their class, fakes class 2, the generator the class asked for."""
    real, fake = (REAL[0], [0, 1]), (FAKE[0], [1, 0])
    loss = FakeClassLoss(2)
    expected = cross_entropy(*real) + 0.5 * cross_entropy(fake[0], [2, 2])
    assert float(loss.discriminator_loss([case(*real), case(*fake, 0.0)])) == pytest.approx(expected, rel=1e-12)
    assert float(loss.generator_loss([case(*fake)])) == pytest.approx(cross_entropy(*fake), rel=1e-12)
    assert float(FakeClassLoss(2, fake_weight=1.0).discriminator_loss([case(*fake, 0.0)])) == pytest.approx(
        cross_entropy(fake[0], [2, 2]), rel=1e-12
    )


def test_default_weight_of_fakes_equals_the_authors_batches():
    """Batches with ceil(n / K) fakes and one mean over all rows: same gradient direction as ours with fake_weight 1 / K."""
    draw = torch.Generator().manual_seed(0)
    logits = torch.randn(12 + 4, 4, generator=draw, dtype=torch.float64, requires_grad=True)
    classes = torch.randint(0, 3, (16,), generator=draw)
    labels = torch.cat([classes[:12], torch.full((4,), 3)])
    authors = torch.nn.functional.cross_entropy(logits, labels)
    real = Case(Verdict(None, logits[:12]), 1.0, classes=classes[:12])
    fake = Case(Verdict(None, logits[12:]), 0.0, classes=classes[12:])
    ours = FakeClassLoss(3).discriminator_loss([real, fake])
    torch.testing.assert_close(ours * 3 / 4, authors)


def test_smoothed_and_flipped_targets_mix_own_class_and_fake():
    real = (REAL[0], [0, 1])
    own, fake = cross_entropy(*real), cross_entropy(real[0], [2, 2])
    loss = FakeClassLoss(2, fake_weight=1.0)
    assert float(loss.discriminator_loss([case(*real, 0.9)])) == pytest.approx(0.9 * own + 0.1 * fake)
    flipped = torch.tensor([1.0, 0.0])
    expected = (cross_entropy(real[0][:1], [0]) + cross_entropy(real[0][1:], [2])) / 2
    assert float(loss.discriminator_loss([case(*real, flipped)])) == pytest.approx(expected)


def test_a_base_loss_with_a_state_keeps_it():
    class Stateful(LossPair):
        def __init__(self):
            self.k, self.phases = 0.5, []

        def after_phase(self, player, cases):
            self.phases.append(player)

        def state_dict(self):
            return {"k": self.k}

        def load_state_dict(self, state):
            self.k = state["k"]

    base = Stateful()
    loss = AuxiliaryClassLoss(base)
    loss.after_phase("generator", [])
    assert base.phases == ["generator"]
    assert loss.state_dict() == {"k": 0.5}
    loss.load_state_dict({"k": 0.25})
    assert base.k == 0.25


def test_what_a_class_loss_needs_is_said():
    no_head = Case(Verdict(torch.zeros(2)), 1.0, classes=torch.tensor([0, 1]))
    for loss in (AuxiliaryClassLoss(BASE), FakeClassLoss(2)):
        with pytest.raises(ValueError, match="`classes` logits"):
            loss.generator_loss([no_head])
        with pytest.raises(ValueError, match="ConditionalTask"):
            loss.generator_loss([case(REAL[0], None)])
    with pytest.raises(InvalidParameterError, match="4 class logits"):
        FakeClassLoss(3).generator_loss([case(*REAL)])
    with pytest.raises(InvalidParameterError, match="generator_weight=-1"):
        AuxiliaryClassLoss(BASE, generator_weight=-1)
    with pytest.raises(InvalidParameterError, match="n_classes=0"):
        FakeClassLoss(0)
