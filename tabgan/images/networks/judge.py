"""The image discriminator: a trunk that makes features, and the heads that a recipe asks for."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tabgan.images.networks.layers import initialise
from tabgan.networks.blocks import blank
from tabgan.verdict import Verdict

__all__ = ["Judge"]


class Judge(nn.Module):
    """Trunk, optional further feature layers, and heads.

    Parameters
    ----------
    trunk : nn.Module
        ``trunk(images, condition or None) -> (n, d_features)`` with an attribute ``d_features``.
    n_classes : int, default=0
        Class logits, for auxiliary classifiers; 0 gives none.
    adversarial : bool, default=True
        Whether there is a real-or-fake logit; a K+1 discriminator has only class logits.
    conditional : bool, default=True
        Hand the condition to the trunk; False leaves it unseen (auxiliary classifiers).
    projection : int, default=0
        Width of a condition that enters as an inner product with the features instead of through the trunk.
    extra : nn.Module, default=None
        Maps features (n, d_features) to features (n, d_extra): minibatch discrimination.
    d_extra : int, default=0
        Their width.
    generator : torch.Generator
        Source of the heads' initial weights.

    Shape
    -----
    images: (n, channels, height, width), condition: (n, d_condition) or an image. Output: `Verdict` with adversarial logits (n,),
    classes (n, n_classes) and features (n, d_features).

    References
    ----------
    Odena et al. 2017 (class head); Miyato and Koyama 2018, eq. 8: ``D(x, y) = y^T V phi(x) + psi(phi(x))``.
    """

    def __init__(
        self,
        trunk: Any,
        *,
        n_classes: int = 0,
        adversarial: bool = True,
        conditional: bool = True,
        projection: int = 0,
        extra: nn.Module | None = None,
        d_extra: int = 0,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.extra = extra
        self.conditional = conditional and not projection
        d_features = trunk.d_features if extra is None else d_extra
        self.adversarial = blank(nn.Linear, d_features, 1) if adversarial else None
        self.classes = blank(nn.Linear, d_features, n_classes) if n_classes else None
        self.embedding = blank(nn.Linear, projection, trunk.d_features, bias=False) if projection else None
        for head in (self.adversarial, self.classes, self.embedding):
            if head is not None:
                initialise(head, generator)
                with torch.no_grad():
                    head.weight.mul_(0.5**0.5)  # no activation follows a head: variance 1 / fan_in

    def forward(self, images: Tensor, condition: Tensor | None = None) -> Verdict:
        """The verdict on images."""
        inner = self.trunk(images, condition if self.conditional else None)
        features = inner if self.extra is None else self.extra(inner)
        logits = None if self.adversarial is None else self.adversarial(features)[:, 0]
        if self.embedding is not None:
            assert condition is not None
            logits = logits + (self.embedding(condition.to(inner)) * inner).sum(1)
        classes = None if self.classes is None else self.classes(features)
        return Verdict(_whole(logits), _whole(classes), inner)


def _whole(logits: Tensor | None) -> Tensor | None:
    """In float32 where mixed precision halves them: losses are sums of many."""
    return logits.float() if logits is not None and logits.dtype == torch.bfloat16 else logits
