"""The classifier that a balanced ensemble is made of where the user names none."""

from __future__ import annotations

from typing import Any

import narwhals as nw
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier, VotingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

__all__ = ["default_member"]

_TREES = 2
_LEAST_IN_LEAF = 2
_LEVELS = 32


def default_member(X: Any) -> Any:
    """Two extremely randomised trees and two of a random forest, with two rows or more in a leaf, which vote.

    Parameters
    ----------
    X : container of shape (n, n_features)
        Columns of a data frame that hold no numbers are shown as one slot per level.

    Returns
    -------
    classifier
        Unfitted; takes missing values.
    """
    # The bag is the forest's bootstrap. Leaves of two rows: votes that are no certainties.
    settings = {"n_estimators": _TREES, "min_samples_leaf": _LEAST_IN_LEAF}
    kinds = [
        ("extra", ExtraTreesClassifier(**settings)),
        ("forest", RandomForestClassifier(bootstrap=False, **settings)),
    ]
    vote = VotingClassifier(kinds, voting="soft")
    frame = nw.from_native(X, eager_only=True, pass_through=True)
    if not isinstance(frame, nw.DataFrame):
        return vote
    labels = [name for name, kind in frame.schema.items() if not (kind.is_numeric() or kind == nw.Boolean)]
    if not labels:
        return vote
    slots = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=_LEVELS, sparse_output=False)
    return make_pipeline(ColumnTransformer([("levels", slots, labels)], remainder="passthrough"), vote)
