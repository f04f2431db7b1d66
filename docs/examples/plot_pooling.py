"""
Are there enough draws?
=======================

The pooled slope of a regression after 2, 3, ..., 40 draws. The outer band is its interval; the inner one is the Monte Carlo
error, by which the estimate would move with other draws of the same table: at most a tenth of the standard error is
wanted. Titles also say how many draws it takes for standard errors that repeat within 5 %.
"""

import numpy as np
from palmerpenguins import load_penguins
from sklearn.linear_model import LinearRegression

from tabgan import GAINImputer
from tabgan.plotting import PoolingDisplay

penguins = load_penguins().dropna()
gappy = penguins.copy()
for k, name in enumerate(["bill_length_mm", "flipper_length_mm", "body_mass_g"]):
    gappy[name] = gappy[name].mask(np.random.default_rng(k).random(len(gappy)) < 0.3)
imputer = GAINImputer(random_state=0).fit(gappy)


def mass(table):
    X, y = table[["flipper_length_mm", "bill_length_mm"]], table["body_mass_g"]
    return LinearRegression().fit(X, y), X, y


PoolingDisplay.from_estimator(imputer, gappy, mass, n_draws=40, random_state=0)
