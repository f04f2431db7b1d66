"""Compiled trees say what look-ups of tensors say, also of missing cells, and are built anew where they are not carried along."""

import copy
import pickle

import numpy as np
import pytest
import torch
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor

from tabgan.imputation.stages.boosting import flat_boosted_tree
from tabgan.imputation.trees import Tree, Trees, flat_tree


def rows(n=300, seed=0, share=0.3):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 6, size=(n, 5)).astype(np.float32)
    values[rng.random(values.shape) < share] = np.nan
    return values


def by_look_up(trees, given):
    """As on a device that compiled trees do not know."""
    every = torch.arange(len(trees)).expand(len(given), -1)
    places = trees._leaves(given.float(), every)
    assert torch.equal(places, trees._compiled_leaves(given, every))
    return trees.values[places.unsqueeze(2) + torch.arange(trees.width)].mean(1).to(given)


@pytest.mark.parametrize("seed", range(4))
def test_boosted_trees_send_missing_cells_where_look_ups_do(seed):
    values = rows(seed=seed)
    target = np.nan_to_num(values[:, 0]) * (np.isnan(values[:, 1]) - 0.5) + np.nan_to_num(values[:, 2])
    model = HistGradientBoostingRegressor(max_iter=12, early_stopping=False).fit(values, target)
    trees = Trees([flat_boosted_tree(stage[0].nodes, np.arange(5)) for stage in model._predictors])
    others = torch.from_numpy(rows(seed=seed + 50, share=0.5))
    found = trees.mean(others)
    torch.testing.assert_close(found, by_look_up(trees, others), rtol=0, atol=1e-6)
    told = found[:, 0].numpy() * len(trees) + np.ravel(model._baseline_prediction)[0]
    np.testing.assert_allclose(told, model.predict(others.numpy()), atol=1e-4)


def test_several_outputs_and_other_slots_too():
    values = np.nan_to_num(rows())
    model = ExtraTreesRegressor(7, random_state=0).fit(values[:, [4, 1]], values[:, [0, 2]])
    trees = Trees([flat_tree(tree.tree_, np.array([4, 1])) for tree in model.estimators_])
    others = torch.from_numpy(np.nan_to_num(rows(seed=9)))
    found = trees.mean(others)
    assert found.shape == (300, 2)
    torch.testing.assert_close(found, by_look_up(trees, others), rtol=0, atol=1e-6)
    np.testing.assert_allclose(found.numpy(), model.predict(others.numpy()[:, [4, 1]]), atol=1e-5)


def test_a_leaf_alone_is_a_tree():
    leaf = Tree(torch.tensor([-1]), torch.tensor([0.0]), torch.tensor([0]), torch.tensor([[2.5]]))
    assert torch.equal(Trees([leaf, leaf]).mean(torch.zeros(3, 5)), torch.full((3, 1), 2.5))


def test_infinite_cells_and_thresholds():
    node = torch.tensor([2, -1, -1]), torch.tensor([torch.inf, 0.0, 0.0]), torch.tensor([2, 0, 0])
    values = torch.tensor([[0.0], [1.0], [2.0]])
    trees = Trees([Tree(*node, values, torch.tensor([False, False, False]))])
    given = torch.zeros(4, 5)
    given[:, 2] = torch.tensor([torch.inf, -torch.inf, 3.0, torch.nan])
    assert trees.mean(given)[:, 0].tolist() == by_look_up(trees, given)[:, 0].tolist() == [1.0, 1.0, 1.0, 2.0]


def test_they_are_built_anew_after_pickling_and_copying():
    values = np.nan_to_num(rows())
    model = ExtraTreesRegressor(3, random_state=0).fit(values[:, 1:], values[:, 0])
    trees = Trees([flat_tree(tree.tree_, np.arange(1, 5)) for tree in model.estimators_])
    given = torch.from_numpy(values)
    wanted = trees.mean(given)
    for other in (pickle.loads(pickle.dumps(trees)), copy.deepcopy(trees), Trees.from_state(trees.state())):
        assert other._compiled is None
        assert torch.equal(other.mean(given), wanted)
