"""Where a class ends: shares of own neighbours, strays, and rows drawn in."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from tabgan._runtime import make_generator
from tabgan.sampling import nearest
from tabgan.sampling.borders import Borders, own_share
from tabgan.sampling.seeds import ClassSeeds
from tabgan.spans import Span
from tests.rounding import SINGLE


def two_clouds(n=80, apart=1.5, seed=0):
    rng = np.random.default_rng(seed)
    classes = (np.arange(n) % 4 == 0).astype(int)
    rows = rng.normal(size=(n, 3)) + apart * classes[:, None]
    return torch.tensor(rows, dtype=torch.float32), torch.tensor(classes)


def nearest_of(rows, query, classes, index):
    chosen = (classes == index).numpy()
    return NearestNeighbors(n_neighbors=1).fit(rows[chosen]).kneighbors(query)[0][:, 0]


def test_own_share_is_that_of_the_nearest_rows():
    rows, classes = two_clouds()
    near = NearestNeighbors(n_neighbors=7).fit(rows).kneighbors()[1]
    expected = (classes.numpy()[near] == classes.numpy()[:, None]).mean(1)
    np.testing.assert_allclose(own_share(rows, classes, 7), expected, rtol=1e-6)


def test_own_share_of_a_lonely_row_and_of_a_table_of_one():
    rows = torch.tensor([[0.0], [0.1], [0.3], [9.0]])  # no two at one distance from a third
    assert own_share(rows, torch.tensor([0, 0, 1, 0]), 1).tolist() == [1.0, 1.0, 0.0, 0.0]
    assert own_share(rows[:1], torch.tensor([0])).tolist() == [1.0]


def test_strays_are_nearer_to_another_class():
    rows, classes = two_clouds()
    drawn = torch.randn(200, 3, generator=make_generator(1)) * 2 + 0.7
    asked = torch.arange(200) % 2
    to_own, to_other = (
        np.array([nearest_of(rows, drawn[i : i + 1], classes, k)[0] for i, k in enumerate(of.tolist())])
        for of in (asked, 1 - asked)
    )
    found = Borders(rows, classes).strays(drawn, asked)
    assert 20 < found.sum() < 180
    np.testing.assert_array_equal(found.numpy(), to_other < to_own)


def test_nothing_strays_from_the_only_class_and_a_tie_is_no_stray():
    rows = torch.tensor([[0.0], [2.0]])
    assert not Borders(rows, torch.tensor([0, 0])).strays(torch.tensor([[5.0]]), torch.tensor([0])).any()
    assert not Borders(rows, torch.tensor([0, 1])).strays(torch.tensor([[1.0]]), torch.tensor([0])).any()


def test_a_large_table_is_stood_for_by_some_of_it(monkeypatch):
    monkeypatch.setattr(nearest, "MOST_COMPARED", 40)
    rows, classes = two_clouds(400, apart=6.0)
    shares = own_share(rows, classes)
    assert shares.shape == (400,)
    assert shares[classes == 1].mean() > 0.7


def seeds_of(rows, classes, spans):
    return ClassSeeds(rows, torch.ones(len(rows), len(spans)), classes, spans, int(classes.max()) + 1)


NUMBERS = [Span("numeric", j, j + 1) for j in range(3)]


def test_drawn_in_rows_lie_between_and_fewer_stray():
    rows, classes = two_clouds(200, apart=1.0)
    seeds, generator = seeds_of(rows, classes, NUMBERS), make_generator(0)
    parents = seeds.parents(torch.ones(300, dtype=torch.long), generator)
    drawn = seeds.draw(parents, generator, "kernel")
    before = drawn.clone()
    kept = seeds.drawn_in(drawn, parents, generator)
    assert torch.equal(drawn, before), "what was given is left alone"
    strayed = Borders(rows, classes).strays(drawn, classes[parents])
    assert strayed.sum() > 30
    assert torch.equal(kept[~strayed], drawn[~strayed])
    left = Borders(rows, classes).strays(kept, classes[parents])
    assert left.sum() < 0.2 * strayed.sum()
    step, moved = drawn[strayed] - rows[parents][strayed], kept[strayed] - rows[parents][strayed]
    longest = step.abs().argmax(1, keepdim=True)
    share = moved.gather(1, longest) / step.gather(1, longest)
    torch.testing.assert_close(moved, share * step, rtol=0, atol=SINGLE)
    assert (share <= 0.5 + SINGLE).all()


def test_levels_are_drawn_in_whole():
    spans = [Span("numeric", 0, 1), Span("categorical", 1, 4)]
    rng = np.random.default_rng(0)
    classes = torch.tensor(np.repeat([0, 1], [150, 30]))
    levels = np.where(classes == 1, rng.integers(0, 2, 180), 2)
    rows = torch.tensor(np.column_stack([rng.normal(size=180), np.eye(3)[levels]]), dtype=torch.float32)
    seeds, generator = seeds_of(rows, classes, spans), make_generator(0)
    parents = seeds.parents(torch.ones(200, dtype=torch.long), generator)
    drawn = rows[parents].clone()
    drawn[:, 1:] = torch.tensor([0.0, 0.0, 1.0])  # the other class's level
    kept = seeds.drawn_in(drawn, parents, generator)
    assert set(kept[:, 1:].unique().tolist()) == {0.0, 1.0}
    assert (kept[:, 1:].sum(1) == 1).all()
    assert not Borders(rows, classes).strays(kept, classes[parents]).any()


@pytest.mark.parametrize("focus", [0.3, 1.0])
def test_focus_starts_from_rows_as_often_as_their_share_says(focus):
    rows, classes = two_clouds(160, apart=1.0)
    seeds = seeds_of(rows, classes, NUMBERS)
    mine = classes == 1
    n = 5000
    parents = seeds.parents(torch.ones(n, dtype=torch.long), make_generator(0), focus=focus)
    share = own_share(rows, classes)[mine].double()
    expected = n * ((1 - focus) / mine.sum() + focus * share / share.sum())
    times = torch.bincount(parents, minlength=160)[mine]
    assert (times - expected).abs().max() <= 1
    assert share.std() > 0.05


def test_focus_without_any_own_neighbour_is_even():
    rows = torch.tensor([0.0, 10.0] + [0.1 + 0.01 * i for i in range(10)] + [10.1 + 0.01 * i for i in range(10)])[
        :, None
    ]
    classes = torch.tensor([1, 1] + [0] * 20)
    seeds = seeds_of(rows, classes, [Span("numeric", 0, 1)])
    assert own_share(rows, classes)[:2].tolist() == [0.0, 0.0]
    parents = seeds.parents(torch.ones(6, dtype=torch.long), make_generator(0), focus=1.0)
    assert torch.bincount(parents, minlength=2)[:2].tolist() == [3, 3]


def test_a_subset_is_drawn_at_random_not_in_step_with_the_tables_order():
    """Alternating classes far apart: of 16,384 rows every second one would be of one class alone."""
    n = 16_384
    classes = torch.arange(n) % 2
    rows = classes[:, None].float() * 100 + torch.rand(n, 2, generator=torch.Generator().manual_seed(0))
    assert own_share(rows, classes).tolist() == [1.0] * n


def test_a_tie_that_rounding_hides_is_no_stray():
    """The same rows in both classes, far from the origin: sums of large squares differ in their last digits."""
    own = torch.randn(40, 7, generator=make_generator(0)) * 1000
    rows, classes = torch.cat([own, own.flip(0), own]), (torch.arange(120) >= 40).long()
    drawn = own + torch.randn(40, 7, generator=make_generator(1)) * 1e-3
    for index in (0, 1):
        assert not Borders(rows, classes).strays(drawn, torch.full((40,), index)).any()
