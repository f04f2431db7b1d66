"""`GAINImputer`: the scikit-learn face of the imputation GAN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from tabgan._runtime import jobs, make_generator, own_torch, resolve_device
from tabgan.core.interrupts import INTERRUPTED, interruptible
from tabgan.core.run import Run, deadline_after
from tabgan.estimators.fit_tasks import FitTasks, FollowedFits, followed
from tabgan.estimators.notebook import FittedHTML, Learnt
from tabgan.estimators.parameter_checks import check, seed_of
from tabgan.estimators.reports import ReportsImputation
from tabgan.estimators.table_reading import ReadingMixin
from tabgan.exceptions import InvalidInputError
from tabgan.imputation.effort import settings_for
from tabgan.imputation.imputer_state import SavableImputer
from tabgan.imputation.objectives import MOST_TASKS, fit_objective
from tabgan.imputation.output_columns import OutputColumnsMixin
from tabgan.imputation.parameters import RULES
from tabgan.imputation.predicting import Predictor
from tabgan.imputation.published import PublishedVariants
from tabgan.imputation.scoring import learnt_columns, split_validation, validation_scores
from tabgan.imputation.uncertainty import UncertaintyMixin
from tabgan.tables.compatibility import check_compatible

__all__ = ["GAINImputer"]


class GAINImputer(
    SavableImputer,
    PublishedVariants,
    FollowedFits,
    FittedHTML,
    ReportsImputation,
    UncertaintyMixin,
    OutputColumnsMixin,
    ReadingMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Fill missing values of mixed-type tables with a trained generative adversarial imputation network.

    What fills: a closed-form conditional mean, a network that learns to predict cells hidden anew in every step, boosted trees that
    read rows with their gaps, and forests on completed rows, weighed column by column by cells that none of them saw; on tables of
    less than 4,000 rows the most similar rows in place of the network. What the adversarial game does: nothing by default;
    with ``draw_steps`` it shapes the copula's draws, never the fills. ``objective="paper"`` (see `GAINImputer.paper`) is GAIN as
    published. Missing are NaN, None, ``pandas.NA``, NaT, polars' null and NaN, and ``missing_values``.

    The first eight parameters, to ``verbose``, are all that most tables need. The others follow by what they are for, stage by stage.

    Parameters
    ----------
    effort : {"fast", "balanced", "best"}, default="balanced"
        How much is done; it sets what is None below, by the size of the table. ``"fast"``: closed form and boosted trees, no training
        step by step. ``"best"``: everything, and a wider network for longer. The user guide has the table.
    max_time : float, default=None
        Seconds that `fit` may take, about: stages that would go beyond are shortened or left out, and the best so far stands. What
        only draws need is learnt when they are first asked for, in as many seconds again.
    missing_values : scalar or list of scalars, default=np.nan
        Further markers of a missing cell, such as ``"?"`` or ``-999``. The containers' own markers always count.
    categorical_features : None, list of names or positions, or boolean mask, default=None
        Columns to treat as categorical whatever they hold; None lets the column's type decide.
    column_kinds : dict, default=None
        Overrides by name or position: ``"continuous"``, ``"integer"``, ``"decimal"``, ``"coded"`` (whole numbers of those that
        occur), ``"boolean"``, ``"categorical"``, ``"ordinal"``, ``"datetime"`` (also of whole numbers: 20240229) or ``"timedelta"``.
    random_state : int, RandomState or None, default=None
        An int makes results repeatable on one CPU; global random states are neither read nor moved.
    n_jobs : int, default=None
        Jobs (threads) that grow trees, as in scikit-learn: None takes 1, or what `joblib.parallel_config` says; -1 all cores.
    verbose : int, default=0
        1 shows a progress bar that names the stage at work; 0 shows nothing.
    sample_posterior : bool, default=False
        Let `transform` impute a draw, which keeps the columns' spread, not the point estimate (``"remask"``); `sample` gives several.
    round_like_observed : bool, default=True
        Round imputed values to the column's integers or decimals. RMSE is a little lower without; integer dtypes are always rounded.
    add_indicator : bool, default=False
        Append a column ``missingindicator_<name>`` for each column that had missing values in `fit`.
    keep_empty_features : bool, default=False
        Keep columns without a single observed value: numbers as 0, as scikit-learn does, others as they are.
    unseen_categories : {"missing", "error"}, default="missing"
        A level that `fit` never saw: hide that cell from the model (the cell itself comes back untouched), or raise.
    max_categories : int, default=32
        The most frequent levels of a column get a slot each; beyond eight, only levels seen at least twice and in 0.1 % of
        the cells. All others share one. Names, ticket numbers and other near-unique texts so cost one slot, not one per row.
    numeric_transform : {"standard", "robust", "quantile", "power", "minmax"}, default=None
        How numbers are scaled before training. None takes ``"standard"`` for ``"remask"`` and ``"minmax"`` for ``"paper"``.
    device : {"auto", "cpu", "cuda", "cuda:N", "mps"}, default="auto"
        Where to train; a fitted imputer lives on the CPU.
    n_threads : int, default=1
        torch's CPU threads meanwhile; networks this small gain nothing from more. None leaves torch's setting.
    warm_start : bool, default=False
        Let a further `fit` go on from the present weights and column statistics; the columns must be compatible.
    hide_rates : tuple of two floats in [0, 1), default=(0.05, 0.6)
        Each training row hides its cells at a rate drawn from this range (``"remask"``).
    pattern_fraction : float in [0, 1], default=0.5
        Share of training rows that also miss what another, real row misses (``"remask"``): for values missing in blocks or by value.
    validation_fraction : float in [0, 0.5], default=0.1
        Share of observed cells set aside to stop by and to report errors on (``"paper"``: 0, or only to report).
    n_references : int, default=None
        Training rows kept in the model, drawn at random if there are more: hidden cells are also filled from the most similar ones
        (``"remask"``). They go into the model file; 0 keeps none, at a loss of accuracy, nor near duplicates unless you ask for these.
    n_records : int, default=None
        Training rows of a large table kept in the model to find near duplicates of a row, if that pays (``"remask"``).
    n_trees : int, default=None
        Extremely randomised trees per column that have the last word on point estimates, as far as held-out cells say that they help
        (``"remask"``). They go into the model file; 0 grows none.
    n_rounds : {1, 2}, default=None
        How often these trees are grown, the second time on rows that the first ones completed.
    n_boosts : int, default=None
        Boosted trees per numeric column of 200 known cells or more, which read rows with their missing cells, and as many that read
        the fills of earlier columns (``"remask"``). They go into the model file; 0 grows none.
    network_steps : int, default=None
        At most this many steps of 1,024 rows of the network of all columns, which large tables have (``"remask"``); 0 trains none.
    network_width : int, default=None
        Units in each layer of the network of all columns; None goes by ``effort``.
    n_steps : int, default=None
        At most this many steps of the correction network (``"remask"``, with ``effort="best"``), or of GAIN (``"paper"``: 10,000).
    patience : int, default=2
        Stop after this many scorings, 50 steps apart, without an improvement (``"remask"``).
    batch_size : int, default=256
        Rows per step of GAIN (``"paper"``) and of the correction network, which takes at most half of the table's rows, but 64.
    learning_rate : float, default=0.002
        Of Adam, for GAIN (``"paper"``) and for the correction network, which lowers it along half a cosine.
    width : int, default=128
        Width of the correction network (``"remask"``).
    n_blocks : int, default=2
        Residual blocks of the correction network (``"remask"``).
    n_members : int, default=4
        Weight-sharing ensemble members whose predictions are averaged (``"remask"``).
    n_bins : int, default=16
        Quantile bins in which numbers are shown to the network (``"remask"``).
    n_donor_trees : int, default=20
        Bootstrap samples of the training rows, for `sample` and ``sample_posterior=True`` (``"remask"``): per sample the moments of
        the columns, a tree per number whose leaves hold cells to draw from, and a regression per category. Draws take them in turn.
        They are learnt when draws are first asked for, or the imputer is stored; 0 leaves the draws of a copula, whose parameters are
        the same for all.
    draw_steps : int, default=0
        Steps in which a network learns to bend the copula's draws, against a discriminator that judges them cell by cell
        (``"remask"``). It changes intervals, and draws where ``n_donor_trees=0``; with donors it never gained.
    adversarial_weight : float, default=0.1
        Weight of the hint-driven discriminator beside the draws' energy score, with ``draw_steps`` (``"remask"``).
    objective : {"remask", "paper"}, default="remask"
        What is trained: the stages described above, or GAIN as published (see `GAINImputer.paper`).
    alpha : float, default=100.0
        Weight of the reconstruction of *observed* cells (``"paper"``).
    hint : {"code", "paper"}, default="code"
        Which hint the discriminator gets (``"paper"``): the authors' code has ``b * m``, the paper ``b * m + 0.5 (1 - b)``
        with the loss on the one open cell per row.
    hint_rate : float in [0, 1], default=0.9
        Share of cells that the hint reveals to the discriminator; ``hint="paper"`` always reveals all but one per row.
    activation : {"relu", "tanh"}, default="relu"
        What units of both networks apply to their sums (``"paper"``).

    Attributes
    ----------
    schema_ : TableSchema
        Kind, levels, range and decimals of each column.
    n_iter_ : int
        Training steps done.
    history_ : list of dict
        Losses and validation scores by step.
    stop_reason_ : str or None
        Why training ended early, if it did; ``"interrupted"`` after Ctrl-C, which keeps the best weights so far.
    validation_scores_ : pandas.DataFrame
        Error per column on cells (of at most 4,000 rows) that were hidden from training, beside that of the mean or mode: columns
        ``kind``, ``n_cells``, ``rmse``, ``rmse_mean``, ``nrmse`` (in column standard deviations), ``error_rate``,
        ``error_rate_mode``, ``log_loss``. ``rmse`` is in the column's units, of dates in days, of durations in seconds. Empty where
        nothing was held out.
    n_features_in_ : int
        Number of columns seen in `fit`.
    n_rows_ : int
        Number of its rows; None of models that were saved before this was noted.
    n_missing_ : tuple of int
        Missing cells per column; None likewise.
    feature_names_in_ : ndarray of str
        Their names, if the table had names that are all strings.

    Raises
    ------
    InvalidParameterError
        From `fit`: a parameter is outside its range; names it and the value.
    InvalidInputError, SchemaMismatchError
        The table cannot be used, or differs from the one seen in `fit`; names column and row, or shows the difference.

    Notes
    -----
    `transform` needs one forward pass, and trees for each missing cell. A row's result depends neither on the other rows in the
    call nor on their order, but for rounding in single precision. All stages but encoding see at most 50,000 rows or a number of
    steps that does not grow with the table; the user guide has what each costs. There is no ``partial_fit``.

    References
    ----------
    .. [1] J. Yoon, J. Jordon, M. van der Schaar, "GAIN: Missing Data Imputation using Generative Adversarial Nets", ICML 2018.
    .. [2] T. Du, L. Melis, T. Wang, "ReMasker: Imputing Tabular Data with Masked Autoencoding", ICLR 2024.

    Examples
    --------
    >>> import pandas as pd
    >>> from tabgan import GAINImputer
    >>> table = pd.DataFrame({"size": [1.0, 2.0, None, 4.0] * 10, "colour": ["red", None, "red", "blue"] * 10})
    >>> filled = GAINImputer(n_steps=50, random_state=0).fit_transform(table)
    >>> int(filled.isna().sum().sum()), list(filled.dtypes) == list(table.dtypes)
    (0, True)
    """

    def __init__(
        self,
        *,
        effort: Literal["fast", "balanced", "best"] = "balanced",
        max_time: float | None = None,
        missing_values: Any = np.nan,
        categorical_features: Sequence[Any] | None = None,
        column_kinds: Mapping[Any, str] | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        sample_posterior: bool = False,
        round_like_observed: bool = True,
        add_indicator: bool = False,
        keep_empty_features: bool = False,
        unseen_categories: Literal["missing", "error"] = "missing",
        max_categories: int = 32,
        numeric_transform: str | None = None,
        device: str = "auto",
        n_threads: int | None = 1,
        warm_start: bool = False,
        hide_rates: tuple[float, float] = (0.05, 0.6),
        pattern_fraction: float = 0.5,
        validation_fraction: float = 0.1,
        n_references: int | None = None,
        n_records: int | None = None,
        n_trees: int | None = None,
        n_rounds: int | None = None,
        n_boosts: int | None = None,
        network_steps: int | None = None,
        network_width: int | None = None,
        n_steps: int | None = None,
        patience: int = 2,
        batch_size: int = 256,
        learning_rate: float = 2e-3,
        width: int = 128,
        n_blocks: int = 2,
        n_members: int = 4,
        n_bins: int = 16,
        n_donor_trees: int = 20,
        draw_steps: int = 0,
        adversarial_weight: float = 0.1,
        objective: Literal["remask", "paper"] = "remask",
        alpha: float = 100.0,
        hint: Literal["code", "paper"] = "code",
        hint_rate: float = 0.9,
        activation: Literal["relu", "tanh"] = "relu",
    ) -> None:
        self.effort = effort
        self.max_time = max_time
        self.missing_values = missing_values
        self.categorical_features = categorical_features
        self.column_kinds = column_kinds
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.sample_posterior = sample_posterior
        self.round_like_observed = round_like_observed
        self.add_indicator = add_indicator
        self.keep_empty_features = keep_empty_features
        self.unseen_categories = unseen_categories
        self.max_categories = max_categories
        self.numeric_transform = numeric_transform
        self.device = device
        self.n_threads = n_threads
        self.warm_start = warm_start
        self.hide_rates = hide_rates
        self.pattern_fraction = pattern_fraction
        self.validation_fraction = validation_fraction
        self.n_references = n_references
        self.n_records = n_records
        self.n_trees = n_trees
        self.n_rounds = n_rounds
        self.n_boosts = n_boosts
        self.network_steps = network_steps
        self.network_width = network_width
        self.n_steps = n_steps
        self.patience = patience
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.width = width
        self.n_blocks = n_blocks
        self.n_members = n_members
        self.n_bins = n_bins
        self.n_donor_trees = n_donor_trees
        self.draw_steps = draw_steps
        self.adversarial_weight = adversarial_weight
        self.objective = objective
        self.alpha = alpha
        self.hint = hint
        self.hint_rate = hint_rate
        self.activation = activation

    @followed
    def fit(self, X: Any, y: Any = None) -> GAINImputer:
        """Learn the columns' kinds and how they depend on each other.

        Parameters
        ----------
        X : DataFrame (pandas, polars, ...), ndarray or list of shape (n_samples, n_features)
            The incomplete table.
        y : ignored
            Present for pipelines.

        Returns
        -------
        GAINImputer
            Itself.
        """
        check(self, RULES)
        device, deadline = resolve_device(self.device), deadline_after(self.max_time)
        tasks = FitTasks(self, MOST_TASKS[self.objective] + 2)
        generator = make_generator(seed_of(self.random_state))
        run = Run(generator, device, deadline, bool(self.verbose), self.max_time, tasks.follower)
        resumed = self._model if self.warm_start and self.__sklearn_is_fitted__() else None
        if resumed is not None and resumed.objective != self.objective:
            raise InvalidInputError(
                "warm_start=True cannot change `objective` between two fits; use a new GAINImputer."
            )
        tasks.enter("reading the table")
        table = self._read(X, reset=resumed is None)
        if resumed is not None:
            check_compatible(self.schema_, table)
        else:
            self._learn_columns(table)
        encoded = self.encoder_.encode(table)
        self.__dict__.pop("_model", None)  # a fit that fails must not leave new columns with an old model
        with own_torch(self.n_threads), jobs(self.n_jobs), interruptible("GAINImputer.fit") as interruption:
            training, validation = split_validation(encoded.mask, self.validation_fraction, run.generator)
            seen = encoded.values, training, validation, self.encoder_.spans_
            given = settings_for(self.get_params(deep=False), *encoded.mask.shape)
            model = fit_objective(self.objective, *seen, given, run, resumed)
            tasks.enter("errors on held-out cells")
            scores = validation_scores(model.held_out, self.encoder_, table, encoded.values, training)
            if interruption.requested:
                model.stop_reason = INTERRUPTED
        self.validation_scores_, model.held_out = scores, None
        self._model: Predictor = model
        self.n_iter_ = self._model.n_steps
        self.history_ = self._model.history
        self.stop_reason_ = self._model.stop_reason
        self.n_rows_, self.n_missing_ = table.n_rows, tuple(int(column.missing.sum()) for column in table.columns)
        self.had_missing_ = tuple(n > 0 for n in self.n_missing_)
        tasks.end()
        return self

    def transform(self, X: Any) -> Any:
        """Impute the missing values of a table with the columns seen in `fit`.

        One imputation is right for prediction and unfit for inference: standard errors computed from it take imputed values for
        observed ones. Use `sample` and `tabgan.pool` there.

        Parameters
        ----------
        X : DataFrame, ndarray or list of shape (n_samples, n_features)
            Any pattern of missing values, also in columns that had none in `fit`.

        Returns
        -------
        DataFrame or ndarray of shape (n_samples, n_features_out)
            The kind of container that came in, observed cells identical. A column without any observed cell keeps its dtype
            where that has a place for all that `fit` saw; else it gets the one its container gives to such values.
        """
        table, encoded = self._encoded(X)
        if self.sample_posterior:
            (filled,) = self._drawn(table, encoded, 1)
        else:
            with own_torch(self.n_threads):
                values = self._model.predict(encoded.values, encoded.mask)
            filled = self.encoder_.decode(table, values, keep=self._kept())
        return self._with_indicators(filled, table)

    def __sklearn_is_fitted__(self) -> bool:
        """Whether `fit` has ended well."""
        return hasattr(self, "_model")

    def _learnt(self) -> Learnt | None:
        if not self.__sklearn_is_fitted__():
            return None
        facts = [("steps", f"{self.n_iter_:,}"), ("stopped because", self.stop_reason_ or "all steps were done")]
        return facts + self.schema_.facts(), *learnt_columns(self.validation_scores_)
