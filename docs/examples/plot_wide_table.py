"""
Sixty columns, and still readable
=================================

Nobody reads sixty panels. Wide tables show the columns whose imputed cells differ most from the observed ones, and
say how many there are; ``max_columns`` shows more or fewer. Here five sensors hide their high values, and the display
finds them, whatever imputed the table: ``from_predictions`` takes any imputer's result.
"""

import numpy as np
import pandas as pd
from sklearn.impute import KNNImputer

from tabgan.plotting import ImputationDisplay

rng = np.random.default_rng(0)
values = rng.normal(size=(400, 6)) @ rng.normal(size=(6, 60)) + 0.5 * rng.normal(size=(400, 60))
table = pd.DataFrame(values, columns=[f"sensor {k}" for k in range(60)])
gappy = table.mask(rng.random(table.shape) < 0.1)
for name in table.columns[:5]:
    gappy.loc[table[name] > table[name].quantile(0.7), name] = None
filled = KNNImputer().set_output(transform="pandas").fit_transform(gappy)

ImputationDisplay.from_predictions(gappy, filled, max_columns=8)
