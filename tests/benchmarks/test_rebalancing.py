import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    matthews_corrcoef,
    recall_score,
)
from sklearn.preprocessing import LabelEncoder

from benchmarks.plots import _groups, critical_difference, critical_difference_plot
from benchmarks.rebalancing.classifiers import probabilities
from benchmarks.rebalancing.competitors import COMPETITORS
from benchmarks.rebalancing.config import CONVGEN_TABLES, GATED, GRIDS, SOURCES, TUNING_TABLES, Cell
from benchmarks.rebalancing.consistency import judge, page, screened
from benchmarks.rebalancing.fidelity import class_fidelity
from benchmarks.rebalancing.findings import gates, said
from benchmarks.rebalancing.frames import block_values, long_scores, mean_ranks
from benchmarks.rebalancing.report import write_report
from benchmarks.rebalancing.runner import run_cell, run_grid
from benchmarks.rebalancing.scores import best_thresholds, label_scores, probability_scores, repaired
from benchmarks.rebalancing.space import Space
from benchmarks.rebalancing.tables import _read_arff, load_labelled, splits


@pytest.mark.parametrize("n_classes", [2, 4])
def test_label_scores_are_scikit_learns(n_classes):
    rng = np.random.default_rng(0)
    y, guess = rng.integers(0, n_classes, 80), rng.integers(0, n_classes, 80)
    found = label_scores(y, guess, n_classes)
    recalls = recall_score(y, guess, average=None)
    assert found["f1"] == pytest.approx(f1_score(y, guess, average="binary" if n_classes == 2 else "macro"))
    assert found["g_mean"] == pytest.approx(np.prod(recalls) ** (1 / n_classes))
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(y, guess))
    assert found["mcc"] == pytest.approx(matthews_corrcoef(y, guess))


def test_label_scores_of_one_answer_only():
    found = label_scores(np.array([0, 0, 1]), np.zeros(3, int), 2)
    assert (found["f1"], found["g_mean"], found["mcc"]) == (0, 0, 0)


def test_brier_of_two_classes_is_the_usual_one():
    rng = np.random.default_rng(1)
    y, p = rng.integers(0, 2, 50), rng.random(50)
    found = probability_scores(y, np.column_stack([1 - p, p]))
    assert found["brier"] == pytest.approx(brier_score_loss(y, p))


@settings(max_examples=40)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=6, max_size=30))
def test_thresholds_are_the_best_of_all(pairs):
    y = np.array([label for label, _ in pairs], int)
    p = np.array([k for _, k in pairs]) / 8
    if len(np.unique(y)) < 2:
        return
    every = np.unique(np.concatenate([p - 0.01, p + 0.01]))
    for measure, threshold in best_thresholds(y, p).items():
        best = max(label_scores(y, (p >= t).astype(int), 2)[measure] for t in every)
        assert label_scores(y, (p >= threshold).astype(int), 2)[measure] == pytest.approx(best, abs=1e-9)


def test_repair_undoes_a_change_of_class_shares():
    likelihood = np.array([[0.2, 0.7], [0.9, 0.1]])  # p(x | class) of two rows
    truly, balanced = np.array([0.9, 0.1]), np.array([0.5, 0.5])
    posterior = [likelihood * shares / (likelihood * shares).sum(axis=1, keepdims=True) for shares in (balanced, truly)]
    np.testing.assert_allclose(repaired(posterior[0], balanced, truly), posterior[1], rtol=1e-9)


def test_space_goes_there_and_back():
    table = load_labelled("made_mixed", None)
    space = Space(table.frame, table.categorical)
    filled = space.fill(table.frame)
    assert not filled.isna().to_numpy().any()
    for back in (space.from_codes(space.codes(table.frame)), space.from_one_hot(space.one_hot(table.frame))):
        pd.testing.assert_frame_equal(back, filled, check_dtype=False)
    unseen = filled.assign(x0="nowhere")
    assert not space.one_hot(unseen)[:, len(space.numeric) :].any()


def test_arff_head_and_body():
    text = "% c\n@relation r\n@attribute A {a, b}\n@attribute B real [0, 1]\n@inputs A\n@data\na, 0.5\nb, <null>\n"
    frame, nominal = _read_arff(text)
    assert list(frame) == ["A", "B"]
    assert nominal == ["A"]
    assert frame["A"].tolist() == ["a", "b"]
    assert frame["B"].isna().tolist() == [False, True]


def test_cut_keeps_class_shares_and_minority_is_one():
    table = load_labelled("made_binary", 90)
    assert len(table.y) == 90
    assert np.bincount(table.y)[1] == pytest.approx(90 * load_labelled("made_binary", None).y.mean(), abs=1)
    folds = splits(table, 3, 0)
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(90))


def test_grids_name_known_tables_and_methods():
    for grid in GRIDS.values():
        assert set(grid.tables) <= set(SOURCES)
        assert set(grid.methods) <= set(COMPETITORS)
        assert set(grid.limits) <= set(grid.methods)
    assert len(GRIDS["main"].tables) >= 30
    assert set(TUNING_TABLES) <= set(GRIDS["main"].tables)
    assert not set(TUNING_TABLES) & set(CONVGEN_TABLES)
    assert len(GRIDS["main"].full().cells()) == 5 * 5 * len(GRIDS["main"].tables) * len(GRIDS["main"].methods)


@pytest.mark.parametrize("method", ["repetition", "SMOTE", "Borderline-SMOTE", "ADASYN"])
def test_samplers_put_originals_first_and_keep_levels(method):
    table = load_labelled("made_mixed", None)
    resampled = COMPETITORS[method]().resample(table, 0)
    n = len(table.y)
    np.testing.assert_array_equal(resampled.y[:n], table.y)
    given_rows = Space(table.frame, table.categorical).fill(table.frame)
    pd.testing.assert_frame_equal(resampled.frame.iloc[:n], given_rows, check_dtype=False)
    assert set(resampled.y[n:]) == {1}
    assert set(resampled.frame["x0"]) <= set(given_rows["x0"])


def test_weighted_neighbours_divide_votes_by_frequency():
    train, y = np.array([[0.0], [0.1], [0.2], [0.3], [0.4]]), np.array([0, 0, 0, 0, 1])
    p = probabilities("kNN", train, y, np.array([[0.2]]), 2, 0, weighted=True)
    np.testing.assert_allclose(p, [[0.5, 0.5]])


def test_copies_and_coverage_are_told():
    rng = np.random.default_rng(0)
    train, held_out = (pd.DataFrame(rng.normal(size=(60, 3)), columns=list("abc")) for _ in range(2))
    space = Space(train, [])
    copied = class_fidelity(space, train, held_out, train, seed=0)
    far = class_fidelity(space, train, held_out, train + 8, seed=0)
    assert copied["copies"] == 1
    assert copied["nearest_train"] == 0
    assert far["copies"] == 0
    assert far["two_sample_auc"] > 0.99 > 0.7 > copied["two_sample_auc"]
    assert far["shape"] < 0.05 < 0.8 < copied["shape"]
    assert far["coverage"] == 0


def test_cell_scores_every_classifier_inside_the_fold():
    row = run_cell(Cell("made_binary", 0, 0, "SMOTE"), GRIDS["smoke"], load_labelled("made_binary", 180))
    assert set(row["scores"]) == {"logistic", "kNN"}
    assert row["n_train"] + row["n_test"] == 180
    assert row["n_made"] == row["class_rows"][0] - row["class_rows"][1]
    assert {"auprc", "f1_tuned", "brier_repaired"} <= set(row["scores"]["kNN"])
    assert row["scores"]["logistic"]["brier_repaired"] < row["scores"]["logistic"]["brier"]
    json.dumps(row)


def test_a_failed_run_ranks_last_and_is_listed(tmp_path, monkeypatch):
    def broken():
        def resample(table, seed):
            raise ValueError("no luck")

        return type(COMPETITORS["none"]())(resample)

    monkeypatch.setitem(COMPETITORS, "SMOTE", broken)
    rows = tmp_path / "smoke.jsonl"
    failed = run_grid(GRIDS["smoke"], rows, methods=["none", "repetition", "SMOTE"], tables=["made_binary"])
    assert failed == 1
    assert (
        run_grid(GRIDS["smoke"], rows, methods=["none", "repetition", "SMOTE"], tables=["made_binary"]) == 0
    )  # resumed
    assert len(rows.read_text().splitlines()) == 3
    scores = long_scores([json.loads(line) for line in rows.read_text().splitlines()])
    ranks = mean_ranks(block_values(scores, "brier", ["none", "repetition", "SMOTE"]), "brier")
    assert (ranks["SMOTE"] == 3).all()
    assert "no luck" in write_report(GRIDS["smoke"], rows, tmp_path / "page.md")


def test_critical_difference_is_demsars():
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)  # Demsar 2006, section 3.2.3's example


def test_groups_join_what_is_within_the_difference():
    assert _groups(np.array([1.0, 1.5, 2.2, 4.0]), 1.0) == [(0, 1), (1, 2)]


def test_plot_is_written(tmp_path):
    pytest.importorskip("matplotlib")
    difference = critical_difference_plot({"a": 1.2, "b": 1.9, "c": 2.9}, 20, tmp_path / "plot.png", title="t")
    assert difference == pytest.approx(critical_difference(3, 20))
    assert (tmp_path / "plot.png").stat().st_size > 1000


def test_coded_tables_are_those_of_a_label_encoder():
    plain, coded = load_labelled("made_mixed", None), load_labelled("made_mixed", None, True)
    assert not coded.frame.isna().to_numpy().any()
    assert coded.coded
    assert coded.rows(np.arange(9)).coded
    for column, kind in (
        ("x0", str),
        ("x1", float),
    ):  # labels stay labels for samplers, texts of numbers became numbers
        texts = plain.frame[column].astype(object).fillna("?").astype(str)
        expected = LabelEncoder().fit_transform(texts)
        assert coded.frame[column].map(float).tolist() == expected.tolist()
        assert isinstance(coded.frame[column].iloc[0], kind)
    pd.testing.assert_series_equal(coded.frame["x2"], plain.frame["x2"])
    assert coded.categorical == plain.categorical


def test_classifiers_see_coded_cells_as_they_are(monkeypatch):
    table = load_labelled("made_mixed", None, True)
    seen = []

    def noted(name, train, y, test, n_classes, seed, **options):
        seen.append((train, test))
        return np.full((len(test), n_classes), 1 / n_classes)

    monkeypatch.setattr("benchmarks.rebalancing.runner.probabilities", noted)
    run_cell(Cell("made_mixed", 0, 0, "none"), GRIDS["convgen"], table)
    train, test = splits(table, 5, 0)[0]
    np.testing.assert_array_equal(seen[0][0], table.frame.iloc[train].to_numpy(float))
    np.testing.assert_array_equal(seen[0][1], table.frame.iloc[test].to_numpy(float))


def test_what_samplers_warn_of_is_kept_and_told(tmp_path):
    grid = replace(
        GRIDS["extreme"],
        tables=("made_binary",),
        methods=("none", "BAGANOversampler"),
        classifiers=("kNN",),
        folds=(0,),
    )
    rows = tmp_path / "extreme.jsonl"
    assert run_grid(grid, rows) == 0
    found = [json.loads(line) for line in rows.read_text().splitlines()]
    assert ["warnings" in row["notes"] for row in found] == [False, True]
    found[1]["notes"]["warnings"] = ["few rows", "copies"]
    told = said(found)
    assert "fold 0: few rows fold 0: copies" in told
    assert str(min(found[1]["class_rows"])) in told
    assert said(found[:1]) == ""


def test_scaling_is_learnt_inside_the_fold_and_told(tmp_path):
    grid = replace(
        GRIDS["repair"],
        tables=("made_binary",),
        methods=("none", "SMOTE"),
        classifiers=("kNN", "logistic"),
        max_rows=180,
    )
    rows = tmp_path / "repair.jsonl"
    assert run_grid(grid, rows) == 0
    for line in rows.read_text().splitlines():
        row = json.loads(line)
        for scores in row["scores"].values():
            assert 0 < scores["brier_scaled"] != scores["brier_repaired"]
            assert scores["log_loss_scaled"] < np.log(2), "worse than saying one half"
            assert (scores["brier_repaired"] == pytest.approx(scores["brier"])) == (row["method"] == "none")
    text = write_report(grid, rows, tmp_path / "page.md")
    assert "| none, scaled |" in text
    assert "| SMOTE, repaired |" in text
    assert "| none, repaired |" not in text


def test_the_gates_page_says_what_it_let_through():
    rows = []
    for table, share, gain in (("pima", 0.0, 0.0), ("kc1", 0.5, -0.03), ("glass4", 0.25, 0.2)):
        for fold in (0, 1):
            open_now = share if fold else 0.0
            for method, auprc in (("none", 0.5), (GATED[0], 0.5 + gain * (open_now > 0))):
                notes = {"gate": {"share": open_now}} if method in GATED else {}
                scores = {"kNN": {"auprc": auprc, "f1": 0.5}}
                rows.append(
                    {"table": table, "repeat": 0, "fold": fold, "method": method, "notes": notes, "scores": scores}
                )
    text = gates(rows, long_scores(rows))
    assert "let rows through on 2 of 6 folds, of 2 of 3 tables" in text
    assert "largest loss of a table -0.015, largest gain +0.100" in text
    assert "| kc1 | 2 | 50% | 0.500 | 0.485 | -0.015 |" in text
    assert "pima" not in text.split("\n\n")[-1]


def test_consistency_counts_classes_whose_real_rows_are_told_apart():
    def row(method, table, *classes):
        told = [
            {"class": name, "n_real": 20, "n_made": 80, "consistency": made, "consistency_real": real}
            for name, real, made in classes
        ]
        facts = {"python": "3", "machine": "m", "commit": "c"}
        return {"table": table, "method": method, "seed": 0, "classes": told} | facts

    text = page(
        [
            row("BAGANOversampler", "t", ("a", 0.96, 0.97), ("b", 1.0, 0.9), ("c", 0.6, 0.7), ("d", None, None)),
            row("CGANSampler", "t", ("a", 0.96, 0.99)),
        ]
    )
    assert "`BAGANOversampler`: 2 classes, of which 1 have made rows at 0.95 or more." in text
    assert "| t, class b | 20 | 1.000 | 0.900 |" in text
    assert "`CGANSampler`: 1 classes, of which 1 have" in text
    assert "| 0.95 to 1, BAGANOversampler | 2 | 0.980 | 0.935 | 1 | 1 |" in text
    assert "below 0.95" not in text, "class c is told apart too rarely to say anything"


def test_consistency_is_the_samplers_own_report():
    table = load_labelled("made_multiclass", 180)
    told = judge("BAGANOversampler", table, 0)["classes"]
    assert {one["class"] for one in told} == set(table.labels[1:])
    assert all(0 <= one["consistency"] <= 1 and one["n_made"] > 0 for one in told)
    assert set(screened(table)) == set(table.labels)
