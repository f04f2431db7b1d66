"""Indicator columns beside a filled table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidInputError

__all__ = ["append_indicators"]


def append_indicators(native: Any, indicators: Mapping[str, np.ndarray]) -> Any:
    """A filled table with boolean columns appended.

    Parameters
    ----------
    native : DataFrame (pandas, polars, ...) or ndarray of shape (n_rows, n_columns)
        The filled table; not modified.
    indicators : mapping of str to ndarray of bool
        Columns to append, by name. In an array they take its dtype, as scikit-learn's imputers do.

    Returns
    -------
    container
        The kind of container that came.

    Raises
    ------
    InvalidInputError
        The table already has a column of that name.
    """
    if not indicators:
        return native
    if isinstance(native, np.ndarray):
        shown = np.column_stack(list(indicators.values()))
        # Text of fewer letters than "False" becomes longer.
        return np.hstack([native, shown.astype(native.dtype.kind if native.dtype.kind in "US" else native.dtype)])
    pandas = isinstance(native, pd.DataFrame)
    frame = native if pandas else nw.from_native(native, eager_only=True)
    taken = [name for name in indicators if name in frame.columns]
    if taken:
        raise InvalidInputError(
            f"add_indicator=True needs the column names {taken}, which the table already has; rename them."
        )
    if pandas:
        return pd.concat([native, pd.DataFrame(dict(indicators), index=native.index)], axis=1)
    backend = nw.get_native_namespace(frame)
    series = [nw.new_series(name, cells, nw.Boolean, backend=backend) for name, cells in indicators.items()]
    longer = frame.with_columns(*series)
    return longer if isinstance(native, nw.DataFrame) else longer.to_native()
