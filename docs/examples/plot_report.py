"""
Everything on one page
======================

A report gathers the displays, a sortable table per column, warnings in plain words, settings and versions in one file
that loads nothing from elsewhere. ``report.save("filled.html")`` writes it; below it shows itself, as in a notebook.
"""

# sphinx_gallery_thumbnail_path = 'images/report.png'
from palmerpenguins import load_penguins

from tabgan import GAINImputer

penguins = load_penguins()
imputer = GAINImputer(random_state=0).fit(penguins)

imputer.to_html(penguins)
