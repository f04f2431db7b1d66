"""What stages learn from: the table, which of its cells may be seen, and rows that are completed once for all stages."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from tabgan._runtime import make_generator
from tabgan.core.run import Run
from tabgan.imputation.masking import hide_cells
from tabgan.imputation.stages.stage import FittedStage, Rows, Trail, settings_of
from tabgan.spans import Span

S = TypeVar("S")

__all__ = ["Learning", "MaskSettings", "MaskedRows", "held_out_rows", "quantile_edges"]

MOST_SAMPLED = 50_000
"""Training rows that are completed for stages to learn from."""
MOST_PREDICTED_FLOPS = 6e10
"""About, for the closed form's predictions of each cell of these rows from the others: on a wide table this limits the rows."""
MOST_HELD_OUT = 4000
"""Rows with held-out cells by which stages are judged."""
MOST_MASKED = 8192
MOST_HIDDEN = 25_000
"""Cells hidden on purpose, about: on a wide table this limits the masked rows."""
FEWEST_MASKED = 1024

FEWEST = 10
"""Rows, and held-out cells: with fewer, learning cannot be told from noise."""


@dataclass(frozen=True)
class MaskSettings:
    """How cells are hidden on purpose; `GAINImputer` documents each."""

    hide_rates: tuple[float, float] = (0.05, 0.6)
    pattern_fraction: float = 0.5


@dataclass(frozen=True)
class MaskedRows:
    """Training rows with cells hidden on purpose, and what stages make of them.

    Parameters
    ----------
    observed : Tensor of shape (n, n_columns)
        1 where training may look; the trail's rows see less.
    trail : Trail
        In single precision, as networks train.
    """

    observed: Tensor
    trail: Trail

    @property
    def rows(self) -> Rows:
        """The rows as they are shown."""
        return self.trail.rows

    @property
    def hidden(self) -> Tensor:
        """1 in cells hidden on purpose, of shape (n, n_columns)."""
        return self.observed - self.rows.visible


def held_out_rows(held_out: Tensor, generator: torch.Generator) -> Tensor:
    """Numbers of at most `MOST_HELD_OUT` rows with held-out cells, in random order."""
    rows = held_out.sum(1).nonzero()[:, 0]
    return rows[torch.randperm(len(rows), generator=generator)[:MOST_HELD_OUT]]


class Learning:
    """One pass of fitting: all of its stages see the same rows.

    Parameters
    ----------
    values : Tensor of shape (n, width)
        Encoded rows, float32, hidden slots 0.
    visible : Tensor of shape (n, n_columns)
        1 in observed cells to learn from, float32.
    held_out : Tensor of shape (n, n_columns)
        1 in observed cells that are set aside to judge by; all 0 in the second pass.
    spans : sequence of Span
        Layout of the slots.
    run : Run
        Device, deadline and progress bar.
    given : mapping of str to object
        Settings by name; stages find theirs there, and take their own defaults for the rest.
    seed : int
        Of all randomness. Every stage draws from a generator of its own, so that no stage changes what another one draws.
    earlier : sequence of FittedStage, default=()
        Stages to go on from (warm start).

    Attributes
    ----------
    stages : list of FittedStage
        Those fitted in this pass so far.
    """

    def __init__(
        self,
        values: Tensor,
        visible: Tensor,
        held_out: Tensor,
        spans: Sequence[Span],
        run: Run,
        given: Mapping[str, Any],
        *,
        seed: int,
        earlier: Sequence[FittedStage] = (),
    ) -> None:
        self.values = values
        self.visible = visible
        self.held_out = held_out
        self.spans = tuple(spans)
        self.run = run
        self.given = given
        self.seed = seed
        self.earlier = tuple(earlier)
        self.stages: list[FittedStage] = []

    def settings(self, kind: type[S]) -> S:
        """A stage's settings."""
        return settings_of(kind, self.given)

    def generator(self, name: str) -> torch.Generator:
        """A CPU generator for one purpose."""
        # torch's CPU generator looks at 32 bits of a seed only: both parts have to be mixed into them.
        return make_generator(int(self.seed_of(name).generate_state(1)[0]))

    def rng(self, name: str) -> np.random.Generator:
        """The same for numpy."""
        return np.random.default_rng(self.seed_of(name))

    def seed_of(self, name: str) -> np.random.SeedSequence:
        """What the generators of one purpose begin with."""
        return np.random.SeedSequence([self.seed, zlib.crc32(name.encode())])

    @property
    def worthwhile(self) -> bool:
        """Whether there are rows and held-out cells enough to tell learning from noise."""
        return len(self.values) >= FEWEST and int(self.held_out.sum()) >= FEWEST

    @cached_property
    def patterns(self) -> Tensor:
        """1 in all observed cells, those that are set aside included: which cells rows really miss."""
        return self.visible + self.held_out

    def hide(self, observed: Tensor, patterns: Tensor, generator: torch.Generator) -> Tensor:
        """Hide cells of rows on purpose, as `MaskSettings` say; ``patterns`` are `patterns` where the rows are."""
        settings = self.settings(MaskSettings)
        low, high = settings.hide_rates
        fraction = settings.pattern_fraction
        return hide_cells(
            observed, generator, lowest_rate=low, highest_rate=high, donors=patterns, donor_fraction=fraction
        )

    @cached_property
    def masked(self) -> MaskedRows:
        """Rows with cells hidden on purpose, every training row equally often."""
        generator = self.generator("masked rows")
        n, n_columns = self.visible.shape
        size = min(max(3 * MOST_HIDDEN // n_columns, FEWEST_MASKED), MOST_MASKED)
        numbers = torch.cat([torch.randperm(n, generator=generator) for _ in range(-(-size // n))])[:size]
        observed = self.visible[numbers]
        shown = self.hide(observed, self.patterns, generator)
        return MaskedRows(observed, Trail(Rows(self.values[numbers], shown, numbers), self.stages))

    @cached_property
    def judged(self) -> Trail:
        """Rows with held-out cells, which are hidden; in double precision."""
        numbers = held_out_rows(self.held_out, self.generator("held-out rows"))
        return Trail(Rows(self.values[numbers].double(), self.visible[numbers].double(), numbers), self.stages)

    @property
    def judged_cells(self) -> Tensor:
        """1 in the held-out cells of `judged`, of shape (n, n_columns)."""
        numbers = self.judged.rows.numbers
        assert numbers is not None
        return self.held_out[numbers]

    @cached_property
    def sampled(self) -> Trail:
        """Training rows with the gaps they have, in random order and double precision."""
        numbers = torch.randperm(len(self.values), generator=self.generator("sampled rows"))[:MOST_SAMPLED]
        return Trail(Rows(self.values[numbers].double(), self.visible[numbers].double()), self.stages)

    @property
    def n_predicted(self) -> int:
        """So many of the sampled rows may have each cell predicted from the others."""
        n_columns, width = self.visible.shape[1], self.values.shape[1]
        most = int(MOST_PREDICTED_FLOPS / (40 * min(n_columns, 12) * min(width, 64) * width))
        return min(most, MOST_SAMPLED, len(self.values))


def quantile_edges(learning: Learning, n_bins: int) -> Tensor:
    """Quantile edges of the numeric slots, of shape (n_numeric, n_bins + 1)."""
    levels = torch.linspace(0, 1, n_bins + 1, dtype=torch.float64)
    edges = []
    for j, span in enumerate(learning.spans):
        if span.kind == "numeric":
            seen = learning.values[learning.visible[:, j] > 0, span.start].double()
            seen = seen[:100_000]  # torch.quantile refuses more than 16 million; quantiles need far fewer
            edges.append(torch.quantile(seen, levels) if len(seen) else torch.zeros(n_bins + 1, dtype=torch.float64))
    return torch.stack(edges).to(learning.values) if edges else torch.zeros(0, n_bins + 1)
