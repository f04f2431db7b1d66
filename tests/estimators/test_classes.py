"""Labels beside rows: whether they come in the rows' order."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from tabgan import BAGANOversampler, neighbourhood_weights, should_rebalance
from tabgan.images import BAGANImageOversampler

X = pd.DataFrame(np.random.default_rng(0).random((60, 9)), index=[f"row {k}" for k in range(60)])
Y = pd.Series([0] * 45 + [1] * 15, index=X.index)
WAYS = {
    "BAGANOversampler": lambda y: BAGANOversampler(n_steps=1, random_state=0).fit_resample(X, y),
    "BAGANImageOversampler": lambda y: BAGANImageOversampler(random_state=0).fit_resample(X, y),
    "neighbourhood_weights": lambda y: neighbourhood_weights(X, y),
    "should_rebalance": lambda y: should_rebalance(X, y, LogisticRegression(), samplers={}, cv=2, random_state=0),
}


@pytest.mark.parametrize("name", WAYS)
def test_an_index_in_another_order_is_told(name):
    with pytest.warns(UserWarning, match=r"same index in different orders.*y\.loc\[X\.index\]"):
        WAYS[name](Y[::-1])
    for y in (Y, Y.to_numpy(), Y.reset_index(drop=True), Y.set_axis(["twice"] * 60)):
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*same index")
            WAYS[name](y)
