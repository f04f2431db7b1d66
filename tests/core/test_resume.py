"""Train, save, load into freshly built parts, train on: the same bits as without the break."""

import pytest
import torch
from torch import nn

from tabgan.core.callbacks import EarlyStopping, NanGuard, WeightAverage
from tabgan.core.checkpoint import read_model_file, write_model_file
from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.core.penalties import Penalty
from tabgan.core.phases import DiscriminatorLoss, GeneratorLoss, OptimizerSpec, Phase, Term, TermLoss, cosine_schedule
from tabgan.core.tasks import GenerationTask, normal_prior
from tabgan.core.trainer import Trainer
from tabgan.imputation.cell_discriminator import CellDiscriminator
from tabgan.imputation.masking import reconstruction_loss
from tabgan.imputation.published import GainGenerator, GainTask
from tabgan.imputation.stages.correction import Correction, CorrectionTask
from tabgan.networks.blocks import init_linear, mlp
from tabgan.networks.heads import span_index
from tabgan.spans import Span
from tabgan.verdict import Verdict
from tests.imputation.learning_of import learning_of

SPANS = [Span("numeric", 0, 1), Span("categorical", 1, 4), Span("numeric", 4, 5)]


def table(n=80):
    """Rows of `SPANS` with about a fifth of the cells missing; the same at every call."""
    draw = torch.Generator().manual_seed(5)
    number = torch.rand(n, 1, generator=draw)
    level = nn.functional.one_hot((3 * number[:, 0]).long().clamp(0, 2), 3).float()
    values = torch.cat([number, level, 1 - number + 0.1 * torch.rand(n, 1, generator=draw)], 1)
    visible = (torch.rand(n, 3, generator=draw) > 0.2).float()
    return values * visible[:, span_index(SPANS)], visible


class Net(nn.Module):
    """A player of the generation task; a critic if ``judges``."""

    def __init__(self, d_in, d_out, draw, judges):
        super().__init__()
        self.layers, self.judges = mlp([d_in, 8, d_out]), judges
        init_linear(self, draw)

    def forward(self, x, condition):
        out = self.layers(x)
        return Verdict(out[:, 0]) if self.judges else out


def wgan_gp(seed):
    draw = torch.Generator().manual_seed(seed)
    task = GenerationTask(table()[0], normal_prior(3), 16)
    players = {"generator": Net(3, 5, draw, False), "discriminator": Net(5, 1, draw, True)}
    loss = ADVERSARIAL_LOSSES["wasserstein"]
    optimizer = OptimizerSpec("adam", 1e-3, (0.0, 0.9))
    phases = [
        Phase("discriminator", DiscriminatorLoss(loss, task, [Penalty("gradient", every=2)]), optimizer, n_steps=3),
        Phase("generator", GeneratorLoss(loss, task), optimizer, schedule=cosine_schedule(200, warmup=10)),
    ]
    callbacks = [WeightAverage(players["generator"], "generator", decay=0.98), NanGuard()]
    return Trainer(players, phases, task, generator=draw, callbacks=callbacks)


def gain(seed):
    draw = torch.Generator().manual_seed(seed)
    values, visible = table()
    task = GainTask(values, visible, span_index(SPANS), batch_size=32, hint="paper")
    players = {"generator": GainGenerator(5, generator=draw), "discriminator": CellDiscriminator(5, 3, generator=draw)}
    loss = ADVERSARIAL_LOSSES["non-saturating"]
    optimizer = OptimizerSpec("adam", 1e-3, (0.9, 0.999))
    terms = [Term("reconstruction", task.reconstruction, 100.0)]
    phases = [
        Phase("discriminator", DiscriminatorLoss(loss, task), optimizer),
        Phase("generator", GeneratorLoss(loss, task, terms=terms), optimizer),
    ]
    return Trainer(players, phases, task, generator=draw, callbacks=[NanGuard()], read_every=20)


def remask(seed):
    draw = torch.Generator().manual_seed(seed)
    values, visible = table()
    held_out = torch.zeros_like(visible)
    held_out[:20] = visible[:20]
    learning = learning_of(values, SPANS, visible - held_out, held_out, with_closed_form=True)
    module = Correction(
        SPANS, torch.linspace(0, 1, 5).repeat(2, 1), width=8, n_blocks=1, n_members=2, generator=draw
    ).float()
    task = CorrectionTask(learning.masked, module, 16, torch.device("cpu"))
    average = WeightAverage(module, "generator")
    before = learning.judged.last.changed(torch.Tensor.float)
    rows = learning.judged.rows

    @torch.no_grad()
    def score(scored):
        features = scored.features(before, rows.visible.float())
        raw = scored.heads.log_probabilities(scored.corrected(features, before.completed))
        truth, heads = rows.values.float(), scored.heads
        return float(reconstruction_loss(raw, truth, learning.judged_cells, heads.column, heads.is_categorical))

    stopping = EarlyStopping(average.module, score, patience=1000, every=30)
    phase = Phase(
        "generator",
        TermLoss([Term("reconstruction", task.reconstruction)]),
        OptimizerSpec("adam", 3e-3, (0.9, 0.99), weight_decay=0.01),
        max_grad_norm=1.0,
    )
    return Trainer({"generator": module}, [phase], task, generator=draw, callbacks=[average, stopping, NanGuard()])


def differing(a, b, path=""):
    """Paths at which two state trees differ, to the bit."""
    if isinstance(a, torch.Tensor):
        same = isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(a, b)
        return [] if same else [path]
    if isinstance(a, dict):
        if not isinstance(b, dict) or list(a) != list(b):
            return [path]
        return [found for key in a for found in differing(a[key], b[key], f"{path}/{key}")]
    if isinstance(a, (list, tuple)):
        if type(a) is not type(b) or len(a) != len(b):
            return [path]
        return [found for k, (x, y) in enumerate(zip(a, b, strict=True)) for found in differing(x, y, f"{path}/{k}")]
    return [] if a == b else [path]


@pytest.mark.parametrize("build", [wgan_gp, gain, remask])
def test_a_break_changes_no_bit(build, tmp_path):
    straight = build(0)
    straight.fit(200)

    first = build(0)
    first.fit(100)
    write_model_file(tmp_path / "half.tabgan", "Trainer", first.state_dict())
    kind, state = read_model_file(tmp_path / "half.tabgan")
    assert kind == "Trainer"
    assert differing(first.state_dict(), state) == []

    second = build(999)  # other weights and another generator: all of it must come from the file
    second.load_state_dict(state)
    second.fit(100)
    assert second.step_count == 200
    assert differing(straight.state_dict(), second.state_dict()) == []
    for mine, theirs in zip(straight.callbacks, second.callbacks, strict=True):
        if isinstance(mine, EarlyStopping):
            assert 0 < mine.best_step == theirs.best_step
            mine.restore_best()
            theirs.restore_best()
        if isinstance(mine, (EarlyStopping, WeightAverage)):
            assert differing(mine.module.state_dict(), theirs.module.state_dict()) == []


def test_the_comparison_would_notice_another_seed():
    one, other = gain(0), gain(1)
    one.fit(3)
    other.fit(3)
    found = differing(one.state_dict(), other.state_dict())
    assert any(path.startswith("/players") for path in found)
    assert any(path.startswith("/generator") for path in found)
    assert any(path.startswith("/optimizers") for path in found)


def test_a_loss_and_a_task_with_a_state_are_saved_with_it(tmp_path):
    class Stateful:
        def __init__(self):
            self.k = 0.0

        def state_dict(self):
            return {"k": self.k}

        def load_state_dict(self, state):
            self.k = state["k"]

    trainer = gain(0)
    balance = Stateful()
    trainer.phases[0].loss.loss = balance
    trainer.task.state_dict, trainer.task.load_state_dict = balance.state_dict, balance.load_state_dict
    balance.k = 0.25
    write_model_file(tmp_path / "file.tabgan", "Trainer", trainer.state_dict())
    balance.k = 0.0
    trainer.load_state_dict(read_model_file(tmp_path / "file.tabgan")[1])
    assert balance.k == 0.25
