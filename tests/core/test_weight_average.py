"""Averaged weights with batch norm: averaged statistics during training, measured ones after it."""

import pytest
import torch
from torch import nn

from tabgan.core.callbacks import WeightAverage
from tabgan.core.phases import OptimizerSpec, Phase, Term, TermLoss
from tabgan.core.trainer import Trainer


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


class Net(nn.Module):
    """A weight, batch norm over what it makes, dropout, and a buffer that is no statistic."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.norm = nn.BatchNorm1d(3)
        self.dropout = nn.Dropout(0.5)
        self.register_buffer("steps", torch.zeros(()))
        with torch.no_grad():
            self.first.weight.copy_(torch.randn(3, 2, generator=seeded(1)))
            self.first.bias.zero_()

    def forward(self, x):
        if self.training:
            self.steps += 1
        return self.dropout(self.norm(self.first(x)))


class Rows:
    def batch(self, generator):
        return 1 + torch.randn(32, 2, generator=generator)


def trained(n_steps, decay=0.9):
    net = Net()
    average = WeightAverage(net, "net", decay)
    loss = TermLoss([Term("loss", lambda players, batch: (players["net"](batch) - 1).square().mean())])
    phase = Phase("net", loss, OptimizerSpec("sgd", 0.1, (0.0, 0.0)))
    return Trainer({"net": net}, [phase], Rows(), generator=seeded(), callbacks=[average]), average, n_steps


def test_statistics_follow_the_same_recursion_as_the_weights_and_other_buffers_are_copied():
    trainer, average, _ = trained(0)
    net = trainer.players["net"]
    mine = {name: value.clone() for name, value in net.state_dict().items()}
    for step in range(1, 8):
        trainer.fit(1)
        decay = min(0.9, (1 + step) / (10 + step))
        for name, value in net.state_dict().items():
            averaged = name.startswith("first") or name.split(".")[-1] in (
                "weight",
                "bias",
                "running_mean",
                "running_var",
            )
            mine[name] = decay * mine[name] + (1 - decay) * value if averaged else value.clone()
    for name, value in average.module.state_dict().items():
        torch.testing.assert_close(value, mine[name], msg=name)
    assert int(average.module.norm.num_batches_tracked) == 7
    assert int(average.module.steps) == 7


def test_measured_statistics_are_those_of_the_averaged_weights():
    trainer, average, _ = trained(0)
    trainer.fit(30)
    batches = [1 + torch.randn(64, 2, generator=seeded(seed)) for seed in range(10)]
    waiting = iter(batches)
    average.refresh_statistics(lambda module: module(next(waiting)), n_passes=10)
    hidden = [average.module.first(batch) for batch in batches]
    norm = average.module.norm
    torch.testing.assert_close(norm.running_mean, torch.stack([h.mean(0) for h in hidden]).mean(0))
    torch.testing.assert_close(norm.running_var, torch.stack([h.var(0) for h in hidden]).mean(0))
    assert not any(module.training for module in average.module.modules())
    assert norm.momentum == 0.1


def test_copied_statistics_would_be_wrong_and_measured_ones_are_not():
    """Rescale the weights half way: statistics of the last step then fit the last weights, not the average."""
    trainer, average, _ = trained(0)
    trainer.phases[0].loss.terms[0].function(trainer.players, Rows().batch(seeded()))
    trainer.fit(10)
    with torch.no_grad():
        trainer.players["net"].first.weight.mul_(5)
    trainer.fit(5)
    big = 1 + torch.randn(5000, 2, generator=seeded(7))

    def off(module):
        hidden = module.first(big)
        return float((module.norm.running_var / hidden.var(0)).log().abs().max().detach())

    copied = Net()
    copied.load_state_dict(average.module.state_dict())
    copied.norm.load_state_dict(trainer.players["net"].norm.state_dict())
    assert off(copied) > 0.3
    average.refresh_statistics(lambda module: module(1 + torch.randn(256, 2, generator=seeded(8))))
    assert off(average.module) < 0.2


def test_dropout_stays_off_while_measuring_and_the_weights_stay():
    trainer, average, _ = trained(0)
    trainer.fit(3)
    before = [p.clone() for p in average.module.parameters()]
    outputs = []
    average.refresh_statistics(lambda module: outputs.append(module(torch.ones(8, 2) * torch.arange(8.0)[:, None])), 2)
    assert (outputs[0] != 0).any(0).all()
    torch.testing.assert_close(outputs[0], outputs[1])
    assert all(torch.equal(a, b) for a, b in zip(before, average.module.parameters(), strict=True))


def test_without_batch_norm_nothing_is_run():
    average = WeightAverage(nn.Linear(2, 2), "net")
    average.refresh_statistics(lambda module: pytest.fail("nothing to measure"))
