"""
What do synthetic rows change in a classifier?
==============================================

A quarter of the rows is held out; a classifier is fitted on the others without and with synthetic rows. Mostly they
move the threshold: the minority class becomes likelier for all rows alike, recall rises and precision falls.
"""

import numpy as np
from sklearn.datasets import make_classification

from tabgan import CGANSampler
from tabgan.plotting import DecisionDisplay

X, y = make_classification(1200, n_features=8, n_informative=4, weights=[0.92], class_sep=0.8, random_state=0)
y = np.where(y == 1, "fraud", "fine")

display = DecisionDisplay.from_estimator(CGANSampler(random_state=0), X, y, random_state=0)
print(display.measures_.round(3))
