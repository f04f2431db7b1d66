"""What both samplers share: tables and targets in and out, the ladder of methods, and the imbalanced-learn contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from imblearn.over_sampling.base import BaseOverSampler
from pandas.api.types import is_hashable
from scipy.sparse import issparse
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted, validate_data

from tabgan._runtime import make_generator, own_torch, resolve_device
from tabgan._warnings import warn_caller
from tabgan.core.interrupts import INTERRUPTED, interruptible
from tabgan.core.run import Run
from tabgan.estimators.classes import plain_label, wanted_counts, warn_of_other_order
from tabgan.estimators.costs import check_costs, read_costs
from tabgan.estimators.fit_tasks import FitTasks, FollowedFits, followed
from tabgan.estimators.notebook import FittedHTML, Learnt
from tabgan.estimators.parameter_checks import SEED, Rule, check, integer, seed_of
from tabgan.estimators.reports import ReportsResampling
from tabgan.estimators.table_reading import warn_of_spellings, warn_of_texts
from tabgan.exceptions import (
    IdentifierWarning,
    InvalidInputError,
    InvalidParameterError,
    NoSyntheticRowsWarning,
    parameter_error,
)
from tabgan.metrics.classification import EXPECTED_COST
from tabgan.sampling.adversarial import SamplerSettings
from tabgan.sampling.allowance import Allowance
from tabgan.sampling.fit import fit_sampler, gate_of
from tabgan.sampling.fitted import FittedSampler, MadeRows
from tabgan.sampling.gate import INSTEAD
from tabgan.sampling.restoring import restorer_of
from tabgan.sampling.row_report import SamplingReport, build_report
from tabgan.sampling.sampler_state import SavableSampler
from tabgan.sampling.targets import Target, read_target
from tabgan.tables.frames import Table, read_table
from tabgan.tables.kinds import IDENTIFIER
from tabgan.tables.labels import shown_names
from tabgan.tables.schema import infer_schema

__all__ = ["TabularSampler"]


class TabularSampler(SavableSampler, FollowedFits, FittedHTML, ReportsResampling, BaseOverSampler):
    """Base of the samplers; subclasses hold the parameters and turn them into settings."""

    _RULES: Mapping[str, Rule] = {}
    sampling_strategy: Any
    gate: str | None
    costs: Any
    missing_values: Any
    categorical_features: Sequence[Any] | None
    column_kinds: Mapping[Any, str] | None
    max_categories: int
    max_time: float | None
    random_state: int | np.random.RandomState | None
    device: str
    n_threads: int | None
    verbose: int
    _made: MadeRows
    _report: SamplingReport | None

    def _settings(self) -> SamplerSettings:
        raise NotImplementedError

    @followed
    def fit(self, X: Any, y: Any, **params: Any) -> TabularSampler:
        """Learn the columns' kinds and what rows of each class look like.

        Parameters
        ----------
        X : DataFrame (pandas, polars, ...), ndarray, sparse matrix or list of shape (n_samples, n_features)
            The table, with or without gaps.
        y : array-like of shape (n_samples,)
            Class labels.

        Returns
        -------
        TabularSampler
            Itself.
        """
        _refuse(params)
        self._check()
        tasks = FitTasks(self, 3)
        self._fit(X, y, Allowance(self.max_time), tasks)
        tasks.end()
        return self

    def _check(self) -> None:
        check(self, self._RULES)
        if (self.costs is not None) != (self.gate == EXPECTED_COST):
            given = f"gate={self.gate!r} and costs={'None' if self.costs is None else '...'}"
            raise InvalidParameterError(
                f"{given} do not go together: gate={EXPECTED_COST!r} needs costs, and nothing else takes them."
            )
        if self.costs is not None:
            check_costs(self.costs)

    def _fit(self, X: Any, y: Any, allowance: Allowance, tasks: FitTasks) -> None:
        device = resolve_device(self.device)
        self.__dict__.pop("_fitted", None)  # a fit that fails must not leave new columns with an old model
        tasks.enter("reading the table")
        table = self._read(X)
        target = read_target(y, table.n_rows)
        warn_of_other_order(X, y)
        costs = None if self.costs is None else read_costs(self.costs, np.array(target.names, dtype=object))
        self.sampling_strategy_ = wanted_counts(self.sampling_strategy, target.labels)
        generator = make_generator(seed_of(self.random_state))
        self.schema_ = infer_schema(
            table,
            categorical_features=self.categorical_features,
            column_kinds=self.column_kinds,
            identifiers=True,
        )
        self._name_identifiers()
        warn_of_texts(table, self.categorical_features, self.column_kinds)
        warn_of_spellings(table, dict(zip(target.names, target.counts.tolist(), strict=True)))
        with own_torch(self.n_threads), interruptible(f"{type(self).__name__}.fit") as interruption:
            run = Run(generator, device, allowance.deadline, bool(self.verbose), follower=tasks.follower)
            tasks.enter("learning what rows look like")
            fitted = fit_sampler(
                table,
                target,
                self.schema_,
                self._settings(),
                run,
                allowance,
                max_categories=self.max_categories,
                condition_columns=getattr(self, "condition_columns", None),
            )
            if self.gate is not None:
                tasks.enter("gate: how many rows help")
                codes, counts = np.unique(_codes_of(self.sampling_strategy_, target), return_counts=True)
                wanted_codes = dict(zip(codes.tolist(), counts.tolist(), strict=True))
                run = replace(run, deadline=allowance.deadline)
                fitted.gate = gate_of(fitted, wanted_codes, self.gate, run, costs)
            if interruption.requested:
                fitted.stop_reason = INTERRUPTED
        self._hold(fitted)
        self._restore = restorer_of(X)
        self._draws = 0
        for name in ("_made", "_report", "synthetic_mask_", "parents_"):  # of an earlier fit
            self.__dict__.pop(name, None)

    def _name_identifiers(self) -> None:
        """Warn of columns that were taken for names of rows without having been declared so."""
        declared = self.column_kinds or {}
        found = [
            known.name
            for j, known in enumerate(self.schema_.columns)
            if known.kind == IDENTIFIER
            and not {known.name, j} & {key for key, kind in declared.items() if kind == IDENTIFIER}
        ]
        if found:
            warn_caller(
                f"nearly every cell differs in {shown_names(found)}: taken for identifiers, which are left out of distances and "
                f"training. column_kinds={{{found[0]!r}: 'identifier'}} says so without this warning, another kind makes it a "
                "feature again.",
                IdentifierWarning,
            )

    def _hold(self, fitted: FittedSampler) -> None:
        """Take over what was learnt, under the names that users know."""
        self._fitted = fitted
        self.schema_ = replace(fitted.encoder.schema_, rules=fitted.rules)
        self.classes_ = fitted.target.classes
        self.methods_ = dict(zip(fitted.target.names, fitted.methods, strict=True))
        self.history_ = fitted.history
        self.n_iter_ = fitted.n_steps
        self.stop_reason_ = fitted.stop_reason
        self.gate_ = fitted.gate

    def __sklearn_is_fitted__(self) -> bool:
        """Whether `fit` has ended well."""
        return hasattr(self, "_fitted")

    def _learnt(self) -> Learnt | None:
        if not hasattr(self, "_fitted"):
            return None
        facts = [("steps", f"{self.n_iter_:,}"), ("stopped because", self.stop_reason_ or "all steps were done")]
        gate = getattr(self, "gate_", None)
        facts += [("gate", str(gate))] if gate is not None else []
        facts += self.schema_.facts()
        counts = self._fitted.target.counts.tolist()
        rows: list[Any] = [("class", "real rows", "rows are made by")]
        rows += [(str(k), f"{n:,}", how) for (k, how), n in zip(self.methods_.items(), counts, strict=True)]
        return facts, rows, "After fit_resample, report_ says whether synthetic rows look like their class."

    @followed
    def fit_resample(self, X: Any, y: Any, **params: Any) -> tuple[Any, Any]:
        """Learn from a table, and return it with the rows that ``sampling_strategy`` asks for at its end.

        Parameters
        ----------
        X : DataFrame (pandas, polars, ...), ndarray, sparse matrix or list of shape (n_samples, n_features)
            The table, with or without gaps.
        y : array-like of shape (n_samples,)
            Class labels.

        Returns
        -------
        X_resampled : container of the kind of ``X``, of shape (n_samples_new, n_features)
            All rows of ``X``, untouched and in order, then the made ones, class by class.
        y_resampled : container of the kind of ``y``, of shape (n_samples_new,)
            Their labels.
        """
        _refuse(params)
        self._check()
        allowance = Allowance(self.max_time)
        tasks = FitTasks(self, 4)
        self._fit(X, y, allowance, tasks)
        tasks.enter("making rows")
        answer = self._resample(None, allowance)
        tasks.end()
        overrun = allowance.overrun(self._fitted.table.n_rows, self._fitted.table.n_columns)
        if overrun:
            warn_caller(overrun)
        return answer

    def _fit_resample(self, X: Any, y: Any, **params: Any) -> tuple[Any, Any]:
        """imbalanced-learn's hook, for callers that use it directly."""
        return self.fit_resample(X, y, **params)

    def resample(self, sampling_strategy: Any = None) -> tuple[Any, Any]:
        """Rebalance the table given to `fit`, at any ratio, without training again.

        Parameters
        ----------
        sampling_strategy : float, str, dict, callable, default=None
            As in the constructor, whose value None takes.

        Returns
        -------
        X_resampled, y_resampled
            See `fit_resample`.
        """
        check_is_fitted(self, "_fitted")
        return self._resample(sampling_strategy, None)

    def _resample(self, sampling_strategy: Any, allowance: Allowance | None) -> tuple[Any, Any]:
        fitted = self._fitted
        strategy = self.sampling_strategy if sampling_strategy is None else sampling_strategy
        wanted = wanted_counts(strategy, fitted.target.labels)
        if fitted.gate is not None:
            if fitted.gate.share == 0 and any(wanted.values()):
                warn_caller(f"the gate makes no rows, see gate_. {INSTEAD}", NoSyntheticRowsWarning)
            wanted = {label: round(fitted.gate.share * n) for label, n in wanted.items()}
        codes = _codes_of(wanted, fitted.target)
        generator = make_generator(fitted.sampling_seed)
        with own_torch(self.n_threads):
            made = fitted.make(codes, generator, allowance=allowance)
        self._made, self._report = made, None
        n_own = fitted.table.n_rows
        self.synthetic_mask_ = np.arange(n_own + len(codes)) >= n_own
        self.parents_ = made.parents
        X = self._restore(fitted.table.with_rows(made.parents, made.cells))
        return X, fitted.target.with_rows(codes)

    @property
    def report_(self) -> SamplingReport:
        """What the rows of the last `fit_resample` or `resample` are worth; measured when it is first looked at.

        Raises
        ------
        NotFittedError
            Neither was called since `fit` or `tabgan.load`.
        """
        if not hasattr(self, "_made"):
            raise NotFittedError("report_ is about rows that fit_resample or resample made; call one of them first.")
        if self._report is None:
            generator = make_generator(self._fitted.sampling_seed)
            self._report = build_report(self._fitted, self._made, generator)
        return self._report

    def sample(
        self, n: int = 1, y: Any = None, where: Mapping[Any, Any] | None = None, random_state: Any = None
    ) -> tuple[Any, Any]:
        """Draw new rows.

        Parameters
        ----------
        n : int, default=1
            How many; ignored where ``y`` is an array of labels.
        y : label or array of labels, default=None
            The class of all rows, or of each. None draws classes as frequent as they were in `fit`.
        where : dict of column to value, default=None
            Cells that every row must have, such as ``{"region": "north"}``. Rows start from real rows of the class that have
            them, where there are any.
        random_state : int, RandomState or None, default=None
            None continues the sampler's own sequence: every call gives new rows, the same ones in every program run.

        Returns
        -------
        X : container of the kind given to `fit`, of shape (n, n_features)
        y : container of the kind given to `fit`, of shape (n,)

        Raises
        ------
        InvalidParameterError, InvalidInputError
            ``n`` is no positive integer, a label is unknown, or ``where`` names an unknown column.
        """
        check_is_fitted(self, "_fitted")
        fitted = self._fitted
        if not SEED[0](random_state):
            raise parameter_error("random_state", random_state, SEED[1])
        draws = self._draws + (random_state is None)
        seed = fitted.sampling_seed + draws if random_state is None else seed_of(random_state)
        generator = make_generator(seed)
        codes = self._asked(n, y, generator)
        with own_torch(self.n_threads):
            made = fitted.make(codes, generator, where)
        rows = self._restore(fitted.table.with_rows(made.parents, made.cells, only=True))
        self._draws = draws
        return rows, fitted.target.with_rows(codes, only=True)

    def _asked(self, n: int, y: Any, generator: torch.Generator) -> np.ndarray:
        """The class codes of the rows asked for."""
        target = self._fitted.target
        holds, words = integer(1)
        if not holds(n):
            raise parameter_error("n", n, words)
        if y is None:
            shares = torch.from_numpy(target.counts / target.counts.sum())
            return torch.multinomial(shares, int(n), replacement=True, generator=generator).numpy()
        y = y.detach().cpu().numpy() if hasattr(y, "detach") else y
        labels = [y] * int(n) if np.ndim(y) == 0 else list(y)
        positions = {label: position for position, label in enumerate(target.names)}
        for label in labels:
            if not is_hashable(label) or plain_label(label) not in positions:
                raise InvalidInputError(
                    f"y asks for class {plain_label(label)!r}, but the classes are {list(positions)}."
                )
        return np.array([positions[plain_label(label)] for label in labels], dtype=np.int64)

    def _read(self, X: Any) -> Table:
        if getattr(X, "ndim", 2) > 2:
            raise InvalidInputError(
                f"X has shape {tuple(X.shape)} and is no table; tabgan.images.BAGANImageOversampler takes images."
            )
        if issparse(X):
            X = X.toarray()
        elif isinstance(X, np.ndarray | pd.DataFrame):
            X = X.copy()  # synthetic rows start from these, whatever becomes of the user's object
        table = read_table(X, missing_values=self.missing_values)
        if table.has_names:
            validate_data(self, X, reset=True, skip_check_array=True)
        else:
            self.n_features_in_ = table.n_columns
            if hasattr(self, "feature_names_in_"):
                del self.feature_names_in_
        return table

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _refuse(params: Mapping[str, Any]) -> None:
    """A weight or group that is quietly left out would be worse than an error."""
    if params:
        raise TypeError(f"fit takes X and y, not {', '.join(params)}.")


def _codes_of(wanted: Mapping[Any, int], target: Target) -> np.ndarray:
    """The class code of each row to make, class by class."""
    positions = {label: position for position, label in enumerate(target.names)}
    parts = [np.full(n, positions[plain_label(label)], dtype=np.int64) for label, n in wanted.items()]
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])
