"""A table with synthetic rows at its end: what displays and reports of resampling start from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidInputError
from tabgan.plotting.views import feature_columns, label_columns, view

__all__ = ["Resampled", "resampled_by", "resampled_of"]


@dataclass(frozen=True)
class Resampled:
    """A table with synthetic rows at its end.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `tabgan.plotting.views.view` gives it, without columns that only name rows.
    labels : ndarray of shape (n_rows,)
        Class of each row.
    made : ndarray of bool of shape (n_rows,)
        True for synthetic rows.
    """

    frame: pd.DataFrame
    labels: np.ndarray
    made: np.ndarray

    def most_made(self) -> Any:
        """The class that most rows were made for.

        Raises
        ------
        InvalidInputError
            No row was made.
        """
        if not self.made.any():
            raise InvalidInputError("no row was made: the classes are as sampling_strategy wants them already.")
        return pd.Series(self.labels[self.made]).value_counts().index[0]


def resampled_by(sampler: Any) -> Resampled:
    """What a fitted sampler makes of the table it was fitted on.

    Parameters
    ----------
    sampler : BAGANOversampler or CGANSampler
        Fitted.

    Raises
    ------
    InvalidInputError
        It is no sampler of ours.
    """
    if not hasattr(sampler, "resample"):
        raise InvalidInputError(
            f"{type(sampler).__name__} has no resample; use from_predictions with its X_resampled and y_resampled."
        )
    X, y = sampler.resample()
    result = resampled_of(X, y, sampler.synthetic_mask_, label_columns(sampler.schema_), sampler.missing_values)
    return replace(result, frame=result.frame.loc[:, feature_columns(sampler.schema_)])


def resampled_of(X: Any, y: Any, made: Any, categorical_features: Any, missing_values: Any) -> Resampled:
    """A table whose synthetic rows are known; `tabgan.plotting.ResamplingDisplay.from_predictions` has the parameters.

    Raises
    ------
    InvalidInputError
        Rows, labels and ``made`` do not fit together.
    """
    frame = view(X if not hasattr(X, "toarray") else X.toarray(), categorical_features, missing_values)
    labels = np.asarray(y)
    if labels.ndim not in (1, 2):
        raise InvalidInputError(f"y_resampled has shape {labels.shape}; give one label per row.")
    if labels.ndim == 2:
        labels = labels[:, 0] if labels.shape[1] == 1 else labels.argmax(axis=1)
    made = np.asarray(made, dtype=bool)
    if len(labels) != len(frame) or made.shape != (len(frame),):
        raise InvalidInputError(
            f"X_resampled has {len(frame)} rows, y_resampled {len(labels)} and made shape {made.shape}; they must agree."
        )
    return Resampled(frame, labels, made)
