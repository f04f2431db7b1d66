"""The training loop: phases in turn, a device-side loss log, callbacks, and a state that resumes exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Generic

import torch
from torch import Tensor, nn

from tabgan.core.callbacks import Callback
from tabgan.core.cases import BatchT
from tabgan.core.data_parallel import average_gradients, averaged, first_of_all
from tabgan.core.history import History
from tabgan.core.interrupts import INTERRUPTED, Interruption, interruptible
from tabgan.core.phases import Optimizer, Phase, Task
from tabgan.core.precision import computing_in

__all__ = ["Trainer"]


class Trainer(Generic[BatchT]):
    """Runs the phases of a task; everything that differs between systems is a part handed in.

    Parameters
    ----------
    players : dict of str to nn.Module
        The networks, already on their device.
    phases : sequence of Phase
        Run in this order in every step.
    task : Task
        Source of batches.
    generator : torch.Generator
        A CPU generator: the one source of randomness. The global one is not touched.
    callbacks : sequence of Callback, default=()
        Called in this order.
    read_every : int, default=50
        Steps between two readings of the losses; in between nothing waits for the device.
    accumulate : int, default=1
        Batches whose mean gradient makes one update: a larger batch for the memory of a small one.
    compute_type : torch.dtype, default=None
        Mixed precision: what losses and networks compute in, on the device of the first player; None computes in the weights' type.

    Notes
    -----
    In a group of processes (`tabgan.core.data_parallel`) each trains on its own batches, and all make the same updates.

    Attributes
    ----------
    step_count : int
        Steps done so far.
    history : History
        One row per reading.
    stop_reason : str or None
        Why training ended before its budget.
    """

    def __init__(
        self,
        players: dict[str, nn.Module],
        phases: Sequence[Phase[BatchT]],
        task: Task[BatchT],
        *,
        generator: torch.Generator,
        callbacks: Sequence[Callback] = (),
        read_every: int = 50,
        accumulate: int = 1,
        compute_type: torch.dtype | None = None,
    ) -> None:
        self.accumulate = accumulate
        self.compute_type = compute_type
        self.players = players
        self.phases = list(phases)
        self.task = task
        self.generator = generator
        self.callbacks = list(callbacks)
        self.read_every = read_every
        self.step_count = 0
        self.history = History()
        self.stop_reason: str | None = None
        self.learning_rate_factor = 1.0
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}
        self._trainable: dict[str, list[nn.Parameter]] = {}
        self._parameters = [[p for name in phase.players for p in players[name].parameters()] for phase in self.phases]
        self.optimizers: list[Optimizer] = [
            phase.optimizer.build(parameters) for phase, parameters in zip(self.phases, self._parameters, strict=True)
        ]

    def fit(self, n_steps: int) -> History:
        """Train ``n_steps`` further steps, or fewer when a callback calls `stop`.

        Parameters
        ----------
        n_steps : int
            Trainer steps; each runs every phase once, ``phase.n_steps`` updates long.

        Returns
        -------
        History
            The same object as ``self.history``.

        Notes
        -----
        The first Ctrl-C ends training after the current step, with ``stop_reason`` "interrupted" and a
        `TrainingInterruptedWarning`; the second raises KeyboardInterrupt.
        """
        with interruptible("Trainer.fit") as interruption:
            return self._fit(n_steps, interruption)

    def _fit(self, n_steps: int, interruption: Interruption) -> History:
        self.stop_reason = None
        last = self.step_count + n_steps
        modes = {name: player.training for name, player in self.players.items()}
        self._trainable = {
            name: [p for p in player.parameters() if p.requires_grad] for name, player in self.players.items()
        }
        try:
            for player in self.players.values():
                player.train()
            self._notify("on_fit_begin", n_steps)
            self._heed(interruption, last)
            while self.step_count < last and self.stop_reason is None:
                try:
                    self._step()
                    self._notify("on_step_end")
                except KeyboardInterrupt:
                    interruption.request()
                self._heed(interruption, last)
                self.stop_reason = first_of_all(self.stop_reason)
                if self.step_count % self.read_every == 0 or self.step_count == last or self.stop_reason is not None:
                    self._read()  # also on a stop: a loss that nobody reads may be NaN
                self._notify("on_step_through")
        finally:
            self._freeze_all_but(None)
            for name, player in self.players.items():
                player.train(modes[name])
            self._notify("on_fit_end")
        return self.history

    def _heed(self, interruption: Interruption, last: int) -> None:
        if interruption.requested:
            interruption.where = interruption.where or f"at step {self.step_count} of {last}"
            self.stop(INTERRUPTED)

    def stop(self, reason: str) -> None:
        """End training after the current step; the first reason given is kept."""
        self.stop_reason = self.stop_reason or reason

    def state_dict(self) -> dict[str, Any]:
        """Everything that "train 100, save, load, train 100" needs to equal "train 200", bit for bit on one CPU."""
        return {
            "step_count": self.step_count,
            "learning_rate_factor": self.learning_rate_factor,
            "players": {name: player.state_dict() for name, player in self.players.items()},
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "losses": [_state_of(_pair_of(phase)) for phase in self.phases],
            "task": _state_of(self.task),
            "callbacks": [callback.state_dict() for callback in self.callbacks],
            "generator": self.generator.get_state(),
            "history": self.history.state_dict(),
            "sums": dict(self._sums),
            "counts": dict(self._counts),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned into a trainer built from the same parts."""
        self.step_count = state["step_count"]
        self.learning_rate_factor = state["learning_rate_factor"]
        for name, player in self.players.items():
            player.load_state_dict(state["players"][name])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        for phase, saved in zip(self.phases, state["losses"], strict=True):
            if saved:
                _pair_of(phase).load_state_dict(saved)
        if state["task"]:
            task: Any = self.task  # one with a state
            task.load_state_dict(state["task"])
        for callback, saved in zip(self.callbacks, state["callbacks"], strict=True):
            callback.load_state_dict(saved)
        self.generator.set_state(state["generator"])
        self.history.load_state_dict(state["history"])
        self._sums = {name: value.clone() for name, value in state["sums"].items()}
        self._counts = dict(state["counts"])

    def _step(self) -> None:
        for index, phase in enumerate(self.phases):
            if phase.runs_at(self.step_count):
                self._freeze_all_but(phase)
                for _ in range(phase.n_steps):
                    self._update(index, phase)
        self.step_count += 1

    def _update(self, index: int, phase: Phase[BatchT]) -> None:
        optimizer = self.optimizers[index]
        optimizer.zero_grad(set_to_none=True)
        for _ in range(self.accumulate):
            batch = self.task.batch(self.generator)
            with computing_in(self.compute_type, self._parameters[index][0].device):
                terms = phase.loss(self.players, batch, self.generator, self.step_count)
            if not terms:
                return
            loss = torch.stack(list(terms.values())).sum()
            (loss if self.accumulate == 1 else loss / self.accumulate).backward()
            self._log(terms)
        average_gradients(self._parameters[index])
        if phase.max_grad_norm is not None:
            nn.utils.clip_grad_norm_(self._parameters[index], phase.max_grad_norm)
        factor = self.learning_rate_factor * (phase.schedule(self.step_count) if phase.schedule else 1.0)
        for group in optimizer.param_groups:
            group["lr"] = phase.optimizer.learning_rate * factor
        optimizer.step()
        for name in phase.players:
            for hook in phase.after_step:
                hook(self.players[name])

    def _freeze_all_but(self, phase: Phase[BatchT] | None) -> None:
        """Let gradients reach the phase's players only; None restores what was trainable before the fit."""
        moving = self.players if phase is None else phase.players
        for name, parameters in self._trainable.items():
            for parameter in parameters:
                parameter.requires_grad_(name in moving)

    def _log(self, terms: dict[str, Tensor]) -> None:
        for name, value in terms.items():
            value = value.detach()
            self._sums[name] = self._sums[name] + value if name in self._sums else value
            self._counts[name] = self._counts.get(name, 0) + 1

    def _read(self) -> None:
        """Bring the mean losses since the last reading to the host: the loop's only synchronisation."""
        if not self._sums:
            return
        values = averaged(torch.stack([value.double().cpu() for value in self._sums.values()])).tolist()
        row = {name: value / self._counts[name] for name, value in zip(self._sums, values, strict=True)}
        self._sums, self._counts = {}, {}
        self.history.append(self.step_count, row)
        self._notify("on_read", row, all(math.isfinite(value) for value in row.values()))

    def _notify(self, event: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, event)(self, *arguments)


def _pair_of(phase: Phase[Any]) -> Any:
    """The phase's loss pair, which may have a state; None where it has no pair."""
    return getattr(phase.loss, "loss", None)


def _state_of(part: Any) -> dict[str, Any]:
    return part.state_dict() if hasattr(part, "state_dict") else {}
