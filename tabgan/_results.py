"""What results have in common: a report, Markdown, and plain data that strict JSON can hold."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["ReportsItself", "plain_data"]


def plain_data(value: Any) -> Any:
    """A result as strict JSON can hold it.

    Parameters
    ----------
    value : object
        Tables become lists of records, without their index; arrays lists; dataclasses and mappings dicts with names of text. Numbers
        that do not exist, or are infinite, become None; anything unknown becomes text.

    Examples
    --------
    >>> plain_data({"auc": np.float64(0.5), 3: [float("nan"), float("inf")], "rows": pd.DataFrame({"a": [1, 2]})})
    {'auc': 0.5, '3': [None, None], 'rows': [{'a': 1}, {'a': 2}]}
    """
    if isinstance(value, pd.DataFrame):
        return [plain_data(record) for record in value.to_dict("records")]
    if isinstance(value, np.ndarray):
        return [plain_data(item) for item in value.tolist()]
    if isinstance(value, np.generic):
        return plain_data(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {part.name: plain_data(getattr(value, part.name)) for part in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(plain_data(key)): plain_data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_data(item) for item in value]
    return None if value is pd.NaT or value is pd.NA else str(value)


class ReportsItself:
    """Mixin of results: ``to_html()``, ``to_markdown()`` and ``to_dict()``."""

    def to_html(self, *, source: str | None = None) -> Any:
        """Write what this says to a one-file HTML report; see `tabgan.report_result`.

        Parameters
        ----------
        source : str, default=None
            What the table is called, for the title.

        Returns
        -------
        HTMLReport
            With ``save(path)``, ``to_markdown`` and ``to_dict``; notebooks show it.
        """
        import tabgan

        return tabgan.report_result(self, source=source)

    def to_markdown(self) -> str:
        """Give what this says as Markdown."""
        return self.to_html().to_markdown()

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data that JSON can hold; a number that does not exist, or is infinite, is None."""
        return plain_data({part.name: getattr(self, part.name) for part in dataclasses.fields(self)})  # type: ignore[arg-type]
