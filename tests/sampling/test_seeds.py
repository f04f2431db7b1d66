"""Closed-form draws of each class: moments, segments, atoms, parents and neighbours."""

import numpy as np
import pytest
import torch

from tabgan._runtime import make_generator
from tabgan.exceptions import InvalidParameterError
from tabgan.sampling.seeds import SEED_KINDS, ClassSeeds
from tabgan.spans import Span

NUMBERS = [Span("numeric", 0, 1), Span("numeric", 1, 2)]
MIXED = [Span("numeric", 0, 1), Span("categorical", 1, 4), Span("numeric", 4, 5)]


def seeds_of(rows, classes, spans, visible=None):
    rows = torch.as_tensor(rows, dtype=torch.float32)
    visible = torch.ones(len(rows), len(spans)) if visible is None else torch.as_tensor(visible, dtype=torch.float32)
    classes = torch.as_tensor(classes)
    return ClassSeeds(rows, visible, classes, spans, int(classes.max()) + 1)


def mixed_rows(n, seed=0):
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.normal(size=n), np.eye(3)[rng.integers(0, 3, n)], rng.normal(size=n)])


def test_kernel_draws_keep_mean_and_covariance_of_each_class():
    rng = np.random.default_rng(0)
    classes = np.repeat([0, 1], [300, 200])
    mixing = np.array([[[1.0, 0.0], [0.8, 0.6]], [[0.5, 0.0], [-0.9, 0.4]]])
    rows = np.einsum("nij,nj->ni", mixing[classes], rng.normal(size=(500, 2))) + 5.0 * classes[:, None]
    seeds, generator = seeds_of(rows, classes, NUMBERS), make_generator(0)
    for index in (0, 1):
        mine = rows[classes == index]
        parents = seeds.parents(torch.full((40_000,), index), generator)
        drawn = seeds.draw(parents, generator, "kernel").numpy()
        np.testing.assert_allclose(drawn.mean(0), mine.mean(0), atol=0.03)
        np.testing.assert_allclose(np.cov(drawn.T), np.cov(mine.T, bias=True), atol=0.04)
        assert not np.isin(drawn[:, 0], mine[:, 0].astype(np.float32)).any(), "no draw is a row"


def test_gaps_do_not_shrink_the_kernel():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(4000, 2)) * 2
    visible = rng.random((4000, 2)) < 0.5
    factor = seeds_of(rows, np.zeros(4000, dtype=int), NUMBERS, visible).factor[0]
    np.testing.assert_allclose((factor @ factor.T).diagonal(), [4.0, 4.0], rtol=0.1)


def test_bandwidth_is_silvermans():
    seeds = seeds_of(np.random.default_rng(0).normal(size=(50, 2)), np.r_[np.zeros(40, int), np.ones(10, int)], NUMBERS)
    np.testing.assert_allclose(seeds.bandwidth, [40 ** (-1 / 6), 10 ** (-1 / 6)], rtol=1e-6)


def test_a_small_class_borrows_the_covariance_of_the_others():
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(size=(2000, 2)) * [1.0, 3.0], [[50.0, 50.0]]])
    seeds = seeds_of(rows, np.r_[np.zeros(2000, int), 1], NUMBERS)
    covariance = seeds.factor[1] @ seeds.factor[1].T
    np.testing.assert_allclose(covariance.diagonal(), np.array([1.0, 9.0]) * 4 / 5, rtol=0.1)
    generator = make_generator(0)
    drawn = seeds.draw(torch.full((4000,), 2000), generator, "kernel")
    np.testing.assert_allclose(drawn.mean(0), [50, 50], atol=0.2)
    assert (drawn.std(0) > torch.tensor([0.3, 0.9])).all()


def test_segments_lie_between_a_row_and_a_neighbour():
    rows = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    classes = np.arange(60) % 2
    seeds, generator = seeds_of(rows, classes, NUMBERS), make_generator(0)
    parents = torch.arange(60).repeat(20)
    drawn = seeds.draw(parents, generator, "segments").numpy()
    for parent, point in zip(parents.numpy(), drawn, strict=True):
        ends = rows[seeds.neighbourhoods.nearest(torch.tensor([parent]))[0].numpy()]
        step = ends - rows[parent]
        place = ((point - rows[parent]) * step).sum(1) / (step**2).sum(1)
        off = np.abs(rows[parent] + place[:, None] * step - point).max(1)
        assert ((off < 1e-5) & (place >= -1e-6) & (place <= 1 + 1e-6)).any()


def test_classes_of_one_and_two_rows_have_what_neighbours_there_are():
    seeds = seeds_of(np.arange(6.0).reshape(3, 2), [0, 1, 1], NUMBERS)
    generator = make_generator(0)
    near = seeds.near(torch.tensor([0, 1, 2]).repeat(50), generator).reshape(50, 3)
    assert (near == torch.tensor([0, 2, 1])).all()


def test_a_frequent_number_is_a_level_of_its_own():
    rng = np.random.default_rng(0)
    rain = np.where(rng.random(200) < 0.4, 0.0, rng.gamma(2.0, size=200))
    seeds, generator = (
        seeds_of(np.column_stack([rain, rng.normal(size=200)]), np.zeros(200, int), NUMBERS),
        make_generator(0),
    )
    assert seeds.atoms[0] == 0
    assert torch.isnan(seeds.atoms[1])
    parents = seeds.parents(torch.zeros(4000, dtype=torch.long), generator)
    dry = (rain == 0)[parents]
    kernel = seeds.draw(parents, generator, "kernel")[:, 0].numpy()
    np.testing.assert_array_equal(kernel[dry], 0.0)
    assert (kernel[~dry] != 0).all()
    segment = seeds.draw(parents, generator, "segments")[:, 0].numpy()
    assert abs((segment == 0).mean() - 0.4) < 0.06
    assert (seeds.movable(torch.tensor([[0.0, 0.0]])) == torch.tensor([[0.0, 1.0]])).all()


@pytest.mark.parametrize("kind", SEED_KINDS)
def test_levels_are_the_rows_or_a_neighbours_and_gaps_stay(kind):
    rows = mixed_rows(60)
    visible = np.random.default_rng(1).random((60, 3)) < 0.7
    seeds, generator = seeds_of(rows, np.arange(60) % 2, MIXED, visible), make_generator(0)
    parents = torch.arange(60).repeat(10)
    drawn = seeds.draw(parents, generator, kind)
    hidden = seeds.visible[parents][:, seeds.column] == 0
    assert (drawn[hidden] == 0).all()
    seen = seeds.visible[parents, 1] > 0
    assert (drawn[seen][:, 1:4].sum(1) == 1).all()
    assert set(drawn[:, 1:4].unique().tolist()) == {0.0, 1.0}
    own = (drawn[:, 1:4] == seeds.rows[parents][:, 1:4]).all(1)
    among = (drawn[:, None, 1:4] == seeds.rows[seeds.neighbourhoods.nearest(parents)][:, :, 1:4]).all(2).any(1)
    assert (own | among)[seen].all()
    if kind == "copies":
        assert torch.equal(drawn, seeds.rows[parents])


def test_each_row_is_a_parent_as_often_as_any_other():
    classes = torch.tensor([0] * 7 + [1] * 3 + [2])
    seeds = seeds_of(np.zeros((11, 2)), classes, NUMBERS)
    wanted = torch.tensor([0, 1, 2, 1, 0] * 9)
    parents = seeds.parents(wanted, make_generator(0))
    assert torch.equal(classes[parents], wanted)
    times = torch.bincount(parents, minlength=11)
    for index in range(3):
        mine = times[classes == index]
        assert mine.max() - mine.min() <= 1


def test_parents_may_be_restricted():
    seeds = seeds_of(np.zeros((6, 2)), [0, 0, 0, 1, 1, 1], NUMBERS)
    allowed = torch.tensor([True, False, True, False, False, False])
    parents = seeds.parents(torch.zeros(10, dtype=torch.long), make_generator(0), allowed)
    assert torch.bincount(parents, minlength=6).tolist() == [5, 0, 5, 0, 0, 0]
    with pytest.raises(InvalidParameterError, match="class 1"):
        seeds.parents(torch.ones(1, dtype=torch.long), make_generator(0), allowed)


def test_no_slots_no_rows_and_unknown_kinds():
    seeds = seeds_of(np.zeros((4, 0)), [0, 0, 1, 1], [])
    assert seeds.draw(torch.tensor([0, 3]), make_generator(0)).shape == (2, 0)
    seeds = seeds_of(np.ones((4, 2)), [0, 0, 1, 1], NUMBERS)
    assert seeds.draw(torch.zeros(0, dtype=torch.long), make_generator(0)).shape == (0, 2)
    with pytest.raises(InvalidParameterError, match="kind='smote'"):
        seeds.draw(torch.tensor([0]), make_generator(0), "smote")


def test_half_of_the_mixture_lies_on_segments():
    rows = np.column_stack([np.arange(40.0), np.zeros(40)])
    rows[:, 1] = rows[:, 0]  # all segments lie on the diagonal; a kernel draw's ridge moves it off
    seeds, generator = (
        seeds_of(rows + np.random.default_rng(0).normal(size=(40, 2)) * 1e-3, np.zeros(40, int), NUMBERS),
        make_generator(0),
    )
    parents = torch.arange(40).repeat(100)
    inside = {}
    for kind in ("kernel", "segments", "mixture"):
        drawn = seeds.draw(parents, generator, kind)
        inside[kind] = ((drawn - seeds.rows[parents]).abs().max(1).values < 5.5).float().mean().item()
    assert inside["segments"] == 1
    assert inside["kernel"] < 0.9
    np.testing.assert_allclose(inside["mixture"], (inside["kernel"] + 1) / 2, atol=0.03)


def test_what_makes_up_a_fifth_of_a_column_is_found():
    rng = np.random.default_rng(0)
    for n in (3, 5, 9, 10, 11, 57):
        rows = np.column_stack([rng.integers(0, high, n) for high in range(2, 12)]).astype(float)
        visible = rng.random(rows.shape) < 0.8
        spans = [Span("numeric", j, j + 1) for j in range(rows.shape[1])]
        atoms = seeds_of(rows, np.zeros(n, int), spans, visible).atoms.numpy()
        for j, atom in enumerate(atoms):
            values, counts = np.unique(rows[visible[:, j], j], return_counts=True)
            known = len(values) > 2 and counts.max() >= 0.2 * counts.sum()
            np.testing.assert_array_equal(atom, values[counts.argmax()] if known else np.nan)


def test_of_very_many_rows_only_some_are_looked_around(monkeypatch):
    monkeypatch.setattr("tabgan.sampling.seeds.MOST_COMPARED", 10)
    monkeypatch.setattr("tabgan.sampling.seeds._MOST_LOOKED_AROUND", 30)
    seeds = seeds_of(np.random.default_rng(0).normal(size=(100, 2)), np.arange(100) % 2, NUMBERS)
    found = {
        n: len(set(seeds.parents(torch.zeros(n, dtype=torch.long), make_generator(0), focus=0.5).tolist()))
        for n in (2, 5, 100)
    }
    assert found[2] <= 2
    assert found[5] <= 5
    assert 15 < found[100] <= 30
    evenly = seeds.parents(torch.zeros(100, dtype=torch.long), make_generator(0))
    assert len(set(evenly.tolist())) == 50
