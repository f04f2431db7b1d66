"""
How close are imputed values to the truth, and do intervals keep their word?
============================================================================

Missing values have no known truth, so known cells are hidden on purpose: `tabgan.plotting.hide_and_fill` hides a fifth of them,
fits a clone of the imputer without them, and both displays share its result. Orange lines are 90 % intervals that
missed.
"""

from sklearn.datasets import load_wine

from tabgan import GAINImputer
from tabgan.plotting import CalibrationDisplay, PredictionDisplay, hide_and_fill

table = load_wine(as_frame=True).data
check = hide_and_fill(GAINImputer(random_state=0), table, random_state=0)

PredictionDisplay.from_check(check, max_columns=8)

# %%
# On the diagonal, intervals hold the truth as often as they promise; the grey band is what chance alone does.

CalibrationDisplay.from_check(check, max_columns=3)
