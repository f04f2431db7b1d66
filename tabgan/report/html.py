"""`HTMLReport`: one self-contained file, and the template engine behind it."""

from __future__ import annotations

import base64
import datetime
import hashlib
import html
import os
from functools import cache
from importlib.resources import files
from typing import Any

from tabgan._files import write_whole
from tabgan.report.page import Page
from tabgan.report.plain import page_dict, page_markdown

__all__ = ["HTMLReport", "render"]


class HTMLReport:
    """A finished report. Notebooks show it by themselves.

    Parameters
    ----------
    html : str
        The whole document.
    title : str
    page : Page, default=None
        What it says, for `to_markdown` and `to_dict`.
    """

    def __init__(self, html: str, title: str, page: Page | None = None) -> None:
        self.html = html
        self.title = title
        self._page = page or Page(title, "")

    def to_html(self) -> str:
        """Give the whole document."""
        return self.html

    def to_markdown(self) -> str:
        """Give what the report says as Markdown, without pictures."""
        return page_markdown(self._page)

    def to_dict(self) -> dict[str, Any]:
        """Give what the report says as plain data that JSON can hold, without pictures."""
        return page_dict(self._page)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the report to one file, that opens from disk and loads nothing.

        Parameters
        ----------
        path : path-like
            Customarily ends in ``.html``. Written whole or not at all.

        Raises
        ------
        OSError
            The folder does not exist or cannot be written.
        """
        write_whole(path, self.html.encode("utf-8"))

    def _repr_html_(self) -> str:
        """The report in a frame, so that neither its style nor its script touches the notebook."""
        return (
            f'<iframe title="{html.escape(self.title)}" sandbox="allow-scripts" srcdoc="{html.escape(self.html)}" '
            'style="width: 100%; height: 40rem; border: 1px solid #888"></iframe>'
        )

    def __repr__(self) -> str:
        return f"<HTMLReport {self.title!r}, {len(self.html) / 1e6:.1f} MB; .save('report.html') writes it>"


def render(page: Page) -> HTMLReport:
    """Turn a page into HTML; everything in it is escaped.

    A content security policy names the one script by its hash, so that a browser runs nothing else, whatever the data hold.
    """
    from markupsafe import Markup

    from tabgan import __version__

    script, style = _asset("report.js"), _asset("report.css")
    page.version = page.version or __version__
    page.date = page.date or datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    text = _template().render(
        page=page,
        script=Markup(script),
        style=Markup(style),
        drawing=Markup,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    # Lone surrogates, as files of broken encoding have them, cannot be written as UTF-8.
    return HTMLReport(text.encode("utf-8", "replace").decode("utf-8"), page.title, page)


@cache
def _template() -> Any:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
    return environment.from_string(_asset("report.html.j2"))


@cache
def _asset(name: str) -> str:
    return (files("tabgan.report") / "assets" / name).read_text(encoding="utf-8")
