"""A gate that guards what decisions cost."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import tabgan
from tabgan import BAGANOversampler, CGANSampler
from tabgan.exceptions import InvalidParameterError
from tabgan.metrics.classification import EXPECTED_COST
from tabgan.sampling import gate as gate_module
from tabgan.sampling.gate import SHARES, decide

COSTS = np.array([[0.0, 1.0], [10.0, 0.0]])
BY_NAME = {("common", "rare"): 1, ("rare", "common"): 10}


@pytest.fixture(autouse=True)
def quick_judge(monkeypatch):
    monkeypatch.setattr(gate_module, "_classifiers", lambda seed: [LogisticRegression()])


def two_classes(n=240, rare=24, seed=0):
    rng = np.random.default_rng(seed)
    codes = (np.arange(n) < rare).astype(int)
    return rng.normal(size=(n, 3)) + 1.4 * codes[:, None], codes


def from_nowhere(train, asked, seed):
    return np.random.default_rng(seed).normal(size=(len(asked), 3)) - 3.0


def from_the_truth(train, asked, seed):
    return np.random.default_rng(seed).normal(size=(len(asked), 3)) + 1.4 * asked[:, None]


def test_rows_that_cost_are_not_made():
    decision = decide(*two_classes(), {1: 192}, from_nowhere, EXPECTED_COST, 0, costs=COSTS)
    assert decision.share == 0.0
    assert (decision.table["difference"].iloc[1:] > 0).all(), "a higher cost is a positive difference"
    assert (decision.table[EXPECTED_COST] > 0).all()
    assert decision.reason.startswith(f"expected_cost {decision.table[EXPECTED_COST][0]:.3f} without any")
    assert "(difference +" in decision.reason


def test_rows_that_save_are_made():
    rows, codes = two_classes(90, 6, seed=3)
    rows[:6] = from_nowhere(None, codes[:6], 0)  # the rows of the class mislead, what is made of it does not
    rows[3:6] = from_the_truth(None, codes[3:6], 1)
    decision = decide(rows, codes, {1: 78}, from_the_truth, EXPECTED_COST, 0, costs=COSTS)
    best = decision.table[EXPECTED_COST].idxmin()
    assert decision.table["difference"][best] <= 0
    assert decision.share in (0.0, SHARES[best])


def test_costs_are_shares_of_the_best_constant_prediction():
    decisions = [
        decide(*two_classes(), {1: 192}, from_the_truth, EXPECTED_COST, 0, costs=factor * COSTS) for factor in (1, 70)
    ]
    np.testing.assert_allclose(*(decision.table[EXPECTED_COST] for decision in decisions))
    assert decisions[0].table[EXPECTED_COST].max() < 1, "predicting the same for all rows costs 1"


def test_the_decision_undoes_the_change_of_shares():
    rows, codes = two_classes(4000, 400, seed=1)
    test_rows, test_codes = two_classes(4000, 400, seed=2)
    made = np.random.default_rng(0).integers(0, 400, 3200)
    scores = [
        gate_module._score(rows, codes, test_rows, test_codes, rows[made[:n]], codes[made[:n]], EXPECTED_COST, 0, COSTS)
        for n in (0, 3200)
    ]
    assert scores[1] == pytest.approx(scores[0], abs=0.01), "repetition, undone, decides as before"
    assert scores[0] < 0
    factors = gate_module._undone(np.array([0, 0, 0, 1]), np.array([0, 0, 0, 1, 1, 1]), 3)
    np.testing.assert_allclose(factors, [1.0, 1 / 3, 0.0])


def labelled():
    rows, codes = two_classes()
    return pd.DataFrame(rows, columns=list("abc")), np.where(codes == 1, "rare", "common")


@pytest.mark.parametrize("kind", [BAGANOversampler, CGANSampler])
@pytest.mark.parametrize("form", ["dict", "matrix", "frame"])
def test_samplers_take_costs_and_keep_them(kind, form, tmp_path):
    X, y = labelled()
    frame = pd.DataFrame(COSTS, index=["common", "rare"], columns=["common", "rare"])
    costs = {"dict": BY_NAME, "matrix": COSTS, "frame": frame}[form]
    sampler = kind(n_steps=0, gate=EXPECTED_COST, costs=costs, random_state=0).fit(X, y)
    assert sampler.gate_.measure == EXPECTED_COST
    assert len(sampler.gate_.table) == len(SHARES)
    sampler.save(tmp_path / "gated.tabgan")
    loaded = tabgan.load(tmp_path / "gated.tabgan")
    assert str(loaded.gate_) == str(sampler.gate_)
    again = loaded.fit(X, y)
    pd.testing.assert_frame_equal(again.gate_.table, sampler.gate_.table)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"gate": EXPECTED_COST}, r"gate='expected_cost' and costs=None do not go together"),
        ({"costs": BY_NAME}, r"gate=None and costs=\.\.\. do not go together"),
        ({"gate": "f1", "costs": BY_NAME}, r"gate='f1' and costs=\.\.\. do not go together"),
        ({"gate": EXPECTED_COST, "costs": {"rare": 1}}, r"costs=\{'rare': 1\} is not valid"),
        ({"gate": EXPECTED_COST, "costs": {**BY_NAME, ("rare", "odd"): 1}}, "costs names the class 'odd'"),
    ],
)
def test_mistakes_are_named_before_anything_is_learnt(parameters, words):
    with pytest.raises(InvalidParameterError, match=words):
        BAGANOversampler(**parameters).fit_resample(*labelled())
