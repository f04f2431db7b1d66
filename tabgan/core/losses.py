"""Adversarial losses as pairs of per-element functions of a verdict, a target and a weight.

A new loss is one entry in ``ADVERSARIAL_LOSSES``; nothing else in the package has to know it. All of them take raw logits:
a sigmoid followed by a logarithm overflows, ``softplus`` does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from tabgan.core.cases import Case, weighted_mean

__all__ = ["ADVERSARIAL_LOSSES", "AdversarialLoss", "ElementLoss"]

ElementLoss = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class AdversarialLoss:
    """A loss pair built from three per-element functions of the logits.

    Parameters
    ----------
    real, fake : callable
        The discriminator's loss on an element that is real, or generated.
    generator : callable
        The generator's loss on an element that it made.

    Notes
    -----
    With ``target`` t in [0, 1] the discriminator's element loss is ``t * real(l) + (1 - t) * fake(l)``: label smoothing,
    label flips and GAIN's target "is this cell observed?" are targets, not further losses. Losses with a state (BEGAN's
    k_t) override `after_phase`, `state_dict` and `load_state_dict`.
    """

    real: ElementLoss
    fake: ElementLoss
    generator: ElementLoss

    def discriminator_loss(self, cases: Sequence[Case]) -> Tensor:
        """Sum over cases of the weighted mean of the element losses."""
        return torch.stack([case.scale * self._judge(case) for case in cases]).sum()

    def generator_loss(self, cases: Sequence[Case]) -> Tensor:
        """Sum over cases of the weighted mean of the generator's element losses."""
        return torch.stack(
            [case.scale * weighted_mean(self.generator(_logits(case)), case.weight) for case in cases]
        ).sum()

    def after_phase(self, player: str, cases: Sequence[Case]) -> None:
        """Update the loss's own state after a phase step; stateless losses do nothing."""

    def state_dict(self) -> dict[str, Any]:
        """The loss's own state for a checkpoint."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""

    def _judge(self, case: Case) -> Tensor:
        logits = _logits(case)
        if isinstance(case.target, Tensor):
            values = case.target * self.real(logits) + (1 - case.target) * self.fake(logits)
        elif case.target == 1.0:
            values = self.real(logits)
        elif case.target == 0.0:
            values = self.fake(logits)
        else:
            values = case.target * self.real(logits) + (1 - case.target) * self.fake(logits)
        return weighted_mean(values, case.weight)


def _logits(case: Case) -> Tensor:
    if case.verdict.adversarial is None:
        raise ValueError("this loss needs a discriminator whose Verdict has `adversarial` logits")
    return case.verdict.adversarial


ADVERSARIAL_LOSSES: dict[str, AdversarialLoss] = {
    # Goodfellow et al. 2014, eq. 1. softplus(-l) = -log s(l), softplus(l) = -log(1 - s(l)); G minimises log(1 - s(l)).
    "minimax": AdversarialLoss(lambda r: softplus(-r), softplus, lambda f: -softplus(f)),
    # Goodfellow et al. 2014, section 3: G minimises -log s(l), whose gradient survives a confident discriminator.
    "non-saturating": AdversarialLoss(lambda r: softplus(-r), softplus, lambda f: softplus(-f)),
    # Mao et al. 2017, eq. 9 with (a, b, c) = (0, 1, 1). One of our lectures prints it with wrong signs.
    "lsgan": AdversarialLoss(lambda r: 0.5 * (r - 1) ** 2, lambda f: 0.5 * f**2, lambda f: 0.5 * (f - 1) ** 2),
    # Arjovsky et al. 2017, eq. 2-3; needs `WeightClip` or a gradient penalty on the critic.
    "wasserstein": AdversarialLoss(lambda r: -r, lambda f: f, lambda f: -f),
    # Lim and Ye 2017; Miyato et al. 2018, eq. 16-17.
    "hinge": AdversarialLoss(lambda r: relu(1 - r), lambda f: relu(1 + f), lambda f: -f),
}
"""Loss pairs by name: ``"minimax"``, ``"non-saturating"``, ``"lsgan"``, ``"wasserstein"``, ``"hinge"``."""
