"""Weights for rows, in place of synthetic rows: classes balanced, and within them rows among their own before rows among others."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.sparse import issparse

from tabgan.estimators.classes import warn_of_other_order
from tabgan.estimators.parameter_checks import number
from tabgan.exceptions import parameter_error
from tabgan.sampling.borders import own_share
from tabgan.sampling.targets import read_target
from tabgan.tables.encoder import TableEncoder
from tabgan.tables.frames import read_table
from tabgan.tables.schema import infer_schema

__all__ = ["neighbourhood_weights"]


def neighbourhood_weights(X: Any, y: Any, *, focus: float = 0.9, balance: float = 1.0) -> np.ndarray:
    """Sample weights that balance classes and favour, in all but the largest, rows whose neighbours are of their class.

    They ask of a learner what `BAGANOversampler` asks by rows that start from such rows, at no cost in rows.

    Parameters
    ----------
    X : DataFrame (pandas, polars, ...), ndarray, sparse matrix or list of shape (n_samples, n_features)
        The table, with or without missing values. Columns that name rows are left out of distances.
    y : array-like of shape (n_samples,)
        Class labels.
    focus : float in [0, 1], default=0.9
        0 weighs all rows of a class alike; 1 in proportion to the share of a row's ten nearest rows that are of its class.
    balance : float in [0, 1], default=1.0
        1 gives every class the same total weight, 0 leaves their shares; between, shares to this power are taken out.

    Returns
    -------
    ndarray of float64 of shape (n_samples,)
        The mean over a class is ``(n_samples / (n_classes * n_class)) ** balance``.

    Raises
    ------
    InvalidParameterError
        ``focus`` or ``balance`` is outside its range.
    InvalidInputError
        ``X`` or ``y`` cannot be read, or their lengths differ.

    Examples
    --------
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> from sklearn.datasets import make_classification
    >>> X, y = make_classification(500, weights=[0.9], random_state=0)
    >>> model = HistGradientBoostingClassifier().fit(X, y, sample_weight=neighbourhood_weights(X, y))
    """
    for name, value in (("focus", focus), ("balance", balance)):
        holds, words = number(0, 1)
        if not holds(value):
            raise parameter_error(name, value, words)
    table = read_table(X.toarray() if issparse(X) else X)
    target = read_target(y, table.n_rows)
    warn_of_other_order(X, y)
    schema = infer_schema(table, identifiers=True)
    encoder = TableEncoder().fit(table, schema)
    rows = torch.from_numpy(encoder.encode(table).values)  # missing cells are 0: numbers at the mean, labels at none
    codes = torch.from_numpy(target.codes)
    weights = np.ones(table.n_rows)
    for index in np.flatnonzero(np.arange(len(target.counts)) != target.counts.argmax()).tolist():
        asked = (codes == index).nonzero()[:, 0]
        share = own_share(rows, codes, asked=asked).double().numpy() if encoder.width_ else np.ones(len(asked))
        if share.any():
            weights[asked.numpy()] = (1 - focus) + focus * share / share.mean()
    balanced = (table.n_rows / (len(target.counts) * target.counts)) ** balance
    return weights * balanced[target.codes]
