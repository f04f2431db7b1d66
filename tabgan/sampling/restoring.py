"""The user's kind of container, for results that the table itself gives as dense arrays: lists and sparse matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

__all__ = ["Restorer", "restorer_named", "restorer_of", "restorer_to_name"]

Restorer = Callable[[Any], Any]
"""From a dense result to the user's kind of container; can be pickled."""

_SPARSE: dict[str, Restorer] = {
    f"{layout}_{kind}": getattr(scipy.sparse, f"{layout}_{kind}")
    for layout in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
    for kind in ("array", "matrix")
}


def restorer_of(X: Any) -> Restorer:
    """What turns a dense result into a container like ``X``, where the table's own way does not."""
    if scipy.sparse.issparse(X):
        return type(X)
    if isinstance(X, list):
        return np.ndarray.tolist
    return _unchanged


def restorer_to_name(restore: Restorer) -> str:
    """For a model file: ``"list"``, scipy's name of a sparse container, or ``"table"`` for what the table gives."""
    if restore is np.ndarray.tolist:
        return "list"
    return next((name for name, known in _SPARSE.items() if known is restore), "table")


def restorer_named(name: str) -> Restorer:
    """What `restorer_to_name` named; KeyError for another name."""
    return {"list": np.ndarray.tolist, "table": _unchanged, **_SPARSE}[name]


def _unchanged(dense: Any) -> Any:
    return dense
