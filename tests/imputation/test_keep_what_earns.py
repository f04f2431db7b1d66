"""A correction is kept kind by kind, where held-out cells say that it helps, and only in part where there are few rows."""

import pytest
import torch

from tabgan.imputation.stages.correction import _LEAST_GAIN, Correction, keep_what_earns
from tabgan.spans import Span

SPANS = (Span("numeric", 0, 1), Span("categorical", 1, 4), Span("numeric", 4, 5), Span("categorical", 5, 7))
NUMBERS, LEVELS = [0, 4], [1, 2, 3, 5, 6]


@pytest.fixture
def module() -> Correction:
    """Of random weights, in its last layer too."""
    draw = torch.Generator().manual_seed(0)
    made = Correction(SPANS, torch.zeros(2, 3), width=8, n_blocks=1, n_members=2, generator=draw)
    with torch.no_grad():
        made.output.normal_(generator=draw)
        made.output_bias.normal_(generator=draw)
    return made


class Losses:
    """A held-out loss of 1 per kind, less what the correction of that kind gains, as far as the kind is asked about."""

    def __init__(self, numbers: float, levels: float) -> None:
        self.gains = {"numeric": numbers, "categorical": levels}
        self.asked: list[tuple[float, ...]] = []

    def __call__(self, module: Correction, columns: torch.Tensor) -> float:
        self.asked.append(tuple(columns.tolist()))
        loss = 0.0
        for span, weight in zip(SPANS, columns.tolist(), strict=True):
            slots = slice(span.start, span.stop)
            spoken = bool(module.output[..., slots].any() or module.output_bias[..., slots].any())
            loss += weight * (1 - spoken * self.gains[span.kind])
        return loss


def kept(module: Correction, losses: Losses, n_rows: int = 10**9) -> tuple[bool, bool]:
    """Whether numbers and levels are still corrected."""
    keep_what_earns(module, losses, n_rows)
    return tuple(bool(module.output[..., s].any() and module.output_bias[..., s].any()) for s in (NUMBERS, LEVELS))


@pytest.mark.parametrize("numbers", [0.5, -0.5])
@pytest.mark.parametrize("levels", [0.5, -0.5])
def test_each_kind_is_judged_by_its_own_cells(module, numbers, levels):
    """A gain of 50 % of the one would pay for the other's loss if they were judged together."""
    losses = Losses(numbers, levels)
    assert kept(module, losses) == (numbers > 0, levels > 0)
    assert set(losses.asked) == {(1.0, 0.0, 1.0, 0.0), (0.0, 1.0, 0.0, 1.0)}


@pytest.mark.parametrize(("gain", "stays"), [(0.0, False), (0.019, False), (0.021, True), (-0.1, False)])
def test_the_least_gain_is_two_per_cent(module, gain, stays):
    assert _LEAST_GAIN == 0.02
    assert kept(module, Losses(gain, 0.5)) == (stays, True)
    assert kept(module, Losses(0.5, gain))[1] == stays


@pytest.mark.parametrize(("n_rows", "share"), [(400, 0.5), (100, 0.2), (3600, 0.9)])
def test_of_what_is_kept_stays_n_over_n_plus_400(module, n_rows, share):
    weight, bias = module.output.clone(), module.output_bias.clone()
    keep_what_earns(module, Losses(0.5, -0.5), n_rows)
    torch.testing.assert_close(module.output[..., NUMBERS], share * weight[..., NUMBERS])
    torch.testing.assert_close(module.output_bias[..., NUMBERS], share * bias[..., NUMBERS])
    assert not module.output[..., LEVELS].any()
    assert not module.output_bias[..., LEVELS].any()


def test_the_rest_of_the_network_is_left_alone(module):
    before = {name: value.clone() for name, value in module.state_dict().items()}
    keep_what_earns(module, Losses(0.5, -0.5), 50)
    for name, value in module.state_dict().items():
        if not name.startswith("output"):
            assert torch.equal(value, before[name])


def test_a_kind_that_the_table_does_not_have_changes_nothing():
    spans = (Span("numeric", 0, 1), Span("numeric", 1, 2))
    made = Correction(spans, torch.zeros(2, 3), width=4, n_members=2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        made.output.fill_(1.0)
        made.output_bias.fill_(1.0)
    # No cell counts where no column does: the loss is 0 with and without.
    keep_what_earns(made, lambda module, columns: float(columns.sum()) * (1 - 0.5 * bool(module.output.any())), 400)
    assert (made.output == 0.5).all()
