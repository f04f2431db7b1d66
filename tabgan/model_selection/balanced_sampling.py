"""An ensemble whose members each see another resample of the table, with probabilities for the table as it is."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.utils import _safe_indexing
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted, validate_data

from tabgan._warnings import warn_caller
from tabgan.estimators.cross_validation import aligned_probabilities, seeded_copy, seeds_from
from tabgan.estimators.doc_links import DocLinked
from tabgan.estimators.parameter_checks import JOBS, SEED, Rule, check, integer, number, one_of, optional
from tabgan.metrics.classification import LABEL_MEASURES, best_threshold, label_scores
from tabgan.model_selection.bags import Bag, draw_bags
from tabgan.model_selection.class_labels import check_shape, rows_and_labels
from tabgan.model_selection.default_member import default_member
from tabgan.model_selection.prior_correction import correct_prior
from tabgan.model_selection.row_metadata import checked_weights
from tabgan.model_selection.scaling import Scaling, fit_scaling

__all__ = ["BalancedSamplingClassifier"]

_LEAST_VOTE = 1e-4
_LEAST = 1e-9

_RULES: dict[str, Rule] = {
    "estimator": optional(
        (
            lambda v: hasattr(v, "fit") and hasattr(v, "predict_proba") and not isinstance(v, type),
            "a classifier object with predict_proba",
        )
    ),
    "sampler": optional(
        (lambda v: hasattr(v, "fit_resample") and not isinstance(v, type), "a sampler object with fit_resample")
    ),
    "n_estimators": integer(1),
    "majority_ratio": optional(number(0, open_low=True)),
    "calibration": optional(one_of("sigmoid", "prior")),
    "decision": one_of("base_rate", "most_probable", *LABEL_MEASURES),
    "max_time": optional(number(0, open_low=True, note=" (seconds)")),
    "n_jobs": JOBS,
    "random_state": SEED,
}


class BalancedSamplingClassifier(DocLinked, ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Ensemble whose members are each trained on another resample of the table, with probabilities for the table as it is.

    Parameters
    ----------
    estimator : classifier, default=None
        With ``predict_proba``; a pipeline as well. Cloned for each member. None takes two extremely randomised trees and two of a
        random forest, two rows or more in a leaf, which vote; columns of a data frame that hold no numbers are one-hot encoded
        for them, and missing values are taken as they are.
    sampler : imbalanced-learn sampler, default=None
        Adds rows to each bag. `BAGANOversampler`, `CGANSampler` and others with ``sample`` are fitted once per fold of five, on the
        other four, and draw other rows for each member; any other sampler resamples each bag. None: real rows only.
    n_estimators : int, default=50
        How many members the ensemble has, each trained on a bag of its own.
    majority_ratio : float or None, default=10.0
        No class has more real rows in a bag than this many times those of the smallest class: 1 is balanced bagging. None leaves
        the classes' sizes. Drawn with replacement either way.
    calibration : {"sigmoid", "prior"} or None, default="sigmoid"
        How votes become probabilities. ``"prior"``: the shift of class shares in the bags is divided out. ``"sigmoid"``: then a slope
        and an offset per class bring them into line with out-of-bag votes. None leaves the mean vote.
    decision : {"base_rate", "most_probable", "f1", "g_mean", "balanced_accuracy"}, default="base_rate"
        What `predict` says. ``"base_rate"``: the class whose probability exceeds its share in the table by the largest factor, which
        is best for balanced accuracy. A measure's name: of two classes, the rarer one from the threshold on that is best for this
        measure out of bag; of more, the most probable class.
    max_time : float, default=None
        Seconds after which no further member begins; the first one always does.
    n_jobs : int, default=None
        Threads that members are trained in; None takes 1, or what `joblib.parallel_config` says (which also chooses processes
        instead), -1 all cores.
    random_state : int, RandomState or None, default=None
        Of bags and folds, and of ``estimator`` and ``sampler`` where theirs is None.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    estimators_ : list of classifier
        The members.
    prior_ : ndarray of shape (n_classes,)
        Shares of the classes in ``y``.
    train_prior_ : ndarray of shape (n_classes,)
        Mean shares in the bags, rows of the sampler included.
    scaling_ : Scaling or None
        ``slope`` and ``offsets`` of ``"sigmoid"``; None for the others, and where a class has no row out of bag.
    oob_decision_function_ : ndarray of shape (n_samples, n_classes)
        Probabilities of each training row by the members that saw neither it nor rows made from it; nan where there is none.
    oob_score_ : float
        Balanced accuracy of these rows' predictions; nan where a class has none. A threshold tuned on them flatters it a little.
    positive_ : label or None
        The rarer of two classes (the second of equals); None for more classes.
    threshold_ : float or None
        Rows whose probability of ``positive_`` is at least this get that label; None where ``decision`` needs none.
    stop_reason_ : str or None
        ``"max_time"`` if there are fewer members than asked for.
    n_features_in_ : int
        Number of columns seen in ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, if all are text.

    See Also
    --------
    PriorCorrectedClassifier : One classifier, one resample.
    tabgan.should_rebalance : Whether to rebalance at all.

    Notes
    -----
    Rows reach members in the container they came in, missing values and categories untouched; so a given ``estimator`` has to take
    them, or be a pipeline. Members get no ``sample_weight``: those given to `fit` decide how often a row is drawn into a bag.

    A row is out of bag for a member if it is not in its bag; with a sampler that is shared, if it is in the fold that the sampler was
    not fitted on. No synthetic row therefore gives away what a threshold or a slope is learnt from.

    References
    ----------
    .. [1] L. Breiman, "Out-of-bag estimation", 1996.
    .. [2] X.-Y. Liu, J. Wu, Z.-H. Zhou, "Exploratory undersampling for class-imbalance learning", 2009.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from tabgan import BalancedSamplingClassifier
    >>> X, y = make_classification(600, weights=[0.9], random_state=0)
    >>> model = BalancedSamplingClassifier(n_estimators=20, random_state=0).fit(X, y)
    >>> bool(abs(model.oob_decision_function_[:, 1].mean() - y.mean()) < 0.02)
    True
    """

    def __init__(
        self,
        estimator: Any = None,
        sampler: Any = None,
        *,
        n_estimators: int = 50,
        majority_ratio: float | None = 10.0,
        calibration: str | None = "sigmoid",
        decision: str = "base_rate",
        max_time: float | None = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.sampler = sampler
        self.n_estimators = n_estimators
        self.majority_ratio = majority_ratio
        self.calibration = calibration
        self.decision = decision
        self.max_time = max_time
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> BalancedSamplingClassifier:
        """Draw bags, train members, and learn probabilities and decision from out-of-bag votes.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Whatever ``sampler`` and ``estimator`` take.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts: how often it is drawn, for the sizes of the classes, and for slope, offsets and threshold.
            ``sampler`` gets no weights.

        Returns
        -------
        BalancedSamplingClassifier
            Itself.
        """
        started = time.monotonic()
        check(self, _RULES)
        X, labels, codes = rows_and_labels(self, X, y)
        weights = checked_weights(sample_weight, codes, self.classes_)
        counts = np.bincount(codes, weights)
        self.prior_ = counts / counts.sum()
        event = int(counts[1] <= counts[0]) if len(counts) == 2 else None
        self.positive_ = None if event is None else self.classes_[event]
        member = default_member(X) if self.estimator is None else self.estimator
        bags = draw_bags(
            X,
            labels,
            codes,
            n_bags=self.n_estimators,
            majority_ratio=self.majority_ratio,
            sampler=self.sampler,
            seed=seeds_from(self.random_state, 1)[0],
            deadline=None if self.max_time is None else started + self.max_time,
            weights=weights,
        )
        trained = Parallel(n_jobs=self.n_jobs, prefer="threads", return_as="generator")(
            delayed(_trained)(member, bag, X, self.classes_) for bag in bags
        )
        self.estimators_, shares = [], []
        votes, n_votes = np.zeros((len(codes), len(counts))), np.zeros(len(codes))
        for model, share, unseen, found in trained:
            self.estimators_.append(model)
            shares.append(share)
            votes[unseen] += found
            n_votes[unseen] += 1
        self.train_prior_ = np.mean(shares, axis=0)
        self.stop_reason_ = "max_time" if len(self.estimators_) < self.n_estimators else None
        if self.stop_reason_:
            warn_caller(
                f"max_time={self.max_time:g} was up after {len(self.estimators_)} of {self.n_estimators} members; allow more time, or "
                "ask for fewer."
            )
        self._learn_from(votes, n_votes, codes, event, weights)
        return self

    def _learn_from(
        self,
        votes: np.ndarray,
        n_votes: np.ndarray,
        codes: np.ndarray,
        event: int | None,
        weights: np.ndarray | None,
    ) -> None:
        """Calibration, decision and out-of-bag figures."""
        self.scaling_: Scaling | None = None
        self.threshold_: float | None = None
        seen = n_votes > 0 if weights is None else (n_votes > 0) & (weights > 0)
        own = None if weights is None else weights[seen] * self._shares_lost(weights, codes, seen)[codes[seen]]
        told = len(np.unique(codes[seen])) == len(self.classes_)
        found = self._calibrated(votes[seen] / n_votes[seen, None])
        tuned = event is not None and self.decision in LABEL_MEASURES
        if not told and (self.calibration == "sigmoid" or tuned):
            lost = np.setdiff1d(self.classes_, self.classes_[codes[seen]]).tolist()
            warn_caller(
                f"no row of {lost} is out of bag, so there is nothing to calibrate by, or to tune a threshold on; more rows of "
                "that class, or more n_estimators, are needed."
            )
        elif self.calibration == "sigmoid":
            self.scaling_ = fit_scaling(found, codes[seen], least=_LEAST, weights=own)
            found = self.scaling_.applied(found)
        if tuned and told:
            self.threshold_ = best_threshold(codes[seen] == event, found[:, event], self.decision, weights=own)
        self.oob_decision_function_ = np.full(votes.shape, np.nan)
        self.oob_decision_function_[seen] = found
        scores = label_scores(codes[seen], self._decided(found), len(self.classes_)) if told else {}
        self.oob_score_ = scores.get("balanced_accuracy", np.nan)

    def _shares_lost(self, weights: np.ndarray, codes: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """By class, its weight per weight of its rows out of bag: rows drawn often are seldom out of bag."""
        left = np.bincount(codes[seen], weights[seen], minlength=len(self.classes_))
        return np.bincount(codes, weights) / np.where(left > 0, left, 1)

    def _calibrated(self, votes: np.ndarray) -> np.ndarray:
        """Probabilities from mean votes."""
        if self.calibration is None:
            return votes
        corrected = correct_prior(np.maximum(votes, _LEAST_VOTE), self.train_prior_, self.prior_)
        return corrected if self.scaling_ is None else self.scaling_.applied(corrected)

    def _decided(self, p: np.ndarray) -> np.ndarray:
        """Class numbers."""
        if self.threshold_ is not None:
            event = int(self.classes_[1] == self.positive_)
            return np.where(p[:, event] >= self.threshold_, event, 1 - event)
        if self.decision != "base_rate":
            return p.argmax(axis=1)
        return (p / (self.train_prior_ if self.calibration is None else self.prior_)).argmax(axis=1)

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
        found = Parallel(n_jobs=self.n_jobs, prefer="threads")(
            delayed(aligned_probabilities)(model, X, self.classes_) for model in self.estimators_
        )
        return self._calibrated(np.mean(found, axis=0))

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
        return self.classes_[self._decided(p)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if self.estimator is None:
            tags.input_tags.allow_nan = tags.input_tags.sparse = True
        elif hasattr(self.estimator, "__sklearn_tags__"):
            inner = self.estimator.__sklearn_tags__()
            tags.input_tags = inner.input_tags
            if inner.classifier_tags is not None:
                tags.classifier_tags.multi_class = inner.classifier_tags.multi_class
        return tags


def _trained(member: Any, bag: Bag, X: Any, classes: np.ndarray) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray]:
    """A member, the class shares it saw, and its votes on the rows it did not."""
    model = seeded_copy(member, bag.seed).fit(bag.X, bag.labels)
    shares = np.array([np.mean(bag.labels == label) for label in classes])
    found = np.zeros((0, len(classes)))
    if len(bag.unseen):
        found = aligned_probabilities(model, _safe_indexing(X, bag.unseen), classes)
    return model, shares, bag.unseen, found
