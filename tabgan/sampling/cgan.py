"""`CGANSampler`: rows of any class, and under further conditions, by a conditional GAN for tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from tabgan.core.losses import ADVERSARIAL_LOSSES
from tabgan.estimators.parameter_checks import SEED, Rule, integer, key_of, number, one_of, optional, pair_of
from tabgan.metrics.classification import EXPECTED_COST
from tabgan.sampling.adversarial import CONDITIONS, SamplerSettings
from tabgan.sampling.base import TabularSampler
from tabgan.sampling.gate import GATES
from tabgan.sampling.seeds import SEED_KINDS

__all__ = ["CGANSampler"]


class CGANSampler(TabularSampler):
    """Make rows of given classes of mixed tables by draws at their real rows, which a conditional GAN corrects where that pays.

    What makes the rows depends on how many the class has. From 1,000 on, a row starts as a real row of the class, and each of its
    cells is drawn again, given the others, by trees whose leaves hold cells of real rows; no GAN is trained for these classes, unless
    ``start="noise"``: then trees draw the cells of its rows again. In smaller classes a row is a kernel draw that the GAN corrects
    where this brings rows nearer to real rows that training never saw, which is rare. `methods_` says which it was.

    Both players see the class, and further columns if ``condition_columns`` names some; labels are drawn balanced in training.
    What class a synthetic row has is never guessed: it is asked for, and the row starts from what is known of that class.
    ``start="noise"`` is the classical conditional GAN.

    The first ten parameters, to ``verbose``, are all that most tables need. The others follow by what they are for.

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
    condition_columns : list of names or positions, default=None
        Columns that the players are told as well, so that ``sample(where=...)`` can ask for their values.
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
    start : {"kernel", "mixture", "segments", "copies", "noise"}, default="kernel"
        Where synthetic rows start: see `BAGANOversampler`, also for tables of labels only; ``"noise"`` knows no real row.
    focus : float in [0, 1], default=0.0
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
    patience : int, default=4
        Stop after this many scorings on held-out rows, 50 steps apart, without an improvement, and keep the best weights. 0
        holds nothing out and keeps the last weights.
    batch_size : int, default=128
        Real rows per training step, and as many synthetic rows.
    learning_rate : float, default=0.001
        Learning rate of Adam, which trains both players.
    betas : tuple of float, default=(0.5, 0.9)
        Adam's decay rates for the mean and the square of gradients.
    d_noise : int, default=16
        How many random numbers a row is made from, beside its start.
    width : int, default=128
        Units in each layer of both networks.
    n_blocks : int, default=2
        Residual blocks (two layers each) of both networks.
    conditioning : {"projection", "concat", "classes"}, default="projection"
        How the discriminator uses the condition: projection discriminator, concatenation (CGAN), or a second head that names the
        class (AC-GAN).
    loss : str, default="hinge"
        The adversarial pair: a key of `tabgan.core.losses.ADVERSARIAL_LOSSES`, such as ``"hinge"``, ``"non-saturating"`` or
        ``"wasserstein"``, which wants ``gradient_penalty=10`` and ``n_critic=5``.
    gradient_penalty : float, default=1.0
        Weight of the gradient penalty on the discriminator.
    n_critic : int, default=1
        Steps of the discriminator for each step of the generator.
    wrong_weight : float in [0, 1), default=0.0
        Weight of real rows shown under another class's condition, which a matching-aware discriminator rejects.
    adversarial_weight : float, default=0.1
        Weight of the adversarial term in the generator's loss, beside the energy score.
    energy_weight : float, default=1.0
        Weight of the energy score of two synthetic rows against a real row near their parent.
    max_categories : int, default=32
        Levels of a column with a slot of their own; rarer ones share one.
    device : {"auto", "cpu", "cuda", "cuda:N", "mps"}, default="auto"
        Where to train; a fitted sampler lives on the CPU.
    n_threads : int, default=1
        torch's CPU threads meanwhile; None leaves torch's setting.

    Attributes
    ----------
    sampling_strategy_, report_, methods_, gate_, synthetic_mask_, parents_, classes_, schema_, history_, n_iter_, stop_reason_
        As in `BAGANOversampler`.

    See Also
    --------
    BAGANOversampler : The sampler to begin with for rare classes.

    Notes
    -----
    Levels are drawn with Gumbel noise: relaxed in training (temperature 0.66), hard when rows are made.

    References
    ----------
    .. [1] M. Mirza, S. Osindero, "Conditional Generative Adversarial Nets", 2014.
    .. [2] G. Douzas, F. Bacao, "Effective data generation for imbalanced learning using conditional GANs", ESWA 2018.
    .. [3] T. Miyato, M. Koyama, "cGANs with Projection Discriminator", ICLR 2018.
    .. [4] J. Engelmann, S. Lessmann, "Conditional Wasserstein GAN-based oversampling of tabular data", ESWA 2021.

    Examples
    --------
    >>> import pandas as pd
    >>> from tabgan import CGANSampler
    >>> X = pd.DataFrame({"size": range(60), "colour": ["red", "blue", None] * 20})
    >>> y = ["rare"] * 12 + ["common"] * 48
    >>> sampler = CGANSampler(n_steps=20, condition_columns=["colour"], random_state=0).fit(X, y)
    >>> rows, labels = sampler.sample(3, y="rare", where={"colour": "blue"})
    >>> list(rows["colour"]), labels
    (['blue', 'blue', 'blue'], ['rare', 'rare', 'rare'])
    """

    _RULES: Mapping[str, Rule] = {
        "start": one_of(*SEED_KINDS, "noise"),
        "focus": number(0, 1),
        "conditioning": one_of(*CONDITIONS),
        "loss": key_of(ADVERSARIAL_LOSSES),
        "wrong_weight": number(0, 0.99),
        "gradient_penalty": number(0),
        "n_critic": integer(1),
        "n_steps": integer(0),
        "batch_size": integer(1),
        "learning_rate": number(0, open_low=True),
        "betas": pair_of(number(0, 0.9999)),
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
        condition_columns: Sequence[Any] | None = None,
        missing_values: Any = np.nan,
        categorical_features: Sequence[Any] | None = None,
        column_kinds: Mapping[Any, str] | None = None,
        max_time: float | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        start: Literal["kernel", "mixture", "segments", "copies", "noise"] = "kernel",
        focus: float = 0.0,
        redraws: int = 2,
        n_steps: int = 300,
        patience: int = 4,
        batch_size: int = 128,
        learning_rate: float = 1e-3,
        betas: tuple[float, float] = (0.5, 0.9),
        d_noise: int = 16,
        width: int = 128,
        n_blocks: int = 2,
        conditioning: Literal["projection", "concat", "classes"] = "projection",
        loss: str = "hinge",
        gradient_penalty: float = 1.0,
        n_critic: int = 1,
        wrong_weight: float = 0.0,
        adversarial_weight: float = 0.1,
        energy_weight: float = 1.0,
        max_categories: int = 32,
        device: str = "auto",
        n_threads: int | None = 1,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.gate = gate
        self.costs = costs
        self.condition_columns = condition_columns
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
        self.betas = betas
        self.d_noise = d_noise
        self.width = width
        self.n_blocks = n_blocks
        self.conditioning = conditioning
        self.loss = loss
        self.gradient_penalty = gradient_penalty
        self.n_critic = n_critic
        self.wrong_weight = wrong_weight
        self.adversarial_weight = adversarial_weight
        self.energy_weight = energy_weight
        self.max_categories = max_categories
        self.device = device
        self.n_threads = n_threads

    @classmethod
    def paper(cls, **parameters: Any) -> CGANSampler:
        """The conditional GAN for imbalanced learning as published: from noise, concatenated labels, non-saturating loss.

        5,000 steps of Adam at 2e-4 with beta_1 0.5, batch 128, last weights kept, nothing held out.

        Parameters
        ----------
        **parameters
            Any parameter of `CGANSampler`, taking precedence.

        Notes
        -----
        Departures: labels are drawn balanced; categories have Gumbel-softmax heads (the paper has numbers only); widths are
        this class's, for the paper tunes them per table.
        """
        published: dict[str, Any] = {
            "start": "noise",
            "conditioning": "concat",
            "loss": "non-saturating",
            "gradient_penalty": 0.0,
            "n_steps": 5000,
            "learning_rate": 2e-4,
            "betas": (0.5, 0.999),
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
            loss=self.loss,
            conditioning=self.conditioning,
            n_steps=self.n_steps,
            autoencoder_steps=0,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            betas=(float(self.betas[0]), float(self.betas[1])),
            n_critic=self.n_critic,
            d_noise=self.d_noise,
            width=self.width,
            n_blocks=self.n_blocks,
            adversarial_weight=self.adversarial_weight,
            energy_weight=self.energy_weight,
            gradient_penalty=self.gradient_penalty,
            wrong_weight=self.wrong_weight,
            fake_classes="balanced",
            real_classes="balanced",
            average_weights=self.patience > 0,
            patience=self.patience,
            redraws=self.redraws,
        )
