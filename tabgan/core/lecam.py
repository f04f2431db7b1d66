"""LeCam regularisation: scores of real rows are held near those that generated ones get, and the other way round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from tabgan.core.cases import Case
from tabgan.core.losses import LossPair
from tabgan.exceptions import InvalidParameterError

__all__ = ["LeCamLoss"]


class LeCamLoss(LossPair):
    """A loss pair whose discriminator also pays for scores far from a moving average of those of the other kind.

    Parameters
    ----------
    base : LossPair
        The pair for ``verdict.adversarial``.
    weight : float, default=0.3
        lambda.
    decay : float, default=0.99
        Weight of the old averages per discriminator step.

    Raises
    ------
    InvalidParameterError
        A parameter is out of range.

    Notes
    -----
    ``mean relu(D(x) - a_F)^2 + mean relu(a_R - D(G(z)))^2``: only scores that lie further apart than the averages do are paid for, as
    in the authors' code. The averages ``a_R`` and ``a_F`` begin at the scores of the first batch. The first of the cases is real, the
    second generated; further ones (mismatched pairs) take no part. The generator's half is the base pair's.

    References
    ----------
    Tseng et al. 2021, "Regularizing Generative Adversarial Networks under Limited Data" (CVPR), eq. 4, and
    https://github.com/google/lecam-gan.
    """

    def __init__(self, base: LossPair, weight: float = 0.3, decay: float = 0.99) -> None:
        if not weight >= 0:
            raise InvalidParameterError(f"weight={weight} must not be negative.")
        if not 0 <= decay < 1:
            raise InvalidParameterError(f"decay={decay} must lie in [0, 1).")
        self.base = base
        self.weight = weight
        self.decay = decay
        self.anchors: Tensor | None = None  # a_R and a_F, on the device of the scores
        self._scores: Tensor | None = None

    def discriminator_loss(self, cases: Sequence[Case]) -> Tensor:
        """The base loss plus the weighted distances."""
        real, fake = (_scores(case) for case in cases[:2])
        self._scores = torch.stack([real.mean(), fake.mean()]).detach()
        real_anchor, fake_anchor = self._scores if self.anchors is None else self.anchors.to(real)
        far = (real - fake_anchor).relu().square().mean() + (real_anchor - fake).relu().square().mean()
        return self.base.discriminator_loss(cases) + self.weight * far

    def generator_loss(self, cases: Sequence[Case]) -> Tensor:
        """The base loss."""
        return self.base.generator_loss(cases)

    def after_phase(self, player: str, cases: Sequence[Case]) -> None:
        """Move the averages after a discriminator step."""
        if self._scores is not None:
            new, self._scores = self._scores, None
            old = new if self.anchors is None else self.anchors.to(new)
            self.anchors = self.decay * old + (1 - self.decay) * new
        self.base.after_phase(player, cases)

    def state_dict(self) -> dict[str, Any]:
        """The averages, and the base loss's state."""
        own = {} if self.anchors is None else {"anchors": self.anchors.clone()}
        return {**own, "base": self.base.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.anchors = state["anchors"].clone() if "anchors" in state else None
        if state["base"]:
            self.base.load_state_dict(state["base"])


def _scores(case: Case) -> Tensor:
    if case.verdict.adversarial is None:
        raise ValueError("this loss needs a discriminator whose Verdict has `adversarial` logits")
    return case.verdict.adversarial
