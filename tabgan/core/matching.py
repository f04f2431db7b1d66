"""Feature matching: the generator is to have the data's mean features, whatever the discriminator's verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic

import torch
from torch import Tensor, nn

from tabgan.core.cases import BatchT, Case
from tabgan.core.losses import LossPair
from tabgan.core.tasks import GeneratingTask
from tabgan.exceptions import InvalidParameterError

__all__ = ["FeatureMatchingLoss", "feature_distance"]


def feature_distance(real: Tensor, fake: Tensor) -> Tensor:
    """Squared distance of the mean features, ``|| E phi(x) - E phi(G(z)) ||_2^2``.

    Parameters
    ----------
    real, fake : Tensor of shape (n, d) and (m, d)
        Features; further dimensions are flattened. No gradient reaches ``real``.

    Returns
    -------
    Tensor of shape ()
    """
    return (real.detach().flatten(1).mean(0) - fake.flatten(1).mean(0)).square().sum()


class FeatureMatchingLoss(Generic[BatchT]):
    """A generator's phase loss that compares mean features of real and generated rows.

    Parameters
    ----------
    loss : LossPair
        The discriminator's loss pair; the generator's half is used only if ``adversarial_weight`` is not 0.
    task : GeneratingTask
        Supplies ``fakes`` and the cases, real rows first and generated ones second.
    weight : float, default=1.0
        Factor of the feature distance.
    adversarial_weight : float, default=0.0
        Factor of the pair's generator loss. At 0 the distance replaces it, as the paper has it; otherwise the two add up.
    name : str, default="generator"
        Prefix in the history.

    Raises
    ------
    InvalidParameterError
        A weight is negative, or both are 0.

    Notes
    -----
    The discriminator must fill ``Verdict.features``. Features come from the task's discriminator cases, so a wrapper such as
    instance noise acts on both sides; a replay pool does not, since only new fakes have a gradient.

    References
    ----------
    Salimans et al. 2016, "Improved Techniques for Training GANs", section 3.1.
    """

    def __init__(
        self,
        loss: LossPair,
        task: GeneratingTask[BatchT],
        *,
        weight: float = 1.0,
        adversarial_weight: float = 0.0,
        name: str = "generator",
    ) -> None:
        if not (weight >= 0 and adversarial_weight >= 0 and weight + adversarial_weight > 0):
            raise InvalidParameterError(
                f"weight={weight} and adversarial_weight={adversarial_weight} must not be negative, nor both 0."
            )
        self.loss = loss
        self.task = task
        self.weight = weight
        self.adversarial_weight = adversarial_weight
        self.name = name

    def __call__(
        self, players: Mapping[str, nn.Module], batch: BatchT, generator: torch.Generator, step: int
    ) -> dict[str, Tensor]:
        """The weighted distance and, if asked for, the weighted adversarial term."""
        batch = self.task.showing(batch, fakes=self.task.fakes(players, batch))
        # Fakes that were given to the batch keep their gradient, so one pass over each kind of row is enough.
        real, fake = self.task.discriminator_cases(players, batch)[:2]
        terms = {f"{self.name}/features": self.weight * feature_distance(_features(real), _features(fake))}
        if self.adversarial_weight:
            cases = self.task.generator_cases(players, batch)
            terms[self.name] = self.adversarial_weight * self.loss.generator_loss(cases)
            self.loss.after_phase(self.name, cases)
        return terms


def _features(case: Case) -> Tensor:
    if case.verdict.features is None:
        raise ValueError("feature matching needs a discriminator whose Verdict has `features`")
    return case.verdict.features
