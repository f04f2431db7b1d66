"""
Do synthetic rows look like real ones, and do they copy?
========================================================

Malignant tumours are made the minority. The display shows the columns that differ most, the correlations that changed, a
projection, and how far synthetic rows lie from real ones. The same display draws the rows of any sampler, such as
SMOTE's.
"""

import numpy as np
from imblearn.over_sampling import SMOTE
from sklearn.datasets import load_breast_cancer

from tabgan import BAGANOversampler
from tabgan.plotting import ClassCountsDisplay, ResamplingDisplay

X, y = load_breast_cancer(as_frame=True, return_X_y=True)
y = y.map({0: "malignant", 1: "benign"})
keep = np.concatenate([np.flatnonzero(y == "benign"), np.flatnonzero(y == "malignant")[:50]])
X, y = X.iloc[keep], y.iloc[keep]

sampler = BAGANOversampler(random_state=0)
sampler.fit_resample(X, y)
ClassCountsDisplay.from_estimator(sampler)

# %%
# Our rows beside the real ones of their class.

ResamplingDisplay.from_estimator(sampler, max_columns=4)

# %%
# SMOTE's lie on lines between real rows.

X_smote, y_smote = SMOTE(random_state=0).fit_resample(X, y)
ResamplingDisplay.from_predictions(X_smote, y_smote, np.arange(len(y_smote)) >= len(y), max_columns=4)
