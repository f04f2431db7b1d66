"""What an effort means: what is given leads, what is left open goes by effort and size, and GAIN as published knows none."""

import inspect
from itertools import pairwise

import numpy as np
import pytest

from tabgan import GAINImputer
from tabgan.exceptions import InvalidParameterError
from tabgan.imputation.effort import EFFORTS, LARGE_ROWS, settings_for
from tabgan.imputation.published import GainSettings

OPEN = {"effort": "balanced", "objective": "remask", "n_trees": None, "network_steps": None, "width": 128}


def test_what_is_given_leads():
    given = OPEN | {"n_trees": 7, "network_steps": 0}
    for n_rows in (50, 50_000):
        settings = settings_for(given, n_rows, 10)
        assert (settings["n_trees"], settings["network_steps"], settings["width"]) == (7, 0, 128)


@pytest.mark.parametrize("n_rows", [LARGE_ROWS - 1, LARGE_ROWS])
def test_every_parameter_that_may_be_left_open_has_a_value_for_every_effort(n_rows):
    own = inspect.signature(GAINImputer).parameters
    for effort in EFFORTS:
        found = settings_for({name: one.default for name, one in own.items()} | {"effort": effort}, n_rows, 10)
        for name in ("n_steps", "network_steps", "network_width", "n_references", "n_trees", "n_boosts"):
            assert isinstance(found[name], int), name


@pytest.mark.parametrize("n_rows", [LARGE_ROWS - 1, LARGE_ROWS])
@pytest.mark.parametrize("name", ["n_steps", "network_steps", "n_references", "n_trees"])
def test_more_effort_does_no_less(n_rows, name):
    found = [settings_for(OPEN | {"effort": effort, "n_trees": None}, n_rows, 10)[name] for effort in EFFORTS]
    assert all(less <= more for less, more in pairwise(found))


def test_the_network_is_for_large_tables_and_longer_on_those_of_many_columns():
    steps = [settings_for(OPEN, *shape)["network_steps"] for shape in ((3999, 10), (4000, 2), (4000, 16), (4000, 500))]
    assert steps[0] == 0
    assert 0 < steps[1] < steps[2] == steps[3]
    assert settings_for(OPEN, 10**6, 5000)["network_steps"] == steps[3]


def test_gain_as_published_keeps_the_papers_values():
    found = settings_for(OPEN | {"objective": "paper", "n_steps": None}, 9000, 5)
    assert "n_steps" not in found
    assert GainSettings().n_steps == 10_000


def test_an_unknown_effort_is_refused():
    with pytest.raises(InvalidParameterError, match=r"effort.*'quick'.*'fast', 'balanced', 'best'"):
        GAINImputer(effort="quick").fit(np.eye(3))


def test_fast_trains_nothing_step_by_step():
    table = np.random.default_rng(0).normal(size=(300, 3))
    table[::4, 0] = np.nan
    imputer = GAINImputer(effort="fast", random_state=0).fit(table)
    assert imputer.n_iter_ == 0
    assert np.isfinite(imputer.transform(table)).all()
    assert "neighbours" not in imputer._model.stages
