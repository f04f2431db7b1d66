"""What to beware of in synthetic rows, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tabgan.tables.labels import shown_names

if TYPE_CHECKING:
    from tabgan.sampling.fitted import FittedSampler, MadeRows

__all__ = ["class_warnings", "identifier_warnings", "parent_warnings"]

_COLLAPSE = 0.5
_COPIES = 0.05
_FEW = 10
_INCONSISTENT = 0.1
_UNKNOWN = 0.5  # of what guessing would find
_FEW_PARENTS = 5
_LEAST_MADE = 20
_GAPS = 0.1


def class_warnings(label: Any, line: Mapping[str, Any], *, n_classes: int, n_columns: int) -> list[str]:
    """From a class's line in the report.

    Parameters
    ----------
    label : object
        The class.
    line : dict
        What the report measured of it; see `tabgan.sampling.row_report.SamplingReport`.
    n_classes, n_columns : int
        Of the table.
    """
    warnings = []
    spread, copies, repeats, real = (
        line.get(name, np.nan) for name in ("spread", "copies", "repeats", "consistency_real")
    )
    if spread < _COLLAPSE:
        warnings.append(
            f"class {label!r}: synthetic rows are much alike (spread {spread:.2f} of the real rows'): collapse."
        )
    if copies > _COPIES + np.nan_to_num(repeats):
        warnings.append(f"class {label!r}: {copies:.0%} of the synthetic rows equal a real row.")
    if line["n_real"] < _FEW:
        rows = "1 row" if line["n_real"] == 1 else f"{line['n_real']} rows"
        warnings.append(f"class {label!r} has {rows}: whatever is made from so few tells little that is new.")
    if real < _UNKNOWN / n_classes:
        few = f" {line['n_real']} rows may be too few for {n_columns:,} columns." if n_columns > line["n_real"] else ""
        warnings.append(
            f"class {label!r}: {real:.0%} of its real rows look like their class to a forest that did not see them, and guessing "
            f"would find {1 / n_classes:.0%}; so nobody can tell whether synthetic rows are of it.{few}"
        )
    elif line.get("consistency", np.nan) < real - _INCONSISTENT:
        warnings.append(
            f"class {label!r}: {line['consistency']:.0%} of the synthetic rows look like their class, of real ones {real:.0%}."
        )
    return warnings


def parent_warnings(label: Any, index: int, fitted: FittedSampler, made: MadeRows) -> list[str]:
    """Whether a few real rows lend most of a class's synthetic rows, and whether these miss other cells than its real rows do."""
    parents = made.parents[made.codes == index]
    own = np.flatnonzero(fitted.target.codes == index)
    warnings = []
    counts = np.sort(np.unique(parents, return_counts=True)[1])[::-1]
    most = int(np.searchsorted(counts.cumsum(), len(parents) / 2, side="right")) + 1
    if len(own) >= _FEW and len(parents) >= _LEAST_MADE and most < _FEW_PARENTS:
        warnings.append(
            f"class {label!r}: {most} of its {len(own)} real rows are what more than half of the synthetic rows start from; the "
            "others lie among other classes' rows, and focus=0 starts from all of them."
        )
    differing = []
    for j, column in enumerate(fitted.table.columns):
        gaps = column.missing[made.parents]
        if j in made.cells:
            gaps[made.cells[j][0]] = False
        wanted, found = column.missing[own].mean(), gaps[made.codes == index].mean()
        chance = 3 * np.sqrt(wanted * (1 - wanted) / len(parents))
        if abs(found - wanted) > max(_GAPS, chance):
            differing.append(f"{column.name!r} ({found:.0%}, real rows {wanted:.0%})")
    if differing:
        more = f" and {len(differing) - 3} more" if len(differing) > 3 else ""
        warnings.append(
            f"class {label!r}: cells are missing in other shares than in real rows: {', '.join(differing[:3])}{more}."
        )
    return warnings


def identifier_warnings(fitted: FittedSampler, made: MadeRows) -> list[str]:
    """Which columns name rows, and what became of them."""
    names: dict[bool, list[Any]] = {True: [], False: []}
    for j in fitted.identifiers if len(made.codes) else []:
        names[j in made.cells].append(fitted.table.names[j])
    said = {
        True: "identifiers, left out of distances: synthetic rows have new ones",
        False: "identifiers, left out of distances: synthetic rows repeat those of the rows they start from; set them yourself",
    }
    return [f"{shown_names(found)}: {said[new]}." for new, found in names.items() if found]
