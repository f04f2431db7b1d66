"""Ctrl-C in training: the first ends it after its step, the second aborts; a real signal, raised at a chosen step."""

import signal
import threading

import pytest
import torch
from torch import nn

from tabgan.core.callbacks import Callback
from tabgan.core.interrupts import ctrl_c_aborts, interrupted, interruptible
from tabgan.core.phases import OptimizerSpec, Phase, Term, TermLoss
from tabgan.core.trainer import Trainer
from tabgan.exceptions import TrainingInterruptedWarning


class Batches:
    def batch(self, generator):
        return torch.randn(4, 2, generator=generator)


class PressAt(Callback):
    """Ctrl-C, as the operating system sends it, at the end of some steps."""

    def __init__(self, *steps, times=1):
        self.steps, self.times, self.ended = steps, times, 0

    def on_step_end(self, trainer):
        if trainer.step_count in self.steps:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)

    def on_fit_end(self, trainer):
        self.ended += 1


def trainer(*callbacks, seed=0):
    player = nn.Linear(2, 1)
    with torch.no_grad():
        for parameter in player.parameters():
            parameter.fill_(0.5)
    loss = TermLoss([Term("loss", lambda players, batch: players["one"](batch).square().mean())])
    return Trainer(
        {"one": player},
        [Phase("one", loss, OptimizerSpec("adam", 0.01))],
        Batches(),
        generator=torch.Generator().manual_seed(seed),
        callbacks=callbacks,
    )


@pytest.fixture(autouse=True)
def _handler():
    """Python's own handler, which a shell that started the tests in the background takes away; every test leaves it as it was."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    left = signal.signal(signal.SIGINT, before)
    assert left is signal.default_int_handler


def test_the_first_ends_training_after_its_step_and_says_so():
    press = PressAt(3)
    one = trainer(press)
    with pytest.warns(TrainingInterruptedWarning, match=r"Trainer.fit was interrupted at step 3 of 10: .*Ctrl-C twice"):
        history = one.fit(10)
    assert (one.step_count, one.stop_reason, press.ended) == (3, "interrupted", 1)
    assert history["loss"]  # what was summed up to there was read


def test_interrupted_and_continued_equals_uninterrupted():
    whole, parted = trainer(), trainer(PressAt(3))
    whole.fit(10)
    with pytest.warns(TrainingInterruptedWarning):
        parted.fit(10)
    parted.fit(7)
    assert parted.stop_reason is None
    for a, b in zip(whole.players["one"].parameters(), parted.players["one"].parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_second_aborts():
    press = PressAt(3, times=2)
    with pytest.raises(KeyboardInterrupt):
        trainer(press).fit(10)
    assert press.ended == 1  # bars are closed all the same


def both_stages(first, second):
    with interruptible("both") as interruption:
        first.fit(5)
        between = interrupted()
        second.fit(5)
    return interruption.requested, between, interrupted()


def test_all_stages_of_a_fit_end_together_with_one_warning():
    first, second = trainer(PressAt(2)), trainer()
    with pytest.warns(TrainingInterruptedWarning) as caught:
        assert both_stages(first, second) == (True, True, False)
    assert (first.step_count, second.step_count, second.stop_reason) == (2, 0, "interrupted")
    assert [str(one.message).split(":")[0] for one in caught] == ["both was interrupted at step 2 of 5"]


def test_presses_in_two_stages_abort():
    first, second = trainer(PressAt(2)), trainer()
    second.task.batch = lambda generator: signal.raise_signal(signal.SIGINT)
    first.stop = lambda reason: None  # so that the second stage is reached with steps to do
    second.stop = lambda reason: None
    with pytest.raises(KeyboardInterrupt):
        both_stages(first, second)
    assert second.step_count == 0


def test_where_it_must_abort_the_first_does():
    press = PressAt(3)
    one = trainer(press)
    with pytest.raises(KeyboardInterrupt), ctrl_c_aborts():
        one.fit(10)
    assert (one.step_count, press.ended) == (3, 1)


def test_a_handler_of_somebody_else_is_left_alone():
    """An application's own handler may raise KeyboardInterrupt anywhere: the loop still ends well once."""

    def theirs(number, frame):
        raise KeyboardInterrupt("theirs")

    signal.signal(signal.SIGINT, theirs)
    try:
        one = trainer(PressAt(3))
        with pytest.warns(TrainingInterruptedWarning, match="step 3 of 10"):
            one.fit(10)
        assert signal.getsignal(signal.SIGINT) is theirs
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def test_training_in_another_thread_neither_listens_nor_fails():
    one = trainer()
    thread = threading.Thread(target=one.fit, args=(3,))
    thread.start()
    thread.join()
    assert one.step_count == 3
