"""`BAGANOversampler`: rows of rare classes by a balancing GAN for tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from tabgan.estimators.parameter_checks import SEED, Rule, integer, number, one_of, optional
from tabgan.metrics.classification import EXPECTED_COST
from tabgan.sampling.adversarial import SamplerSettings
from tabgan.sampling.base import TabularSampler
from tabgan.sampling.gate import GATES
from tabgan.sampling.seeds import SEED_KINDS

__all__ = ["BAGANOversampler"]

_STARTS = (*SEED_KINDS, "autoencoder")


class BAGANOversampler(TabularSampler):
    """Oversample rare classes of mixed tables by draws at their real rows, which a balancing GAN corrects where that pays.

    What makes the rows depends on how many the class has. From 1,000 on, a row starts as a real row of the class, and each of its
    cells is drawn again, given the others, by trees whose leaves hold cells of real rows; no GAN is trained for these classes, for its
    rows are easier to tell from real ones, before and after such draws. In smaller classes a row is drawn near a real row, and the
    GAN corrects that draw where this brings rows nearer to real rows that training never saw, which is rare. Where all columns hold
    labels, labels of a real row are drawn again, without a GAN. `methods_` says which it was.

    A BAGAN draws each class from its own latent distribution, starts both players from something that already knows the data,
    and trains them with one head that names a class or "fake", with as many fakes of each class. The default keeps that and
    replaces the start: the latent distribution of a class is a mixture of kernels around its rows and of the segments between
    neighbours (a strong sampler by itself), and the generator is a correction to such a draw that begins at zero.
    `BAGANOversampler.paper` starts from an autoencoder and Gaussians over its codes, as published.

    The first nine parameters, to ``verbose``, are all that most tables need. The others follow by what they are for.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        As in imbalanced-learn: which classes grow, and to what size; ``"auto"`` lifts all to the largest.
    gate : {None, "average_precision", "roc_auc", "f1", "g_mean", "balanced_accuracy", "expected_cost"}, default=None
        None makes exactly the rows asked for. A measure's name: a cross-validation inside `fit`, with four quick classifiers,
        says how many of them are worth making for that measure: all, half, a quarter, a tenth or, in doubt, none. Class counts then
        need not be what ``sampling_strategy`` asks for; ``gate_`` and ``report_`` say what was chosen and why, and where it is none,
        a `NoSyntheticRowsWarning` says so. ``"expected_cost"`` guards what the decisions of least cost cost, and needs ``costs``.
    costs : dict, DataFrame, array-like of shape (n_classes, n_classes) or None, default=None
        What predictions cost, by (true class, predicted class), for ``gate="expected_cost"``; see
        `tabgan.estimators.costs.read_costs`.
    missing_values : scalar or list of scalars, default=np.nan
        Further markers of a missing cell; the containers' own markers always count.
    categorical_features : None, list of names or positions, or boolean mask, default=None
        Columns to treat as categorical whatever they hold; None lets the column's type decide.
    column_kinds : dict, default=None
        Kinds by name or position, as in `GAINImputer`; and ``"identifier"`` for what names rows: left out of distances and training,
        and new in synthetic rows where it is a number or ends in one, else the parent's. Columns of text or whole numbers in which
        nearly every cell differs are taken for such, with an `IdentifierWarning`.
    max_time : float, default=None
        Seconds that `fit_resample` may take, give or take one: training stops with what it has, the gate decides by what it has
        compared, and rows are no longer drawn in. Reading the table and writing rows cannot be left out; a warning says where
        they alone took longer.
    random_state : int, RandomState or None, default=None
        An int makes results repeatable on one CPU; global random states are neither read nor moved.
    verbose : int, default=0
        1 shows a progress bar of training; 0 shows nothing.
    start : {"mixture", "kernel", "segments", "copies", "autoencoder"}, default="mixture"
        Where synthetic rows start: half kernel draws and half points on segments, only the one or the other, real rows as they are,
        or the decoder of an autoencoder. Of the closed-form starts that is for classes below 1,000 rows; see ``redraws``. A table of
        labels only has no kernels: there ``"mixture"`` and ``"kernel"`` draw half of a real row's labels again, each given all
        others, whatever the size of the class, and nothing is trained.
    focus : float in [0, 1], default=0.9
        How much synthetic rows keep to the heart of their class. 0: they start from each of its rows equally often. 1: as often as the
        row's ten nearest rows are of its class, so that rows among other classes lend nothing. Above 0, a row that lands nearer
        to another class's row than to any of its own is drawn in towards its parent. Little focus gives a wide region, many
        finds and many false alarms; much focus fewer of both. Where trees draw all cells again, it only chooses the
        rows to start from.
    redraws : int, default=2
        In classes of 1,000 rows or more, how often every cell of a synthetic row is drawn again, given the rest of the row, by trees
        whose leaves hold cells of real rows. More leave less of the real row that each began as, and make rows a little easier to
        tell from real ones; 0 makes rows of these classes as those of smaller ones are made.
    n_steps : int, default=300
        At most this many training steps; 0 leaves the start as it is.
    patience : int, default=2
        Stop after this many scorings on held-out rows, 50 steps apart, without an improvement, and keep the best weights. 0
        holds nothing out and keeps the last weights.
    batch_size : int, default=128
        Real rows per training step, and as many synthetic rows.
    learning_rate : float, default=0.001
        Learning rate of Adam, which trains both players.
    d_noise : int, default=16
        Width of the free noise, or of the autoencoder's code.
    width : int, default=128
        Units in each layer of both networks.
    n_blocks : int, default=2
        Residual blocks (two layers each) of both networks.
    adversarial_weight : float, default=0.1
        Weight of the discriminator's K + 1 classes in the generator's loss, beside the energy score.
    energy_weight : float, default=1.0
        Weight of the energy score of two synthetic rows against a real row near their parent.
    autoencoder_steps : int, default=1000
        Steps that the autoencoder is trained for, with ``start="autoencoder"``.
    max_categories : int, default=32
        Levels of a column with a slot of their own; rarer ones share one.
    device : {"auto", "cpu", "cuda", "cuda:N", "mps"}, default="auto"
        Where to train; a fitted sampler lives on the CPU.
    n_threads : int, default=1
        torch's CPU threads meanwhile; None leaves torch's setting.

    Attributes
    ----------
    sampling_strategy_ : dict
        Rows to make per class.
    report_ : SamplingReport
        After `fit_resample`: per class how rows were made, whether they look like their class, whether they copy; print it.
    methods_ : dict
        How rows of each class are made: a class of one row is smoothed with the other classes' covariance, small ones start
        as the others do, only classes of ten rows or more are corrected by the network, and those of 1,000 or more drawn again.
    synthetic_mask_ : ndarray of bool
        After `fit_resample`: True for synthetic rows.
    parents_ : ndarray of int
        The row of ``X`` that each synthetic row started from.
    gate_ : GateDecision or None
        What ``gate`` chose: ``share`` of the rows asked for, ``reason`` and ``table``.
    classes_ : ndarray
        The labels.
    schema_ : TableSchema
        Kind, levels, range and decimals of each column.
    history_ : list of dict
        Losses and held-out scores by step.
    n_iter_ : int
        Training steps done.
    stop_reason_ : str or None
        Why training ended early; ``"interrupted"`` after Ctrl-C, which keeps the best weights so far.

    See Also
    --------
    CGANSampler : With any conditioning, and further columns as conditions.
    tabgan.should_rebalance : Whether to rebalance at all.

    Notes
    -----
    Gaps are accepted and stay where the parent row has them. Numbers keep their column's decimals and range, categories
    their levels. Pairwise rules that hold in every row (``x <= y``, one column decided by another, a line) hold in every synthetic
    row. A row that comes out as the copy of a real one, of which there is only that one, is drawn again.

    References
    ----------
    .. [1] G. Mariani et al., "BAGAN: Data Augmentation with Balancing GAN", 2018.
    .. [2] B. W. Silverman, "Density Estimation for Statistics and Data Analysis", 1986, section 6.4.
    .. [3] N. V. Chawla et al., "SMOTE: Synthetic Minority Over-sampling Technique", JAIR 2002.
    .. [4] J. P. Reiter, "Using CART to generate partially synthetic public use microdata", J. Official Statistics 2005.

    Examples
    --------
    >>> from collections import Counter
    >>> import pandas as pd
    >>> from tabgan import BAGANOversampler
    >>> X = pd.DataFrame({"size": range(60), "colour": ["red", "blue", None] * 20})
    >>> y = ["rare"] * 12 + ["common"] * 48
    >>> X_more, y_more = BAGANOversampler(n_steps=20, random_state=0).fit_resample(X, y)
    >>> sorted(Counter(y_more).items()), X_more.iloc[:60].equals(X)
    ([('common', 48), ('rare', 48)], True)
    """

    _RULES: Mapping[str, Rule] = {
        "start": one_of(*_STARTS),
        "focus": number(0, 1),
        "n_steps": integer(0),
        "autoencoder_steps": integer(1),
        "batch_size": integer(1),
        "learning_rate": number(0, open_low=True),
        "d_noise": integer(1),
        "width": integer(1),
        "n_blocks": integer(1),
        "adversarial_weight": number(0),
        "energy_weight": number(0),
        "patience": integer(0),
        "redraws": integer(0),
        "gate": optional(one_of(*GATES, EXPECTED_COST)),
        "max_categories": integer(1),
        "max_time": optional(number(0, open_low=True, infinite=True, note=" (seconds)")),
        "random_state": SEED,
        "n_threads": optional(integer(1)),
        "verbose": integer(0),
    }

    def __init__(
        self,
        *,
        sampling_strategy: Any = "auto",
        gate: Literal["average_precision", "roc_auc", "f1", "g_mean", "balanced_accuracy", "expected_cost"]
        | None = None,
        costs: Any = None,
        missing_values: Any = np.nan,
        categorical_features: Sequence[Any] | None = None,
        column_kinds: Mapping[Any, str] | None = None,
        max_time: float | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        start: Literal["mixture", "kernel", "segments", "copies", "autoencoder"] = "mixture",
        focus: float = 0.9,
        redraws: int = 2,
        n_steps: int = 300,
        patience: int = 2,
        batch_size: int = 128,
        learning_rate: float = 1e-3,
        d_noise: int = 16,
        width: int = 128,
        n_blocks: int = 2,
        adversarial_weight: float = 0.1,
        energy_weight: float = 1.0,
        autoencoder_steps: int = 1000,
        max_categories: int = 32,
        device: str = "auto",
        n_threads: int | None = 1,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.gate = gate
        self.costs = costs
        self.missing_values = missing_values
        self.categorical_features = categorical_features
        self.column_kinds = column_kinds
        self.max_time = max_time
        self.random_state = random_state
        self.verbose = verbose
        self.start = start
        self.focus = focus
        self.redraws = redraws
        self.n_steps = n_steps
        self.patience = patience
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.d_noise = d_noise
        self.width = width
        self.n_blocks = n_blocks
        self.adversarial_weight = adversarial_weight
        self.energy_weight = energy_weight
        self.autoencoder_steps = autoencoder_steps
        self.max_categories = max_categories
        self.device = device
        self.n_threads = n_threads

    @classmethod
    def paper(cls, **parameters: Any) -> BAGANOversampler:
        """BAGAN as published, for tables.

        Autoencoder of all classes with squared error; the decoder becomes the generator, the encoder the discriminator's trunk;
        Gaussians over each class's codes; K + 1 classes with uniform fakes; Adam at 5e-5 with beta_1 0.5, code width 100, batch
        128, 5,000 steps of each stage, last weights kept, nothing held out.

        Parameters
        ----------
        **parameters
            Any parameter of `BAGANOversampler`, taking precedence.

        Notes
        -----
        Departures: dense layers instead of convolutions; the covariance of a class with fewer rows than code dimensions is
        shrunk towards the pooled one (it is singular otherwise); the autoencoder learns at 1e-3.
        """
        published: dict[str, Any] = {
            "start": "autoencoder",
            "focus": 0.0,
            "n_steps": 5000,
            "autoencoder_steps": 5000,
            "learning_rate": 5e-5,
            "d_noise": 100,
            "adversarial_weight": 1.0,
            "energy_weight": 0.0,
            "patience": 0,
            "redraws": 0,
        }
        return cls(**(published | parameters))

    def _settings(self) -> SamplerSettings:
        return SamplerSettings(
            start=self.start,
            focus=float(self.focus),
            loss="fake-class",
            conditioning="fake-class",
            n_steps=self.n_steps,
            autoencoder_steps=self.autoencoder_steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            betas=(0.5, 0.999),
            n_critic=1,
            d_noise=self.d_noise,
            width=self.width,
            n_blocks=self.n_blocks,
            adversarial_weight=self.adversarial_weight,
            energy_weight=0.0 if self.start == "autoencoder" else self.energy_weight,
            gradient_penalty=0.0,
            wrong_weight=0.0,
            fake_classes="balanced",
            real_classes="data" if self.start == "autoencoder" else "balanced",
            average_weights=self.patience > 0,
            patience=self.patience,
            redraws=self.redraws,
        )
