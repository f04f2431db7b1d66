"""`recipe_table`: all recipes, and what each was shown to reach, as one table."""

from __future__ import annotations

import pandas as pd

from tabgan.images.recipes import recipes
from tabgan.images.recipes.standing import Reached

__all__ = ["recipe_table"]


def recipe_table() -> pd.DataFrame:
    """What each recipe needs, how it stands, and what it was shown to reach.

    Returns
    -------
    DataFrame
        One row per recipe and data set, with the columns ``recipe``, ``needs``, ``standing`` and the fields of
        `tabgan.images.recipes.standing.Reached`; a recipe without results has one row.

        ``standing`` is about 28 x 28 pixels: ``"works"`` (coverage of at least 0.7, and 0.9 of the images are of the class asked
        for), ``"in part"``, ``"for study"`` (coverage below 0.5, or less than 0.7 of the class: it works on 8 x 8 pixels at best) or
        ``"not measured"``.

    Examples
    --------
    >>> from tabgan.images import recipe_table
    >>> table = recipe_table()
    >>> works = table[table.standing == "works"].recipe.unique()
    >>> "wgan-gp" in works, "stackgan" in works
    (True, False)
    """
    rows = []
    for recipe in recipes.values():
        about = {"recipe": recipe.name, "needs": recipe.needs, "standing": recipe.standing}
        rows += [{**row._asdict(), **about} for row in recipe.reached] or [about]
    columns = ["recipe", "needs", "standing", *[name for name in Reached._fields if name != "recipe"]]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype({"n_steps": "Int64", "labels": "boolean"})
