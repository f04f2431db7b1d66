"""Losses that also name the class: a second head beside the verdict, or a single head with the extra class "fake"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from tabgan.core.cases import Case, weighted_mean
from tabgan.core.losses import LossPair, row_weight
from tabgan.exceptions import InvalidParameterError

__all__ = ["AuxiliaryClassLoss", "FakeClassLoss"]


class AuxiliaryClassLoss(LossPair):
    """AC-GAN: a base loss on the source head plus cross-entropy on the class head.

    Parameters
    ----------
    base : LossPair
        The pair for ``verdict.adversarial``.
    discriminator_weight, generator_weight : float, default=1.0
        Factor of the cross-entropy in either phase.
    classify_fakes : bool, default=True
        Whether the discriminator also learns the class of the fakes, as the paper has it. False keeps the head an honest
        classifier of real rows; the generator is still asked to please it. Rows count as real by the target they carry.

    Raises
    ------
    InvalidParameterError
        A weight is negative.

    Notes
    -----
    Discriminator: ``L_S + w_D mean CE(classes)`` for real rows, plus the same for fakes. Generator: ``L_base + w_G mean
    CE(classes)``. Cases whose ``classes`` is None (mismatched pairs) have no class part. The class head gives raw logits;
    a softmax before the cross-entropy, as in some ports, flattens its gradient.

    References
    ----------
    Odena, Olah, Shlens 2017, "Conditional Image Synthesis with Auxiliary Classifier GANs", eq. 2-3.
    """

    def __init__(
        self,
        base: LossPair,
        discriminator_weight: float = 1.0,
        generator_weight: float = 1.0,
        classify_fakes: bool = True,
    ) -> None:
        _not_negative("discriminator_weight", discriminator_weight)
        _not_negative("generator_weight", generator_weight)
        self.base = base
        self.discriminator_weight = discriminator_weight
        self.generator_weight = generator_weight
        self.classify_fakes = classify_fakes

    def discriminator_loss(self, cases: Sequence[Case]) -> Tensor:
        """The base loss plus the weighted class part."""
        return self.base.discriminator_loss(cases) + self.discriminator_weight * self._class_part(
            cases, real_only=not self.classify_fakes
        )

    def generator_loss(self, cases: Sequence[Case]) -> Tensor:
        """The base loss plus the weighted cross-entropy of the classes asked for."""
        return self.base.generator_loss(cases) + self.generator_weight * self._class_part(cases, real_only=False)

    def after_phase(self, player: str, cases: Sequence[Case]) -> None:
        """Passed on to the base loss."""
        self.base.after_phase(player, cases)

    def state_dict(self) -> dict[str, Any]:
        """The base loss's state."""
        return self.base.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.base.load_state_dict(state)

    def _class_part(self, cases: Sequence[Case], *, real_only: bool) -> Tensor:
        parts = []
        for case in cases:
            if case.classes is None:
                continue
            values = cross_entropy(_class_logits(case), case.classes, reduction="none")
            weight = row_weight(case)
            if real_only:
                is_real = _per_row(case.target, values).gt(0.5).to(values)
                weight = is_real if weight is None else weight * is_real
            parts.append(case.scale * weighted_mean(values, weight))
        return _sum(parts)


class FakeClassLoss(LossPair):
    """One softmax over K classes and "fake", so that no row is pulled towards "real" and its class separately.

    Parameters
    ----------
    n_classes : int
        K, real classes only; ``verdict.classes`` has K + 1 logits, the last for "fake".
    fake_weight : float, default=None
        Weight of "fake" beside the classes. None is ``1 / K``, the share that fakes have in the authors' batches: as many as
        one class on average.

    Raises
    ------
    InvalidParameterError
        A parameter is out of range.

    Notes
    -----
    A row of target t costs ``t CE(own class) + fake_weight (1 - t) CE(fake)``, so smoothed and flipped targets mean what they
    mean elsewhere. The generator minimises ``CE(class asked for)``. Cases without classes are left out.

    References
    ----------
    Mariani et al. 2018, "Data Augmentation with Balancing GAN" (arXiv 1803.09655), section 3.3; Salimans et al. 2016, section 5.
    """

    def __init__(self, n_classes: int, fake_weight: float | None = None) -> None:
        if n_classes < 1:
            raise InvalidParameterError(f"n_classes={n_classes} must be at least 1.")
        self.n_classes = n_classes
        self.fake_weight = 1 / n_classes if fake_weight is None else fake_weight
        _not_negative("fake_weight", self.fake_weight)

    def discriminator_loss(self, cases: Sequence[Case]) -> Tensor:
        """Cross-entropy with the row's own class where real, with "fake" where generated."""
        parts = []
        for case in cases:
            if case.classes is None:
                continue
            own = self._cross_entropy(case, case.classes)
            fake = self._cross_entropy(case, torch.full_like(case.classes, self.n_classes))
            target = _per_row(case.target, own)
            values = target * own + self.fake_weight * (1 - target) * fake
            parts.append(case.scale * weighted_mean(values, row_weight(case)))
        return _sum(parts)

    def generator_loss(self, cases: Sequence[Case]) -> Tensor:
        """Cross-entropy with the class asked for."""
        return _sum(
            [
                case.scale * weighted_mean(self._cross_entropy(case, case.classes), row_weight(case))
                for case in cases
                if case.classes is not None
            ]
        )

    def _cross_entropy(self, case: Case, classes: Tensor) -> Tensor:
        logits = _class_logits(case)
        if logits.shape[1] != self.n_classes + 1:
            raise InvalidParameterError(
                f"n_classes={self.n_classes} needs a discriminator with {self.n_classes + 1} class logits (one for "
                f"'fake'), but it gives {logits.shape[1]}."
            )
        return cross_entropy(logits, classes, reduction="none")


def _class_logits(case: Case) -> Tensor:
    if case.verdict.classes is None:
        raise ValueError("a class loss needs a discriminator whose Verdict has `classes` logits")
    return case.verdict.classes


def _per_row(target: Tensor | float, like: Tensor) -> Tensor:
    """The target of each row: a target per cell or patch counts with its row's mean."""
    if isinstance(target, Tensor):
        return target.to(like).reshape(len(target), -1).mean(1)
    return torch.full_like(like, target)


def _sum(parts: Sequence[Tensor]) -> Tensor:
    if not parts:
        raise ValueError("a class loss needs a case with `classes`; use a task that knows them (ConditionalTask)")
    return torch.stack(list(parts)).sum()


def _not_negative(name: str, value: float) -> None:
    if not value >= 0:
        raise InvalidParameterError(f"{name}={value} must not be negative.")
