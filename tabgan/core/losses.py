"""Adversarial losses as pairs of per-element functions of a verdict, a target and a weight; BEGAN's loss, which has a state.

A new loss is one entry in ``ADVERSARIAL_LOSSES``: `tabgan.CGANSampler` and `tabgan.images.recipes.recipe.two_players` take any of its
keys. All pairs take raw logits: a sigmoid followed by a logarithm overflows, ``softplus`` does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from tabgan.core.cases import Case, weighted_mean
from tabgan.exceptions import InvalidParameterError

__all__ = ["ADVERSARIAL_LOSSES", "AdversarialLoss", "BeganLoss", "ElementLoss", "LossPair", "row_weight"]

ElementLoss = Callable[[Tensor], Tensor]


class LossPair:
    """What phases ask of a loss. A pair whose elements are not functions of one logit subclasses this directly.

    Losses with a state (BEGAN's k_t) override `after_phase`, `state_dict` and `load_state_dict`.
    """

    def discriminator_loss(self, cases: Sequence[Case]) -> Tensor:
        """The discriminator's loss on its cases, a tensor of shape ()."""
        raise NotImplementedError

    def generator_loss(self, cases: Sequence[Case]) -> Tensor:
        """The generator's loss on its cases, a tensor of shape ()."""
        raise NotImplementedError

    def after_phase(self, player: str, cases: Sequence[Case]) -> None:
        """Update the loss's own state after a phase step; stateless losses do nothing."""

    def state_dict(self) -> dict[str, Any]:
        """The loss's own state for a checkpoint."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""


@dataclass(frozen=True)
class AdversarialLoss(LossPair):
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
    label flips and a target per cell ("is this cell observed?") are targets, not further losses.
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


class BeganLoss(LossPair):
    """BEGAN: the discriminator is an autoencoder, and a controlled k_t keeps the two players in balance.

    Parameters
    ----------
    balance : float in (0, 1], default=0.5
        gamma, the ratio ``L(G(z)) / L(x)`` held; lower means sharper and less diverse.
    rate : float, default=0.001
        lambda_k, how fast k follows.
    power : {1, 2}, default=1
        Exponent of the reconstruction error.

    Attributes
    ----------
    k : Tensor of shape ()
        k_t in [0, 1]; starts at 0.
    convergence : Tensor of shape () or None
        The measure ``M = L(x) + |gamma L(x) - L(G(z))|`` of the last generator step; falls as training gets on.

    Raises
    ------
    InvalidParameterError
        A parameter is out of range.

    Notes
    -----
    ``L(v) = mean |v - D(v)|^power`` over the elements of a row, from ``case.data`` and ``verdict.reconstruction``.
    Discriminator: ``L(x) - k_t L(G(z_D))``; generator: ``L(G(z_G))``; after the generator's step ``k <- clip(k + rate (gamma
    L(x) - L(G(z_G))), 0, 1)``. Each phase draws its own noise, and the generator's loss moves the generator alone, where
    some ports add both losses up in one backward pass.

    References
    ----------
    Berthelot, Schumm, Metz 2017, "BEGAN: Boundary Equilibrium Generative Adversarial Networks", section 3.3-3.4.
    """

    def __init__(self, balance: float = 0.5, rate: float = 0.001, power: int = 1) -> None:
        if not 0 < balance <= 1:
            raise InvalidParameterError(f"balance={balance} must lie in (0, 1].")
        if not rate >= 0:
            raise InvalidParameterError(f"rate={rate} must not be negative.")
        if power not in (1, 2):
            raise InvalidParameterError(f"power={power} must be 1 or 2.")
        self.balance = balance
        self.rate = rate
        self.power = power
        self.k = torch.zeros(())
        self.convergence: Tensor | None = None
        self._real: Tensor | None = None
        self._pending: tuple[str, Tensor] | None = None

    def discriminator_loss(self, cases: Sequence[Case]) -> Tensor:
        """``L(x) - k_t L(G(z_D))``; a row of target t counts t-fold as real and (1 - t)-fold as generated."""
        total, real, share = [], [], []
        for case in cases:
            errors = self._errors(case)
            target = torch.as_tensor(case.target).to(errors)
            target = target.reshape(len(target), -1).mean(1) if target.ndim else target.expand(errors.shape)
            signed = target * errors - self.k.to(errors) * (1 - target) * errors
            total.append(case.scale * weighted_mean(signed, row_weight(case)))
            real.append((target * errors).sum())
            share.append(target.sum())
        self._pending = "real", (torch.stack(real).sum() / torch.stack(share).sum().clamp_min(1e-12)).detach()
        return torch.stack(total).sum()

    def generator_loss(self, cases: Sequence[Case]) -> Tensor:
        """``L(G(z_G))``."""
        loss = torch.stack([case.scale * weighted_mean(self._errors(case), row_weight(case)) for case in cases]).sum()
        self._pending = "generated", loss.detach()
        return loss

    def after_phase(self, player: str, cases: Sequence[Case]) -> None:
        """Remember ``L(x)`` after a discriminator step, move k after a generator step."""
        if self._pending is None:
            return
        (kind, value), self._pending = self._pending, None
        if kind == "real":
            self._real = value
        elif self._real is not None:
            lead = self.balance * self._real - value
            self.k = (self.k.to(lead) + self.rate * lead).clamp(0, 1)
            self.convergence = self._real + lead.abs()

    def state_dict(self) -> dict[str, Any]:
        """``k``, the last ``L(x)`` and the convergence measure."""
        return {"k": self.k, "real": self._real, "convergence": self.convergence}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.k, self._real, self.convergence = state["k"], state["real"], state["convergence"]

    def _errors(self, case: Case) -> Tensor:
        if case.verdict.reconstruction is None or case.data is None:
            raise ValueError("this loss needs a discriminator whose Verdict has a `reconstruction`, and Case.data")
        return (case.data - case.verdict.reconstruction).abs().pow(self.power).flatten(1).mean(1)


def row_weight(case: Case) -> Tensor | None:
    """The case's weight per row, shape (n,): the mean over a row's cells or patches; None when all count alike."""
    return None if case.weight is None else case.weight.reshape(len(case.weight), -1).mean(1)


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
"""Loss pairs by name; whoever takes a loss by name takes every key."""
