"""A learned correction to the completion so far: a residual network that is kept only where held-out cells say that it helps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from tabgan.core.callbacks import AVERAGE_DECAY, OUT_OF_TIME
from tabgan.core.cases import Players
from tabgan.core.phases import OptimizerSpec, Phase, Term, TermLoss, cosine_schedule
from tabgan.core.run import Stopping, Trained, train
from tabgan.core.trust import load_weights
from tabgan.imputation.learning import Learning, MaskedRows, quantile_edges
from tabgan.imputation.masking import reconstruction_loss
from tabgan.imputation.stages.stage import Completion, FittedStage, Rows, Stage
from tabgan.networks.blocks import PiecewiseLinearEncoding, ResidualBlock, blank_linear, init_linear
from tabgan.networks.heads import SpanHeads
from tabgan.spans import Span, total_width

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["STAGE", "Correction", "Settings", "keep_what_earns"]

_LEAST_GAIN = 0.02  # of the held-out loss: less is what the closed form gains from the held-out cells themselves
_WORTH_GOING_ON = 0.005  # of the held-out loss, within `patience` scorings: corrections that are kept gain faster
_ROWS_FOR_HALF = 400
_FEATURES_AT_ONCE = 4e6


@dataclass(frozen=True)
class Settings:
    """`GAINImputer` documents each."""

    n_steps: int = 400
    batch_size: int = 256
    learning_rate: float = 2e-3
    width: int = 128
    n_blocks: int = 2
    n_members: int = 4
    n_bins: int = 16
    patience: int = 2


class Correction(nn.Module, FittedStage):
    """A correction by weight-sharing members, whose last layer starts at zero: before training, rows stay as they came.

    Parameters
    ----------
    spans : sequence of Span
        Layout of the slots.
    edges : Tensor of shape (n_numeric, n_bins + 1)
        Quantile edges of the numeric slots, in slot order.
    width : int, default=128
        Width of the network.
    n_blocks : int, default=2
        Residual blocks.
    n_members : int, default=4
        Ensemble members. They share all weights but a scaling and bias after the first layer, and the last layer.
    generator : torch.Generator
        Source of the initial weights.

    References
    ----------
    Members: Gorishniy et al. 2025, "TabM", section 3 (TabM-mini).
    """

    numeric_slots: Tensor

    def __init__(
        self,
        spans: Sequence[Span],
        edges: Tensor,
        *,
        width: int = 128,
        n_blocks: int = 2,
        n_members: int = 4,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        d_table, n_columns = total_width(spans), len(spans)
        self.heads = SpanHeads(spans)
        numeric = [span.start for span in spans if span.kind == "numeric"]
        self.register_buffer("numeric_slots", torch.tensor(numeric, dtype=torch.long))
        self.encode = PiecewiseLinearEncoding(edges)
        d_in = 3 * d_table + n_columns + self.encode.d_out
        self.n_members = n_members
        self.scale = nn.Parameter(torch.empty(n_members, 1, width))
        self.input = blank_linear(d_in, width)
        self.input_bias = nn.Parameter(torch.zeros(n_members, 1, width))
        self.blocks = nn.Sequential(*[ResidualBlock(width) for _ in range(n_blocks)])
        self.norm = nn.LayerNorm(width)
        self.output = nn.Parameter(torch.zeros(n_members, width, d_table))
        self.output_bias = nn.Parameter(torch.zeros(n_members, 1, d_table))
        self.reset_parameters(generator)

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator) -> None:
        """Draw the weights; the last layer is zero."""
        init_linear(self, generator)
        signs = torch.randint(0, 2, self.scale.shape, generator=generator) * 2.0 - 1.0
        self.scale.copy_(signs if self.n_members > 1 else torch.ones_like(signs))
        self.output.zero_()
        self.output_bias.zero_()

    def features(self, before: Completion, visible: Tensor) -> Tensor:
        """What the network sees, of shape (n, d_in)."""
        numbers = before.completed[:, self.numeric_slots]
        seen = visible[:, self.heads.column[self.numeric_slots]]
        bins = self.encode(numbers) * seen.repeat_interleave(self.encode.left.shape[1], 1)
        return torch.cat([before.linear, before.rank, before.step, visible, bins], 1)

    def corrected(self, features: Tensor, completed: Tensor, *, parted: bool = False) -> Tensor:
        """Raw outputs of every member: numbers, and categorical logits.

        Parameters
        ----------
        features, completed : Tensor of shape (n, d_in) and (n, width)
        parted : bool, default=False
            Give each member its own n-th part of the rows, in order, instead of all of them: as good for training, at the cost of
            a single member.

        Returns
        -------
        Tensor of shape (n_members, n, width), or (n_members, n / n_members, width) if parted
        """
        hidden, started = self.input(features), self._raw(completed)
        if parted:
            hidden, started = (part.view(self.n_members, -1, part.shape[-1]) for part in (hidden, started))
        # The widest layer is computed once; the members part after it.
        hidden = hidden * self.scale + self.input_bias
        return started + torch.baddbmm(self.output_bias, self.norm(self.blocks(hidden)), self.output)

    @torch.no_grad()
    def complete(self, rows: Rows, before: Completion | None) -> Completion:
        """Mean over members of numbers and of probabilities; a network that learnt nothing is not asked."""
        assert before is not None
        if self.is_silent:
            filled = self.heads.values(self._raw(before.completed))
        else:
            parts = []
            for some in torch.arange(len(rows)).split(max(int(_FEATURES_AT_ONCE / self.input.in_features), 16)):
                part = before.changed(lambda tensor: tensor[some])  # noqa: B023 - called at once
                raw = self.corrected(self.features(part, rows.visible[some]), part.completed)
                parts.append(self.heads.values(raw).mean(0))
            filled = torch.cat(parts) if parts else before.completed
        return replace(before, completed=torch.where(rows.visible[:, self.heads.column] > 0, before.completed, filled))

    @property
    def is_silent(self) -> bool:
        """Whether nothing is corrected."""
        return not (self.output.any() or self.output_bias.any())

    def _raw(self, completed: Tensor) -> Tensor:
        if not self.heads.any_categorical:
            return completed
        # A linear fit of one-hot slots may leave [0, 1]; its logarithm must not.
        return torch.where(self.heads.is_categorical, completed.clamp(1e-3, 1.0).log(), completed)

    def state(self) -> dict[str, Any]:
        """Its weights and what shape they have, which a warm start keeps from before."""
        shape = {"width": self.input.out_features, "n_blocks": len(self.blocks), "n_members": self.n_members}
        return {"weights": self.state_dict(), "shape": shape, "n_bins": self.encode.left.shape[1]}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], spans: Sequence[Span], given: Mapping[str, Any]) -> Self:
        """Rebuild what `state` described."""
        n_numeric = sum(span.kind == "numeric" for span in spans)
        edges, generator = torch.zeros(n_numeric, state["n_bins"] + 1), torch.Generator().manual_seed(0)
        module = cls(spans, edges, **state["shape"], generator=generator)
        load_weights(module.double(), state["weights"])
        return module.eval()

    @classmethod
    def _of(cls, spans: Sequence[Span], edges: Tensor, settings: Settings, generator: torch.Generator) -> Self:
        shape: dict[str, Any] = {name: getattr(settings, name) for name in ("width", "n_blocks", "n_members")}
        return cls(spans, edges, **shape, generator=generator)


@dataclass(frozen=True)
class CorrectionBatch:
    """Masked rows: the truth, features, the completion so far, and 1 in the cells to predict."""

    truth: Tensor
    features: Tensor
    completed: Tensor
    hidden: Tensor


class CorrectionTask:
    """Learn to fill from masked rows; ensemble members share a batch, a part each.

    Parameters
    ----------
    masked : MaskedRows
    module : Correction
        Its encoding makes the features.
    batch_size : int
        Rows per step over all members, drawn with replacement.
    device : torch.device
        Where to.
    """

    def __init__(self, masked: MaskedRows, module: Correction, batch_size: int, device: torch.device) -> None:
        before, rows = masked.trail.last, masked.rows
        with torch.no_grad():
            features = module.features(before, rows.visible)
        self.rows = CorrectionBatch(
            *(part.to(device) for part in (rows.values, features, before.completed, masked.hidden))
        )
        self.batch_size = max(batch_size // module.n_members, 1) * module.n_members

    def batch(self, generator: torch.Generator) -> CorrectionBatch:
        """Draw masked rows."""
        device = self.rows.truth.device
        chosen = torch.randint(len(self.rows.truth), (self.batch_size,), generator=generator).to(device)
        return CorrectionBatch(*(part[chosen] for part in vars(self.rows).values()))

    def reconstruction(self, players: Players, batch: CorrectionBatch) -> Tensor:
        """Squared error and cross-entropy on the cells hidden on purpose."""
        module: Any = players["generator"]
        heads = module.heads
        raw = heads.log_probabilities(module.corrected(batch.features, batch.completed, parted=True)).flatten(0, 1)
        return reconstruction_loss(raw, batch.truth, batch.hidden, heads.column, heads.is_categorical)


def fit(learning: Learning) -> Correction:
    """Train on cells hidden on purpose, stop by held-out ones, and keep what earns its place."""
    settings, generator = learning.settings(Settings), learning.generator("correction")
    earlier = next((stage for stage in learning.earlier if isinstance(stage, Correction)), None)
    if earlier is None:
        edges = quantile_edges(learning, settings.n_bins)
        module = Correction._of(learning.spans, edges, settings, generator).float()
    else:
        module = earlier.in_dtype(torch.float32).requires_grad_(True)
    if not settings.n_steps:
        return module.eval()
    if learning.run.time_is_up:
        module.trained = Trained({}, [], 0, OUT_OF_TIME)
        return module.eval()
    if not learning.worthwhile:
        module.trained = Trained({}, [], 0, "too few cells to validate on; the closed form is used")
        return module.eval()
    score = _held_out_score(module, learning)
    device = learning.run.device
    # A small table in a large batch is the same rows over and over.
    batch_size = min(settings.batch_size, max(64, len(learning.values) // 2))
    task = CorrectionTask(learning.masked, module, batch_size, device)
    phase = Phase(
        "generator",
        TermLoss([Term("reconstruction", task.reconstruction)]),
        OptimizerSpec("adam", settings.learning_rate, (0.9, 0.99)),
        schedule=cosine_schedule(settings.n_steps, warmup=20),
        max_grad_norm=1.0,
    )
    trained = train(
        {"generator": module},
        [phase],
        task,
        replace(learning.run, generator=generator),
        settings.n_steps,
        description="GAINImputer",
        averages={"generator": AVERAGE_DECAY},
        stopping=Stopping("generator", score, patience=settings.patience, min_delta=_WORTH_GOING_ON, every=50),
    )
    kept: Any = trained.players["generator"].to(device)
    keep_what_earns(kept, score, len(learning.values))
    kept.trained = replace(trained, players={})
    return kept.cpu()


@torch.no_grad()
def keep_what_earns(module: Correction, score: Callable[..., float], n_rows: int) -> None:
    """Undo the correction of numbers, or of categories, where it does not clearly improve the held-out loss of *that* kind.

    The joint loss may fall by better level probabilities alone while the numbers get worse, or the other way round. What stays is
    drawn towards none where there are few rows: held-out cells are hidden at random, other gaps are not, and a correction learnt
    from some hundred rows carries over to them by half at most (measured on auto_imports and mpg).

    Parameters
    ----------
    module : Correction
        Changed in place.
    score : callable
        ``score(module, columns) -> float``: the held-out loss on columns of weight 1, of shape (n_columns,).
    n_rows : int
        Training rows.
    """
    heads = module.heads
    weight, bias = module.output.clone(), module.output_bias.clone()
    for is_kind in (heads.is_categorical, ~heads.is_categorical):
        columns = (
            torch.zeros(heads.n_columns, device=is_kind.device)
            .index_add_(0, heads.column, is_kind.float())
            .clamp_max(1)
        )
        module.output.copy_(weight)
        module.output_bias.copy_(bias)
        corrected = score(module, columns)
        module.output[..., is_kind] = 0
        module.output_bias[..., is_kind] = 0
        if corrected >= (1 - _LEAST_GAIN) * score(module, columns):
            weight, bias = module.output.clone(), module.output_bias.clone()
    share = n_rows / (n_rows + _ROWS_FOR_HALF)
    module.output.copy_(share * weight)
    module.output_bias.copy_(share * bias)


def _held_out_score(module: Correction, learning: Learning) -> Callable[..., float]:
    """Reconstruction loss on held-out cells, for networks on the run's device."""
    rows, device = learning.judged.rows, learning.run.device
    before = learning.judged.last.changed(Tensor.float)
    with torch.no_grad():
        features = module.features(before, rows.visible.float())
    heads = module.heads
    parts = [
        part.to(device)
        for part in (
            features,
            before.completed,
            rows.values.float(),
            learning.judged_cells,
            heads.column,
            heads.is_categorical,
        )
    ]

    @torch.no_grad()
    def score(module: Correction, columns: Tensor | None = None) -> float:
        features, completed, truth, cells, column, is_categorical = parts
        cells = cells if columns is None else cells * columns
        filled = module.heads.values(module.corrected(features, completed)).mean(0)
        filled = torch.where(is_categorical, filled.clamp_min(1e-7).log(), filled)
        return float(reconstruction_loss(filled, truth, cells, column, is_categorical))

    return score


STAGE = Stage("correction", Settings, fit, Correction.from_state, waits=False)
