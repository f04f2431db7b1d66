"""Rows of large classes: every cell drawn again by trees, so that they pass for real rows."""

import numpy as np
import pandas as pd
import pytest
import torch

import tabgan
from tabgan.exceptions import InvalidParameterError
from tabgan.metrics.distribution import classifier_two_sample_auc
from tabgan.sampling.cell_trees import CellTrees, Redrawing
from tabgan.sampling.equal_numbers import equal_numbers
from tabgan.sampling.redrawing import Redrawer
from tabgan.spans import Span

ENOUGH = 1020  # rows of a class
ALL = 2500


def ledger(n: int, seed: int) -> pd.DataFrame:
    """Amounts with zeros and a long tail, half of them paid in full, limits in thousands, a label, and gaps."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=n)
    bill = np.where(rng.random(n) < 0.3, 0.0, np.rint(np.exp(6 + size)))
    paid = np.where(rng.random(n) < 0.5, bill, np.rint(bill * rng.random(n)))
    table = pd.DataFrame({"limit": 1000.0 * np.rint(np.exp(2 + 0.5 * size)), "bill": bill, "paid": paid})
    table["state"] = np.where(bill == 0, "idle", np.where(paid == bill, "paid", "open"))
    table["age"] = np.where(rng.random(n) < 0.1, np.nan, np.rint(40 + 10 * rng.normal(size=n)))
    return table


@pytest.fixture(scope="module")
def large():
    """Two classes: the rarer one of 1,020 rows, with higher limits."""
    X = ledger(ALL, 0)
    y = np.where(np.arange(ALL) < ENOUGH, "rare", "common")
    X.loc[: ENOUGH - 1, "limit"] += 2000.0
    return X, y


@pytest.fixture(scope="module")
def fitted(large):
    return tabgan.BAGANOversampler(focus=0, random_state=0).fit(*large)


def codes(table: pd.DataFrame) -> np.ndarray:
    told = table.assign(state=table["state"].map({"idle": 0, "paid": 1, "open": 2}), age=table["age"].fillna(-1.0))
    return told.assign(equal=table["paid"] == table["bill"], bill=np.log1p(table["bill"])).to_numpy(float)


@pytest.mark.parametrize("sampler_class", [tabgan.BAGANOversampler, tabgan.CGANSampler])
def test_they_pass_for_real_rows(sampler_class, large):
    held_out = ledger(600, 1)
    held_out["limit"] += 2000.0
    rows, _ = sampler_class(random_state=0).fit(*large).sample(600, y="rare", random_state=0)
    assert classifier_two_sample_auc(codes(held_out), codes(rows), n_splits=2) < 0.62


def test_zeros_ties_and_whole_thousands_stay(large, fitted):
    rows, _ = fitted.sample(1000, y="rare", random_state=0)
    real = large[0][:ENOUGH]
    assert (rows["limit"] % 1000 == 0).all()
    assert abs((rows["bill"] == 0).mean() - (real["bill"] == 0).mean()) < 0.06
    assert abs((rows["paid"] == rows["bill"]).mean() - (real["paid"] == real["bill"]).mean()) < 0.08
    assert ((rows["bill"] == 0) == (rows["state"] == "idle")).mean() > 0.97
    assert rows["bill"].between(real["bill"].min(), large[0]["bill"].max()).all()


def test_they_are_no_copies_and_have_numbers_of_their_own(large, fitted):
    rows, _ = fitted.sample(1000, y="rare", random_state=0)
    billed = rows[rows["bill"] > 0]  # others have little to differ in
    fresh = ledger(1000, 1).assign(limit=lambda table: table["limit"] + 2000)
    known = set(large[0].fillna(-1).itertuples(index=False, name=None))
    copies = [
        np.mean([row in known for row in table[table["bill"] > 0].fillna(-1).itertuples(index=False, name=None)])
        for table in (rows, fresh)
    ]
    assert copies[0] < copies[1] + 0.02
    own = billed["bill"][~billed["bill"].isin(large[0]["bill"])]
    assert len(own) > 30
    paid = billed[billed["paid"] == billed["bill"]]["bill"]
    assert (~paid.isin(large[0]["bill"])).mean() > 0.02  # and what equals them went along
    assert (own % 1 == 0).all()


def test_they_keep_their_class_and_their_parents_gaps(large, fitted):
    X, y = fitted.resample()
    rows = X[len(large[0]) :].reset_index(drop=True)
    assert set(y[len(large[0]) :]) == {"rare"}
    np.testing.assert_array_equal(rows["age"].isna(), large[0]["age"].isna().to_numpy()[fitted.parents_])
    assert abs(rows["limit"].mean() - large[0]["limit"][:ENOUGH].mean()) < 600  # 2,000 between the classes


def test_every_cell_is_drawn_again_and_more_redraws_leave_less_of_the_parent():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(ALL, 3)) @ [[1, 0.6, 0], [0, 1, 0.6], [0, 0, 1]], columns=list("abc"))
    y = np.where(np.arange(ALL) < ENOUGH, "rare", "common")
    near = {}
    for redraws in (1, 5):
        sampler = tabgan.BAGANOversampler(redraws=redraws, random_state=0)
        rows = sampler.fit_resample(X, y)[0][ALL:].reset_index(drop=True)
        own = X.iloc[sampler.parents_].reset_index(drop=True)
        assert ((rows != own).mean() > 0.9).all()
        near[redraws] = own.corrwith(rows).mean()
    assert near[5] < near[1] - 0.1


def test_small_classes_are_made_as_without(large):
    X, y = large[0][100:], large[1][100:]  # 920 rows of the class
    found = [
        tabgan.BAGANOversampler(redraws=redraws, n_steps=10, random_state=0).fit_resample(X, y)[0] for redraws in (0, 2)
    ]
    pd.testing.assert_frame_equal(*found)


def test_the_network_is_trained_only_where_it_may_be_used(large, fitted):
    assert fitted.n_iter_ == 0
    assert fitted.methods_ == dict.fromkeys(("rare", "common"), "real rows, every cell drawn again by trees")
    small = tabgan.BAGANOversampler(n_steps=10, random_state=0).fit(large[0][100:], large[1][100:])
    assert small.n_iter_ == 10
    assert "trees" not in small.methods_["rare"]
    assert "trees" in small.methods_["common"]
    noise = tabgan.CGANSampler(start="noise", n_steps=10, random_state=0).fit(*large)
    assert noise.methods_["rare"] == "generator from noise, adversarial, every cell drawn again by trees"


@pytest.mark.parametrize("preset", [tabgan.BAGANOversampler.paper, tabgan.CGANSampler.paper])
def test_published_presets_draw_nothing_again(preset):
    assert preset().redraws == 0


def test_cells_that_were_asked_for_hold_and_the_others_go_with_them(fitted):
    rows, _ = fitted.sample(300, y="rare", where={"state": "idle"}, random_state=0)
    assert (rows["state"] == "idle").all()
    assert (rows["bill"] == 0).mean() > 0.95
    rows, _ = fitted.sample(300, y="rare", where={"limit": 30000.0}, random_state=0)  # which hardly any row has
    assert (rows["limit"] == 30000.0).all()
    assert rows["bill"].median() > 500  # of all rows: some 250


def test_indicators_are_drawn_together():
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 3, 2100)
    X = pd.DataFrame({f"kind {k}": (kind == k).astype(float) for k in range(3)})
    X["x"] = rng.normal(size=2100)
    X["z"] = X["x"] + rng.normal(size=2100)
    sampler = tabgan.BAGANOversampler(random_state=0)
    made, _ = sampler.fit_resample(X, np.where(np.arange(2100) < ENOUGH, "rare", "common"))
    rows = made.filter(like="kind").to_numpy()[2100:]
    np.testing.assert_array_equal(rows.sum(axis=1), 1)
    assert len(rows) == 60
    assert (rows != X.filter(like="kind").to_numpy()[sampler.parents_]).any(axis=1).mean() > 0.3


def test_a_saved_sampler_draws_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "model.tabgan")
    loaded = tabgan.load(tmp_path / "model.tabgan")
    rows = [sampler.sample(50, y="rare", random_state=3)[0] for sampler in (fitted, loaded)]
    pd.testing.assert_frame_equal(*rows)


def test_without_time_for_trees_rows_are_made_as_those_of_small_classes(large):
    hurried = tabgan.BAGANOversampler(max_time=1e-6, random_state=0)
    X, y = hurried.fit_resample(large[0].reset_index(drop=True), large[1])
    assert (y == "rare").sum() == (y == "common").sum()
    own = large[0].iloc[hurried.parents_].reset_index(drop=True)
    assert (X["limit"].to_numpy()[ALL:] != own["limit"]).mean() > 0.5
    assert not hurried._fitted.maker.redrawer._of_class  # no trees were grown


def test_a_negative_number_is_refused(large):
    with pytest.raises(InvalidParameterError, match="redraws"):
        tabgan.BAGANOversampler(redraws=-1).fit(*large)


def _numbers(n: int, width: int) -> tuple[np.ndarray, list[Span]]:
    rows = np.random.default_rng(0).normal(size=(n, width)).astype(np.float32)
    return rows, [Span("numeric", j, j + 1) for j in range(width)]


def test_hidden_cells_of_lenders_are_not_lent():
    rows, spans = _numbers(800, 3)
    seen = np.random.default_rng(1).random((800, 3)) < 0.7
    rows = np.where(seen, rows + 5, 0).astype(np.float32)  # a hidden slot holds 0, far from all others
    trees = CellTrees(rows, seen, np.arange(800) < 500, spans)
    drawn = trees.swept(
        np.full((300, 3), 5, np.float32), np.ones((300, 3), bool), np.zeros(3, bool), torch.Generator().manual_seed(0)
    )
    assert drawn.min() > 1


def test_a_column_without_any_cell_stays_hidden():
    rows, spans = _numbers(500, 3)
    seen = np.ones((500, 3), dtype=bool)
    seen[:, 1], rows[:, 1] = False, 0
    trees = CellTrees(rows, seen, np.ones(500, dtype=bool), spans)
    drawn = trees.swept(rows[:50], seen[:50], np.zeros(3, bool), torch.Generator().manual_seed(0))
    assert (drawn[:, 1] == 0).all()
    assert (drawn[:, 0] != rows[:50, 0]).mean() > 0.5


def test_held_columns_stay():
    rows, spans = _numbers(500, 3)
    seen = np.ones((500, 3), dtype=bool)
    trees = CellTrees(rows, seen, np.ones(500, dtype=bool), spans)
    drawn = trees.swept(rows, seen, np.array([True, False, True]), torch.Generator().manual_seed(0))
    np.testing.assert_array_equal(drawn[:, [0, 2]], rows[:, [0, 2]])
    assert (drawn[:, 1] != rows[:, 1]).mean() > 0.7


def test_copies_are_drawn_again(monkeypatch):
    rows = (
        np.random.default_rng(0).integers(0, 9, (1200, 4)).astype(np.float32)
    )  # all values are repeated: none are moved
    spans = [Span("numeric", j, j + 1) for j in range(4)]
    known, seen = set(map(tuple, rows)), torch.from_numpy(rows)

    def copies(tries: int) -> float:
        monkeypatch.setattr("tabgan.sampling.redrawing._COPY_TRIES", tries)
        redrawer = Redrawer(seen, torch.ones(1200, 4), torch.zeros(1200, dtype=torch.long), spans, Redrawing(1))
        drawn = redrawer.drawn(seen, torch.arange(1200), torch.Generator().manual_seed(0))
        return float(np.mean([tuple(row) in known for row in drawn.numpy()]))

    assert copies(8) < 0.5 * copies(0)


def test_numbers_that_equal_another_column_are_found_and_ties_are_not():
    rng = np.random.default_rng(0)
    bill = np.exp(rng.normal(size=1000))
    bill[:300] = 0.0
    paid = np.where(np.arange(1000) % 2 == 0, bill, bill / 3)
    numbers = np.column_stack([bill, paid, rng.normal(size=1000)])
    found = equal_numbers(numbers, np.ones((1000, 3), dtype=bool))
    assert set(found) == {1}
    np.testing.assert_array_equal(found[1] == 0, (np.arange(1000) % 2 == 0) & (bill > 0))
    assert set(found[1]) == {-1, 0}
    seen = np.ones((1000, 3), dtype=bool)
    seen[500:, 0] = False
    assert (equal_numbers(numbers, seen)[1][500:] == -1).all()


def test_wide_tables_and_many_classes_take_fewer_rows():
    def seconds(n_columns: int, n_classes: int) -> float:
        rows, spans = _numbers(20_000, n_columns)
        classes = torch.arange(20_000) % n_classes
        made = Redrawer(torch.from_numpy(rows), torch.ones(20_000, n_columns), classes, spans, Redrawing(2))
        return made.seconds(torch.arange(n_classes))

    assert seconds(20, 2) < 10
    assert seconds(150, 2) < 40
    assert seconds(20, 20) < 60
    rows, spans = _numbers(1000, 1)
    narrow = Redrawer(
        torch.from_numpy(rows), torch.ones(1000, 1), torch.zeros(1000, dtype=torch.long), spans, Redrawing(2)
    )
    assert not narrow.suits(torch.tensor([0])).any()


def test_a_table_of_constants_has_nothing_to_draw_again():
    X = pd.DataFrame({"a": np.ones(1300), "b": "x"})
    y = np.repeat([0, 1], [1200, 100])
    made, _ = tabgan.BAGANOversampler(n_steps=0, random_state=0, max_time=60).fit_resample(X, y)
    assert len(made) == 2400
    assert (made["a"] == 1).all()


def test_focus_chooses_which_rows_of_a_large_class_are_begun_with():
    rng = np.random.default_rng(0)
    among_others = np.arange(2 * ENOUGH) % 4 == 0
    y = np.where(np.arange(2 * ENOUGH) < ENOUGH, "rare", "common")
    apart = np.where((y == "rare") & ~among_others, 6.0, 0.0)
    X = pd.DataFrame({name: rng.normal(size=2 * ENOUGH) + apart for name in "abc"})
    shares = {}
    for focus in (0.0, 0.5, 1.0):
        sampler = tabgan.BAGANOversampler(focus=focus, n_steps=0, random_state=0).fit(X, y)
        rows, _ = sampler.sample(500, y="rare", random_state=0)
        shares[focus] = (rows.mean(axis=1) > 3).mean()
    assert shares[0.0] == pytest.approx(0.75, abs=0.06)
    assert shares[0.0] + 0.04 < shares[0.5] < shares[1.0] - 0.02
    assert shares[1.0] > 0.85
