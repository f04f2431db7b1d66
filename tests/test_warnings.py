"""Warnings name the line of the user's that led to them, through wrappers and other libraries' methods."""

import warnings

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tabgan import GAINImputer
from tabgan._runtime import own_torch
from tabgan._warnings import warn_caller
from tabgan.exceptions import EmptyColumnsWarning

TABLE = np.column_stack([np.arange(20.0), np.full(20, np.nan)])


def imputer():
    return GAINImputer(n_steps=0, draw_steps=0, random_state=0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: imputer().fit(TABLE),
        lambda: imputer().fit_transform(TABLE),
        lambda: make_pipeline(imputer()).fit(TABLE),
        lambda: make_pipeline(imputer(), StandardScaler()).fit(TABLE),
    ],
    ids=["fit", "fit_transform", "last of a pipeline", "first of a pipeline, which calls it through joblib"],
)
def test_the_users_line_is_named(call):
    with pytest.warns(EmptyColumnsWarning) as caught:
        call()
    assert {warning.filename for warning in caught} == {__file__}


def test_wrappers_of_methods_are_passed_over():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        own_torch(None)(warn_caller)("said")
    assert [(warning.filename, str(warning.message)) for warning in caught] == [(__file__, "said")]
