"""Labels and condition vectors: from what the user hands in to what networks see, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from tabgan.exceptions import InvalidInputError

__all__ = ["Conditions", "as_labels"]


@dataclass(frozen=True)
class Conditions:
    """The conditions seen in training.

    Parameters
    ----------
    labels : tuple of str, int, float or bool, or None
        Class labels in order; None for condition vectors.
    table : Tensor of shape (n_groups, d_condition)
        One row per class (one-hot), or the distinct condition vectors.
    frequency : Tensor of shape (n_groups,)
        How often each was seen.
    """

    labels: tuple[Any, ...] | None
    table: Tensor
    frequency: Tensor

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 for condition vectors."""
        return 0 if self.labels is None else len(self.labels)

    @classmethod
    def learn(cls, y: Any, n_images: int) -> Conditions:
        """Classes from a vector of labels, or a column of text or whole numbers; groups from a matrix of numbers.

        Raises
        ------
        InvalidInputError
            Lengths differ, labels are missing, or vectors are not finite numbers.
        """
        array = _as_array(y, n_images, of_labels=True)
        if array.ndim == 1:
            values, counts = np.unique(array, return_counts=True)
            table = one_hot(torch.arange(len(values)), len(values)).float()
            return cls(tuple(values.tolist()), table, torch.from_numpy(counts).float())
        table, counts = torch.unique(torch.from_numpy(array.astype(np.float32)), dim=0, return_counts=True)
        return cls(None, table, counts.float())

    def groups(self, y: Any, n_images: int) -> Tensor:
        """The row of ``table`` that each label or vector is; LongTensor of shape (n,).

        Raises
        ------
        InvalidInputError
            A label or vector that training did not see; names it and its position.
        """
        array = _as_array(y, n_images, of_labels=self.labels is not None)
        if self.labels is None:
            vectors = self.vectors(y, n_images)
            same = (vectors[:, None] == self.table[None]).all(2)
            if not bool(same.any(1).all()):
                raise InvalidInputError(
                    f"y[{int((~same.any(1)).nonzero()[0, 0])}] is a condition vector that was not seen before."
                )
            return same.int().argmax(1)
        if array.ndim != 1:
            raise InvalidInputError(
                f"y has shape {array.shape}; the recipe was trained with one class label per image."
            )
        place = {label: index for index, label in enumerate(self.labels)}
        for position, label in enumerate(array.tolist()):
            if label not in place:
                raise InvalidInputError(f"y[{position}]={label!r} is not one of the classes {list(self.labels)}.")
        return torch.tensor([place[label] for label in array.tolist()])

    def vectors(self, y: Any, n_images: int) -> Tensor:
        """What networks see for given labels; vectors need not have been seen before."""
        if self.labels is not None:
            return self.table[self.groups(y, n_images)]
        array = _as_array(y, n_images, of_labels=False)
        if array.ndim != 2 or array.shape[1] != self.table.shape[1]:
            raise InvalidInputError(
                f"y has shape {array.shape}; condition vectors of shape (n, {self.table.shape[1]}) are needed, as in training."
            )
        return torch.from_numpy(array.astype(np.float32))

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """Groups as frequent as in training; LongTensor of shape (n,)."""
        return torch.multinomial(self.frequency, n, replacement=True, generator=generator)

    def named(self, groups: Tensor) -> np.ndarray:
        """Labels (or vectors) of groups, as the user gave them."""
        if self.labels is None:
            return self.table[groups].numpy()
        return np.asarray(self.labels)[groups.numpy()]

    def to_state(self) -> dict[str, Any]:
        """As plain data."""
        labels = None if self.labels is None else list(self.labels)
        return {"labels": labels, "table": self.table, "frequency": self.frequency}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Conditions:
        """Rebuild what `to_state` described."""
        labels = None if state["labels"] is None else tuple(state["labels"])
        return cls(labels, state["table"], state["frequency"])


def as_labels(y: Any) -> np.ndarray:
    """Labels or condition vectors as an array, none of them missing and all of one kind.

    Parameters
    ----------
    y : array-like, Series, Categorical or Tensor

    Raises
    ------
    InvalidInputError
        Some are missing, or text stands among numbers.
    """
    array = y.detach().cpu().numpy() if isinstance(y, Tensor) else np.asarray(y)
    if array.dtype.kind in "US" and not isinstance(y, np.ndarray):
        given = np.asarray(y, dtype=object)  # of a list, numpy writes missing labels and numbers as text: "nan", "1"
        array = array if all(isinstance(label, (str, bytes)) for label in given.ravel()) else given
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InvalidInputError("y holds NaN or infinity; leave these images out.")
    if array.dtype.kind == "O" and pd.isna(array).any():
        raise InvalidInputError("y holds missing values; leave these images out.")
    if array.dtype.kind == "O" and len({isinstance(label, str) for label in array.ravel()}) > 1:
        raise InvalidInputError("y holds text among other labels; make all of them text, or none.")
    return array


def _as_array(y: Any, n_images: int, *, of_labels: bool) -> np.ndarray:
    array = as_labels(y)
    if of_labels and array.ndim == 2 and array.shape[1] == 1 and array.dtype.kind != "f":
        array = array[:, 0]  # one column of a frame, or what reshape(-1, 1) made of labels
    if array.ndim not in (1, 2):
        raise InvalidInputError(f"y has shape {array.shape}; give (n,) class labels or (n, d) condition vectors.")
    if len(array) != n_images:
        raise InvalidInputError(f"y has {len(array)} rows, but there are {n_images} images; they belong together.")
    if array.ndim == 2 and array.dtype.kind not in "uifb":
        raise InvalidInputError(f"y has dtype {array.dtype}; give condition vectors of numbers.")
    return array
