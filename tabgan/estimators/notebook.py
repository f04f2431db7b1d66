"""What notebooks show of fitted estimators and of results: scikit-learn's diagram, and below it what was learnt."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["FittedHTML", "Learnt", "facts_html", "table_html"]

Learnt = tuple[list[tuple[str, str]], list[Sequence[str]], str]
"""Facts as (name, value); a table as rows of text, its heading first; a note on the table."""


def facts_html(facts: Iterable[tuple[str, str]]) -> str:
    """Names and values on one line, escaped.

    Examples
    --------
    >>> facts_html([("steps", "600"), ("stopped because", "a < b")])
    '<p><b>steps</b> 600 · <b>stopped because</b> a &lt; b</p>'
    """
    return "<p>" + " · ".join(f"<b>{html.escape(name)}</b> {html.escape(value)}" for name, value in facts) + "</p>"


def table_html(rows: Sequence[Sequence[str]]) -> str:
    """A table of text with its heading first, escaped; nothing for a table without rows.

    Examples
    --------
    >>> table_html([["class"], ["<b>"]])
    '<table><thead><tr><th>class</th></tr></thead><tbody><tr><td>&lt;b&gt;</td></tr></tbody></table>'
    """
    if len(rows) < 2:
        return ""
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in rows[0])
    lines = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows[1:])
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


class FittedHTML:
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
