"""
What does imputing do to an estimate?
=====================================

Some 45 % of x is missing, more often where y is large. Complete rows alone, and means in the place of what is missing, move the
slope of y on x, whose truth is 1. A single imputation looks as sure as a complete table is. Draws that are pooled come near
the truth, and their interval knows what is missing.
"""

import numpy as np
import pandas as pd

from tabgan import GAINImputer, pool

rng = np.random.default_rng(1)
full = pd.DataFrame({"x": rng.normal(size=400)})
full["y"] = full["x"] + rng.normal(size=400)
hidden = rng.random(400) < 1 / (1 + np.exp(0.3 - 1.5 * full["y"]))
table = full.assign(x=full["x"].mask(hidden))


def slope(frame):
    x, y = frame["x"] - frame["x"].mean(), frame["y"] - frame["y"].mean()
    estimate = (x @ y) / (x @ x)
    return estimate, ((y - estimate * x) ** 2).sum() / (len(x) - 2) / (x @ x)  # and its squared standard error


imputer = GAINImputer(effort="fast", random_state=0).fit(table)
pooled = pool(slope, imputer.sample(table, n_draws=20)).to_frame().iloc[0]
ways = {
    "nothing missing": slope(full),
    "20 draws, pooled": (pooled["estimate"], pooled["standard_error"] ** 2),
    "one imputation": slope(imputer.transform(table)),
    "means": slope(table.fillna(table.mean())),
    "complete rows": slope(table.dropna()),
}
found = pd.DataFrame(ways, index=["slope", "error"]).T
found["error"] **= 0.5
print(found.round(2))

# %%
# Slopes with 95 % intervals; the truth is 1.

found["slope"].plot.barh(xerr=2 * found["error"], color="#8fb8d8", grid=True, xlabel="slope of y on x", figsize=(7, 3))
