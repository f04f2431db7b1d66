"""`BAGANImageOversampler`: images of rare classes, as a step of imbalanced-learn's pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from imblearn.base import SamplerMixin
from imblearn.utils import check_sampling_strategy, check_target_type
from sklearn.base import BaseEstimator
from torch import Tensor

from tabgan.estimators.fit_tasks import FollowedFits
from tabgan.exceptions import InvalidInputError, InvalidParameterError, parameter_error
from tabgan.images.gan import ImageGAN

__all__ = ["BAGANImageOversampler", "n_to_make"]

_MOST_MADE = 2**31
"""Images of a class; more fit no machine."""


class BAGANImageOversampler(FollowedFits, SamplerMixin, BaseEstimator):
    """Oversample rare classes of images with a balancing GAN.

    **Try small affine changes of the rare class's images first, then SMOTE on flat rows or plain copies**, which train nothing. With
    14 to 16 images of a class of MNIST left, turning, scaling and moving them a little raised its recall from .26 to .73 (mean of
    three classifiers), SMOTE to .44, copies to .42, and this to .27. Small classes are hard to learn for a GAN, which mostly
    repeats what it was shown. The documentation of images has the code and the figures.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        As in imbalanced-learn: which classes grow, and to what size; ``"auto"`` lifts all to the largest.
    recipe : str, default="bagan"
        A key of `tabgan.images.recipes` that takes labels.
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
        1 shows a progress bar.

    Attributes
    ----------
    sampling_strategy_ : dict
        Images to make per class.
    gan_ : ImageGAN
        The fitted model, which draws more and can be saved.
    classes_ : ndarray
        The labels.
    synthetic_mask_ : ndarray of bool
        After `fit_resample`: True for generated images.

    See Also
    --------
    tabgan.BAGANOversampler : For tables.
    tabgan.images.ImageGAN : Draws and translates images; its ``transform`` is what keeps it out of pipelines.

    References
    ----------
    .. [1] G. Mariani et al., "BAGAN: Data Augmentation with Balancing GAN", 2018.

    Examples
    --------
    >>> from tabgan.images import BAGANImageOversampler
    >>> images = np.random.default_rng(0).random((40, 8, 8))
    >>> sampler = BAGANImageOversampler(n_steps=4, random_state=0)
    >>> X, y = sampler.fit_resample(images, ["common"] * 30 + ["rare"] * 10)
    >>> X.shape, list(y).count("rare")
    ((60, 8, 8), 30)
    """

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        recipe: str = "bagan",
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
        """Train on images and their classes.

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
        labels = _labels_of(y)
        self.sampling_strategy_ = n_to_make(self.sampling_strategy, labels)
        given = {name: value for name, value in self.get_params(deep=False).items() if name != "sampling_strategy"}
        gan = ImageGAN(**given)
        if callbacks := getattr(self, "_skl_callbacks", None):
            gan.set_callbacks(*callbacks)  # the GAN's training is the fit that they follow
        self.gan_ = gan.fit(np.asarray(X) if isinstance(X, pd.DataFrame) else X, labels)
        self.classes_ = self.gan_.classes_
        return self

    def fit_resample(self, X: Any, y: Any, **params: Any) -> tuple[Any, Any]:
        """Train, and add generated images of the rare classes.

        Parameters
        ----------
        X, y, **params
            See `fit`.

        Returns
        -------
        X : ndarray, Tensor or DataFrame
            The given images, then the generated ones, in the container, layout, range and dtype of ``X``.
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
        return _joined(X, self.gan_.sample(y=more)), _joined(y, more)

    def __sklearn_is_fitted__(self) -> bool:
        """Whether training has ended well."""
        return hasattr(self, "gan_")

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
        There is one class only.
    """
    values = np.unique(labels)
    if len(values) < 2:
        raise InvalidInputError(f"y has the single class {values.tolist()[0]!r}; there is nothing to balance.")
    try:
        wanted = check_sampling_strategy(strategy, labels, "over-sampling")
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise InvalidParameterError(f"sampling_strategy={str(strategy)[:100]}: {error}") from error
    if wanted is None or not all(isinstance(n, (int, np.integer)) and n < _MOST_MADE for n in wanted.values()):
        raise parameter_error(
            "sampling_strategy", strategy, f"what imbalanced-learn takes, with whole numbers below {_MOST_MADE:,}"
        )
    return {label.item() if isinstance(label, np.generic) else label: int(n) for label, n in wanted.items() if n}


def _labels_of(y: Any) -> np.ndarray:
    labels = y.detach().cpu().numpy() if isinstance(y, Tensor) else np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise InvalidInputError(f"y has shape {labels.shape}; one class label per image is needed.")
    return np.asarray(check_target_type(labels))


def _joined(given: Any, made: Any) -> Any:
    """What was given, then what was made, in the container of what was given."""
    if isinstance(given, Tensor):
        return torch.cat([given, torch.as_tensor(made).to(given)])
    if isinstance(given, pd.DataFrame):
        new = pd.DataFrame(np.asarray(made).reshape(len(made), -1), columns=given.columns)
        return pd.concat([given, new.astype(given.dtypes.to_dict())], ignore_index=True)
    if isinstance(given, pd.Series):
        return pd.concat([given, pd.Series(made, name=given.name).astype(given.dtype)], ignore_index=True)
    if isinstance(given, list):
        return [*given, *(made.tolist() if np.ndim(made) == 1 else list(made))]
    return np.concatenate([np.asarray(given), made])
