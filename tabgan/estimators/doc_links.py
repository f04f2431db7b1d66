"""Where notebooks link the parameters of an estimator to: its page in our documentation, once that stands somewhere."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, metadata

__all__ = ["DocLinked", "documentation_url"]

_ROOMS = ("tabgan", "tabgan.images")


@cache
def documentation_url() -> str:
    """The address that the installed distribution names as ``Documentation`` among its URLs; empty if it names none."""
    try:
        urls = metadata("tabgan-learn").get_all("Project-URL") or []
    except PackageNotFoundError:  # a source tree that was never installed
        return ""
    named = dict(url.split(", ", 1) for url in urls)
    return named.get("Documentation", "").rstrip("/")


class DocLinked:
    """Mixin before ``BaseEstimator``: scikit-learn's diagrams and parameter tables link to our pages, not to its own."""

    _doc_link_module = "tabgan"

    @property
    def _doc_link_template(self) -> str:
        url = documentation_url()
        return url and f"{url}/api/generated/{{page}}.html"

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        cls = type(self)
        public = [room for room in _ROOMS if cls.__name__ in import_module(room).__all__]
        return {"page": f"{public[0] if public else cls.__module__}.{cls.__name__}"}
