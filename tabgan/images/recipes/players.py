"""Generators and discriminators' trunks that settings ask for."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.functional import one_hot

from tabgan.exceptions import InvalidParameterError
from tabgan.images.networks.convolutions import ConvGenerator, ConvTrunk
from tabgan.images.networks.layers import network_of
from tabgan.images.networks.mlp import MLPGenerator, MLPTrunk
from tabgan.images.networks.residual import ResidualGenerator, ResidualTrunk
from tabgan.images.recipes.recipe import Settings, Sizes
from tabgan.networks.normalisation import ConditionalBatchNorm, ReferenceBatchNorm, VirtualBatchNorm, WithReference

__all__ = ["image_generator", "image_trunk", "with_statistics"]

_STATISTICS: dict[str, type[ReferenceBatchNorm]] = {"reference": ReferenceBatchNorm, "virtual": VirtualBatchNorm}


def image_generator(
    sizes: Sizes,
    settings: Settings,
    generator: torch.Generator,
    *,
    batch_norm: bool = True,
    conditional_norm: bool = False,
    d_noise: int | None = None,
) -> nn.Module:
    """The generator that the ``network`` settings ask for; ``conditional_norm`` lets the condition in by batch norm alone."""
    inner = (sizes.shape, d_noise or settings.d_noise, sizes.d_condition)
    kind, width = _network(sizes, settings)
    options: dict[str, Any] = {"width": width, "conditional_norm": conditional_norm, "generator": generator}
    maker: nn.Module
    if kind == "residual":
        maker = ResidualGenerator(*inner, **options)
    else:
        options |= {"batch_norm": batch_norm and settings.batch_norm}
        maker = (
            ConvGenerator(*inner, **options)
            if kind == "dcgan"
            else MLPGenerator(*inner, **options, depth=settings.depth)
        )
    return with_statistics(maker, sizes, settings, generator)


def image_trunk(
    sizes: Sizes,
    settings: Settings,
    generator: torch.Generator,
    *,
    batch_norm: bool = False,
    conditional: bool = True,
) -> Any:
    """The discriminator's trunk that the ``network`` settings ask for; ``conditional`` lets the condition in."""
    kind, width = _network(sizes, settings)
    d_condition = sizes.d_condition if conditional else 0
    if kind == "mlp":
        return MLPTrunk(sizes.shape, d_condition, width=width, depth=settings.depth, generator=generator)
    if kind == "dcgan":
        return ConvTrunk(sizes.shape, d_condition, width=width, batch_norm=batch_norm, generator=generator)
    return ResidualTrunk(sizes.shape, d_condition, width=width, generator=generator)


def _network(sizes: Sizes, settings: Settings) -> tuple[str, int]:
    kind = network_of(settings.network, *sizes.shape[1:])
    if kind not in ("mlp", "dcgan", "residual"):
        raise InvalidParameterError(f"network={kind!r} is not one of 'auto', 'mlp', 'dcgan', 'residual'.")
    return kind, settings.width or (256 if kind == "mlp" else 32)


def with_statistics(maker: nn.Module, sizes: Sizes, settings: Settings, generator: torch.Generator) -> nn.Module:
    """The generator, its batch norms exchanged for those that the setting ``statistics`` asks for, if the recipe has it.

    Raises
    ------
    InvalidParameterError
        The setting is unknown, the generator has no batch norm, or conditions are vectors, of which none is typical.
    """
    kind = getattr(settings, "statistics", "batch")
    if kind == "batch":
        return maker
    if kind not in _STATISTICS:
        raise InvalidParameterError(f"statistics={kind!r} is not one of 'batch', 'reference', 'virtual'.")
    norms = {
        name: layer for name, layer in maker.named_modules() if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d))
    }
    if not norms or any(isinstance(layer, ConditionalBatchNorm) for layer in maker.modules()):
        raise InvalidParameterError(f"statistics={kind!r} needs a generator with plain batch norm.")
    if sizes.d_condition != sizes.n_classes:
        raise InvalidParameterError(f"statistics={kind!r} goes with class labels or none, not with condition vectors.")
    for name, layer in norms.items():
        other = _STATISTICS[kind](layer.num_features, layer.eps)
        with torch.no_grad():
            other.gain.copy_(layer.weight)
            other.bias.copy_(layer.bias)
        parent, _, own = name.rpartition(".")
        setattr(maker.get_submodule(parent), own, other)
    n = settings.batch_size
    reference = [torch.randn(n, settings.d_noise, generator=generator)]
    if sizes.n_classes:
        reference.append(one_hot(torch.arange(n) % sizes.n_classes, sizes.n_classes).float())
    return WithReference(maker, *reference)
