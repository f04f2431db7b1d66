"""
Did training help, and where did it stop?
=========================================

The error on held-out cells comes first, with the step whose weights were kept. An adversary's loss says who is ahead,
not how good imputed values are.
"""

from sklearn.datasets import load_breast_cancer

from tabgan import GAINImputer, ampute
from tabgan.plotting import TrainingDisplay

table = load_breast_cancer(as_frame=True).data
gappy = table.mask(ampute(table, rate=0.2, random_state=0))
imputer = GAINImputer(n_steps=300, draw_steps=200, random_state=0).fit(gappy)

TrainingDisplay.from_estimator(imputer)
