"""The ``to_html`` method of estimators: the one-file reports of `tabgan.report`, at hand where one looks for them first."""

from __future__ import annotations

from typing import Any

__all__ = ["ReportsImages", "ReportsImputation", "ReportsResampling"]


# The reports know the estimators, not the other way round: so they are asked for by their public names when they are needed.
class ReportsImputation:
    """Mixin: ``to_html(X)``."""

    def to_html(
        self,
        X: Any,
        X_filled: Any = None,
        *,
        check: bool = False,
        n_draws: int = 10,
        random_state: int = 0,
        source: str | None = None,
    ) -> Any:
        """Write a one-file HTML report on how this imputer fills a table; see `tabgan.report_imputation`.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            With gaps.
        X_filled : table, default=None
            What ``transform(X)`` returned, if it is at hand.
        check : bool, default=False
            Also hide known cells, fit a clone without them, and show truth against prediction. Takes as long as ``fit``.
        n_draws : int, default=10
            Multiple imputations to show.
        random_state : int, default=0
            Of the draws and the hidden cells.
        source : str, default=None
            What the table is called, for the title.

        Returns
        -------
        HTMLReport
            With ``save(path)``, ``to_markdown`` and ``to_dict``; notebooks show it.
        """
        import tabgan

        return tabgan.report_imputation(
            self, X, X_filled, check=check, n_draws=n_draws, random_state=random_state, source=source
        )


class ReportsResampling:
    """Mixin: ``to_html()``."""

    def to_html(
        self, *, check: bool = False, max_classes: int = 3, random_state: int = 0, source: str | None = None
    ) -> Any:
        """Write a one-file HTML report on the rows made for the table given to ``fit``; see `tabgan.report_resampling`.

        Parameters
        ----------
        check : bool, default=False
            Also hold real rows out and show what synthetic rows change in a classifier. Takes about as long as ``fit``.
        max_classes : int, default=3
            Draw at most this many classes.
        random_state : int, default=0
            Of the rows held out.
        source : str, default=None
            What the table is called, for the title.

        Returns
        -------
        HTMLReport
            With ``save(path)``, ``to_markdown`` and ``to_dict``; notebooks show it.
        """
        import tabgan

        return tabgan.report_resampling(
            self, check=check, max_classes=max_classes, random_state=random_state, source=source
        )


class ReportsImages:
    """Mixin: ``to_html()``."""

    def to_html(self, images: Any = None, y: Any = None, targets: Any = None, *, random_state: int = 0) -> Any:
        """Write a one-file HTML report on what this model draws or translates; see `tabgan.report_images`.

        Parameters
        ----------
        images, y, targets : as in ``fit``, default=None
            To compare drawn images with, or to translate.
        random_state : int, default=0
            Of the images drawn.

        Returns
        -------
        HTMLReport
            With ``save(path)``, ``to_markdown`` and ``to_dict``; notebooks show it.
        """
        import tabgan

        return tabgan.report_images(self, images, y, targets, random_state=random_state)
