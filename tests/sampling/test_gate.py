"""The gate: how many rows are worth making, and what the samplers do about it."""

import warnings
from collections import Counter

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import tabgan
from tabgan import BAGANOversampler, CGANSampler
from tabgan.exceptions import InvalidParameterError, NoSyntheticRowsWarning
from tabgan.sampling import gate as gate_module
from tabgan.sampling.gate import SHARES, GateDecision, decide, most_fits, most_folds


@pytest.fixture(autouse=True)
def quick_judge(monkeypatch):
    monkeypatch.setattr(gate_module, "_classifiers", lambda seed: [LogisticRegression()])


def two_classes(n=240, rare=24, seed=0):
    rng = np.random.default_rng(seed)
    codes = (np.arange(n) < rare).astype(int)
    rows = rng.normal(size=(n, 3)) + 1.4 * codes[:, None]
    return rows, codes


def from_the_truth(train, asked, seed):
    return np.random.default_rng(seed).normal(size=(len(asked), 3)) + 1.4 * asked[:, None]


def from_nowhere(train, asked, seed):
    return np.random.default_rng(seed).normal(size=(len(asked), 3)) - 3.0


def test_good_rows_are_made_for_labels():
    decision = decide(*two_classes(), {1: 192}, from_the_truth, "g_mean", 0)
    assert decision.share == 1.0
    assert list(decision.table["share"]) == list(SHARES)
    assert decision.table["difference"].iloc[0] == 0
    assert decision.table["g_mean"].idxmax() == SHARES.index(1.0)
    assert "g_mean" in decision.reason
    assert "should_rebalance" not in str(decision)


@pytest.mark.parametrize("measure", ["average_precision", "roc_auc", "f1"])
def test_rows_that_harm_are_not_made(measure):
    decision = decide(*two_classes(), {1: 192}, from_nowhere, measure, 0)
    assert decision.share == 0.0
    assert (decision.table["difference"].iloc[1:] < 0).all()
    assert "no rows are made" in str(decision)
    assert str(decision).endswith("tabgan.should_rebalance says.")


def test_the_amount_made_in_a_fold_is_the_share_of_what_is_asked():
    seen = []

    def counted(train, asked, seed):
        seen.append((len(train), Counter(asked.tolist())))
        return from_the_truth(train, asked, seed)

    decide(*two_classes(), {1: 192}, counted, "f1", 0)
    assert len(seen) == 6
    assert all(n == 160 and made == {1: 128} for n, made in seen), "8 synthetic rows for each of a fold's 16"


def test_a_gain_has_to_be_surer_for_a_ranking():
    gains = np.array([0.03, 0.01, 0.05, 0.02, 0.04, 0.0])  # mean 0.025, standard error 0.015
    scores = np.full((6, len(SHARES)), 0.5)
    scores[:, 2] += gains
    assert gate_module._decided(scores, "f1").share == 0.25
    assert gate_module._decided(scores, "average_precision").share == 0.0


def null_scores(rng, n_folds, share=0.5):
    """Scores of rows that change nothing, correlated between folds as overlapping training parts make them."""
    rho = share / (1 + share)
    noise = np.sqrt(rho) * rng.normal(size=(1, len(SHARES))) + np.sqrt(1 - rho) * rng.normal(
        size=(n_folds, len(SHARES))
    )
    scores = 0.5 + 0.05 * noise
    scores[:, 0] = 0.5
    return scores


def test_rows_that_change_no_ranking_are_let_through_once_in_a_hundred_tables():
    rng = np.random.default_rng(0)
    opened = [gate_module._decided(null_scores(rng, 18), "average_precision").share > 0 for _ in range(1500)]
    assert np.mean(opened) <= 0.01 + 3 * np.sqrt(0.01 * 0.99 / 1500)
    assert np.mean(opened) > 0, "a gate that never opens would pass too"


def test_rankings_are_asked_again_only_while_a_share_is_ahead(monkeypatch):
    rounds = []
    monkeypatch.setattr(
        gate_module, "folds", lambda codes, n, seed: rounds.append(seed) or [(np.arange(40), np.arange(40, 60))] * 3
    )
    codes = np.tile([0, 0, 1], 20)
    monkeypatch.setattr(gate_module, "_score", lambda *given: 0.5 + 0.1 * len(given[4]) * gain + rng.normal(0, 0.001))
    for measure, gain, n_rounds in (("roc_auc", -1, 1), ("roc_auc", 1, 6), ("f1", -1, 2), ("f1", 1, 2)):
        rounds.clear()
        rng = np.random.default_rng(0)
        decision = decide(np.zeros((60, 2)), codes, {1: 20}, from_nowhere, measure, 0)
        assert len(rounds) == n_rounds, (measure, gain)
        assert decision.share == (1.0 if gain > 0 else 0.0)
        assert f"over {3 * n_rounds} folds" in decision.reason


@pytest.mark.parametrize(("counts", "wanted"), [([30, 1], {1: 29}), ([30, 10], {}), ([30, 10, 1], {1: 20})])
def test_where_nothing_can_be_compared_all_is_made(counts, wanted):
    codes = np.repeat(np.arange(len(counts)), counts)
    decision = decide(np.zeros((len(codes), 2)), codes, wanted, from_nowhere, "f1", 0)
    assert decision.share == 1.0
    assert decision.table.empty
    assert "compared" in decision.reason


def test_large_tables_are_stood_for(monkeypatch):
    monkeypatch.setattr(gate_module, "_MOST_ROWS", 120)
    codes = np.r_[np.zeros(2000, int), np.ones(400, int)]
    kept = gate_module._some(codes, np.random.default_rng(0))
    assert np.bincount(codes[kept]).tolist() == [100, 100]
    assert (np.diff(kept) > 0).all()


@pytest.mark.parametrize("sampler", [BAGANOversampler, CGANSampler])
@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_samplers_make_the_share(monkeypatch, tmp_path, sampler, share):
    chosen = GateDecision("f1", share, "because", gate_module._decided(np.ones((6, len(SHARES))), "f1").table)
    monkeypatch.setattr("tabgan.sampling.fit.decide", lambda *given: chosen)
    rows, codes = two_classes()
    fitted = sampler(gate="f1", n_steps=0, random_state=0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        X, y = fitted.fit_resample(rows, codes)
    told = [str(one.message) for one in caught if one.category is NoSyntheticRowsWarning]
    assert len(told) == (share == 0)
    assert all("should_rebalance" in one for one in told)
    assert Counter(y.tolist()) == {0: 216, 1: 24 + round(share * 192)}
    np.testing.assert_array_equal(X[:240], rows)
    assert fitted.gate_ is chosen
    assert str(chosen) in str(fitted.report_)
    assert fitted.report_.to_dict()["gate"] == str(chosen)
    assert Counter(fitted.resample({1: 64})[1].tolist())[1] == 24 + round(share * 40)
    assert len(fitted.sample(7, y=1)[0]) == 7, "who asks for rows gets them"
    fitted.save(tmp_path / "model")
    loaded = tabgan.load(tmp_path / "model")
    assert loaded.gate_.to_dict() == chosen.to_dict()
    np.testing.assert_array_equal(loaded.resample()[1], y)


def test_the_gate_changes_no_row_that_is_made(monkeypatch):
    rows, codes = two_classes()
    without, _ = BAGANOversampler(n_steps=0, random_state=0).fit_resample(rows, codes)
    gated = BAGANOversampler(n_steps=0, random_state=0, gate="g_mean")
    X, _ = gated.fit_resample(rows, codes)
    assert gated.gate_.share == 1.0
    np.testing.assert_array_equal(X, without)


def test_the_report_says_that_it_was_the_gate(monkeypatch):
    chosen = GateDecision("f1", 0.0, "because", gate_module._decided(np.ones((6, len(SHARES))), "f1").table)
    monkeypatch.setattr("tabgan.sampling.fit.decide", lambda *given: chosen)
    fitted = BAGANOversampler(gate="f1", n_steps=0, random_state=0).fit(*two_classes())
    lead = fitted.to_html().html
    assert "No row was made. gate: no rows are made; because" in lead
    assert "as sampling_strategy wants them already" not in lead


@pytest.mark.parametrize("start", ["noise", "copies"])
def test_every_start_can_be_judged(start):
    rows, codes = two_classes(120, 30)
    fitted = CGANSampler(start=start, n_steps=3, width=16, gate="f1", random_state=0).fit(rows, codes)
    assert fitted.gate_.share in SHARES
    assert fitted.gate_.table["f1"].between(0, 1).all()


def test_an_unknown_measure_is_named():
    with pytest.raises(InvalidParameterError, match="gate"):
        BAGANOversampler(gate="auto").fit(*two_classes())


def test_without_a_gate_there_is_no_decision():
    fitted = BAGANOversampler(n_steps=0, random_state=0).fit(*two_classes())
    assert fitted.gate_ is None


@pytest.mark.parametrize(("n_scores", "share"), [(3 * len(SHARES) - 1, 0.0), (3 * len(SHARES) + 2, 0.5)])
def test_rounds_that_ended_in_time_decide(n_scores, share):
    left = iter(range(n_scores))
    decision = decide(
        *two_classes(), {1: 192}, from_the_truth, "g_mean", 0, time_is_up=lambda: next(left, None) is None
    )
    assert decision.share == share
    assert ("time was up" in decision.reason) == (share == 0.0)
    assert len(decision.table) == (0 if share == 0.0 else len(SHARES))


def test_folds_and_fits_are_said_beforehand():
    told = []
    decide(*two_classes(120, 30), {1: 90}, from_the_truth, "f1", 0, entering=told.append)
    assert told == [f"gate: fold {k} of at most 6" for k in range(1, 7)]
    assert (most_folds("f1"), most_folds("roc_auc")) == (6, 18)
    assert most_fits("f1") == 6 * len(SHARES) * len(gate_module._classifiers(0))


def test_of_a_large_table_classes_come_to_the_same_sizes_beside_each_other(monkeypatch):
    """A rare class keeps more than its share of rows; asked for by its rows, it would outgrow the others."""
    monkeypatch.setattr(gate_module, "_MOST_ROWS", 600)
    codes = np.r_[np.zeros(5880, int), np.ones(120, int)]
    rows = np.random.default_rng(0).normal(size=(6000, 3)) + codes[:, None]
    seen = []

    def counted(train, asked, seed):
        seen.append((np.bincount(codes[train]), len(asked)))
        return from_the_truth(train, asked, seed)

    decide(rows, codes, {1: 5760}, counted, "f1", 0)
    assert len(seen) >= 6
    for counts, n_asked in seen:
        assert counts[1] > 60
        assert abs(counts[1] + n_asked - counts[0]) <= 10  # folds round the counts


def test_where_the_rows_kept_have_what_was_asked_for_rows_are_compared_all_the_same(monkeypatch):
    monkeypatch.setattr(gate_module, "_MOST_ROWS", 600)
    codes = np.r_[np.zeros(5880, int), np.ones(120, int)]
    decision = decide(np.zeros((6000, 3)), codes, {1: 120}, from_the_truth, "f1", 0)
    assert len(decision.table) == len(SHARES)
