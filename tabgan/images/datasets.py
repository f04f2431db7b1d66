"""Images and labels from torch's map-style data sets and loaders, from Hugging Face's, and from dicts of columns."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset

from tabgan.exceptions import InvalidInputError
from tabgan.images.decoding import is_picture

__all__ = ["ItemPicture", "is_dataset", "read_dataset"]

_IMAGE_NAMES = ("image", "images", "img", "imgs", "pixel_values", "picture", "x")
_LABEL_NAMES = ("label", "labels", "class", "target", "targets", "fine_label", "y")


class ItemPicture:
    """The picture of one item of a data set, fetched when it is asked for.

    Parameters
    ----------
    items : data set
    row : int
    part : int, str or None
        Where in the item the picture is; None: it is the item.
    """

    def __init__(self, items: Any, row: int, part: Any) -> None:
        self.items, self.row, self.part = items, row, part

    def fetch(self) -> Any:
        """The picture, which the caller may close."""
        with own_randomness():
            return _part(self.items[self.row], self.part).copy()


def is_dataset(source: Any) -> bool:
    """Whether it gives items of images, or images and labels: no array and no frame."""
    if isinstance(source, (Dataset, DataLoader)) or (hasattr(source, "column_names") and hasattr(source, "features")):
        return True
    if isinstance(source, (list, tuple)):
        return bool(len(source)) and isinstance(source[0], tuple)
    known = (str, bytes, Mapping, Tensor)
    return not isinstance(source, known) and not hasattr(source, "__array__") and hasattr(source, "__getitem__")


def read_dataset(source: Any, name: str) -> tuple[Any, Any]:
    """Images and labels.

    Parameters
    ----------
    source : Dataset, DataLoader or mapping
        Items of a data set are images, ``(image, label)`` or dicts; a mapping holds columns. Loaders are read once through.
    name : str
        How errors call it.

    Returns
    -------
    images : ndarray, or list of pictures
    labels : ndarray or None

    Raises
    ------
    InvalidInputError
        It has no length, no items, no column of images, or images of several sizes.
    """
    if isinstance(source, Mapping):
        return _columns(source, name)
    if isinstance(source, DataLoader):
        with own_randomness():
            return _loaded(source, name)
    if isinstance(source, IterableDataset) or not hasattr(source, "__len__"):
        raise InvalidInputError(
            f"{name} is a data set without a length; give a map-style one, with __len__ and __getitem__."
        )
    if not len(source):
        raise InvalidInputError(f"{name} is a data set without items; at least one image is needed.")
    with own_randomness():
        first = source[0]
    image_part, label_part = _parts(source, first, name)
    if is_picture(_part(first, image_part)) and not isinstance(_part(first, image_part), str):
        images: Any = [ItemPicture(source, row, image_part) for row in range(len(source))]
    elif isinstance(_part(first, image_part), str):
        images = [_part(source[row], image_part) for row in range(len(source))]
    else:
        return _stacked(source, image_part, label_part, name)
    return images, _labels(source, label_part)


@contextmanager
def own_randomness() -> Iterator[None]:
    """Let a data set's own random changes be the same every time, and leave the global random states as they were."""
    state, others = np.random.get_state(), random.getstate()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002
        random.seed(0)
        try:
            yield
        finally:
            np.random.set_state(state)  # noqa: NPY002
            random.setstate(others)


def _parts(source: Any, first: Any, name: str) -> tuple[Any, Any]:
    """Where in an item are the image and the label."""
    if isinstance(first, Mapping):
        return _column_names(list(first), getattr(source, "features", None) or {}, name)
    if isinstance(first, (tuple, list)):
        return 0, (1 if len(first) > 1 else None)
    return None, None


def _column_names(columns: Sequence[Any], features: Mapping[Any, Any], name: str) -> tuple[Any, Any]:
    lower = {str(column).lower(): column for column in reversed(columns)}
    images = [column for column in columns if type(features.get(column)).__name__ == "Image"]
    images += [lower[known] for known in _IMAGE_NAMES if known in lower]
    labels = [column for column in columns if type(features.get(column)).__name__ == "ClassLabel"]
    labels += [lower[known] for known in _LABEL_NAMES if known in lower]
    if not images:
        raise InvalidInputError(
            f"{name} has the columns {list(map(str, columns))}, none of which is named as images are: {', '.join(_IMAGE_NAMES)}."
        )
    return images[0], (labels[0] if labels else None)


def _part(item: Any, part: Any) -> Any:
    return item if part is None else item[part]


def _plain(label: Any) -> Any:
    if isinstance(label, Tensor):
        label = label.detach().cpu().numpy()
    return label.item() if isinstance(label, (np.ndarray, np.generic)) and np.ndim(label) == 0 else label


def _labels(source: Any, part: Any) -> np.ndarray | None:
    if part is None:
        return None
    features = getattr(source, "features", None)
    if features is not None and part in features:  # the column alone: reading items would decode their images
        return _named([_plain(label) for label in source[part]], features[part])
    return np.asarray([_plain(source[row][part]) for row in range(len(source))])


def _named(labels: list[Any], feature: Any) -> np.ndarray:
    names = getattr(feature, "names", None)
    return np.asarray([names[label] for label in labels] if names else labels)


def _stacked(source: Any, image_part: Any, label_part: Any, name: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Images that are arrays, written one by one into one array of all."""
    whole: np.ndarray | None = None
    labels = []
    with own_randomness():
        for row in range(len(source)):
            item = source[row]
            image = _part(item, image_part)
            array = image.detach().cpu().numpy() if isinstance(image, Tensor) else np.asarray(image)
            if whole is None:
                whole = np.empty((len(source), *array.shape), array.dtype)
            elif array.shape != whole.shape[1:]:
                raise InvalidInputError(
                    f"{name}[{row}] has shape {array.shape}, but {name}[0] has {whole.shape[1:]}; resize them in the data set."
                )
            whole[row] = array
            if label_part is not None:
                labels.append(_plain(item[label_part]))
    assert whole is not None
    return whole, None if label_part is None else _named(labels, None)


def _loaded(source: Any, name: str) -> tuple[Any, Any]:
    images, labels = [], []
    for batch in source:
        image_part, label_part = _parts(source.dataset, batch, name)
        images.append(_as_array(_part(batch, image_part)))
        if label_part is not None:
            labels.append(_as_array(batch[label_part]))
    if not images:
        raise InvalidInputError(f"{name} is a loader without batches; at least one image is needed.")
    return np.concatenate(images), np.concatenate(labels) if labels else None


def _as_array(part: Any) -> np.ndarray:
    return part.detach().cpu().numpy() if isinstance(part, Tensor) else np.asarray(part)


def _columns(source: Mapping[Any, Any], name: str) -> tuple[Any, Any]:
    image_name, label_name = _column_names(list(source), {}, name)
    labels = None if label_name is None else np.asarray([_plain(label) for label in source[label_name]])
    return source[image_name], labels
