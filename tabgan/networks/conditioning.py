"""Players for rows of numbers under a condition: every usual way to tell a discriminator what it should be looking at."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tabgan.exceptions import InvalidParameterError
from tabgan.networks.blocks import ResidualBlock, blank, blank_linear, init_linear
from tabgan.networks.normalisation import MinibatchDiscrimination, with_spectral_norm
from tabgan.verdict import Verdict

__all__ = ["CONDITIONINGS", "ConditionalMLPDiscriminator", "ConditionalMLPGenerator"]

CONDITIONINGS = ("concat", "projection", "classes", "fake-class", "none")
"""Ways of `ConditionalMLPDiscriminator` to use the condition."""


class ConditionalMLPGenerator(nn.Module):
    """Noise and condition, concatenated, through residual blocks to a row.

    Parameters
    ----------
    d_noise, d_condition, d_out : int
        Widths; ``d_condition`` may be 0.
    width : int, default=128
        Of the hidden layers.
    n_blocks : int, default=2
        Residual blocks. They use layer norm, so that a row depends on its own noise alone.
    dropout : float, default=0.0
        Inside the blocks.
    output : nn.Module, default=None
        Applied to the raw output: ``nn.Tanh()``, or the heads of a table. None leaves it linear.
    generator : torch.Generator
        Source of the initial weights.

    Shape
    -----
    noise: (n, d_noise), condition: (n, d_condition) or None. Output: (n, d_out), or what ``output`` makes of it.
    """

    def __init__(
        self,
        d_noise: int,
        d_condition: int,
        d_out: int,
        width: int = 128,
        n_blocks: int = 2,
        *,
        dropout: float = 0.0,
        output: nn.Module | None = None,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        _at_least("d_noise", d_noise, 1)
        _at_least("d_condition", d_condition, 0)
        _at_least("n_blocks", n_blocks, 0)
        self.d_noise, self.d_condition = d_noise, d_condition
        self.first = blank_linear(d_noise + d_condition, width)
        self.blocks = nn.Sequential(*[ResidualBlock(width, dropout=dropout) for _ in range(n_blocks)])
        self.norm = nn.LayerNorm(width)
        self.last = blank_linear(width, d_out)
        init_linear(self, generator)
        self.output = nn.Identity() if output is None else output

    def forward(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        """Generated rows."""
        hidden = self.blocks(self.first(_joined(noise, condition, self.d_condition)))
        return self.output(self.last(torch.relu(self.norm(hidden))))


class ConditionalMLPDiscriminator(nn.Module):
    """A plain network phi over rows, and heads that use the condition in one of five ways.

    Parameters
    ----------
    d_in, d_condition : int
        Widths of a row and of its condition.
    width : int, default=128
        Of the hidden layers, and of ``features``.
    n_blocks : int, default=2
        Hidden layers, each linear, leaky ReLU of slope 0.2, dropout. No normalisation: it would mix rows or spoil the
        gradient norm that penalties ask for.
    conditioning : {"concat", "projection", "classes", "fake-class", "none"}, default="concat"
        ``"concat"``: phi sees (x, condition). ``"projection"``: ``c' V phi(x) + psi(phi(x))``. ``"classes"``: phi sees x only;
        a source head and a class head with ``n_classes`` logits (AC-GAN). ``"fake-class"``: one head with ``n_classes + 1``
        logits, the last for "fake", and no adversarial logit (BAGAN). ``"none"``: the condition is not looked at.
    n_classes : int, default=None
        For the two kinds with a class head; None takes ``d_condition``, right for one-hot conditions.
    spectral_norm : bool, default=False
        Divide every weight matrix by its largest singular value.
    dropout : float, default=0.0
        After every hidden layer.
    minibatch_kernels : int, default=0
        Features of `MinibatchDiscrimination` that the source head sees beside phi; 0 for none. A verdict then depends on the
        rest of its batch.
    generator : torch.Generator
        Source of the initial weights.

    Shape
    -----
    x: (n, d_in), condition: (n, d_condition) or None where it is not used. Output: `Verdict` with adversarial (n,), classes
    (n, n_classes [+ 1]) and features (n, width).

    Raises
    ------
    InvalidParameterError
        A parameter is out of range.

    References
    ----------
    Projection: Miyato and Koyama 2018, "cGANs with Projection Discriminator", eq. 3. Classes: Odena et al. 2017. Fake class:
    Mariani et al. 2018. Spectral norm: Miyato et al. 2018. Minibatch features: Salimans et al. 2016.
    """

    def __init__(
        self,
        d_in: int,
        d_condition: int,
        width: int = 128,
        n_blocks: int = 2,
        conditioning: str = "concat",
        *,
        n_classes: int | None = None,
        spectral_norm: bool = False,
        dropout: float = 0.0,
        minibatch_kernels: int = 0,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        if conditioning not in CONDITIONINGS:
            raise InvalidParameterError(
                f"conditioning={conditioning!r} is not one of {', '.join(map(repr, CONDITIONINGS))}."
            )
        _at_least("d_in", d_in, 1)
        _at_least("n_blocks", n_blocks, 1)
        _at_least("d_condition", d_condition, 1 if conditioning in ("concat", "projection") else 0)
        n_classes = d_condition if n_classes is None else n_classes
        self.conditioning, self.d_condition = conditioning, d_condition
        layers: list[nn.Module] = []
        d_layer = d_in + d_condition if conditioning == "concat" else d_in
        for _ in range(n_blocks):
            layers += [blank_linear(d_layer, width), nn.LeakyReLU(0.2)]
            if dropout:
                layers.append(nn.Dropout(dropout))
            d_layer = width
        self.phi = nn.Sequential(*layers)
        _at_least("minibatch_kernels", minibatch_kernels, 0)
        if minibatch_kernels and conditioning == "fake-class":
            raise InvalidParameterError(f"minibatch_kernels={minibatch_kernels} needs a source head; set it to 0.")
        self.source = None if conditioning == "fake-class" else blank_linear(width + minibatch_kernels, 1)
        self.projection = blank(nn.Linear, d_condition, width, bias=False) if self._projects else None
        self.classes = None
        if conditioning in ("classes", "fake-class"):
            _at_least("n_classes", n_classes, 1)
            self.classes = blank_linear(width, n_classes + (conditioning == "fake-class"))
        init_linear(self, generator)
        self.minibatch = None
        if minibatch_kernels:
            self.minibatch = MinibatchDiscrimination(width, minibatch_kernels, generator=generator)
        if spectral_norm:
            with_spectral_norm(self, generator)

    @property
    def _projects(self) -> bool:
        return self.conditioning == "projection"

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Verdict:
        """The verdict on each row."""
        features = self.phi(_joined(x, condition, self.d_condition) if self.conditioning == "concat" else x)
        seen = features if self.minibatch is None else self.minibatch(features)
        adversarial = None if self.source is None else self.source(seen)[:, 0]
        if self.projection is not None:
            if condition is None:
                raise ValueError(f"a projection discriminator needs a condition of width {self.d_condition}, got None")
            adversarial = adversarial + (self.projection(condition) * features).sum(1)
        classes = None if self.classes is None else self.classes(features)
        return Verdict(adversarial, classes, features)


def _joined(x: Tensor, condition: Tensor | None, d_condition: int) -> Tensor:
    if not d_condition:
        return x
    if condition is None:
        raise ValueError(f"this network needs a condition of width {d_condition}, got None")
    return torch.cat([x, condition], 1)


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise InvalidParameterError(f"{name}={value} must be at least {least}.")
