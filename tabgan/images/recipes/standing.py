"""What a training run of a recipe reached, and how far that carries: one word for a row of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["FOR_STUDY", "IN_PART", "NOT_MEASURED", "WORKS", "Reached", "standing_of"]

WORKS, IN_PART, FOR_STUDY, NOT_MEASURED = "works", "in part", "for study", "not measured"


class Reached(NamedTuple):
    """One training run of a recipe.

    Attributes
    ----------
    recipe : str
        Its name.
    data : str
        ``"digits"`` (8 x 8, 648 images), ``"mnist"`` and ``"fashion"`` (28 x 28, 5,000 images), or a task of image to image.
    labels : bool
        Whether it was trained with the classes.
    n_steps : int or None
        Steps of training.
    seconds : float or None
        CPU seconds on one core.
    frechet : float or None
        Frechet distance in the features of a small classifier; comparable within one data set only, and with no published FID.
    coverage : float or None
        Share of real images that have a generated one among them.
    accuracy : float or None
        Share of generated images that a classifier gives to the class asked for.
    error : float or None
        Mean absolute error of translations, in grey levels from -1 to 1.
    """

    recipe: str
    data: str
    labels: bool
    n_steps: int | None
    seconds: float | None
    frechet: float | None
    coverage: float | None
    accuracy: float | None
    error: float | None


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
