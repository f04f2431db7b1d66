"""A training that is killed goes on from its checkpoint to the same bits; one that was begun otherwise is refused."""

from __future__ import annotations

import os
import random
import signal

import pytest
from typer.testing import CliRunner

import tabgan
from tabgan.cli.main import app
from tabgan.core.trainer import Trainer
from tests.killed_training import command, digest, prepare


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def killed_at(step: int) -> None:
    """Begin the training in a process of its own, which SIGKILL ends before this step, or go through."""
    child = os.fork()
    if child == 0:
        through = Trainer._step

        def doomed(trainer):
            if trainer.step_count == step:
                os.kill(os.getpid(), signal.SIGKILL)
            through(trainer)

        Trainer._step = doomed
        try:
            os._exit(run(*command()).exit_code)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_killed_training_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
        prepare(tmp_path / name)
    monkeypatch.chdir(tmp_path / "whole")
    assert run(*command()).exit_code == 0
    monkeypatch.chdir(tmp_path / "killed")
    draws = random.Random(0)
    for step in sorted(draws.sample(range(40), 2)):
        killed_at(step)
        assert not os.path.exists("m.tabgan")
    last = tabgan.load("m.tabgan.checkpoint")
    assert last.n_iter_ + last.n_steps_left_ == 40
    assert last.n_iter_ % 7 == 0
    other = command()
    other[other.index("bagan")] = "cgan"
    refused = run(*other)
    assert refused.exit_code == 2
    assert "was begun with --recipe 'bagan', not 'cgan'" in refused.stderr
    result = run(*command())
    assert f"going on from step {last.n_iter_}" in result.stderr
    assert sorted(os.listdir()) == ["images.npy", "labels.txt", "m.tabgan"]
    assert digest(tmp_path / "killed" / "m.tabgan") == digest(tmp_path / "whole" / "m.tabgan")
    assert "nothing is left to do" in run(*command()).stderr


def test_checkpoints_from_python_go_on_as_one_fit(tmp_path):
    import numpy as np

    from tabgan.images import ImageGAN

    images = np.random.default_rng(0).random((20, 8, 8))
    options = {"n_steps": 12, "settings": {"width": 8}, "random_state": 0}
    whole = ImageGAN("dragan", **options).fit(images)
    kept = ImageGAN("dragan", checkpoint_every=5, checkpoint=tmp_path / "c", **options).fit(images)
    half = tabgan.load(tmp_path / "c")
    assert (half.n_iter_, half.n_steps_left_, kept.n_steps_left_) == (10, 2, 0)
    half.partial_fit(images, n_steps=half.n_steps_left_)
    for gan in (kept, half):
        np.testing.assert_array_equal(gan.sample(3, random_state=0), whole.sample(3, random_state=0))
        assert gan.history_ == whole.history_
    with pytest.raises(ValueError, match="checkpoint=None"):
        ImageGAN(checkpoint_every=5).fit(images)
    with pytest.raises(ValueError, match=r"checkpoint=.*nowhere.*a file in a folder that exists"):
        ImageGAN(checkpoint_every=5, checkpoint=tmp_path / "nowhere" / "c").fit(images)
    with pytest.raises(ValueError, match=r"log=.*nowhere.*a file in a folder that exists"):
        ImageGAN(log=tmp_path / "nowhere" / "c.csv").fit(images)
