"""How far a recipe's figures carry: one word for a row of a table."""

from __future__ import annotations

from collections.abc import Sequence

from tabgan.images.recipes.reached import Reached

__all__ = ["FOR_STUDY", "IN_PART", "NOT_MEASURED", "WORKS", "standing_of"]

WORKS, IN_PART, FOR_STUDY, NOT_MEASURED = "works", "in part", "for study", "not measured"


def standing_of(rows: Sequence[Reached]) -> str:
    """The worst of a recipe's results on 28 x 28 pixels, as a word.

    Parameters
    ----------
    rows : sequence of Reached
        Of one recipe.

    Returns
    -------
    {"works", "in part", "for study", "not measured"}
        ``"works"``: coverage of at least 0.7, and 0.9 of the images are of the class asked for, where MNIST's classes were given.
        ``"for study"``: coverage below 0.5, or less than 0.7 of the class; such a recipe works on 8 x 8 pixels at best. ``"in part"``
        lies between. ``"not measured"``: nothing is known of it on 28 x 28 pixels.
    """
    known = [row for row in rows if row.data == "mnist" and row.coverage is not None]
    if not known:
        return NOT_MEASURED
    coverage = min(row.coverage for row in known if row.coverage is not None)
    accuracy = min((row.accuracy for row in known if row.accuracy is not None), default=1.0)
    if coverage >= 0.7 and accuracy >= 0.9:
        return WORKS
    return FOR_STUDY if coverage < 0.5 or accuracy < 0.7 else IN_PART
