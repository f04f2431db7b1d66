"""Which rows a sampler is trained on, which choose its weights, and which synthetic rows start from."""

import numpy as np
import pandas as pd
import pytest
import torch

from tabgan import BAGANOversampler
from tabgan.core.run import Trained
from tabgan.sampling import fit as fitting
from tabgan.sampling.adversarial import _earned_step

COUNTS = {"common": 60, "rare": 25, "few": 19}


@pytest.fixture
def watched(monkeypatch):
    """Rows that training starts from, rows that score it, and rows that the fitted sampler starts from."""
    found = {}
    train, score = fitting.train_maker, fitting._held_out_score

    def training(maker, *others):
        found["learnt"] = maker.seeds.rows[:, 0].tolist(), maker.seeds.classes
        return train(maker, *others)

    def scoring(seeds, told, values, visible, classes):
        found["held out"] = values[:, 0].tolist(), classes
        return score(seeds, told, values, visible, classes)

    monkeypatch.setattr(fitting, "train_maker", training)
    monkeypatch.setattr(fitting, "_held_out_score", scoring)
    return found


def fit(**parameters):
    labels = np.repeat(list(COUNTS), list(COUNTS.values()))
    table = pd.DataFrame({"number": np.random.default_rng(0).permutation(len(labels)) * 1.0})
    return BAGANOversampler(n_steps=1, random_state=0, **parameters).fit(table, labels)


def test_a_fifth_of_each_class_that_can_spare_it_chooses_the_weights_and_is_not_trained_on(watched):
    sampler = fit()
    (learnt, _), (held_out, classes) = watched["learnt"], watched["held out"]
    assert not set(learnt) & set(held_out)
    everything = sampler._fitted.maker.seeds.rows[:, 0].tolist()
    assert sorted([*learnt, *held_out]) == sorted(everything)
    assert torch.bincount(classes, minlength=3).tolist() == [12, 0, 5]  # common, few, rare


def test_without_patience_every_row_is_trained_on(watched):
    sampler = fit(patience=0)
    assert sorted(watched["learnt"][0]) == sorted(sampler._fitted.maker.seeds.rows[:, 0].tolist())
    assert "held out" not in watched


@pytest.mark.parametrize(("score", "step"), [(0.91, 0), (0.89, 50)])
def test_a_gain_of_less_than_a_tenth_counts_for_none(score, step):
    history = [{"step": 0, "validation": 1.0}, {"step": 50, "loss": 2.0, "validation": score}, {"step": 100}]
    assert _earned_step(Trained({}, history, 100, None, best_step=50)) == step
