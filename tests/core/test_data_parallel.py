"""Gradients of several batches make one update: one after the other in one process, or side by side in two."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from tabgan.core.phases import OptimizerSpec, Phase, Term, TermLoss
from tabgan.core.trainer import Trainer
from tabgan.images import ImageGAN

_SCRIPT = """
import sys
import numpy as np, torch
import torch.distributed as dist
from tabgan.core.callbacks import Callback
from tabgan.core.phases import OptimizerSpec, Phase, Term, TermLoss
from tabgan.core.trainer import Trainer
from tabgan.images import ImageGAN

rank, folder = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)

class Numbers:
    def batch(self, generator):
        return torch.tensor(float(rank + 1))

class Stop(Callback):
    def on_step_end(self, trainer):
        if rank == 1 and trainer.step_count == 2:
            trainer.stop("enough")

player = torch.nn.Linear(1, 1, bias=False)
torch.nn.init.zeros_(player.weight)
loss = TermLoss([Term("loss", lambda players, batch: batch * players["p"].weight.sum())])
phase = Phase("p", loss, OptimizerSpec("sgd", 0.1, (0.0, 0.0)))
trainer = Trainer({"p": player}, [phase], Numbers(), generator=torch.Generator(), callbacks=[Stop()])
trainer.fit(5)

images = np.random.default_rng(0).random((40, 8, 8))
gan = ImageGAN("sngan", n_steps=3, batch_size=4, random_state=0, device="cpu", settings={"width": 8, "average": 0.9})
gan.fit(images, np.arange(40) % 2)
# Batch norm's statistics are each process's own.
kept = {f"{n}.{k}": v for n, p in gan.players_.items() for k, v in p.named_parameters()}
state = {"weight": float(player.weight), "steps": trainer.step_count, "why": trainer.stop_reason, "rows": trainer.history.rows,
         "gan": kept, "history": gan.history_, "stream": gan._training_state["generator"]}
torch.save(state, f"{folder}/{rank}.pt")
"""


class Numbers:
    """Batches 1, 2, 3, ..."""

    def __init__(self):
        self.n = 0

    def batch(self, generator):
        self.n += 1
        return torch.tensor(float(self.n))


def test_accumulated_batches_move_by_the_mean_of_their_gradients():
    player = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(player.weight)
    loss = TermLoss([Term("loss", lambda players, batch: batch * players["p"].weight.sum())])
    phase = Phase("p", loss, OptimizerSpec("sgd", 0.1, (0.0, 0.0)), n_steps=1)
    trainer = Trainer({"p": player}, [phase], Numbers(), generator=torch.Generator(), accumulate=3)
    trainer.fit(1)
    assert float(player.weight.detach()) == pytest.approx(-0.1 * (1 + 2 + 3) / 3)
    assert trainer.history.rows[-1]["loss"] == 0  # the mean of all three batches, before the update
    trainer.fit(1)
    assert float(player.weight.detach()) == pytest.approx(-0.1 * (2 + 5))


def test_images_train_on_accumulated_batches():
    images = np.random.default_rng(0).random((20, 8, 8))

    def trained(accumulate):
        gan = ImageGAN(
            "lsgan", n_steps=2, batch_size=4, random_state=0, settings={"width": 8, "accumulate": accumulate}
        )
        return gan.fit(images)

    one, two = trained(1), trained(2)
    assert two.n_iter_ == 2
    assert not np.array_equal(one.sample(2, random_state=0), two.sample(2, random_state=0))


def test_two_processes_make_the_same_updates_from_different_batches(tmp_path):
    (tmp_path / "train.py").write_text(_SCRIPT)
    command = [sys.executable, str(tmp_path / "train.py")]
    runs = [subprocess.Popen([*command, str(rank), str(tmp_path)], stderr=subprocess.PIPE) for rank in range(2)]
    errors = [run.communicate(timeout=300)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], errors
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    assert first["weight"] == second["weight"] == pytest.approx(-0.1 * 1.5 * 2)
    assert (first["steps"], first["why"]) == (second["steps"], second["why"]) == (2, "enough")
    assert first["rows"] == second["rows"]
    assert first["history"] == second["history"]
    assert not torch.equal(first["stream"], second["stream"])
    for name, weight in first["gan"].items():
        torch.testing.assert_close(weight, second["gan"][name], rtol=0, atol=0, msg=name)
