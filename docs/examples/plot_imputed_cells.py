"""
Are imputed values distributed like observed ones?
==================================================

A fifth of the Palmer penguins' cells is hidden, depending on the other columns (MAR). Imputed values are best guesses,
so they are narrower than what they estimate; their centre may differ from that of the observed cells, since these cells
were not hidden completely at random.
"""

from palmerpenguins import load_penguins

from tabgan import GAINImputer, ampute
from tabgan.plotting import ImputationDisplay

penguins = load_penguins()
ranks = penguins.apply(lambda column: column.astype("category").cat.codes)
gappy = penguins.mask(ampute(ranks, rate=0.2, mechanism="mar", random_state=0))
imputer = GAINImputer(draw_steps=0, random_state=0).fit(gappy)

ImputationDisplay.from_estimator(imputer, gappy)
