"""Fitted row maker: class seeds, the noise that a generator is given for a row of a class, and the generator."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from tabgan.core.class_gaussians import correlated
from tabgan.networks.heads import span_index
from tabgan.networks.row_generators import RowCorrector, RowMaker
from tabgan.sampling.allowance import Allowance
from tabgan.sampling.cell_trees import Redrawing
from tabgan.sampling.level_chain import LevelChain
from tabgan.sampling.redrawing import Redrawer
from tabgan.sampling.seeds import SEED_KINDS, ClassSeeds
from tabgan.spans import Span, total_width

__all__ = ["ClassMaker"]

_ROWS_AT_A_TIME = 16_384  # bounds the memory of what a draw needs on the way, and how late it sees that time is up


class ClassMaker(nn.Module):
    """Makes rows of a class: class-conditional latent draws, through a generator.

    Parameters
    ----------
    seeds : ClassSeeds
        The rows to start from.
    network : RowCorrector, RowMaker or None
        The generator; None gives the seeds themselves.
    spans : sequence of Span
        Layout of the slots.
    start : {"mixture", "kernel", "segments", "copies", "noise", "autoencoder"}
        Where the latent draw comes from.
    d_noise : int
        Width of the free noise.
    redrawing : Redrawing, default=Redrawing()
        How cells of rows of large classes are drawn again.

    Attributes
    ----------
    levels : LevelChain or None
        What draws rows instead where a table holds labels only and the start is a mixture or kernels, which would repeat rows there.
    """

    mean: Tensor
    factor: Tensor

    def __init__(
        self,
        seeds: ClassSeeds,
        network: RowCorrector | RowMaker | None,
        spans: Sequence[Span],
        start: str,
        d_noise: int,
        redrawing: Redrawing = Redrawing(),  # noqa: B008
    ) -> None:
        super().__init__()
        self.seeds = seeds
        self.network = network
        self.spans = tuple(spans)
        self.start = start
        self.d_noise = d_noise
        chained = network is None and start in ("mixture", "kernel") and LevelChain.suits(self.spans)
        self.levels = LevelChain(seeds, self.spans) if chained else None
        self.redrawer = Redrawer(
            seeds.rows.cpu(),
            seeds.visible.cpu(),
            seeds.classes.cpu(),
            self.spans,
            Redrawing() if chained else redrawing,
        )
        n_gaussian = d_noise if start == "autoencoder" else 0
        self.register_buffer("mean", torch.zeros(seeds.n_classes, n_gaussian))
        self.register_buffer("factor", torch.zeros(seeds.n_classes, n_gaussian, n_gaussian))

    def set_gaussians(self, mean: Tensor, factor: Tensor) -> None:
        """Replace the latent distribution of each class (start "autoencoder"); ValueError for other shapes."""
        if mean.shape != self.mean.shape or factor.shape != self.factor.shape:
            raise ValueError(
                f"normal distributions of shapes {tuple(mean.shape)} and {tuple(factor.shape)} do not fit."
            )
        self.mean.copy_(mean)
        self.factor.copy_(factor)

    def using(self, network: nn.Module) -> ClassMaker:
        """The same maker with another generator; shares everything else."""
        other = copy.copy(self)
        other._modules = {**self._modules, "network": network}
        return other

    def noise(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        """The latent draw for rows of the classes of ``rows``, whose gaps and (where the start has parents) values they take.

        Parameters
        ----------
        rows : LongTensor of shape (n,)
            Row numbers.
        generator : torch.Generator
            CPU generator.
        """
        n, device = len(rows), self.seeds.rows.device
        width = total_width(self.spans)
        latent = torch.randn(n, self.d_noise, generator=generator).to(device)
        if self.start == "autoencoder":
            classes = self.seeds.classes[rows.to(device)]
            latent = self.mean[classes] + correlated(latent, self.factor, classes)
            gumbel = torch.zeros(n, width, device=device)
        else:
            uniform = torch.rand(n, width, generator=generator).clamp(1e-9, 1 - 1e-7)
            gumbel = -(-uniform.log()).log().to(device)
        visible = self.seeds.visible[rows][:, self.seeds.column]
        if self.start not in SEED_KINDS:
            return torch.cat([latent, gumbel, visible], 1)
        drawn = self.seeds.draw(rows, generator, self.start)
        return torch.cat([latent, gumbel, drawn, visible * self.seeds.movable(drawn)], 1)

    @torch.no_grad()
    def make(self, rows: Tensor, condition: Tensor, generator: torch.Generator) -> Tensor:
        """One synthetic row for each given row of the data.

        Parameters
        ----------
        rows : LongTensor of shape (n,)
            Rows of the classes wanted; see `ClassSeeds.parents`.
        condition : Tensor of shape (n, d_condition)
            What the generator is told.
        generator : torch.Generator
            CPU generator.

        Returns
        -------
        Tensor of shape (n, total width)
            Encoded rows.
        """
        if self.network is None:
            return self.seeds.draw(rows, generator, self.start)
        device = self.seeds.rows.device
        made = [
            self.network(self.noise(chunk, generator), None if self.start == "autoencoder" else told.to(device))
            for chunk, told in zip(rows.split(4096), condition.split(4096), strict=True)
        ]
        return torch.cat(made)

    def parents(
        self, classes: Tensor, generator: torch.Generator, allowed: Tensor | None = None, *, focus: float = 0.0
    ) -> Tensor:
        """A row to begin with for each asked class; see `ClassSeeds.parents`."""
        return self.seeds.parents(classes, generator, allowed, focus=focus)

    def near(
        self,
        parents: Tensor,
        condition: Tensor,
        generator: torch.Generator,
        *,
        trained: Tensor,
        focus: float,
        fixed: tuple[np.ndarray, np.ndarray] | None = None,
        allowance: Allowance | None = None,
    ) -> Tensor:
        """One synthetic row for each parent: by trees for large classes, by the network for others it knows, else from the seeds.

        Parameters
        ----------
        parents : LongTensor of shape (n,)
            Rows of the classes wanted.
        condition : Tensor of shape (n, d_condition)
            What the generator is told.
        generator : torch.Generator
            CPU generator.
        trained : BoolTensor of shape (n_classes,)
            The classes that the network was trained on.
        focus : float
            Above 0, rows that stray among other classes are drawn in; see `ClassSeeds.drawn_in`. Not where the start has no parents,
            nor in large classes, where ``focus`` says only which rows they begin as.
        fixed : tuple of (ndarray of int, ndarray of float32), default=None
            Slots of whole columns, and what they hold in every row: cells of large classes, and labels, are drawn given these.
        allowance : Allowance, default=None
            Once it is used up, rows are left where they land, and no more cells are drawn again.

        Returns
        -------
        Tensor of shape (n, total width)
            Encoded rows.
        """
        values = torch.empty(len(parents), total_width(self.spans))
        held = [] if fixed is None else np.unique(span_index(self.spans).numpy()[fixed[0]]).tolist()
        for part in torch.arange(len(parents)).split(_ROWS_AT_A_TIME):
            late = allowance is not None and allowance.is_used_up
            if self.levels is not None and not late:
                drawn = self.levels.draw(parents[part], generator, focus=focus, fixed=held)
                values[part] = self.seeds.keep_settled(drawn, parents[part])
                continue
            again = self.redrawer.suits(self.seeds.classes[parents[part]]) & (not late)
            if allowance is not None and not allowance.leaves(
                self.redrawer.seconds(self.seeds.classes[parents[part]][again])
            ):
                again[:] = False
            for rows, by_trees in ((part[~again], False), (part[again], True)):
                chunk, told = parents[rows], condition[rows]
                if by_trees and self.start in SEED_KINDS:
                    values[rows] = self.seeds.rows[chunk]
                else:
                    values[rows] = self._near(chunk, told, generator, trained, 0.0 if late or by_trees else focus)
                if by_trees:
                    values[rows] = self.redrawer.drawn(values[rows], chunk, generator, fixed)
                values[rows] = self.seeds.keep_settled(values[rows], chunk)
        return values

    def _near(
        self, parents: Tensor, condition: Tensor, generator: torch.Generator, trained: Tensor, focus: float
    ) -> Tensor:
        by_network = trained[self.seeds.classes[parents]] & (self.network is not None)
        values = torch.empty(len(parents), total_width(self.spans))
        start = self.start if self.start in SEED_KINDS else "kernel"
        values[~by_network] = self.seeds.draw(parents[~by_network], generator, start)
        if by_network.any():
            values[by_network] = self.make(parents[by_network], condition[by_network], generator)
        if focus and self.start in SEED_KINDS:
            values = self.seeds.drawn_in(values, parents, generator)
        return values
