"""The honest ablation of `GAINImputer`: a plain autoencoder of equal width, trained alike on cells hidden on purpose.

Same encoding, hiding, loss, optimiser, schedule, averaged weights and early stopping, and as many layers of the same width; no
closed-form base, no piecewise-linear encoding, no ensemble members, no discriminator.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from torch import Tensor, nn

from benchmarks.imputation.remasking import RemaskTask
from tabgan import GAINImputer
from tabgan._runtime import make_generator, own_torch
from tabgan.core.callbacks import EarlyStopping, NanGuard, WeightAverage
from tabgan.core.phases import OptimizerSpec, Phase, Term, TermLoss, cosine_schedule
from tabgan.core.trainer import Trainer
from tabgan.imputation.masking import reconstruction_loss
from tabgan.imputation.scoring import split_validation
from tabgan.networks.blocks import init_linear, mlp
from tabgan.networks.heads import SpanHeads
from tabgan.spans import Span, total_width
from tabgan.tables.encoder import TableEncoder
from tabgan.tables.frames import read_table
from tabgan.tables.schema import infer_schema

__all__ = ["RemaskingAutoencoder"]

_N_STEPS, _PATIENCE = 1500, 10


class PlainGenerator(nn.Module):
    """Multilayer perceptron from visible values and mask to all values.

    Shape
    -----
    values: (n, width), visible: (n, n_columns). Output: (n, width); `members` gives (1, n, width).
    """

    def __init__(self, spans: Sequence[Span], width: int, n_hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.heads = SpanHeads(spans)
        self.layers = mlp([total_width(spans) + len(spans), *[width] * n_hidden, total_width(spans)])
        init_linear(self, generator)

    def members(self, values: Tensor, visible: Tensor) -> Tensor:
        return self.layers(torch.cat([values * visible[:, self.heads.column], visible], 1))[None]

    def forward(self, values: Tensor, visible: Tensor) -> Tensor:
        return self.heads.values(self.members(values, visible)).mean(0)


class RemaskingAutoencoder(BaseEstimator):
    """Autoencoder that learns from re-masked cells; settings are the defaults of `GAINImputer`, but for the number of steps.

    Parameters
    ----------
    random_state : int, default=0
    categorical : sequence of names, default=()
        Columns to treat as categorical.
    """

    def __init__(self, *, random_state: int = 0, categorical: Sequence[Hashable] = ()) -> None:
        self.random_state = random_state
        self.categorical = categorical

    def fit(self, X: pd.DataFrame, y: Any = None) -> RemaskingAutoencoder:
        settings = GAINImputer().get_params()
        table = read_table(X, missing_values=np.nan)
        schema = infer_schema(table, categorical_features=list(self.categorical))
        self.encoder_ = TableEncoder(round_like_observed=False).fit(table, schema)
        encoded = self.encoder_.encode(table)
        generator = make_generator(self.random_state)
        parts = split_validation(encoded.mask, settings["validation_fraction"], generator)
        values = torch.from_numpy(encoded.values)
        training, validation = (torch.from_numpy(part.astype(np.float32)) for part in parts)
        self.module_ = PlainGenerator(self.encoder_.spans_, settings["width"], 1 + 2 * settings["n_blocks"], generator)
        low, high = settings["hide_rates"]
        task = RemaskTask(
            values,
            training,
            batch_size=min(settings["batch_size"], max(64, len(values) // 2)),
            lowest_rate=low,
            highest_rate=high,
            donors=training + validation,
            donor_fraction=settings["pattern_fraction"],
        )
        average = WeightAverage(self.module_, "generator")
        stopping = EarlyStopping(average.module, _score(values, training, validation), patience=_PATIENCE, every=50)
        phase = Phase(
            "generator",
            TermLoss([Term("reconstruction", task.reconstruction)]),
            OptimizerSpec("adam", settings["learning_rate"], (0.9, 0.99)),
            schedule=cosine_schedule(_N_STEPS, warmup=20),
            max_grad_norm=1.0,
        )
        callbacks = [average, stopping, NanGuard()]
        with own_torch(1):
            Trainer({"generator": self.module_}, [phase], task, generator=generator, callbacks=callbacks).fit(_N_STEPS)
        stopping.restore_best()
        self.module_ = average.module.eval()
        return self

    @torch.no_grad()
    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        table = read_table(X, missing_values=np.nan)
        encoded = self.encoder_.encode(table)
        with own_torch(1):
            values = self.module_(torch.from_numpy(encoded.values), torch.from_numpy(encoded.mask.astype(np.float32)))
        return self.encoder_.decode(table, values.double().numpy())

    def fit_transform(self, X: pd.DataFrame, y: Any = None) -> pd.DataFrame:
        return self.fit(X).transform(X)


def _score(values: Tensor, training: Tensor, validation: Tensor) -> Any:
    rows = validation.sum(1).nonzero()[:4000, 0]
    values, training, validation = values[rows], training[rows], validation[rows]

    @torch.no_grad()
    def score(module: nn.Module) -> float:
        heads: Any = module.heads
        logs = heads.log_probabilities(module.members(values, training))[0]
        return float(reconstruction_loss(logs, values, validation, heads.column, heads.is_categorical))

    return score
