"""Hidden cells, hints and the per-cell reconstruction loss, and the two tasks built from them."""

import math

import pytest
import torch
from torch import nn

from benchmarks.imputation.remasking import RemaskTask
from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.imputation.masking import hide_cells, hint_code, hint_paper, reconstruction_loss
from tabgan.imputation.published import GainTask
from tabgan.verdict import Verdict


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def mask(n, n_columns, share=0.7, seed=0):
    return (torch.rand(n, n_columns, generator=seeded(seed)) < share).float()


@pytest.mark.parametrize("donor_fraction", [0.0, 0.5, 1.0])
def test_hidden_cells_are_taken_from_the_visible_ones(donor_fraction):
    visible = mask(500, 7)
    draw = seeded(1)
    for _ in range(5):
        shown = hide_cells(visible, draw, donors=mask(30, 7, seed=2), donor_fraction=donor_fraction)
        assert shown.shape == visible.shape
        assert ((shown == 0) | (shown == 1)).all()
        assert (shown <= visible).all()


def test_hiding_rates_differ_by_row_and_are_uniform_in_their_range():
    """With 2000 columns a row's share of hidden cells is its rate to within a standard error of 0.011."""
    shown = hide_cells(torch.ones(1500, 2000), seeded(), lowest_rate=0.1, highest_rate=0.5)
    rate = 1 - shown.mean(1)
    assert rate.min() > 0.1 - 0.04
    assert rate.max() < 0.5 + 0.05
    assert float(rate.mean()) == pytest.approx(0.3, abs=0.012)
    assert float(rate.std()) == pytest.approx(0.4 / math.sqrt(12), abs=0.008)


def test_cells_of_a_row_are_hidden_alike_whatever_their_column():
    shown = hide_cells(torch.ones(20000, 5), seeded())
    assert ((1 - shown).mean(0) - 0.325).abs().max() < 0.015


def test_rate_zero_hides_nothing_and_rate_one_all():
    visible = mask(50, 4)
    assert torch.equal(hide_cells(visible, seeded(), lowest_rate=0.0, highest_rate=0.0), visible)
    assert hide_cells(visible, seeded(), lowest_rate=1.0, highest_rate=1.0).sum() == 0


def test_with_donor_fraction_one_every_row_wears_a_donors_pattern():
    donors = torch.tensor([[1.0, 1, 0, 0], [0, 1, 1, 0]])
    shown = hide_cells(
        torch.ones(400, 4), seeded(), lowest_rate=0.0, highest_rate=0.0, donors=donors, donor_fraction=1.0
    )
    first = (shown == donors[0]).all(1)
    assert (first | (shown == donors[1]).all(1)).all()
    assert float(first.float().mean()) == pytest.approx(0.5, abs=0.1)


def test_the_donor_fraction_is_the_share_of_rows_that_take_a_pattern():
    shown = hide_cells(
        torch.ones(4000, 3),
        seeded(),
        lowest_rate=0.0,
        highest_rate=0.0,
        donors=torch.tensor([[1.0, 0, 1]]),
        donor_fraction=0.3,
    )
    assert float(1 - shown[:, 1].mean()) == pytest.approx(0.3, abs=0.03)
    assert (shown[:, [0, 2]] == 1).all()


def test_the_papers_hint_tells_all_but_one_cell():
    """Eq. 12: h = b m + 0.5 (1 - b), where b has exactly one zero per row."""
    observed = mask(3000, 5)
    hint, open_cells = hint_paper(observed, seeded(1))
    b = 1 - open_cells
    assert (open_cells.sum(1) == 1).all()
    assert torch.equal(hint, b * observed + 0.5 * (1 - b))
    assert torch.equal(hint == 0.5, open_cells == 1)
    assert (open_cells.mean(0) - 0.2).abs().max() < 0.03


@pytest.mark.parametrize("rate", [0.0, 0.5, 0.9, 1.0])
def test_the_codes_hint_never_exceeds_the_mask_and_tells_its_share(rate):
    observed = mask(3000, 5)
    hint, open_cells = hint_code(observed, seeded(1), rate)
    assert ((hint == 0) | (hint == 1)).all()
    assert (hint <= observed).all()
    assert float(hint.sum() / observed.sum()) == pytest.approx(rate, abs=0.02)
    assert (open_cells == 1).all()


# number, three levels, number, two levels
COLUMN = torch.tensor([0, 1, 1, 1, 2, 3, 3])
IS_CATEGORICAL = torch.tensor([False, True, True, True, False, True, True])


def rows(n, seed=0):
    draw = seeded(seed)
    levels = [nn.functional.one_hot(torch.randint(width, (n,), generator=draw), width).double() for width in (3, 2)]
    numbers = torch.randn(n, 2, generator=draw, dtype=torch.float64)
    return torch.cat([numbers[:, :1], levels[0], numbers[:, 1:], levels[1]], 1)


def guesses(*shape, seed=1):
    raw = torch.randn(*shape, 7, generator=seeded(seed), dtype=torch.float64)
    raw[..., 1:4] = raw[..., 1:4].log_softmax(-1)
    raw[..., 5:7] = raw[..., 5:7].log_softmax(-1)
    return raw


def plain_loss(predicted, truth, cells):
    """The same, cell by cell."""
    total, weights = 0.0, 0.0
    for i in range(len(truth)):
        for j, slots in enumerate([[0], [1, 2, 3], [4], [5, 6]]):
            if len(slots) == 1:
                loss = (predicted[i, slots[0]] - truth[i, slots[0]]).item() ** 2
            else:
                right = next(slot for slot in slots if truth[i, slot] == 1)
                loss = -predicted[i, right].item()
            total += cells[i, j].item() * loss
            weights += cells[i, j].item()
    return total / weights


@pytest.mark.parametrize("scale", [1.0, 1e-3, 100.0])
def test_reconstruction_loss_is_the_weighted_mean_over_cells(scale):
    truth, predicted = rows(6), guesses(6)
    cells = torch.rand(6, 4, generator=seeded(3), dtype=torch.float64) * mask(6, 4, 0.5) * scale
    value = reconstruction_loss(predicted, truth, cells, COLUMN, IS_CATEGORICAL)
    assert float(value) == pytest.approx(plain_loss(predicted, truth, cells), rel=1e-12)


def test_reconstruction_loss_of_several_members_is_their_mean():
    truth, predicted, cells = rows(6), guesses(3, 6), mask(6, 4, 0.5).double()
    value = reconstruction_loss(predicted, truth, cells, COLUMN, IS_CATEGORICAL)
    members = [plain_loss(member, truth, cells) for member in predicted]
    assert float(value) == pytest.approx(sum(members) / 3, rel=1e-12)


def test_cells_of_weight_zero_do_not_count():
    truth, predicted, cells = rows(6), guesses(6).requires_grad_(), mask(6, 4, 0.5).double()
    value = reconstruction_loss(predicted, truth, cells, COLUMN, IS_CATEGORICAL)
    value.backward()
    idle = cells[:, COLUMN] == 0
    assert (predicted.grad[idle] == 0).all()
    other = reconstruction_loss(
        torch.where(idle, guesses(6, seed=9), predicted.detach()),
        torch.where(idle, 55.0, truth),
        cells,
        COLUMN,
        IS_CATEGORICAL,
    )
    assert float(other) == float(value.detach())


def test_no_cells_at_all_give_zero():
    assert reconstruction_loss(guesses(6), rows(6), torch.zeros(6, 4), COLUMN, IS_CATEGORICAL) == 0


def test_a_remask_batch_splits_the_observed_cells_into_shown_and_hidden():
    values, visible = rows(40), mask(40, 4).double()
    batch = RemaskTask(values, visible, batch_size=64, lowest_rate=0.2, highest_rate=0.4).batch(seeded())
    assert torch.equal(batch.shown + batch.hidden, batch.observed)
    assert (batch.shown * batch.hidden == 0).all()
    assert batch.hidden.sum() > 0
    known = {tuple(row.tolist()) for row in torch.cat([values, visible], 1)}
    assert all(tuple(row.tolist()) in known for row in torch.cat([batch.values, batch.observed], 1))


class Fill(nn.Module):
    """A generator that fills with one learned number."""

    def __init__(self):
        super().__init__()
        self.level = nn.Parameter(torch.tensor(0.5))

    def forward(self, values, visible):
        self.seen = values
        return self.level.expand(values.shape)


class Judge(nn.Module):
    """A discriminator whose logit for a column is the sum of the column's slots."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(1.0))

    def forward(self, completed, hint):
        self.completed, self.hint = completed.detach(), hint
        return Verdict(self.gain * torch.zeros(len(completed), 4).index_add(1, COLUMN, completed))


@pytest.fixture(params=["paper", "code"])
def gain(request):
    values, visible = rows(30).float() + 2, mask(30, 4)
    values = torch.where(visible[:, COLUMN] > 0, values, math.nan)  # whatever is hidden must not be looked at
    task = GainTask(values, visible, COLUMN, batch_size=20, hint=request.param, noise_scale=0.01)
    return task, {"generator": Fill(), "discriminator": Judge()}


def test_gain_draws_distinct_rows_and_fills_hidden_cells_with_small_noise(gain):
    task, _ = gain
    batch = task.batch(seeded())
    seen = batch.visible[:, COLUMN] > 0
    assert len(batch.given) == 20
    assert ((batch.given[~seen] >= 0) & (batch.given[~seen] <= 0.01)).all()
    known = [row.nan_to_num(-1).tolist() for row in task.values]
    drawn = [row.tolist() for row in torch.where(seen, batch.given, -1.0)]
    assert all(known.count(row) >= drawn.count(row) for row in drawn)


def test_gain_shows_the_discriminator_observed_cells_as_they_are_and_filled_ones_elsewhere(gain):
    task, players = gain
    batch = task.batch(seeded())
    (case,) = task.discriminator_cases(players, batch)
    seen = batch.visible[:, COLUMN] > 0
    completed = players["discriminator"].completed
    assert torch.equal(completed[seen], batch.given[seen])
    assert (completed[~seen] == 0.5).all()
    assert players["discriminator"].hint is batch.hint
    assert torch.equal(case.target, batch.visible)
    ADVERSARIAL_LOSSES["non-saturating"].discriminator_loss([case]).backward()
    assert players["generator"].level.grad is None
    assert players["discriminator"].gain.grad is not None


def test_gains_generator_is_judged_on_open_filled_cells_in_the_proportion_of_the_code(gain):
    """The mean over all open cells of -(1 - m) log D, not over the filled ones alone."""
    task, players = gain
    batch = task.batch(seeded())
    cases = task.generator_cases(players, batch)
    value = ADVERSARIAL_LOSSES["non-saturating"].generator_loss(cases)
    logits = cases[0].verdict.adversarial.detach()
    element = -(1 - batch.visible) * batch.open_cells * nn.functional.logsigmoid(logits)
    assert float(value.detach()) == pytest.approx(float(element.sum() / batch.open_cells.sum()), rel=1e-5)
    value.backward()
    assert players["generator"].level.grad != 0


def test_gains_reconstruction_counts_observed_slots_only(gain):
    task, players = gain
    batch = task.batch(seeded())
    value = task.reconstruction(players, batch).detach()
    seen = batch.visible[:, COLUMN] > 0
    assert float(value) == pytest.approx(float(((0.5 - batch.given[seen]) ** 2).mean()), rel=1e-5)


def test_a_batch_judged_first_without_gradients_still_teaches_the_generator(gain):
    """Both kinds of cases may be asked of one batch; a forward pass made without gradients must not be shared."""
    task, players = gain
    batch = task.batch(seeded())
    task.discriminator_cases(players, batch)
    ADVERSARIAL_LOSSES["non-saturating"].generator_loss(task.generator_cases(players, batch)).backward()
    assert players["generator"].level.grad is not None
