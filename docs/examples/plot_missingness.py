"""
Where are values missing, and which are missing together?
=========================================================

Two columns are missing together, as if they came from one questionnaire page that some people skipped; a third is
missing by itself.
"""

import numpy as np
from sklearn.datasets import load_wine

from tabgan.plotting import MissingnessDisplay, MissingPatternsDisplay

table = load_wine(as_frame=True).data
rng = np.random.default_rng(0)
skipped, alone = rng.random(len(table)) < 0.3, rng.random(len(table)) < 0.15
table.loc[skipped, ["flavanoids", "total_phenols"]] = None
table.loc[alone, "hue"] = None

MissingnessDisplay.from_predictions(table)

# %%
# The commonest patterns of missing cells, each with its number of rows:

MissingPatternsDisplay.from_predictions(table)
