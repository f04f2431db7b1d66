"""A callback that says in plain words when training goes wrong, and one that writes further numbers into the history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from tabgan.core.callbacks import Callback, Training
from tabgan.exceptions import InvalidParameterError

__all__ = ["HealthWatch", "Recorder", "mean_pair_distance"]


def mean_pair_distance(rows: Tensor, groups: Tensor | None = None) -> Tensor:
    """Mean Euclidean distance over all pairs of different rows; 0 where there is no pair.

    Parameters
    ----------
    rows : Tensor of shape (n, ...)
        Flattened beyond the first dimension.
    groups : LongTensor of shape (n,), default=None
        Only pairs of one group count.

    Returns
    -------
    Tensor of shape ()
    """
    flat = rows.flatten(1)
    distances = torch.nn.functional.pdist(flat)
    if groups is not None:
        first, second = torch.triu_indices(len(flat), len(flat), 1)
        distances = distances[(groups[first] == groups[second]).to(distances.device)]
    return distances.mean() if len(distances) else flat.new_zeros(())


class HealthWatch(Callback):
    """Warn of exploding gradients, of a discriminator that has won, and of a collapsed generator.

    Parameters
    ----------
    max_gradient_norm : float, default=100.0
        Warn when the gradient norm of a player exceeds it.
    lowest_loss : float or None, default=0.01
        Warn when the discriminator's loss stays between 0 and this for ``patience`` readings. None for losses that have no
        floor at 0, such as Wasserstein's.
    patience : int, default=3
        Readings in a row before the loss or the collapse is reported.
    loss_name : str, default="discriminator"
        The discriminator's name in the history.
    player : str, default="generator"
        Whose output is watched for collapse.
    inputs : sequence of Tensor, default=()
        Fixed inputs of that player, for example noise and condition; empty: collapse is not watched.
    reference : Tensor of shape (n, ...), default=None
        Real rows to compare with; needed with ``inputs``.
    groups, reference_groups : LongTensor of shape (n,), default=None
        Classes of the inputs and of the real rows: then rows are compared within their class, so that one good row per class is
        called a collapse. Ignored unless some class has two real rows and two inputs.
    smallest_spread : float, default=0.1
        Warn when the generated rows' mean distance is below this share of the real rows'.

    Attributes
    ----------
    warnings : list of str
        What was found, each kind once, with its step.

    Raises
    ------
    InvalidParameterError
        A parameter is out of range, or ``inputs`` came without ``reference``.

    Notes
    -----
    Gradient norms are kept on the device and looked at when the losses are read, so no step waits. The collapse check draws no
    random numbers and leaves batch-norm statistics alone. At most 512 rows are compared.

    References
    ----------
    The first two signs: Chintala et al. 2016, "How to Train a GAN?", tip 10.
    """

    def __init__(
        self,
        *,
        max_gradient_norm: float = 100.0,
        lowest_loss: float | None = 0.01,
        patience: int = 3,
        loss_name: str = "discriminator",
        player: str = "generator",
        inputs: Sequence[Tensor | None] = (),
        reference: Tensor | None = None,
        groups: Tensor | None = None,
        reference_groups: Tensor | None = None,
        smallest_spread: float = 0.1,
    ) -> None:
        if not max_gradient_norm > 0:
            raise InvalidParameterError(f"max_gradient_norm={max_gradient_norm} must be positive.")
        if patience < 1:
            raise InvalidParameterError(f"patience={patience} must be at least 1.")
        if inputs and (reference is None or len(reference) < 2):
            raise InvalidParameterError("reference must hold at least two real rows where inputs are given.")
        self.max_gradient_norm = max_gradient_norm
        self.lowest_loss = lowest_loss
        self.patience = patience
        self.loss_name = loss_name
        self.player = player
        self.inputs = [None if part is None else part[:512] for part in inputs]
        self.groups, reference_groups = _comparable(groups, reference_groups)
        self.spread = 0.0
        if inputs and reference is not None:
            self.spread = float(mean_pair_distance(reference[:512], reference_groups))
        self.smallest_spread = smallest_spread
        self.warnings: list[str] = []
        self._found: set[str] = set()
        self._low = 0
        self._narrow = 0
        self._largest: dict[str, Tensor] = {}

    @torch.no_grad()
    def on_step_end(self, trainer: Training) -> None:
        """Keep the largest gradient norm of each player."""
        for name, player in trainer.players.items():
            gradients = [p.grad for p in player.parameters() if p.grad is not None]
            if gradients:
                norm = torch.stack(torch._foreach_norm(gradients)).norm()
                self._largest[name] = (
                    torch.maximum(self._largest[name].to(norm), norm) if name in self._largest else norm
                )

    def on_read(self, trainer: Training, row: dict[str, float], finite: bool) -> None:
        """Look at what has come together since the last reading."""
        for name, norm in self._largest.items():
            value = float(norm)
            if not value <= self.max_gradient_norm:
                self._warn(
                    trainer,
                    f"gradient/{name}",
                    f"the gradient norm of the {name} reached {value:.3g} (more than {self.max_gradient_norm:g}): lower its "
                    "learning rate, or set max_grad_norm for its phase",
                )
        self._largest = {}
        loss = row.get(self.loss_name)
        low = self.lowest_loss is not None and loss is not None and 0 <= loss < self.lowest_loss
        self._low = self._low + 1 if low else 0
        if self._low >= self.patience:
            self._warn(
                trainer,
                "loss",
                f"the discriminator's loss is {loss:.3g}, close to 0: it tells all fakes apart, and the generator learns "
                "little from it. Make it weaker (smaller, dropout, lower learning rate, instance noise) or use a "
                "Wasserstein loss with a gradient penalty",
            )
        if self.inputs and self.spread > 0:
            share = self._spread_of(trainer) / self.spread
            self._narrow = self._narrow + 1 if not share >= self.smallest_spread else 0
            if self._narrow >= self.patience:
                self._warn(
                    trainer,
                    "collapse",
                    f"generated rows{' of one class' if self.groups is not None else ''} lie {share:.2g} times as far apart as "
                    "real rows do: the generator has collapsed onto few outputs. Try minibatch discrimination, unrolling, or a "
                    "Wasserstein loss with a gradient penalty",
                )

    def state_dict(self) -> dict[str, Any]:
        """Warnings and counters."""
        return {
            "warnings": list(self.warnings),
            "found": sorted(self._found),
            "low": self._low,
            "narrow": self._narrow,
            "largest": dict(self._largest),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.warnings, self._found = list(state["warnings"]), set(state["found"])
        self._low, self._narrow = state["low"], state["narrow"]
        self._largest = dict(state["largest"])

    @torch.no_grad()
    def _spread_of(self, trainer: Training) -> float:
        player = trainer.players[self.player]
        training = player.training
        player.eval()
        try:
            return float(mean_pair_distance(player(*self.inputs), self.groups))
        finally:
            player.train(training)

    def _warn(self, trainer: Training, kind: str, message: str) -> None:
        if kind not in self._found:
            self._found.add(kind)
            self.warnings.append(f"step {trainer.step_count}: {message}.")


def _comparable(groups: Tensor | None, reference_groups: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
    """The first 512 of both, or None twice where no group has a pair on both sides."""
    if groups is None or reference_groups is None:
        return None, None
    groups, reference_groups = groups[:512].cpu(), reference_groups[:512].cpu()
    size = int(max(groups.max(), reference_groups.max())) + 1
    both = torch.stack([torch.bincount(part, minlength=size) for part in (groups, reference_groups)])
    return (groups, reference_groups) if bool((both > 1).all(0).any()) else (None, None)


class Recorder(Callback):
    """Write further numbers into the history at every reading, for example BEGAN's k and convergence measure.

    Parameters
    ----------
    values : mapping of str to callable
        ``{"k": lambda: loss.k}``: name in the history, and a function without arguments that returns a number, a tensor of
        shape (), or None where there is nothing yet.
    """

    def __init__(self, values: Mapping[str, Callable[[], Any]]) -> None:
        self.values = dict(values)

    def on_read(self, trainer: Training, row: dict[str, float], finite: bool) -> None:
        """Add the numbers to the row."""
        found = {name: function() for name, function in self.values.items()}
        numbers = {name: float(value) for name, value in found.items() if value is not None}
        if numbers:
            trainer.history.append(trainer.step_count, numbers)
