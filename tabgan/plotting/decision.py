"""`DecisionDisplay`: what a classifier says of held-out rows when it learnt without synthetic rows, and when with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from tabgan.core.interrupts import ctrl_c_aborts
from tabgan.exceptions import InvalidInputError
from tabgan.plotting.canvas import GREY, MAIN, OTHER, beside, head_line, in_percent, is_dense, label, panels
from tabgan.plotting.display import FigureDisplay, check_figure
from tabgan.plotting.hidden import rows_of
from tabgan.plotting.views import check_count, check_has, floats_of, is_number, label_columns, view

__all__ = ["DecisionDisplay", "decision_of"]

_MOST_POINTS = 600
_MOST_CLASSES = 8
_MOST_LEVELS = 30
_NARROWEST = 3.2


class DecisionDisplay(FigureDisplay):
    """A classifier's probabilities and recalls on held-out real rows, without and with synthetic rows in its training table.

    Synthetic rows mostly move the decision threshold: probabilities of the rare class rise for all rows alike, recall goes up,
    precision down. Points far from a rising curve are rows that the classifier learnt to see differently.

    Parameters
    ----------
    label : object
        The class whose probability is drawn.
    truth : ndarray of shape (n_rows,)
        Classes of the held-out rows.
    classes : ndarray of shape (n_classes,)
        Of the columns of the probabilities.
    before, after : ndarray of shape (n_rows, n_classes)
        Probabilities without and with synthetic rows.

    Attributes
    ----------
    measures_ : pandas.DataFrame
        ``without`` and ``with``: recall of each class, precision of ``label``, balanced accuracy.
    n_changed_ : int
        Held-out rows whose predicted class changed.
    figure_ : matplotlib.figure.Figure
    axes_ : list of matplotlib.axes.Axes
    """

    def __init__(
        self, *, label: Any, truth: np.ndarray, classes: np.ndarray, before: np.ndarray, after: np.ndarray
    ) -> None:
        self.label = label
        self.truth = truth
        self.classes = classes
        self.before = before
        self.after = after
        guesses = [classes[np.argmax(part, axis=1)] for part in (before, after)]
        self.n_changed_ = int(np.sum(guesses[0] != guesses[1]))
        self.measures_ = pd.DataFrame(
            {
                name: _measures(truth, guess, classes, label)
                for name, guess in zip(("without", "with"), guesses, strict=True)
            }
        )

    @classmethod
    def from_estimator(
        cls,
        sampler: Any,
        X: Any,
        y: Any,
        *,
        classifier: Any = None,
        label: Any = None,
        test_size: float = 0.25,
        max_rows: int = 2000,
        random_state: int = 0,
        fig: Any = None,
    ) -> DecisionDisplay:
        """Hold rows out, fit a clone of the sampler and two classifiers on the others, and draw.

        Parameters
        ----------
        sampler : BAGANOversampler, CGANSampler or any other with ``fit_resample``
            Left as it is; a clone never sees the held-out rows.
        X : DataFrame (pandas, polars, ...), ndarray or list of shape (n_samples, n_features)
            Real rows.
        y : array-like of shape (n_samples,)
            Their classes.
        classifier : estimator, default=None
            With ``predict_proba``; cloned, fitted on the tables as they are. None takes a logistic regression on standardised numbers
            and one-hot labels, with gaps at the median.
        label : object, default=None
            The class whose probability is drawn; None takes the rarest.
        test_size : float, default=0.25
            Share of the rows to hold out, of each class alike.
        max_rows : int, default=2000
            Larger tables are cut to this many rows, drawn at random.
        random_state : int, default=0
            Of the rows drawn and held out.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        DecisionDisplay

        Raises
        ------
        InvalidInputError
            Some class has too few rows to hold one out.
        """
        check_figure(fig)
        found = decision_of(
            sampler,
            X,
            y,
            classifier=classifier,
            label=label,
            test_size=test_size,
            max_rows=max_rows,
            random_state=random_state,
        )
        return found.plot(fig)

    @classmethod
    def from_predictions(
        cls, y_true: Any, before: Any, after: Any, *, classes: Any, label: Any = None, fig: Any = None
    ) -> DecisionDisplay:
        """Draw probabilities of any two classifiers.

        Parameters
        ----------
        y_true : array-like of shape (n_rows,)
            Classes of rows that neither saw.
        before, after : array-like of shape (n_rows, n_classes)
            ``predict_proba`` without and with synthetic rows.
        classes : array-like of shape (n_classes,)
            ``classes_`` of both.
        label : object, default=None
            The class whose probability is drawn; None takes the rarest.
        fig : matplotlib.figure.Figure, default=None
            Where to draw; None makes one.

        Returns
        -------
        DecisionDisplay

        Raises
        ------
        InvalidInputError
            The arrays do not belong together, or ``label`` is none of the classes.
        """
        return _checked(y_true, before, after, classes, label).plot(fig)

    def _size(self) -> tuple[float, float]:
        return 9.5, 3.9 if beside(2, _NARROWEST) == 2 else 6.6

    def _draw(self) -> None:
        shown = list(self.measures_.index)
        points, bars = self.axes_ = panels(self.figure_, 2, per_row=beside(2, _NARROWEST))
        place = self.classes.tolist().index(self.label)
        x, y = self.before[:, place], self.after[:, place]
        mine = self.truth == self.label
        name = label(self.label)
        head_line(
            self.figure_,
            f"class {name} on {len(mine):,} held-out rows: {self.n_changed_:,} predictions change; mean probability {x.mean():.2f} "
            f"without synthetic rows, {y.mean():.2f} with them; true share {mine.mean():.2f}",
        )
        rng = np.random.default_rng(0)
        for part, colour, what, marker, size in (
            (~mine, GREY, "other classes", "o", 9),
            (mine, OTHER, f"class {name}", "x", 16),
        ):
            rows = np.flatnonzero(part)
            rows = rows if len(rows) <= _MOST_POINTS else rng.choice(rows, _MOST_POINTS, replace=False)
            style = {
                "color": colour,
                "alpha": 0.6,
                "marker": marker,
                "linewidths": 0.9,
                "rasterized": is_dense(len(rows)),
            }
            points.scatter(x[rows], y[rows], s=size, label=what, **style)
        points.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
        for line in (points.axhline, points.axvline):
            line(0.5, color=GREY, linewidth=0.6, linestyle=":")
        points.set_xlim(-0.02, 1.02)
        points.set_ylim(-0.02, 1.02)
        points.set_xlabel(f"probability of {name} without synthetic rows", fontsize=8)
        points.set_ylabel("with synthetic rows", fontsize=8)
        points.legend(fontsize=7, frameon=False, loc="lower right")
        places = np.arange(len(shown))
        for column, colour, shift in (("without", MAIN, -0.19), ("with", OTHER, 0.19)):
            values = self.measures_[column].to_numpy()
            bars.barh(places + shift, values, height=0.36, color=colour, alpha=0.85, label=f"{column} synthetic rows")
            for at, value in zip(places + shift, values, strict=True):
                bars.annotate(f"{value:.0%}", (value, at), (3, 0), textcoords="offset points", va="center", fontsize=7)
        bars.set_yticks(places, [label(one) for one in shown])
        bars.invert_yaxis()
        bars.set_xlim(0, 1.12)
        in_percent(bars.xaxis)
        bars.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(0, -0.1), ncols=beside(2, _NARROWEST))


@ctrl_c_aborts()
def decision_of(
    sampler: Any,
    X: Any,
    y: Any,
    *,
    classifier: Any = None,
    label: Any = None,
    test_size: float = 0.25,
    max_rows: int = 2000,
    random_state: int = 0,
) -> DecisionDisplay:
    """What `DecisionDisplay.from_estimator` draws, not drawn yet: it needs no matplotlib."""
    from sklearn.model_selection import train_test_split

    check_count("max_rows", max_rows)
    check_has("sampler", sampler, "fit_resample", "a sampler")
    y = np.asarray(y)
    counts = pd.Series(y).value_counts()
    if counts.min() < 2 or len(counts) < 2:
        raise InvalidInputError(
            f"class {counts.index[-1]!r} has {counts.min()} of {len(y)} rows: two classes of two rows each are needed."
        )
    rows = np.arange(len(y))
    try:
        if len(rows) > max_rows:
            rows, _ = train_test_split(rows, train_size=max_rows, stratify=y, random_state=random_state)
        learnt, held = train_test_split(rows, test_size=test_size, stratify=y[rows], random_state=random_state)
    except ValueError as error:
        raise InvalidInputError(f"rows cannot be held out: {error}") from error
    made_X, made_y = _resampled(sampler, rows_of(X, learnt), y[learnt], random_state)
    schema = getattr(sampler, "schema_", None)
    labels = None if schema is None else label_columns(schema)
    markers = getattr(sampler, "missing_values", np.nan)
    own, given = classifier is None, clone(classifier) if classifier is not None else None
    tables = [rows_of(X, learnt), made_X, rows_of(X, held)]
    if own:
        tables = [view(table, labels, markers) for table in tables]
        given = _plain_classifier(tables[0])
    classes = np.unique(y[learnt])
    shares = []
    for table, target in ((tables[0], y[learnt]), (tables[1], np.asarray(made_y))):
        shares.append(clone(given).fit(table, target).predict_proba(tables[2]))
    return _checked(y[held], shares[0], shares[1], classes, label)


def _resampled(sampler: Any, X: Any, y: np.ndarray, random_state: int) -> tuple[Any, Any]:
    """What a clone makes of a part of the table; of a gate that has decided, its share, without asking it once more."""
    decided = getattr(sampler, "gate_", None)
    if decided is None:
        return clone(sampler).fit_resample(X, y)
    made_X, made_y = clone(sampler).set_params(gate=None).fit_resample(X, y)
    new = len(y) + np.random.default_rng(random_state).permutation(len(made_y) - len(y))
    kept = np.concatenate([np.arange(len(y)), np.sort(new[: round(decided.share * len(new))])])
    return rows_of(made_X, kept), np.asarray(made_y)[kept]


def _checked(y_true: Any, before: Any, after: Any, classes: Any, label: Any) -> DecisionDisplay:
    truth, classes = np.asarray(y_true), np.asarray(classes)
    before, after = floats_of("before", before), floats_of("after", after)
    if truth.ndim != 1 or classes.ndim != 1:
        raise InvalidInputError(f"y_true {truth.shape} and classes {classes.shape} must have one dimension.")
    wanted = (len(truth), len(classes))
    if before.shape != wanted or after.shape != wanted:
        raise InvalidInputError(f"before {before.shape} and after {after.shape} must both have shape {wanted}.")
    if label is None:
        label = min(classes.tolist(), key=lambda one: (np.sum(truth == one), str(one)))
    elif label not in classes.tolist():
        raise InvalidInputError(f"label={label!r} is none of the classes {classes.tolist()}.")
    return DecisionDisplay(label=label, truth=truth, classes=classes, before=before, after=after)


def _measures(truth: np.ndarray, guess: np.ndarray, classes: np.ndarray, name: Any) -> pd.Series:
    recalls = {one: float(np.mean(guess[truth == one] == one)) for one in classes.tolist() if np.any(truth == one)}
    rest = sorted((one for one in recalls if one != name), key=lambda one: -int(np.sum(truth == one)))
    named = [one for one in [name, *rest] if one in recalls][:_MOST_CLASSES]
    found = {f"recall of {one}": recalls[one] for one in named}
    claimed = guess == name
    found[f"precision of {name}"] = float(np.mean(truth[claimed] == name)) if claimed.any() else 0.0
    found["balanced accuracy"] = float(np.mean(list(recalls.values())))
    return pd.Series(found)


def _plain_classifier(frame: pd.DataFrame) -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = [j for j, (_, column) in enumerate(frame.items()) if is_number(column)]
    words = [j for j in range(frame.shape[1]) if j not in numbers]
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=_MOST_LEVELS)
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()), numbers),
        (one_hot, words),
    )
    return make_pipeline(columns, LogisticRegression(max_iter=1000))
