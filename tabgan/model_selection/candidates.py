"""What `should_rebalance` compares: ways to train one estimator on an imbalanced table, simplest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from imblearn.ensemble import BalancedBaggingClassifier
from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC, RandomOverSampler
from imblearn.pipeline import Pipeline
from sklearn.base import clone
from sklearn.pipeline import Pipeline as PlainPipeline
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import has_fit_parameter

from tabgan.exceptions import InvalidParameterError
from tabgan.model_selection.balanced_sampling import BalancedSamplingClassifier
from tabgan.model_selection.learner_settings import other_settings
from tabgan.model_selection.prior_correction import PriorCorrectedClassifier
from tabgan.model_selection.row_metadata import routing_is_on
from tabgan.tables.frames import read_table
from tabgan.tables.schema import infer_schema

__all__ = ["CALIBRATED", "DERIVED", "NONE", "THRESHOLD", "Candidate", "all_candidates"]

NONE, THRESHOLD, CALIBRATED = "none", "none, tuned threshold", "none, calibrated"
WEIGHTS, BAGGED, REPETITION, SMOTED = "class weights", "balanced bagging", "repetition", "SMOTE"
OTHERS = "other settings"
DERIVED = (THRESHOLD, CALIBRATED)
"""These need no training of their own: they follow from what "none" says of held-out rows."""
OURS = ("BAGANOversampler", "CGANSampler")
_NEIGHBOURS = 5
_PARTS = {"a quarter": 0.25, "a tenth": 0.1}
_EVEN = 0.5  # a part of what is missing to this may be less than what folds differ by
_MEMBERS = 10  # as many as imbalanced-learn's has by default


@dataclass(frozen=True)
class Candidate:
    """One way to train the estimator.

    Parameters
    ----------
    name : str
        As shown.
    model : estimator or None
        Unfitted; None if the candidate cannot be tried.
    weight_parameter : str or None, default=None
        Fit parameter that takes the balanced sample weights.
    reason : str or None, default=None
        Why there is no model.
    is_setting : bool, default=False
        Whether it is the estimator itself with other settings.
    """

    name: str
    model: Any
    weight_parameter: str | None = None
    reason: str | None = None
    is_setting: bool = False

    def fit(self, model: Any, X: Any, y: np.ndarray) -> Any:
        """Train a copy of ``model`` the candidate's way."""
        if self.weight_parameter is None:
            return model.fit(X, y)
        weights, name = compute_sample_weight("balanced", y), self.weight_parameter
        if routing_is_on():  # pipelines then take no parameters by step
            steps = [step for _, step in model.steps] if isinstance(model, PlainPipeline) else [model]
            for step in steps:
                if has_fit_parameter(step, "sample_weight"):
                    step.set_fit_request(sample_weight=step is steps[-1])
            name = "sample_weight"
        return model.fit(X, y, **{name: weights})


def all_candidates(
    X: Any,
    fewest: int,
    estimator: Any,
    samplers: Any,
    n_classes: int,
    settings: Any = None,
    costs: Any = None,
    imbalance: float | None = None,
) -> list[Candidate]:
    """The candidates in order of simplicity.

    Parameters
    ----------
    X : container of shape (n, n_columns)
        The table, to see what plain samplers can take.
    fewest : int
        Rows of the rarest class in the smallest training part.
    estimator : classifier or pipeline
    samplers : dict, list, sampler or None
        None: tabgan's own, as far as they can be imported.
    n_classes : int
    settings : dict or None, default=None
        See `tabgan.model_selection.learner_settings.other_settings`.
    costs : default=None
        For the calibrated candidate.
    imbalance : float, default=None
        Rows of the smaller of two classes per row of the larger: `BAGANOversampler` is then also compared with parts of the rows
        that balance asks for, if ``samplers`` is None. None leaves these out.

    Raises
    ------
    InvalidParameterError
        ``samplers`` or ``settings`` hold something else, or a name that is taken.
    """
    chosen = named_samplers(samplers)
    if samplers is None and imbalance is not None and n_classes == 2 and OURS[0] in chosen:
        chosen |= _fewer_rows(type(chosen[OURS[0]]), imbalance)
    threshold = Candidate(THRESHOLD, estimator)
    if n_classes > 2:
        threshold = Candidate(THRESHOLD, None, reason="a threshold is for two classes")
    calibrated = Candidate(CALIBRATED, None, reason=f"{_last(estimator)} gives no probabilities")
    if hasattr(estimator, "predict_proba"):
        calibrated = Candidate(CALIBRATED, PriorCorrectedClassifier(estimator, tune_threshold=None, costs=costs))
    found = [
        Candidate(NONE, estimator),
        threshold,
        calibrated,
        *_settings(estimator, settings),
        _weighted(estimator),
        _bagged(X, estimator),
        Candidate(REPETITION, with_sampler(RandomOverSampler(), estimator)),
        _smoted(X, fewest, estimator),
        *(Candidate(name, with_sampler(sampler, estimator)) for name, sampler in chosen.items()),
    ]
    names = [candidate.name for candidate in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidParameterError(
            f"other_settings or samplers has the name {twice!r}, which is always compared or theirs both; choose another name."
        )
    return found


def _settings(estimator: Any, settings: Any) -> list[Candidate]:
    found = other_settings(estimator, settings)
    if settings is None and not found:
        reason = f"none are known for {_last(estimator)}; name some in other_settings"
        return [Candidate(OTHERS, None, reason=reason)]
    return [Candidate(name, model, is_setting=True) for name, model in found.items()]


def _last(estimator: Any) -> str:
    return type(estimator.steps[-1][1] if isinstance(estimator, PlainPipeline) else estimator).__name__


def _bagged(X: Any, estimator: Any) -> Candidate:
    """Balanced bagging of the last step, so that what comes before it still sees the table as it is."""
    if not isinstance(estimator, PlainPipeline):
        return Candidate(BAGGED, _bag_of(X, clone(estimator)))
    copied = clone(estimator)
    name, last = copied.steps[-1]
    return Candidate(BAGGED, copied.set_params(**{name: _bag_of(X, last)}))


def _bag_of(X: Any, member: Any) -> Any:
    """imbalanced-learn's, whose members get arrays of numbers; ours where a data frame holds something else."""
    labelled = isinstance(X, pd.DataFrame) and not all(map(pd.api.types.is_any_real_numeric_dtype, X.dtypes))
    if not (labelled and hasattr(member, "predict_proba")):
        return BalancedBaggingClassifier(member)
    return BalancedSamplingClassifier(
        member, n_estimators=_MEMBERS, majority_ratio=1.0, calibration=None, decision="most_probable"
    )


def named_samplers(samplers: Any) -> dict[str, Any]:
    """Samplers by the name to show."""
    if samplers is None:
        found = {name: _own(name) for name in OURS}
        return {name: kind() for name, kind in found.items() if kind is not None}
    if isinstance(samplers, Mapping):
        named = {str(name): sampler for name, sampler in samplers.items()}
    else:
        listed = list(samplers) if isinstance(samplers, Sequence) else [samplers]
        named = {}
        for sampler in listed:
            name, count = type(sampler).__name__, 2
            while name in named:
                name, count = f"{type(sampler).__name__} {count}", count + 1
            named[name] = sampler
    for name, sampler in named.items():
        if not hasattr(sampler, "fit_resample") or isinstance(sampler, type):
            raise InvalidParameterError(
                f"samplers[{name!r}]={sampler!r} is not valid; it must be a sampler object with fit_resample."
            )
        if name in (NONE, *DERIVED, OTHERS, WEIGHTS, BAGGED, REPETITION):
            raise InvalidParameterError(
                f"samplers has the name {name!r}, which is always compared; choose another name."
            )
    return {(f"{name} (yours)" if name == SMOTED else name): sampler for name, sampler in named.items()}


def _fewer_rows(kind: Any, imbalance: float) -> dict[str, Any]:
    """Our sampler with parts of the rows that balance asks for; none where classes are nearly as large as each other."""
    ratios = {words: round(imbalance + share * (1 - imbalance), 6) for words, share in _PARTS.items()}
    return {
        f"{OURS[0]}, {words} of the rows": kind(sampling_strategy=r) for words, r in ratios.items() if imbalance < _EVEN
    }


def _own(name: str) -> Any:
    import tabgan

    try:
        return getattr(tabgan, name)
    except (AttributeError, ImportError):
        return None


def with_sampler(sampler: Any, estimator: Any) -> Pipeline:
    """Pipeline that resamples in ``fit``: before everything if the sampler takes tables as they are, else before the classifier."""
    steps = list(estimator.steps) if isinstance(estimator, PlainPipeline) else [("classifier", estimator)]
    names = {name for name, _ in steps}
    name = "sampler" if "sampler" not in names else "added_sampler"
    at = 0 if _takes_tables(sampler) else len(steps) - 1
    copies = [(key, step if isinstance(step, str) or step is None else clone(step)) for key, step in steps]
    return Pipeline([*copies[:at], (name, clone(sampler)), *copies[at:]])


def _takes_tables(sampler: Any) -> bool:
    if not hasattr(sampler, "__sklearn_tags__"):
        return False
    tags = sampler.__sklearn_tags__().input_tags
    return bool(tags.allow_nan and (tags.string or tags.categorical))


def _weighted(estimator: Any) -> Candidate:
    """Balanced class weights, by the last step's parameter or by sample weights."""
    piped = isinstance(estimator, PlainPipeline)
    name, last = estimator.steps[-1] if piped else ("", estimator)
    prefix = f"{name}__" if piped else ""
    if "class_weight" in last.get_params(deep=False):
        return Candidate(WEIGHTS, clone(estimator).set_params(**{f"{prefix}class_weight": "balanced"}))
    if has_fit_parameter(last, "sample_weight"):
        return Candidate(WEIGHTS, estimator, weight_parameter=f"{prefix}sample_weight")
    reason = f"{type(last).__name__} takes neither class_weight nor sample_weight"
    return Candidate(WEIGHTS, None, reason=reason)


def _smoted(X: Any, fewest: int, estimator: Any) -> Candidate:
    """SMOTE on numbers; SMOTENC or SMOTEN where the estimator itself takes the table's categories."""
    neighbours = min(_NEIGHBOURS, fewest - 1)
    if neighbours < 1:
        return Candidate(SMOTED, None, reason="the rarest class has fewer than two rows in a training part")
    sampler: Any = SMOTE(k_neighbors=neighbours)
    if isinstance(estimator, PlainPipeline) and len(estimator.steps) > 1:
        return Candidate(SMOTED, with_sampler(sampler, estimator))
    if hasattr(X, "nnz"):
        return Candidate(SMOTED, with_sampler(sampler, estimator))
    table = read_table(X)
    if any(column.missing.any() for column in table.columns):
        return Candidate(
            SMOTED, None, reason="it cannot take missing cells; put an imputer into a pipeline with the estimator"
        )
    if any(column.family in ("datetime", "timedelta") for column in table.columns):
        return Candidate(SMOTED, None, reason="it cannot take dates and times")
    kinds = infer_schema(table).columns
    labels = np.array([known.family in ("text", "category", "boolean") for known in kinds])
    if labels.all():
        sampler = SMOTEN(k_neighbors=neighbours)
    elif labels.any():
        sampler = SMOTENC(categorical_features=np.flatnonzero(labels).tolist(), k_neighbors=neighbours)
    return Candidate(SMOTED, with_sampler(sampler, estimator))
