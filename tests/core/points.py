"""One number under a loss: a trainer so small that every step can be checked by hand."""

import torch
from torch import nn

from tabgan.core.callbacks import Callback
from tabgan.core.phases import OptimizerSpec, Phase, Term, TermLoss
from tabgan.core.trainer import Trainer


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


class Point(nn.Module):
    """One number to train."""

    def __init__(self, at=1.0):
        super().__init__()
        self.at = nn.Parameter(torch.tensor(float(at)))
        self.register_buffer("count", torch.zeros(()))


class Counting:
    """A task that counts its batches, each a random number."""

    def __init__(self):
        self.n_batches = 0

    def batch(self, generator):
        self.n_batches += 1
        return torch.rand((), generator=generator)


SGD = OptimizerSpec("sgd", 0.1, (0.0, 0.0))


def point_trainer(loss, *, optimizer=SGD, callbacks=(), read_every=50, at=1.0, **phase):
    """A trainer of one `Point` under ``loss(players, batch)``."""
    return Trainer(
        {"point": Point(at)},
        [Phase("point", TermLoss([Term("loss", loss)]), optimizer, **phase)],
        Counting(),
        generator=seeded(),
        callbacks=callbacks,
        read_every=read_every,
    )


def slide(players, batch):
    """A loss of slope 1: every step moves by the learning rate exactly."""
    return players["point"].at


def bowl(players, batch):
    return players["point"].at ** 2


def position(trainer):
    return float(trainer.players["point"].at.detach())


class Stopper(Callback):
    """Stops at a step, twice, for two reasons."""

    def __init__(self, step):
        self.step = step

    def on_step_end(self, trainer):
        if trainer.step_count == self.step:
            trainer.stop("first reason")
            trainer.stop("second reason")
