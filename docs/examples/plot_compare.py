"""
Which imputer is best on this table?
====================================

The same known cells are hidden from every method, several times over. Left of the dashed line a method has learnt
something that the mean or the most frequent value does not know; lines are standard errors over the repeats. Imputers
of one's own come under a name.
"""

from palmerpenguins import load_penguins

from tabgan import GAINImputer, compare_imputers
from tabgan.plotting import ComparisonDisplay

ours = {"GAINImputer, 100 steps": GAINImputer(n_steps=100, draw_steps=0, random_state=0)}
found = compare_imputers(load_penguins(), methods=["mean/mode", "kNN", "MICE"], imputers=ours, n_repeats=2)

ComparisonDisplay.from_comparison(found)
print(found.verdict())
