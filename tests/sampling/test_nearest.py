"""Neighbours by matrix products: exact, in a fixed order, looked for where they are asked, and linear in the table."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from torch.utils._python_dispatch import TorchDispatchMode

from tabgan import BAGANOversampler, CGANSampler
from tabgan._runtime import make_generator
from tabgan.sampling import nearest, neighbourhoods, seeds
from tabgan.sampling.nearest import Among
from tabgan.sampling.neighbourhoods import Neighbourhoods


@pytest.fixture
def few_compared(monkeypatch):
    for module in (nearest, neighbourhoods, seeds):
        monkeypatch.setattr(module, "MOST_COMPARED", 50)
    return 50


def clouds(n, width=3, seed=0):
    rng = np.random.default_rng(seed)
    classes = torch.from_numpy(rng.integers(0, 3, n))
    return torch.tensor(rng.normal(size=(n, width)), dtype=torch.float32) + classes[:, None], classes


def test_the_nearest_are_those_of_scikit_learn_without_the_row_itself():
    rows, _ = clouds(300)
    chosen = torch.arange(0, 300, 2)
    expected = NearestNeighbors(n_neighbors=4).fit(rows[chosen])
    inside = chosen[expected.kneighbors()[1]]
    outside = chosen[expected.kneighbors(rows[1::2])[1]]
    among = Among(rows, chosen)
    assert torch.equal(among.nearest(chosen, 4), inside)
    assert torch.equal(among.nearest(torch.arange(1, 300, 2), 4), outside)
    np.testing.assert_allclose(among.least(rows[1::2]), expected.kneighbors(rows[1::2])[0][:, 0] ** 2, rtol=1e-9)


def test_blocks_do_not_change_what_is_found(monkeypatch):
    rows, _ = clouds(100)
    whole = Among(rows, torch.arange(100))
    found, least = whole.nearest(torch.arange(100), 5), whole.least(rows + 0.1)
    monkeypatch.setattr(nearest, "_BLOCK", 700)
    assert torch.equal(whole.nearest(torch.arange(100), 5), found)
    torch.testing.assert_close(whole.least(rows + 0.1), least)
    assert whole.nearest(torch.arange(0), 5).shape == (0, 5)
    assert whole.least(rows[:0]).shape == (0,)


def test_rows_far_from_the_origin_keep_their_order():
    """In single precision squares of 1e3 swallow steps of 1e-3."""
    rows = torch.tensor([[1000.0], [1000.0625], [1000.1875], [1000.4375], [-1000.0]])
    assert Among(rows, torch.arange(5)).nearest(torch.tensor([0, 3]), 3).tolist() == [[1, 2, 3], [2, 1, 0]]


def test_no_distance_is_negative():
    rows = torch.randn(200, 7, generator=torch.Generator().manual_seed(0)) * 1e4 + 1e5
    least = Among(rows, torch.arange(200)).least(rows)
    assert (least >= 0).all()
    assert (least < 1e-2).all()


def test_duplicates_come_in_the_tables_order():
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(4, 6, generator=generator).repeat(5, 1)  # row i equals rows i + 4, i + 8, ...
    found = Among(rows, torch.arange(20)).nearest(torch.arange(20), 4)
    expected = [[j for j in range(i % 4, 20, 4) if j != i] for i in range(20)]
    assert found.tolist() == expected


def test_neighbours_are_the_nearest_of_the_class():
    rows, classes = clouds(70)
    found = Neighbourhoods(rows, classes, 3).nearest(torch.arange(70))
    for index in range(3):
        mine = np.flatnonzero(classes == index)
        expected = mine[NearestNeighbors(n_neighbors=5).fit(rows[mine]).kneighbors()[1]]
        np.testing.assert_array_equal(found[mine], expected)


def test_a_small_class_has_as_many_neighbours_as_other_rows():
    rows = torch.tensor([[0.0], [1.0], [3.0], [7.0], [20.0], [30.0]])
    classes = torch.tensor([0, 0, 0, 1, 1, 2])
    found = Neighbourhoods(rows, classes, 3)
    assert found.n_neighbours.tolist() == [2, 1, 1]
    assert found.nearest(torch.arange(6))[:, :2].tolist() == [[1, 2], [0, 2], [1, 0], [4, 3], [3, 4], [5, 5]]
    assert (found.nearest(torch.arange(6)) >= 0).all(), "what no neighbour fills is the row itself"


@pytest.mark.parametrize(("place", "picked"), [(0.0, [1, 4]), (0.49, [1, 4]), (0.5, [2, 4]), (0.999, [2, 4])])
def test_one_of_the_neighbours_is_picked_by_its_place(place, picked):
    rows = torch.tensor([[0.0], [1.0], [3.0], [7.0], [20.0]])
    found = Neighbourhoods(rows, torch.tensor([0, 0, 0, 1, 1]), 2)
    assert found.one_of(torch.tensor([0, 3]), torch.full((2,), place, dtype=torch.float64)).tolist() == picked


def test_a_class_as_large_as_can_be_compared_is_searched_at_once(few_compared):
    rows, _ = clouds(2 * few_compared)
    classes = torch.arange(2 * few_compared) % 2
    found = Neighbourhoods(rows, classes, 2)
    with Products() as products:
        found.nearest(torch.tensor([0]))
    assert products.elements == few_compared**2
    with Products() as products:
        found.nearest(torch.tensor([2, 4]))
    assert products.elements == 0, "all of its rows were looked for with the first"


def test_of_a_large_class_some_rows_stand_for_all_whatever_is_asked_first(few_compared):
    rows, classes = clouds(400)
    asked = torch.arange(400)
    together = Neighbourhoods(rows, classes, 3).nearest(asked)
    one_by_one = Neighbourhoods(rows, classes, 3)
    order = torch.randperm(400, generator=make_generator(3))
    for row in order[:60]:
        one_by_one.nearest(row[None])
    assert torch.equal(one_by_one.nearest(asked), together)
    assert torch.equal(classes[together], classes[:, None].expand(-1, 5))
    assert (together != asked[:, None]).all()
    for index in range(3):
        mine = np.flatnonzero(classes == index)
        stand_in = torch.unique(together[mine])
        assert len(stand_in) <= few_compared < len(mine)
        outside = np.setdiff1d(mine, stand_in)
        nearest_of_some = NearestNeighbors(n_neighbors=5).fit(rows[stand_in]).kneighbors(rows[outside])[1]
        np.testing.assert_array_equal(together[outside], stand_in[nearest_of_some])


def test_shares_are_the_same_whatever_is_asked_first(few_compared):
    rows, classes = clouds(300)
    whole, parts = (Neighbourhoods(rows, classes, 3) for _ in range(2))
    for part in torch.arange(300).split(70):
        parts.own_share(part)
    torch.testing.assert_close(parts.own_share(torch.arange(300)), whole.own_share(torch.arange(300)))


def test_parents_of_a_large_class_are_not_all_looked_around(few_compared):
    rows, classes = clouds(3000)
    visible = torch.ones(3000, 3)
    made = seeds.ClassSeeds(rows, visible, classes, [seeds.Span("numeric", j, j + 1) for j in range(3)], 3)
    wanted = torch.full((30,), 1)
    with Products() as products:
        parents = made.parents(wanted, make_generator(0), focus=0.9)
    assert (classes[parents] == 1).all()
    assert len(torch.unique(parents)) > 25
    assert products.elements <= 4 * 30 * 50


class Products(TorchDispatchMode):
    """Counts the elements of matrix products' results, and the largest."""

    elements = largest = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        found = function(*args, **kwargs or {})
        if function is torch.ops.aten.addmm.default:
            self.elements += found.numel()
            self.largest = max(self.largest, found.numel())
        return found


@pytest.mark.parametrize("sampler", [BAGANOversampler, CGANSampler])
def test_distances_grow_with_the_made_rows_not_with_the_square_of_the_majority(sampler, few_compared, monkeypatch):
    monkeypatch.setattr(nearest, "_BLOCK", 1000)
    rng, found = np.random.default_rng(0), {}
    for n in (600, 1200):
        X = rng.normal(size=(n, 3))
        y = (np.arange(n) < 30).astype(int)
        with Products() as products:
            sampler(n_steps=0, random_state=0).fit_resample(X, y)
        found[n] = products.elements
        assert products.largest <= 1000
    assert found[1200] < 2.3 * found[600]
