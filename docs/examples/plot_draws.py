"""
How much do multiple imputations differ?
========================================

Each point is the mean of one column's imputed cells in one completed table, with their spread; grey is what was
observed. The scatter of the points is the uncertainty that missing values add to a mean, and what `tabgan.pool`
carries into standard errors.
"""

import numpy as np
from palmerpenguins import load_penguins

from tabgan import GAINImputer
from tabgan.plotting import DrawsDisplay

penguins = load_penguins()
gappy = penguins.mask(np.random.default_rng(0).random(penguins.shape) < 0.3)
imputer = GAINImputer(random_state=0).fit(gappy)

DrawsDisplay.from_estimator(imputer, gappy, n_draws=15, random_state=0, max_columns=4)
