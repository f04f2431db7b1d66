"""Pictures of multiple imputations for the imputation report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tabgan.report.page import Picture
from tabgan.report.pictures import picture_of, pictures_if
from tabgan.wording import column_text

__all__ = ["by_another_column", "pictures_of_draws"]


def pictures_of_draws(imputer: Any, X: Any, n_draws: int, random_state: int) -> list[Picture]:
    """Draw tables once, and what there is to see in them.

    Parameters
    ----------
    imputer : GAINImputer
        Fitted with the default objective.
    X : table of shape (n_samples, n_features)
        With missing values.
    n_draws : int
        At least 1.
    random_state : int
        Of the draws.
    """
    from tabgan.plotting import ConditionalImputationDisplay, DrawsDisplay, PoolingDisplay, PropensityDisplay

    draws = imputer.sample(X, n_draws, random_state=random_state)
    pictures = [
        picture_of(
            lambda: DrawsDisplay.from_completed(imputer, X, draws),
            "Multiple imputations",
            "For each column with missing cells, mean and spread of the imputed cells in each draw.",
            "The scatter between draws is what missing values add to the uncertainty of a mean.",
        )
    ]
    if n_draws > 1:
        pictures.append(
            picture_of(
                lambda: PoolingDisplay.from_completed(imputer, X, draws),
                "Are there enough draws?",
                "For each column with missing cells, pooled mean or share with interval and Monte Carlo error, by number of draws.",
                "Lines should have come to rest, and the inner band, by which other draws would move the estimate, be at most a tenth "
                "of the standard error. Means need few draws; PoolingDisplay shows your own analysis.",
            )
        )
    propensity = PropensityDisplay.from_completed(imputer, X, draws)
    pictures += pictures_if(
        propensity,
        bool(propensity.columns),
        "Given the probability of being missing",
        "For each column with missing cells, its observed and imputed cells against the probability that they are missing.",
        "At the same probability imputed and observed cells should be alike, however they differ as a whole. An AUC of .5 "
        "says that the other columns do not tell where cells are missing.",
    )
    alike = ConditionalImputationDisplay.from_completed(imputer, X, draws)
    pictures += pictures_if(
        alike,
        bool(alike.strata),
        "Like with like",
        "For columns with missing cells, distributions of observed and imputed ones among rows as likely to miss them.",
        "Thirds of the imputed cells by the probability of being missing. Observed cells count by the odds of being missing, "
        "so that they stand for the missing ones; both should be distributed alike. Thin lines are single draws.",
    )
    return [*pictures, *by_another_column(imputer, X, draws)]


def by_another_column(imputer: Any, X: Any, draws: Sequence[Any]) -> list[Picture]:
    """Distributions given the column where they matter most.

    Parameters
    ----------
    imputer : GAINImputer
    X : table of shape (n_samples, n_features)
        With missing values.
    draws : sequence of tables of shape (n_samples, n_features)
        Completed; also a single one of point estimates.
    """
    from tabgan.plotting import ConditionalImputationDisplay

    display = ConditionalImputationDisplay.from_completed(imputer, X, draws, by="auto", max_columns=3)
    by = column_text(display.by)
    narrow = "" if len(draws) > 1 else " Point estimates are narrower by nature."
    return pictures_if(
        display,
        bool(display.strata),
        f"By {by}",
        f"For columns with missing cells, distributions of observed and imputed cells in groups of rows alike in {by}.",
        f"Of all columns, {by} goes most with missing cells and values alike, so compare imputed and observed cells within "
        f"its groups. Where they still differ, imputations miss what it says, or another column has a part in it.{narrow}",
    )
