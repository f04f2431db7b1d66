"""Tables of labels only: new combinations that hold together, few copies, gaps and asked cells kept."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch

import tabgan
from tabgan import BAGANOversampler, CGANSampler
from tabgan._runtime import make_generator
from tabgan.sampling.level_chain import LevelChain
from tabgan.sampling.seeds import ClassSeeds
from tabgan.spans import Span

LABELS = [Span("categorical", 3 * j, 3 * j + 3) for j in range(8)]


def codes_like(n, seed, *, foreign=False):
    """Eight columns of three levels: the second follows the first, the fourth the third, in another class against it."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, size=(n, 8))
    codes[:, 1] = (codes[:, 0] + foreign) % 3
    codes[:, 3] = (codes[:, 2] + foreign) % 3
    return codes


def labels_only(n_rare=40, n_common=150, seed=0):
    codes = np.vstack([codes_like(n_rare, seed), codes_like(n_common, seed + 1, foreign=True)])
    X = pd.DataFrame(codes, columns=list("abcdefgh")).astype(str)
    return X, np.array(["rare"] * n_rare + ["common"] * n_common)


def seeds_of(codes, classes, visible=None):
    rows = np.eye(3, dtype=np.float32)[codes].reshape(len(codes), -1)
    seen = np.ones(codes.shape, dtype=np.float32) if visible is None else visible.astype(np.float32)
    classes = torch.as_tensor(classes)
    return ClassSeeds(torch.from_numpy(rows), torch.from_numpy(seen), classes, LABELS, int(classes.max()) + 1)


def made(sampler, X, y):
    X_more, _ = sampler.fit_resample(X, y)
    return X_more.iloc[len(X) :]


def share_in(rows, others):
    known = set(map(tuple, others.to_numpy().tolist()))
    return np.mean([tuple(row) in known for row in rows.to_numpy().tolist()])


@pytest.mark.parametrize("sampler", [BAGANOversampler(random_state=0), CGANSampler(random_state=0)])
def test_rows_of_labels_are_new_and_keep_what_belongs_together(sampler):
    X, y = labels_only()
    rows = made(sampler, X, y)
    assert share_in(rows, X[y == "rare"]) < 0.3, "0.5 and more, where labels of neighbours are mixed"
    assert share_in(rows, X[y == "common"]) == 0
    assert len(rows.drop_duplicates()) > 60
    assert ((rows["a"] == rows["b"]) & (rows["c"] == rows["d"])).mean() > 0.75, "by chance a ninth"
    assert sampler.methods_["rare"] == "labels drawn given all others"
    assert sampler.n_iter_ == 0
    line = sampler.report_.table.loc["rare"]
    assert line["distinct"] == len(rows.drop_duplicates()) / len(rows)


def test_fewer_copies_and_more_distinct_rows_than_smoten():
    from imblearn.over_sampling import SMOTEN

    X, y = labels_only()
    ours, theirs = made(BAGANOversampler(random_state=0), X, y), made(SMOTEN(random_state=0), X, y)
    assert share_in(ours, X[y == "rare"]) <= share_in(theirs, X[y == "rare"])
    assert len(ours.drop_duplicates()) > 2 * len(theirs.drop_duplicates())


def test_shares_of_levels_are_those_of_the_class():
    X, y = labels_only(n_rare=300, n_common=900)
    X.loc[:299, "e"] = np.random.default_rng(0).choice(["0", "1", "2"], size=300, p=[0.7, 0.2, 0.1])
    rows = made(CGANSampler(random_state=0), X, y)
    for column in "abcdefgh":
        real, drawn = (frame[column].value_counts(normalize=True) for frame in (X[:300], rows))
        assert drawn.sub(real, fill_value=0).abs().max() < 0.08, column


def test_a_class_whose_rows_repeat_may_be_repeated_as_often():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.integers(0, 2, size=(400, 3)).astype(str))
    y = np.array(["rare"] * 100 + ["common"] * 300)
    rows = made(CGANSampler(random_state=0), X, y)
    assert len(rows) == 200
    shares = [frame.value_counts(normalize=True) for frame in (X[:100], rows)]
    assert shares[1].sub(shares[0], fill_value=0).abs().max() < 0.1


@pytest.mark.parametrize("repeated", [0, 20])
def test_copies_are_left_as_often_as_rows_repeat(repeated):
    own = codes_like(40, 0)
    own[:repeated] = own[0]
    chain = LevelChain(seeds_of(np.vstack([own, codes_like(60, 1, foreign=True)]), np.repeat([0, 1], [40, 60])), LABELS)
    _, _, repeats = chain._rows_of(0)
    keys = [row.tobytes() for row in own]
    assert repeats == np.mean([keys.count(key) > 1 for key in keys])
    unwanted = chain._unwanted(own, np.zeros(40, dtype=int), np.linspace(0, 1, 40, endpoint=False))
    assert unwanted.mean() == pytest.approx(1 - repeats, abs=0.03)


def test_a_row_of_another_class_only_is_never_made():
    own, others = codes_like(30, 0), np.random.default_rng(1).integers(0, 3, size=(400, 8))
    chain = LevelChain(seeds_of(np.vstack([own, others]), np.repeat([0, 1], [30, 400])), LABELS)
    shared = own[:1]
    known, foreign, _ = chain._rows_of(0)
    assert not np.isin(known, foreign).any()
    assert not chain._unwanted(shared, np.zeros(1, dtype=int), np.full(1, -1.0)).any()
    for focus in (0.0, 0.9):
        drawn = chain.draw(torch.arange(300) % 30, make_generator(0), focus=focus)
        rows = {row.tobytes() for row in chain._levels(drawn.numpy())}
        assert not rows & ({row.tobytes() for row in others} - {row.tobytes() for row in own})


@pytest.mark.parametrize("focus", [0.0, 0.9])
def test_where_every_other_combination_is_of_another_class_real_rows_are_repeated(focus):
    everything = pd.DataFrame([[a, b, c, d] for a in "abc" for b in "abc" for c in "abc" for d in "abc"])
    own = everything.sample(12, random_state=0)
    X = pd.concat([own, everything.drop(own.index)], ignore_index=True)
    y = np.array(["rare"] * 12 + ["common"] * 69)
    rows = made(BAGANOversampler(focus=focus, random_state=0), X, y)
    assert share_in(rows, own) == 1


def test_focus_draws_in_what_is_nearer_to_another_class():
    own, others = codes_like(40, 0), np.random.default_rng(1).integers(0, 3, size=(300, 8))
    seeds = seeds_of(np.vstack([own, others]), np.repeat([0, 1], [40, 300]))
    parents, classes = torch.arange(800) % 40, torch.zeros(800, dtype=torch.long)
    strays = [
        seeds.borders.strays(LevelChain(seeds, LABELS).draw(parents, make_generator(0), focus=focus), classes)
        for focus in (0.0, 0.9)
    ]
    assert strays[0].float().mean() > 0.01
    assert not strays[1].any()


def test_gaps_stay_and_fixed_columns_stay():
    rng = np.random.default_rng(0)
    codes, seen = codes_like(60, 0), rng.random((60, 8)) < 0.8
    chain = LevelChain(seeds_of(codes, np.zeros(60, dtype=int), seen), LABELS)
    parents = torch.arange(180) % 60
    drawn = chain.draw(parents, make_generator(0), focus=0.0, fixed=[2, 4]).numpy()
    cells = drawn.reshape(180, 8, 3).sum(2)
    np.testing.assert_array_equal(cells, seen[parents.numpy()])
    own = chain._codes()[parents.numpy()]
    np.testing.assert_array_equal(np.where(cells > 0, chain._levels(drawn), -1)[:, [2, 4]], own[:, [2, 4]])
    assert (chain._levels(drawn) != own)[:, [0, 1, 3, 5, 6, 7]].any()


def test_leaves_are_shrunk_towards_the_class():
    codes = codes_like(30, 0)
    chain = LevelChain(seeds_of(codes, np.zeros(30, dtype=int)), LABELS)
    conditional = chain._conditionals(0)[1]
    nodes = conditional.tree.tree_
    root = np.bincount(codes[:, 1], minlength=3) / 30
    np.testing.assert_allclose(conditional.shares[0], root)
    np.testing.assert_allclose(conditional.shares.sum(1), 1)
    left = nodes.children_left[0]
    n, plain = nodes.n_node_samples[left], nodes.value[left, 0]
    np.testing.assert_allclose(conditional.shares[left], (n * plain / plain.sum() + root) / (n + 1))
    assert (conditional.shares > 0).all(), "every level that the class has stays possible"


def test_which_tables_are_drawn_so():
    number = Span("numeric", 3, 4)
    assert LevelChain.suits(LABELS)
    assert not LevelChain.suits([LABELS[0], number])
    assert not LevelChain.suits(LABELS[:1])
    for width, suits in ((200, True), (201, False)):
        assert LevelChain.suits([Span("categorical", 2 * j, 2 * j + 2) for j in range(width)]) == suits
    X, y = labels_only()
    for start in ("segments", "copies"):
        sampler = BAGANOversampler(n_steps=0, start=start, random_state=0).fit(X, y)
        assert sampler._fitted.maker.levels is None
        assert "given all others" not in sampler.methods_["rare"]


def test_classes_of_one_to_three_rows_and_many_seeds():
    X, _ = labels_only(40, 40)
    y = np.array(["one"] + ["two"] * 2 + ["three"] * 3 + ["many"] * 74)
    rows = made(BAGANOversampler(random_state=0), X, y)
    assert len(rows) == 73 + 72 + 71
    sampler = BAGANOversampler(random_state=0).fit(X, y)
    assert "single row" in sampler.methods_["one"]
    draws = [sampler.sample(30, y="many")[0] for _ in range(3)]
    assert all(not first.equals(second) for first, second in pairwise(draws))


def test_asked_cells_are_drawn_around():
    X, y = labels_only(n_rare=120, n_common=300)
    rows, _ = BAGANOversampler(random_state=0).fit(X, y).sample(200, y="rare", where={"a": "1"})
    assert (rows["a"] == "1").all()
    assert (rows["b"] == "1").mean() > 0.8, "the other column is drawn given the cell asked for"


def test_a_saved_sampler_draws_the_same_rows(tmp_path):
    X, y = labels_only()
    sampler = BAGANOversampler(random_state=0).fit(X, y)
    sampler.save(tmp_path / "labels.tabgan")
    loaded = tabgan.load(tmp_path / "labels.tabgan")
    pd.testing.assert_frame_equal(loaded.sample(50, y="rare")[0], sampler.sample(50, y="rare")[0])


def test_when_time_is_up_neighbours_are_mixed_instead():
    X, y = labels_only()
    rows = made(BAGANOversampler(max_time=1e-6, random_state=0), X, y)
    assert len(rows) == 110
    assert share_in(rows, X[y == "rare"]) > 0.2
