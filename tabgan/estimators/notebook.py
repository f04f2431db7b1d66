"""What notebooks show of fitted estimators and of results: scikit-learn's diagram, and below it what was learnt."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from tabgan._html import facts_html, table_html
from tabgan.estimators.doc_links import DocLinked

__all__ = ["FittedHTML", "Learnt"]

Learnt = tuple[list[tuple[str, str]], list[Sequence[str]], str]
"""Facts as (name, value); a table as rows of text, its heading first; a note on the table."""


class FittedHTML(DocLinked):
    """Mixin before ``BaseEstimator``: below scikit-learn's diagram, what a fitted estimator has learnt.

    Subclasses say it in ``_learnt``. Inside a pipeline only the diagram is shown.
    """

    def _learnt(self) -> Learnt | None:
        """What was learnt; None before ``fit``."""
        raise NotImplementedError

    # Notebooks ask for the bundle first; `_repr_html_` of scikit-learn returns the bound method `_repr_html_inner`.
    def _repr_html_inner(self) -> str:
        return super()._repr_html_inner() + self._learnt_html()  # type: ignore[misc]

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        bundle: dict[str, str] = super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]
        if "text/html" in bundle:
            bundle["text/html"] += self._learnt_html()
        return bundle

    def _learnt_html(self) -> str:
        learnt = self._learnt()
        if learnt is None:
            return ""
        facts, rows, note = learnt
        below = f"<p><small>{html.escape(note)}</small></p>" if note else ""
        return f"<div>{facts_html(facts)}{table_html(rows)}{below}</div>"
