"""
What do errors cost at each threshold?
======================================

A missed fraud costs forty times as much as an alarm that is checked for nothing. The threshold that these costs call for follows
from the probabilities, provided that they are right; the curve says whether it is the right one.
"""

import numpy as np
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from tabgan import PriorCorrectedClassifier
from tabgan.plotting import CostCurveDisplay

X, y = make_classification(4000, n_features=8, n_informative=4, weights=[0.97], class_sep=0.8, random_state=0)
y = np.where(y == 1, "fraud", "fine")
costs = {("fraud", "fine"): 40, ("fine", "fraud"): 1}
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)

model = PriorCorrectedClassifier(LogisticRegression(), costs=costs, random_state=0).fit(X_train, y_train)
display = CostCurveDisplay.from_estimator(model, X_test, y_test, costs=costs)
print(model.threshold_, display.cost_, display.constant_cost_)
