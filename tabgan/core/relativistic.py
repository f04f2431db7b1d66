"""The relativistic pairing loss: every generated row is compared with one real row, and only the difference counts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import softplus

from tabgan.core.cases import Case
from tabgan.core.losses import LossPair

__all__ = ["RelativisticLoss"]


class RelativisticLoss(LossPair):
    """RpGAN: the discriminator is to score the real row of each pair above the generated one, the generator the other way round.

    Notes
    -----
    With ``d`` the score of the row that ought to win minus that of the other, an element costs ``t softplus(-d) + (1 - t)
    softplus(d)``, where t is the winner's target: 1, or less with smoothed labels, or 0 where they are flipped. A task with
    ``paired=True`` supplies the cases: real, then generated rows in the discriminator's phase, the reverse in the generator's.

    References
    ----------
    Jolicoeur-Martineau 2019, "The relativistic discriminator", section 4; Huang et al. 2024, "The GAN is dead; long live the GAN!"
    (arXiv 2501.05441), eq. 2, with f(t) = -log(1 + exp(-t)).
    """

    def discriminator_loss(self, cases: Sequence[Case]) -> Tensor:
        """``mean softplus(D(fake) - D(real))``."""
        return _contest(cases)

    def generator_loss(self, cases: Sequence[Case]) -> Tensor:
        """``mean softplus(D(real) - D(fake))``."""
        return _contest(cases)


def _contest(cases: Sequence[Case]) -> Tensor:
    winner, loser = (case.verdict.adversarial for case in cases[:2])
    if winner is None or loser is None:
        raise ValueError("this loss needs a discriminator whose Verdict has `adversarial` logits")
    lead = winner - loser
    target = torch.as_tensor(cases[0].target).to(lead)
    return (target * softplus(-lead) + (1 - target) * softplus(lead)).mean()
