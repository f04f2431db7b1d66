"""Facts and tables as HTML for notebooks, everything escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

__all__ = ["facts_html", "table_html"]


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
