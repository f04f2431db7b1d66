"""`ImageGAN`: one estimator for every image recipe."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator

from tabgan._runtime import make_generator, own_torch, resolve_device
from tabgan._warnings import warn_caller
from tabgan.core.data_parallel import process_number
from tabgan.core.interrupts import interruptible
from tabgan.core.precision import check_precision, compute_type
from tabgan.core.run import Run, deadline_after
from tabgan.estimators.fit_tasks import FitTasks, FollowedFits, followed
from tabgan.estimators.notebook import FittedHTML, Learnt
from tabgan.estimators.parameter_checks import SEED, check, integer, number, optional, seed_of
from tabgan.estimators.reports import ReportsImages
from tabgan.exceptions import InvalidInputError, InvalidParameterError, parameter_error
from tabgan.images.class_check import ignored_classes
from tabgan.images.fitting import Setup, make_images, train_recipe
from tabgan.images.gan_state import SavableImageGAN
from tabgan.images.making import Drawing
from tabgan.images.recipes import recipes
from tabgan.images.recipes.allowed_settings import check_settings, check_settings_for_data
from tabgan.images.recipes.given_parameters import PARAMETERS, check_unchanged, with_parameters
from tabgan.images.recipes.recipe import Recipe, TrainingData
from tabgan.images.training_data import Given, Known, read_training_data
from tabgan.images.watching import check_places, checkpoints_of, watchers_of

__all__ = ["ImageGAN"]

_TRAINING = "training"
_RULES = {
    "n_steps": optional(integer(1)),
    "batch_size": optional(integer(2)),
    "d_noise": optional(integer(1)),
    "learning_rate": optional(number(0, open_low=True)),
    "max_time": optional(number(0, open_low=True, infinite=True, note=" (seconds)")),
    "random_state": SEED,
    "n_threads": optional(integer(1)),
    "verbose": integer(0),
    "sample_every": optional(integer(1)),
    "checkpoint_every": optional(integer(1)),
}


_FEW_STEPS = 100


class ImageGAN(FollowedFits, Drawing, SavableImageGAN, FittedHTML, ReportsImages, BaseEstimator):
    """Train an image GAN, draw from it, translate with it.

    Parameters
    ----------
    recipe : str, default="wgan-gp"
        A key of `tabgan.images.recipes`: which networks, losses, penalties and phases.
    n_steps : int, default=None
        Trainer steps; each runs all phases. None takes the recipe's value, here and for the next three.
    batch_size : int, default=None
        Images per batch, drawn with replacement.
    d_noise : int, default=None
        Width of the noise; refused by translators, ``"pixelcnn"`` and ``"rbm"``, whose networks say how many numbers they draw.
    learning_rate : float, default=None
        Of the optimisers.
    settings : dict, default=None
        Further settings of the recipe; ``recipes[name].settings`` lists them.
    value_range : (low, high), default=None
        Values of black and white. None goes by type and values, and refuses what could be read in two ways; see
        `tabgan.images.reading.ReadOptions`, here and for the next four.
    image_shape : (h, w) or (c, h, w), default=None
        For images that come as flat rows; others must have this shape, or are refused.
    size : int or (h, w), default=None
        Scale images until they cover this, and cut out the middle. None takes them as they are, all of one size.
    alpha : str, default="white"
        The colour behind what is transparent in picture files; ``"keep"`` keeps transparency as a further channel. Arrays come as
        they are.
    stream : bool or "auto", default="auto"
        Leave pictures in their files and read them batch by batch; ``"auto"`` does so beyond 1 GiB of pixels. Arrays are in memory
        already, whatever is given.
    random_state : int, RandomState or None, default=None
        An int makes results repeatable on one CPU; global random states are neither read nor moved.
    device : {"auto", "cpu", "cuda", "cuda:N", "mps"}, default="auto"
        Where to train; a fitted model lives on the CPU.
    precision : {"float32", "bfloat16"}, default="float32"
        ``"bfloat16"`` trains in mixed precision on CUDA: networks work in half the bits, weights and what is saved keep all.
    n_threads : int, default=1
        torch's CPU threads meanwhile. None leaves torch's setting.
    max_time : float, default=None
        Seconds after which training stops; None sets no limit.
    verbose : int, default=0
        1 shows a progress bar.
    sample_every : int, default=None
        Write a grid of samples, or of translations, every so many steps.
    sample_folder : path-like, default=None
        Where to; must exist, and needs ``sample_every``. May be left out where ``tensorboard`` shows the grids.
    tensorboard : path-like, default=None
        Folder of a log of losses and grids, for ``tensorboard --logdir``; needs the extra ``tensorboard``.
    log : path-like, default=None
        A ``.csv`` file of the losses by step, written as training goes.
    checkpoint_every : int, default=None
        Write a model file every so many steps: ``tabgan.load(checkpoint)`` and `partial_fit` with its ``n_steps_left_`` go on
        exactly where a killed process stopped.
    checkpoint : path-like, default=None
        The file that ``checkpoint_every`` writes.

    Attributes
    ----------
    recipe_ : Recipe
        What was trained.
    settings_ : dict
        All settings, defaults filled in.
    players_ : dict of str to nn.Module
        The trained networks; averaged ones where the recipe averages.
    classes_ : ndarray
        Class labels, for recipes trained with labels.
    n_iter_ : int
        Steps done.
    history_ : list of dict
        Losses by step.
    warnings_ : list of str
        Signs of trouble: exploding gradients, a discriminator that has won, collapse; images that are not of the class asked for,
        of which `fit` also warns.
    n_steps_left_ : int
        Steps that were asked for and not done: of a checkpoint, or where training ended early.
    stop_reason_ : str or None
        Why training ended early, if it did; ``"interrupted"`` after Ctrl-C, from where `partial_fit` goes on exactly.

    Raises
    ------
    InvalidParameterError, InvalidInputError
        From `fit`, before training: names the parameter or the image.

    Notes
    -----
    `partial_fit` and ``save`` / ``tabgan.load`` go on exactly: on one CPU, with as many threads, 100 steps, a file, and 100 more
    steps give the same weights as 200 steps, provided the data are the same.

    In a process group (``torchrun``, ``torch.distributed.init_process_group``) every process calls `fit` with the same images and an
    int as ``random_state``: each trains on batches of its own, gradients are averaged, and all end with the same weights. One of them
    saves.

    Examples
    --------
    >>> import numpy as np
    >>> from tabgan.images import ImageGAN
    >>> images = np.random.default_rng(0).random((40, 8, 8))
    >>> gan = ImageGAN("non-saturating", n_steps=3, random_state=0).fit(images, y=["a", "b"] * 20)
    >>> gan.sample(4, y=["a", "a", "b", "b"]).shape
    (4, 8, 8)
    """

    def __init__(
        self,
        recipe: str = "wgan-gp",
        *,
        n_steps: int | None = None,
        batch_size: int | None = None,
        d_noise: int | None = None,
        learning_rate: float | None = None,
        settings: Mapping[str, Any] | None = None,
        value_range: tuple[float, float] | None = None,
        image_shape: tuple[int, ...] | None = None,
        size: int | tuple[int, int] | None = None,
        alpha: str = "white",
        stream: bool | str = "auto",
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        precision: str = "float32",
        n_threads: int | None = 1,
        max_time: float | None = None,
        verbose: int = 0,
        sample_every: int | None = None,
        sample_folder: str | os.PathLike[str] | None = None,
        tensorboard: str | os.PathLike[str] | None = None,
        log: str | os.PathLike[str] | None = None,
        checkpoint_every: int | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
    ) -> None:
        self.recipe = recipe
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.d_noise = d_noise
        self.learning_rate = learning_rate
        self.settings = settings
        self.value_range = value_range
        self.image_shape = image_shape
        self.size = size
        self.alpha = alpha
        self.stream = stream
        self.random_state = random_state
        self.device = device
        self.precision = precision
        self.n_threads = n_threads
        self.max_time = max_time
        self.verbose = verbose
        self.sample_every = sample_every
        self.sample_folder = sample_folder
        self.tensorboard = tensorboard
        self.log = log
        self.checkpoint_every = checkpoint_every
        self.checkpoint = checkpoint

    @followed
    @own_torch(None)
    def fit(self, images: Any, y: Any = None, targets: Any = None) -> ImageGAN:
        """Train from fresh weights.

        Parameters
        ----------
        images : ndarray, Tensor, list, Dataset, DataLoader, dict of columns, or path
            Arrays of shape (n, h, w), (n, c, h, w), (n, h, w, c) or (n, pixels); a folder of pictures, or of a folder per class; a
            ``.npy``, ``.npz`` or idx file; a data set of ``(image, label)``. See `tabgan.images.reading.open_images`.
        y : array of shape (n,) or (n, d), path or False, default=None
            Class labels, or condition vectors; a column of text or whole numbers is labels. Or a file of labels: one per line of a
            ``.txt`` or ``.csv``, or a ``.csv`` table of file names and labels. None takes the labels that come with the images, if
            any; False none.
        targets : like ``images``, default=None
            Image to image: what ``images`` are translated to. Row by row, or by the names of files, for pix2pix; another domain for
            CycleGAN.

        Returns
        -------
        ImageGAN
            Itself.
        """
        recipe, asked = self._checked()
        deadline, tasks = deadline_after(self.max_time), self._tasks()
        given = self._read(recipe, {**recipe.settings, **asked}, images, y, targets)
        sizes, conditions = given.sizes, given.conditions
        settings = recipe.defaults(sizes.shape, asked)
        check_settings_for_data(recipe, asked, settings, sizes)
        generator = make_generator(seed_of(self.random_state))
        players = recipe.networks(sizes, SimpleNamespace(**settings), generator)
        settings = settings | {"d_noise": recipe.d_noise(players, SimpleNamespace(**settings))}
        for name in ("players_", "_training_state"):  # a fit that fails must not leave a new recipe with old networks
            self.__dict__.pop(name, None)
        self.recipe_, self.settings_, self._sizes = recipe, settings, sizes
        self._format, self._source_format, self._conditions = given.target, given.source, conditions
        if conditions is not None and conditions.labels is not None:
            self.classes_ = np.asarray(conditions.labels)
        self._draws = make_generator(int(torch.randint(2**62, (), generator=generator)))
        if process_number():  # the same networks, other batches
            generator = make_generator(int(torch.randint(2**62, (), generator=generator)) + process_number())
        run = self._run(generator, given.data.images.device, deadline, tasks)
        tasks.enter(_TRAINING)
        self._train(players, given.data, run, settings["n_steps"])
        tasks.end()
        return self

    @followed
    @own_torch(None)
    def partial_fit(self, images: Any, y: Any = None, targets: Any = None, *, n_steps: int | None = None) -> ImageGAN:
        """Train further, exactly where `fit`, `partial_fit` or a loaded file stopped.

        Parameters
        ----------
        images, y, targets
            As in `fit`; the same data continue exactly, new data of the same kind are learnt from here on.
        n_steps : int, default=None
            Further steps; None takes as many as `fit` would now.

        Returns
        -------
        ImageGAN
            Itself.

        Raises
        ------
        InvalidParameterError
            The recipe or a setting, other than ``n_steps``, is no longer that of `fit`, which training goes on with.
        """
        if not hasattr(self, "_training_state"):
            if n_steps is None:
                return self.fit(images, y, targets)
            raise InvalidParameterError(
                "partial_fit(n_steps=...) goes on from a fit; call fit first, or leave n_steps out."
            )
        recipe, asked = self._checked()
        check_unchanged((recipe, asked), (self.recipe_, self.settings_))
        deadline, (holds, words) = deadline_after(self.max_time), _RULES["n_steps"]
        if not holds(n_steps):
            raise parameter_error("n_steps", n_steps, words)
        tasks = self._tasks()
        known = Known(self._source_format, self._format, self._conditions)
        given = self._read(self.recipe_, self.settings_, images, y, targets, known)
        if (given.sizes.shape, given.sizes.source) != (self._sizes.shape, self._sizes.source):
            raise InvalidInputError(f"images have shape {given.target.shape}, but training had {self._format.shape}.")
        generator = make_generator(0)  # replaced by the saved one
        players = self.recipe_.networks(self._sizes, SimpleNamespace(**self.settings_), generator)
        run = self._run(generator, given.data.images.device, deadline, tasks)
        tasks.enter(_TRAINING)
        self._train(
            players, given.data, run, n_steps or asked.get("n_steps", self.settings_["n_steps"]), self._training_state
        )
        tasks.end()
        return self

    def _run(self, generator: torch.Generator, device: torch.device, deadline: float | None, tasks: FitTasks) -> Run:
        kind = compute_type(self.precision)
        return Run(generator, device, deadline, bool(self.verbose), follower=tasks.follower, compute_type=kind)

    def _tasks(self) -> FitTasks:
        """A fit for callbacks to follow, which begins with reading."""
        tasks = FitTasks(self, 2)
        tasks.enter("reading the images")
        return tasks

    def __sklearn_is_fitted__(self) -> bool:
        """Whether training has ended well."""
        return hasattr(self, "players_")

    def _learnt(self) -> Learnt | None:
        if not hasattr(self, "players_"):
            return None
        facts = [
            ("recipe", self.recipe_.name),
            ("images", " x ".join(map(str, self._format.shape))),
            ("steps", f"{self.n_iter_:,}"),
            ("stopped because", self.stop_reason_ or "all steps were done"),
        ]
        return facts, [], "; ".join(self.warnings_)

    def _checked(self) -> tuple[Recipe, dict[str, Any]]:
        check(self, _RULES)
        if not isinstance(self.recipe, str) or self.recipe not in recipes:
            raise parameter_error("recipe", self.recipe, "one of " + ", ".join(map(repr, recipes)))
        check_precision(self.precision, resolve_device(self.device))
        check_places(self)
        self._read_options().check()
        recipe = recipes[self.recipe]
        if self.settings is not None and not isinstance(self.settings, Mapping):
            raise parameter_error("settings", self.settings, "None or a dict")
        check_settings(recipe, self.settings or {})
        return recipe, with_parameters(recipe, self.settings or {}, {name: getattr(self, name) for name in PARAMETERS})

    def _read(
        self,
        recipe: Recipe,
        settings: dict[str, Any],
        images: Any,
        y: Any,
        targets: Any,
        known: Known | None = None,
    ) -> Given:
        device = resolve_device(self.device)
        options = self._read_options()
        return read_training_data(recipe, settings, images, y, targets, options=options, device=device, known=known)

    def _train(
        self,
        players: dict[str, Any],
        data: TrainingData,
        run: Run,
        n_steps: int,
        saved: dict[str, Any] | None = None,
    ) -> None:
        setup = Setup(self.recipe_, self.settings_, data, self._conditions)
        last = n_steps + (0 if saved is None else saved["step_count"])
        with interruptible("ImageGAN training"):
            trained = train_recipe(
                setup,
                players,
                run,
                n_steps,
                n_threads=self.n_threads,
                saved=saved,
                passing=lambda kept: watchers_of(self, kept, data),
                checkpoints=checkpoints_of(self, last),
            )
        self.players_, self._training_state = trained.players, trained.state
        self.n_iter_, self.stop_reason_ = trained.n_steps, trained.stop_reason
        self.n_steps_left_ = last - trained.n_steps
        self.history_, self.warnings_ = trained.history, trained.warnings
        self._check_classes(data)

    def _check_classes(self, data: TrainingData) -> None:
        """Warn where images are not of the classes asked for; of an untrained model nobody expects it."""
        known = self._conditions
        if known is None or known.labels is None or data.classes is None or self.n_iter_ < _FEW_STEPS:
            return
        generator = make_generator(0)

        def make(classes: torch.Tensor) -> torch.Tensor:
            noise = torch.randn(len(classes), self.settings_["d_noise"], generator=generator)
            return make_images(self.recipe_, self.players_, noise, known.table[classes])

        found = ignored_classes(data.images, data.classes, make)
        if found is not None:
            self.warnings_ = [*self.warnings_, f"step {self.n_iter_}: {found}"]
            warn_caller(f"recipe {self.recipe_.name!r}: {found}")
