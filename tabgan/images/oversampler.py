"""`BAGANImageOversampler`: images of rare classes, as a step of imbalanced-learn's pipelines."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import torch
from imblearn.base import SamplerMixin
from imblearn.utils import check_target_type
from sklearn.base import BaseEstimator
from torch import Tensor

from tabgan._runtime import make_generator, own_torch, resolve_device
from tabgan._warnings import warn_caller
from tabgan.estimators.classes import plain_label, wanted_counts, warn_of_other_order
from tabgan.estimators.fit_tasks import FitTasks, FollowedFits, followed
from tabgan.estimators.parameter_checks import SEED, check, integer, optional, seed_of
from tabgan.exceptions import InvalidInputError, InvalidParameterError, SmallClassesWarning, parameter_error
from tabgan.images.conditions import as_labels
from tabgan.images.gan import ImageGAN
from tabgan.images.reading import ReadOptions, open_images
from tabgan.images.recipes import recipes
from tabgan.images.warping import Warp, WarpedImages, warped

__all__ = ["BAGANImageOversampler", "check_recipe", "n_to_make", "small_classes"]

_MOST_MADE = 2**31
"""Images of a class; more fit no machine."""
_FEW = 50
"""Images of a class from which no GAN was seen to learn more than copies tell."""
_OF_TRAINING = ("n_steps", "batch_size", "d_noise", "learning_rate", "settings", "max_time")
"""Parameters that mean something with a recipe only."""


class BAGANImageOversampler(FollowedFits, SamplerMixin, BaseEstimator):
    """Oversample rare classes of images: with copies changed at random, or with a balancing GAN.

    By default **nothing is trained**. Images of a rare class are its own ones, each turned, slanted, scaled, moved and bent a little.
    With 14 to 16 images of a class of MNIST left, this raised its recall from .25 to .69, the mean of three classifiers.
    Small classes are hard to learn for a GAN, which mostly repeats what it was shown; ``recipe="bagan"`` trains one. The
    documentation of images has the figures.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        As in imbalanced-learn: which classes grow, and to what size; ``"auto"`` lifts all to the largest.
    recipe : str, default=None
        A key of `tabgan.images.recipes` that takes labels, such as ``"bagan"``, for generated images. None takes the class's own.
    warp : bool or dict, default=None
        Whether images are changed at random before they are handed out. None changes a class's own images, and leaves generated ones
        as they are. A dict sets some of the strengths of `tabgan.images.Warp`: ``{"flip": True}`` for things that have no left and
        right, ``{"turn": 0}`` where upright matters. False without a recipe hands out plain copies.
    n_steps : int, default=None
        Trainer steps. None takes the recipe's value, here and for the next three.
    batch_size : int, default=None
        Images per batch.
    d_noise : int, default=None
        Width of the noise.
    learning_rate : float, default=None
        Of the optimisers.
    settings : dict, default=None
        Further settings of the recipe.
    value_range : (low, high), default=None
        Values of black and white; see `tabgan.images.reading.ReadOptions`.
    image_shape : (h, w) or (c, h, w), default=None
        For flat rows; None takes them for square grey images.
    random_state : int, RandomState or None, default=None
        An int makes results repeatable on one CPU.
    device : {"auto", "cpu", "cuda", "cuda:N", "mps"}, default="auto"
        Where to train.
    n_threads : int, default=1
        torch's CPU threads meanwhile. None leaves torch's setting.
    max_time : float, default=None
        Seconds after which training stops; None sets no limit.
    verbose : int, default=0
        1 shows a progress bar of training.

    Attributes
    ----------
    sampling_strategy_ : dict
        Images to make per class.
    source_ : WarpedImages or ImageGAN
        What images are drawn from: ``source_.sample(y=labels)`` draws more. A fitted GAN can be saved.
    classes_ : ndarray
        The labels.
    synthetic_mask_ : ndarray of bool
        After `fit_resample`: True for images that were added.

    Raises
    ------
    InvalidParameterError
        A parameter is out of its range, or one of training is given without a recipe.

    See Also
    --------
    tabgan.BAGANOversampler : For tables.
    tabgan.images.ImageGAN : Draws and translates images; its ``transform`` is what keeps it out of pipelines.

    References
    ----------
    .. [1] G. Mariani et al., "BAGAN: Data Augmentation with Balancing GAN", 2018.
    .. [2] P. Simard et al., "Best Practices for Convolutional Neural Networks Applied to Visual Document Analysis", 2003, section 2.

    Examples
    --------
    >>> from tabgan.images import BAGANImageOversampler
    >>> images = np.random.default_rng(0).random((40, 8, 8))
    >>> sampler = BAGANImageOversampler(random_state=0)
    >>> X, y = sampler.fit_resample(images, ["common"] * 30 + ["rare"] * 10)
    >>> X.shape, list(y).count("rare")
    ((60, 8, 8), 30)
    """

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        recipe: str | None = None,
        warp: bool | Mapping[str, Any] | None = None,
        n_steps: int | None = None,
        batch_size: int | None = None,
        d_noise: int | None = None,
        learning_rate: float | None = None,
        settings: Mapping[str, Any] | None = None,
        value_range: tuple[float, float] | None = None,
        image_shape: tuple[int, ...] | None = None,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        n_threads: int | None = 1,
        max_time: float | None = None,
        verbose: int = 0,
    ) -> None:
        self.sampling_strategy = sampling_strategy
        self.recipe = recipe
        self.warp = warp
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.d_noise = d_noise
        self.learning_rate = learning_rate
        self.settings = settings
        self.value_range = value_range
        self.image_shape = image_shape
        self.random_state = random_state
        self.device = device
        self.n_threads = n_threads
        self.max_time = max_time
        self.verbose = verbose

    def fit(self, X: Any, y: Any, **params: Any) -> BAGANImageOversampler:
        """Read images and their classes, and train if there is a recipe.

        Parameters
        ----------
        X : ndarray, Tensor or DataFrame of shape (n, h, w), (n, h, w, c), (n, c, h, w) or (n, pixels)
            Images.
        y : array-like of shape (n,)
            Their classes.
        **params
            None is known.

        Returns
        -------
        BAGANImageOversampler
            Itself.
        """
        if params:
            raise TypeError(f"fit() got an unexpected keyword argument {next(iter(params))!r}")
        warp, labels = self._checked(), _labels_of(y)
        self.__dict__.pop("source_", None)  # a fit that fails must not leave an old model with new counts
        self.sampling_strategy_ = n_to_make(self.sampling_strategy, labels)
        warn_of_other_order(X, y)
        images = _values_of(X)
        self.source_ = self._own_images(images, labels, warp) if self.recipe is None else self._trained(images, labels)
        self.classes_ = self.source_.classes_
        return self

    def fit_resample(self, X: Any, y: Any, **params: Any) -> tuple[Any, Any]:
        """Fit, and add images of the rare classes.

        Parameters
        ----------
        X, y, **params
            See `fit`.

        Returns
        -------
        X : ndarray, Tensor or DataFrame
            The given images, then those that were added, in the container, layout, range and dtype of ``X``.
        y : ndarray, list, Tensor or Series
            Their classes, in the container of ``y``.
        """
        self.fit(X, y, **params)
        labels = _labels_of(y)
        more = np.concatenate([np.repeat(label, n) for label, n in self.sampling_strategy_.items()] or [labels[:0]])
        more = more.astype(labels.dtype)
        self.synthetic_mask_ = np.arange(len(labels) + len(more)) >= len(labels)
        if not len(more):
            return X, y
        with own_torch(self.n_threads):
            made = self.source_.sample(y=more)
            if isinstance(self.source_, ImageGAN) and (warp := Warp.parsed(self.warp)) is not None:
                made = warped(made, self.source_._format, warp, self._draws())
        return _joined(X, made), _joined(y, more)

    def __sklearn_is_fitted__(self) -> bool:
        """Whether fitting has ended well."""
        return hasattr(self, "source_")

    def _checked(self) -> Warp | None:
        """The changes of a class's own images, when parameters make sense together."""
        check(self, {"random_state": SEED, "n_threads": optional(integer(1)), "verbose": integer(0)})
        warp = Warp.parsed(self.recipe is None if self.warp is None else self.warp)
        if self.recipe is not None:
            check_recipe(self.recipe)
        resolve_device(self.device)
        given = [name for name in _OF_TRAINING if getattr(self, name) is not None]
        if self.recipe is None and given:
            raise InvalidParameterError(
                f"{given[0]}={getattr(self, given[0])!r} is about training, but recipe=None trains nothing; give recipe='bagan' for a "
                f"GAN, or leave {given[0]} out."
            )
        return warp

    def _draws(self) -> torch.Generator:
        return make_generator(seed_of(self.random_state))

    def _trained(self, images: Any, labels: np.ndarray) -> ImageGAN:
        if (advice := small_classes(labels, self.sampling_strategy_)) is not None:
            warn_caller(advice, SmallClassesWarning)
        own = ("sampling_strategy", "warp")
        gan = ImageGAN(**{name: value for name, value in self.get_params(deep=False).items() if name not in own})
        if callbacks := getattr(self, "_skl_callbacks", None):
            gan.set_callbacks(*callbacks)  # the GAN's training is the fit that they follow
        return gan.fit(images, labels)

    @followed
    def _own_images(self, images: Any, labels: np.ndarray, warp: Warp | None) -> WarpedImages:
        tasks = FitTasks(self, 1)
        tasks.enter("reading the images")
        with own_torch(self.n_threads):
            opened = open_images(images, ReadOptions(self.value_range, self.image_shape), name="X")
            source = WarpedImages(opened, labels, warp, self._draws())
        tasks.end()
        return source

    def _fit_resample(self, X: Any, y: Any, **params: Any) -> tuple[Any, Any]:
        return self.fit_resample(X, y, **params)


def n_to_make(strategy: Any, labels: np.ndarray) -> dict[Any, int]:
    """How many images each class lacks.

    Parameters
    ----------
    strategy : float, str, dict or callable
        As in imbalanced-learn.
    labels : ndarray of shape (n,)
        The classes.

    Raises
    ------
    InvalidParameterError
        The strategy is unknown, or asks for fewer images than there are, or for other classes.
    InvalidInputError
        There is no class, or one only.
    """
    values = np.unique(labels)
    if not len(values):
        raise InvalidInputError("y is empty; give images of two classes or more, and their labels.")
    if len(values) < 2:
        raise InvalidInputError(f"y has the single class {values.tolist()[0]!r}; there is nothing to balance.")
    wanted = wanted_counts(strategy, labels, "images")
    if not all(n < _MOST_MADE for n in wanted.values()):
        raise parameter_error(
            "sampling_strategy", strategy, f"what imbalanced-learn takes, with numbers below {_MOST_MADE:,}"
        )
    return {plain_label(label): int(n) for label, n in wanted.items() if n}


def check_recipe(name: Any) -> None:
    """Refuse a recipe that cannot draw images of a class, before one is trained in vain.

    Parameters
    ----------
    name : str

    Raises
    ------
    InvalidParameterError
        There is no such recipe, or it takes no labels; names those that do.
    """
    known = [one.name for one in recipes.values() if one.takes_labels and one.needs in ("images", "labels")]
    if not isinstance(name, str) or name not in known:
        raise parameter_error("recipe", name, f"None, or one that takes labels: {', '.join(map(repr, known))}")


def small_classes(labels: np.ndarray, growing: Mapping[Any, int]) -> str | None:
    """A warning of classes that a GAN is to enlarge and has too few images of; None where there is no such class.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        The classes.
    growing : dict
        Images to make per class, as `n_to_make` gives them.
    """
    counts = {label: int((labels == label).sum()) for label in growing}
    small = [f"{label!r} ({n:,})" for label, n in counts.items() if n < _FEW]
    if not small:
        return None
    named = ", ".join(small[:5]) + (f" and {len(small) - 5} more" if len(small) > 5 else "")
    return (
        f"a GAN is to enlarge classes of fewer than {_FEW} images: {named}. From so few it mostly repeats what it was shown; changed "
        "images of the class itself, which need no recipe, helped classifiers more."
    )


def _values_of(X: Any) -> Any:
    """Images as arrays: rows can be added to these alone."""
    if isinstance(X, (str, os.PathLike, Mapping)):
        raise InvalidInputError(
            "X is no array; read the images first, or balance a folder of them with `tabgan images balance`."
        )
    if not isinstance(X, pd.DataFrame):
        return X
    plain = [
        getattr(dtype, "numpy_dtype", dtype) for dtype in X.dtypes
    ]  # of Float64 and the like, which know missing cells
    if X.isna().any(axis=None) or any(dtype.kind not in "uifb" for dtype in plain):
        return np.asarray(X)
    return X.to_numpy(np.result_type(*plain))


def _labels_of(y: Any) -> np.ndarray:
    labels = as_labels(y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise InvalidInputError(f"y has shape {labels.shape}; one class label per image is needed.")
    return np.asarray(check_target_type(labels))


def _joined(given: Any, made: Any) -> Any:
    """What was given, then what was made, in the container of what was given."""
    if isinstance(given, Tensor):
        return torch.cat([given, torch.as_tensor(made).to(given).reshape(-1, *given.shape[1:])])
    if isinstance(given, pd.DataFrame):
        new = pd.DataFrame(np.asarray(made).reshape(len(made), -1), columns=given.columns)
        return pd.concat([given, new.astype(given.dtypes.to_dict())], ignore_index=True)
    if isinstance(given, pd.Series):
        return pd.concat([given, pd.Series(made, name=given.name).astype(given.dtype)], ignore_index=True)
    frame = nw.from_native(given, eager_only=True, allow_series=True, pass_through=True)
    if isinstance(frame, nw.DataFrame):
        columns = np.asarray(made).reshape(len(made), -1).T
        new = nw.from_dict(dict(zip(frame.columns, columns, strict=True)), backend=frame.implementation)
        return nw.concat(
            [frame, new.select(nw.col(name).cast(kind) for name, kind in frame.schema.items())]
        ).to_native()
    if isinstance(frame, nw.Series):
        new = nw.new_series(frame.name, list(made), frame.dtype, backend=frame.implementation)
        return nw.concat([frame.to_frame(), new.to_frame()])[frame.name].to_native()
    if isinstance(given, list):
        return [*given, *(made.tolist() if np.ndim(made) == 1 else list(made))]
    given = np.asarray(given)
    return np.concatenate([given, np.asarray(made).reshape(-1, *given.shape[1:])])  # labels may be a column
