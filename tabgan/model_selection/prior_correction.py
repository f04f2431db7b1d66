"""Probabilities that hold for the table as it is, not as it was resampled, and a threshold chosen on them."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.utils import _safe_indexing
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import check_is_fitted, validate_data

from tabgan._warnings import warn_caller
from tabgan.estimators.costs import check_costs, cost_threshold, least_costly, read_costs
from tabgan.estimators.cross_validation import aligned_probabilities, folds, seeded_copy, seeds_from
from tabgan.estimators.doc_links import DocLinked
from tabgan.estimators.parameter_checks import SEED, Rule, check, integer, one_of, optional
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.metrics.classification import LABEL_MEASURES, best_threshold
from tabgan.model_selection.class_labels import check_shape, rows_and_labels
from tabgan.model_selection.row_metadata import checked_weights, takes_weights, weights_after
from tabgan.model_selection.scaling import Scaling, fit_scaling

__all__ = ["PriorCorrectedClassifier", "correct_prior"]

_RULES: dict[str, Rule] = {
    "estimator": (
        lambda v: hasattr(v, "fit") and hasattr(v, "predict_proba") and not isinstance(v, type),
        "a classifier object with predict_proba",
    ),
    "sampler": optional(
        (lambda v: hasattr(v, "fit_resample") and not isinstance(v, type), "a sampler object with fit_resample")
    ),
    "method": one_of("prior", "sigmoid"),
    "tune_threshold": optional(one_of(*LABEL_MEASURES)),
    "cv": integer(2),
    "random_state": SEED,
}


def correct_prior(probabilities: Any, train_prior: Any, target_prior: Any) -> np.ndarray:
    """Move class probabilities from the class shares a model was trained on to those of where it is used.

    Parameters
    ----------
    probabilities : array-like of shape (n, n_classes) or (n,)
        What the model predicts; one dimension holds the probability of the second of two classes.
    train_prior : array-like of shape (n_classes,)
        Shares or counts of the classes in the rows that the model was trained on, each > 0.
    target_prior : array-like of shape (n_classes,)
        Shares or counts where the model is used, each >= 0.

    Returns
    -------
    ndarray of float64 of the shape of ``probabilities``
        ``p_k target_k / train_k``, scaled so that a row sums to 1. A row whose every possible class has target share 0 becomes
        the target shares.

    Raises
    ------
    InvalidParameterError
        A prior has another length, or values out of range.
    InvalidInputError
        ``probabilities`` are negative, not finite, or of another shape.

    Notes
    -----
    Elkan (2001), theorem 2, for two classes; Saerens, Latinne and Decaestecker (2002), equation 4, for any number. Exact if
    the shift changed the shares of the classes only, as repetition does; samplers that invent rows also change how a class looks.

    Examples
    --------
    >>> correct_prior([[0.5, 0.5]], train_prior=[1, 1], target_prior=[9, 1])
    array([[0.9, 0.1]])
    """
    given = _floats("probabilities", probabilities)
    if given.ndim not in (1, 2) or (given.ndim == 2 and given.shape[1] < 2):
        raise InvalidInputError(
            f"probabilities has shape {given.shape}; it must be (n, n_classes), or (n,) for two classes."
        )
    if not np.isfinite(given).all() or (given < 0).any():
        raise InvalidInputError("probabilities holds negative or non-finite values; pass what predict_proba gives.")
    if given.ndim == 1 and (given > 1).any():
        raise InvalidInputError(
            "probabilities of one dimension holds values above 1; pass the second class's probability."
        )
    p = np.column_stack([1 - given, given]) if given.ndim == 1 else given
    train = _shares("train_prior", train_prior, p.shape[1], "> 0")
    target = _shares("target_prior", target_prior, p.shape[1], ">= 0")
    moved = p * (target / train)
    total = moved.sum(axis=1, keepdims=True)
    moved = np.where(total > 0, moved / np.where(total > 0, total, 1), target)
    return moved[:, 1] if given.ndim == 1 else moved


def _floats(name: str, given: Any) -> np.ndarray:
    try:
        return np.asarray(given, dtype=np.float64)
    except Exception as error:  # of whatever it is
        raise InvalidParameterError(f"{name}={given!r:.200} is not valid; it must be an array of numbers.") from error


def _shares(name: str, prior: Any, n_classes: int, bound: str) -> np.ndarray:
    shares = _floats(name, prior)
    fine = shares.shape == (n_classes,) and bool(np.isfinite(shares).all()) and shares.sum() > 0
    if not fine or (shares.min() <= 0 if bound == "> 0" else shares.min() < 0):
        raise InvalidParameterError(
            f"{name}={prior!r} is not valid; it must be {n_classes} shares or counts, one per class, each {bound}."
        )
    return shares / shares.sum()


class PriorCorrectedClassifier(DocLinked, ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Classifier that is trained on resampled rows, yet gives probabilities for the table as it is.

    Parameters
    ----------
    estimator : classifier
        With ``predict_proba``; a pipeline as well. Cloned, never changed.
    sampler : imbalanced-learn sampler, default=None
        Resamples the rows that ``estimator`` is trained on. None leaves them as they are.
    method : {"sigmoid", "prior"}, default="sigmoid"
        How probabilities are repaired. ``"prior"``: the shift of class shares is divided out again. ``"sigmoid"``: then a slope and
        an offset per class bring them into line with rows held out by cross-validation, which also mends what synthetic rows and the
        classifier itself distort; ``cv`` fits more, the same as a threshold needs.
    tune_threshold : {"f1", "g_mean", "balanced_accuracy"} or None, default="balanced_accuracy"
        For two classes, what the threshold on the rarer class's probability is best for, on corrected probabilities of rows held
        out by cross-validation. None, and more classes, predict the most probable class. Not used with ``costs``.
    costs : dict, DataFrame, array-like of shape (n_classes, n_classes) or None, default=None
        What predictions cost, by (true class, predicted class), as in ``{("fraud", "fine"): 20, ("fine", "fraud"): 1}``; a matrix
        has classes in sorted order. The class of least expected cost is predicted, of any number of classes. See
        `tabgan.estimators.costs.read_costs`.
    cv : int, default=5
        Stratified folds for ``"sigmoid"`` and the threshold; fewer where the rarest class has fewer rows.
    random_state : int, RandomState or None, default=None
        Of folds, and of ``estimator`` and ``sampler`` where theirs is None.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    estimator_ : classifier
        Trained on all rows, resampled.
    prior_ : ndarray of shape (n_classes,)
        Shares of the classes in ``y``.
    train_prior_ : ndarray of shape (n_classes,)
        Shares after resampling.
    scaling_ : Scaling or None
        ``slope`` and ``offsets`` on the log scale of the corrected probabilities; None for ``"prior"``, and where a class has one row.
    positive_ : label or None
        The rarer of two classes (the second of equals); None for more classes.
    costs_ : ndarray of shape (n_classes, n_classes) or None
        ``costs`` in the order of ``classes_``.
    threshold_ : float or None
        Rows whose corrected probability of ``positive_`` is at least this get that label; None predicts the most probable class.
    n_features_in_ : int
        Number of columns seen in ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, if all are text.

    Notes
    -----
    The correction is `correct_prior`'s (Elkan 2001; Saerens et al. 2002, equation 4) and undoes the change of class shares that
    ``sampler`` made; class weights inside ``estimator`` are not known to it. It is exact for repetition only, and takes
    the estimator's own probabilities for granted, which five neighbours' are not; ``"sigmoid"`` therefore goes on with
    `tabgan.model_selection.scaling.fit_scaling` (Platt 1999; Guo et al. 2017), on corrected probabilities of rows that neither
    sampler nor estimator saw. With a threshold, ``predict`` differs from the most probable class by design. With ``costs``, the
    threshold is that of Elkan (2001), equation 2, and nothing is tuned: it is right as far as probabilities are, so leave
    ``method`` at ``"sigmoid"``.

    Examples
    --------
    >>> from imblearn.over_sampling import RandomOverSampler
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = make_classification(2000, weights=[0.95], random_state=0)
    >>> model = PriorCorrectedClassifier(LogisticRegression(), RandomOverSampler(), random_state=0).fit(X, y)
    >>> model.train_prior_
    array([0.5, 0.5])
    >>> bool(abs(model.predict_proba(X)[:, 1].mean() - y.mean()) < 0.02)
    True
    """

    def __init__(
        self,
        estimator: Any,
        sampler: Any = None,
        *,
        method: Literal["prior", "sigmoid"] = "sigmoid",
        tune_threshold: str | None = "balanced_accuracy",
        costs: Any = None,
        cv: int = 5,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.sampler = sampler
        self.method = method
        self.tune_threshold = tune_threshold
        self.costs = costs
        self.cv = cv
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> PriorCorrectedClassifier:
        """Resample, train, repair probabilities, and tune the threshold.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Whatever ``sampler`` and ``estimator`` take.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts: for the shares of the classes, slope, offsets and threshold, and for ``estimator``. With
            metadata routing, ``estimator`` gets them where it asks for them. Rows that ``sampler`` makes get the mean of their
            class.

        Returns
        -------
        PriorCorrectedClassifier
            Itself.
        """
        check(self, _RULES)
        if self.costs is not None:
            check_costs(self.costs)
        X, labels, codes = rows_and_labels(self, X, y)
        self.costs_ = None if self.costs is None else read_costs(self.costs, self.classes_)
        weights = checked_weights(sample_weight, codes, self.classes_)
        passed = weights if weights is not None and takes_weights(self) else None
        counts = np.bincount(codes, weights)
        self.prior_ = counts / counts.sum()
        binary = len(counts) == 2
        event = int(counts[1] <= counts[0]) if binary else None
        self.positive_ = None if event is None else self.classes_[event]
        fit_seed, fold_seed = seeds_from(self.random_state, 2)
        self.threshold_: float | None = None
        self.scaling_: Scaling | None = None
        if event is not None and self.costs_ is not None:
            self.threshold_ = cost_threshold(self.costs_, event)
        tuned = event is not None and self.tune_threshold is not None and self.costs_ is None
        if tuned or self.method == "sigmoid":
            held_out = self._held_out(X, labels, codes, weights, passed, fit_seed, fold_seed)
            if held_out is not None and self.method == "sigmoid":
                self.scaling_ = fit_scaling(held_out, codes, weights=weights)
                held_out = self.scaling_.applied(held_out)
            if held_out is not None and tuned:
                self.threshold_ = best_threshold(
                    codes == event, held_out[:, event], str(self.tune_threshold), weights=weights
                )
        self.estimator_, self.train_prior_ = self._trained(X, labels, weights, passed, fit_seed)
        return self

    def _held_out(
        self,
        X: Any,
        labels: np.ndarray,
        codes: np.ndarray,
        weights: np.ndarray | None,
        passed: np.ndarray | None,
        fit_seed: int,
        fold_seed: int,
    ) -> np.ndarray | None:
        """Corrected probabilities of every row, from sampler and estimator that did not see it; None if there are no folds."""
        splits = folds(codes, self.cv, fold_seed)
        if not splits:
            rarest = self.classes_[np.bincount(codes).argmin()]
            warn_caller(
                f"the class {rarest!r} has one row, so nothing can be held out: no threshold is tuned, and probabilities are "
                "corrected for the class shares only."
            )
            return None
        held_out = np.empty((len(labels), len(self.classes_)))
        for training, rest in splits:
            own, theirs = (None if w is None else w[training] for w in (weights, passed))
            model, train_prior = self._trained(_safe_indexing(X, training), labels[training], own, theirs, fit_seed)
            found = aligned_probabilities(model, _safe_indexing(X, rest), self.classes_)
            held_out[rest] = correct_prior(found, train_prior, self.prior_)
        return held_out

    def _trained(
        self, X: Any, labels: np.ndarray, weights: np.ndarray | None, passed: np.ndarray | None, seed: int
    ) -> tuple[Any, np.ndarray]:
        """Trained estimator and the class shares it saw; it is given ``passed``, and shares go by ``weights``."""
        if self.sampler is not None:
            sampler, before = seeded_copy(self.sampler, seed), labels
            X, labels = sampler.fit_resample(X, labels)
            if weights is not None:
                weights = weights_after(sampler, before, weights, np.asarray(labels))
                passed = None if passed is None else weights
        total = None if passed is None else passed.sum()
        shares = np.array(
            [
                np.mean(np.asarray(labels) == label)
                if passed is None
                else passed[np.asarray(labels) == label].sum() / total
                for label in self.classes_
            ]
        )
        if not shares.all():
            lost = self.classes_[shares == 0].tolist()
            raise InvalidInputError(
                f"sampler left no row of {lost}; choose a sampling_strategy that keeps every class."
            )
        extra = {} if passed is None else {"sample_weight": passed}
        return seeded_copy(self.estimator, seed).fit(X, labels, **extra), shares

    def predict_proba(self, X: Any) -> np.ndarray:
        """Class probabilities for rows with the class shares of ``y``.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Rows sum to 1; columns follow ``classes_``.
        """
        check_is_fitted(self)
        check_shape(X)
        validate_data(self, X, reset=False, skip_check_array=True)
        found = aligned_probabilities(self.estimator_, X, self.classes_)
        corrected = correct_prior(found, self.train_prior_, self.prior_)
        return corrected if self.scaling_ is None else self.scaling_.applied(corrected)

    def predict(self, X: Any) -> np.ndarray:
        """Class labels.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        p = self.predict_proba(X)
        if self.threshold_ is None:
            return self.classes_[p.argmax(axis=1) if self.costs_ is None else least_costly(p, self.costs_)]
        event = int(self.classes_[1] == self.positive_)
        return self.classes_[np.where(p[:, event] >= self.threshold_, event, 1 - event)]

    def get_metadata_routing(self) -> MetadataRouter:
        """Who gets which metadata: ``fit`` uses ``sample_weight`` itself, and hands it to ``estimator`` where that asks for it.

        Returns
        -------
        MetadataRouter
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=type(self).__name__).add_self_request(self)
        return router.add(estimator=self.estimator, method_mapping=mapping)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if hasattr(self.estimator, "__sklearn_tags__"):
            inner = self.estimator.__sklearn_tags__()
            tags.input_tags = inner.input_tags
            if inner.classifier_tags is not None:
                tags.classifier_tags.multi_class = inner.classifier_tags.multi_class
        return tags
