"""A joint model of all columns: a residual network on the closed form, trained with cells hidden anew in every step."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from tabgan.core.callbacks import AVERAGE_DECAY, OUT_OF_TIME
from tabgan.core.cases import Players
from tabgan.core.phases import OptimizerSpec, Phase, Term, TermLoss, cosine_schedule
from tabgan.core.run import Run, Stopping, train
from tabgan.core.trust import load_weights
from tabgan.imputation.learning import Learning, quantile_edges
from tabgan.imputation.masking import reconstruction_loss
from tabgan.imputation.stages.closed_form import ClosedForm
from tabgan.imputation.stages.stage import Completion, FittedStage, Rows, Stage, settings_of
from tabgan.networks.blocks import PiecewiseLinearEncoding, ResidualBlock, blank_linear, init_linear
from tabgan.networks.heads import SpanHeads
from tabgan.spans import Span, total_width

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["NAME", "STAGE", "Network", "Settings"]

NAME = "network"
N_BLOCKS = 3
_SCORINGS = 6
_SHARE_OF_TIME = 0.4
_FEWEST_STEPS = 50
"""With time for fewer it is not begun."""
BATCH_SIZE = 1024
"""What counts is samples times steps; larger batches cost no more per sample, up to here."""


@dataclass(frozen=True)
class Settings:
    """`GAINImputer` documents each."""

    network_steps: int = 0
    network_width: int = 128
    n_bins: int = 16


class Network(nn.Module, FittedStage):
    """What all cells of a row say about its hidden ones, beyond the closed form. Its last layer starts at zero."""

    numeric_slots: Tensor

    def __init__(
        self,
        spans: Sequence[Span],
        edges: Tensor,
        *,
        width: int = 128,
        n_blocks: int = N_BLOCKS,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        d_table, n_columns = total_width(spans), len(spans)
        self.heads = SpanHeads(spans)
        numeric = [span.start for span in spans if span.kind == "numeric"]
        self.register_buffer("numeric_slots", torch.tensor(numeric, dtype=torch.long))
        self.encode = PiecewiseLinearEncoding(edges)
        self.input = blank_linear(2 * d_table + n_columns + self.encode.d_out, width)
        self.blocks = nn.Sequential(*[ResidualBlock(width, activation=nn.functional.gelu) for _ in range(n_blocks)])
        self.norm = nn.LayerNorm(width)
        self.output = blank_linear(width, d_table)
        init_linear(self, generator)
        with torch.no_grad():
            self.output.weight.zero_()
            self.output.bias.zero_()

    def forward(self, values: Tensor, visible: Tensor, closed: Tensor) -> Tensor:
        """Numbers, and logits of levels.

        Parameters
        ----------
        values, closed : Tensor of shape (n, width of the table)
            Encoded rows, and what the closed form completes them to.
        visible : Tensor of shape (n, n_columns)
        """
        known = values * visible[:, self.heads.column]
        seen = visible[:, self.heads.column[self.numeric_slots]].repeat_interleave(self.encode.left.shape[1], 1)
        bins = self.encode(known[:, self.numeric_slots]) * seen
        hidden = self.input(torch.cat([closed, known, visible, bins], 1))
        start = closed
        if self.heads.any_categorical:
            start = torch.where(self.heads.is_categorical, closed.clamp(1e-3, 1.0).log(), closed)
        return start + self.output(self.norm(self.blocks(hidden)))

    @torch.no_grad()
    def complete(self, rows: Rows, before: Completion | None) -> Completion:
        """The completion so far, and what the network proposes beside it."""
        assert before is not None
        shown = rows.visible[:, self.heads.column] > 0
        given = (torch.where(shown, rows.values, 0.0), rows.visible, before.closed)
        filled = self.heads.values(self(*(part.float() for part in given))).to(rows.values)
        return replace(before, proposals={**before.proposals, NAME: torch.where(shown, rows.values, filled)})

    def in_dtype(self, dtype: torch.dtype) -> Self:
        """Itself: products in single precision take half the time, and what they lose no fill shows."""
        return self

    def state(self) -> dict[str, Any]:
        """Its weights."""
        return {"weights": self.state_dict()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], spans: Sequence[Span], given: Mapping[str, Any]) -> Self:
        """Rebuild what `state` described."""
        settings = settings_of(Settings, given)
        edges = torch.zeros(sum(span.kind == "numeric" for span in spans), settings.n_bins + 1)
        module = cls(spans, edges, width=settings.network_width, generator=torch.Generator().manual_seed(0))
        load_weights(module, state["weights"])
        return module.eval()


@dataclass(frozen=True)
class FreshBatch:
    """Rows with cells hidden anew: the rows, what is shown and hidden, and the closed form's completion."""

    values: Tensor
    shown: Tensor
    hidden: Tensor
    closed: Tensor


class FreshTask:
    """Learn to predict cells that are hidden anew in every step, so that no mask can be learnt by heart."""

    def __init__(self, learning: Learning, closed_form: ClosedForm, batch_size: int) -> None:
        device = learning.run.device
        self.values, self.visible = learning.values.to(device), learning.visible.to(device)
        self.patterns, self.hide = learning.patterns.to(device), learning.hide
        self.closed_form = closed_form.to(device)
        self.batch_size = batch_size

    def batch(self, generator: torch.Generator) -> FreshBatch:
        """Draw rows with replacement, and hide cells."""
        rows = torch.randint(len(self.values), (self.batch_size,), generator=generator).to(self.values.device)
        values, observed = self.values[rows], self.visible[rows]
        shown = self.hide(observed, self.patterns, generator)
        closed = self.closed_form.quick(values, shown[:, self.closed_form.column])
        return FreshBatch(values, shown, observed - shown, closed)

    def reconstruction(self, players: Players, batch: FreshBatch) -> Tensor:
        """Squared error and cross-entropy on the cells hidden on purpose."""
        module: Any = players["network"]
        raw = module.heads.log_probabilities(module(batch.values, batch.shown, batch.closed))
        return reconstruction_loss(raw, batch.values, batch.hidden, module.heads.column, module.heads.is_categorical)


def fit(learning: Learning) -> Network | None:
    """Train on fresh masks, and keep the weights that predict held-out cells best; None without steps, or time for some."""
    settings, generator = learning.settings(Settings), learning.generator(NAME)
    if not settings.network_steps or not learning.worthwhile:
        return None
    edges = quantile_edges(learning, settings.n_bins)
    module = Network(learning.spans, edges, width=settings.network_width, generator=generator).float()
    task = FreshTask(learning, learning.masked.trail.stage(ClosedForm), BATCH_SIZE)
    deadline = learning.run.deadline
    if deadline is not None:  # what comes after needs its time too
        deadline = time.monotonic() + _SHARE_OF_TIME * (deadline - time.monotonic())
    n_steps = _steps_in_time(module, task, replace(learning.run, deadline=deadline), settings.network_steps)
    if n_steps < min(_FEWEST_STEPS, settings.network_steps):
        return None
    judged, cells = learning.judged, learning.judged_cells
    rows, closed = judged.rows, judged.after(ClosedForm).closed
    parts = [part.float().to(learning.run.device) for part in (rows.values, rows.visible, closed, cells)]

    @torch.no_grad()
    def score(module: Any) -> float:
        values, visible, closed, cells = parts
        raw = module.heads.log_probabilities(module(values, visible, closed))
        return float(reconstruction_loss(raw, values, cells, module.heads.column, module.heads.is_categorical))

    trained = train(
        {NAME: module},
        [phase_of(task, n_steps)],
        task,
        replace(learning.run, generator=generator, deadline=deadline),
        n_steps,
        description="GAINImputer (network)",
        averages={NAME: AVERAGE_DECAY},
        stopping=Stopping(NAME, score, patience=_SCORINGS // 2, every=max(n_steps // _SCORINGS, 1)),
    )
    network: Any = trained.players[NAME]
    shortened = OUT_OF_TIME if n_steps < settings.network_steps else None
    network.trained = replace(trained, players={}, stop_reason=trained.stop_reason or shortened)
    return network


def phase_of(task: FreshTask, n_steps: int) -> Phase:
    """How the network is trained."""
    return Phase(
        "network",
        TermLoss([Term("reconstruction", task.reconstruction)]),
        OptimizerSpec("muon", 0.012, (0.95, 0.99), weight_decay=0.01),
        schedule=cosine_schedule(n_steps, warmup=n_steps // 8),
        max_grad_norm=1.0,
    )


def _steps_in_time(module: Network, task: FreshTask, run: Run, n_steps: int) -> int:
    """So many steps that the schedule ends in time; all of them if there is no limit."""
    if run.deadline is None:
        return n_steps
    left = run.deadline - time.monotonic()
    generator = torch.Generator().manual_seed(0)
    module.to(run.device)
    started = time.monotonic()
    for _ in range(2):
        task.reconstruction({NAME: module}, task.batch(generator)).backward()
    module.zero_grad()
    taken = (time.monotonic() - started) / 2
    return max(min(int(left / taken), n_steps), 1)


STAGE = Stage(NAME, Settings, fit, Network.from_state)
