"""Sphinx: ``python -m sphinx -W docs docs/_build`` from the repository's root, with the ``docs`` extra installed."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from typing import Any

import tabgan
from tabgan.imputation.parameters import GROUPS
from tabgan.sampling.parameter_groups import BAGAN_GROUPS, CGAN_GROUPS

project = "tabgan"
author = "The tabgan developers"
copyright = "The tabgan developers, BSD-3-Clause"  # the name is Sphinx's
release = version = tabgan.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
if find_spec("sphinx_copybutton"):  # in the docs extra; pages are the same without, but for the button on code
    extensions.append("sphinx_copybutton")
    copybutton_prompt_text = r">>> |\.\.\. |\$ "
    copybutton_prompt_is_regexp = True
templates_path = ["_templates"]
exclude_patterns = ["_build", "jupyter_execute", "**.ipynb_checkpoints", "examples", "gallery/*.ipynb", "gallery/*.py"]
html_theme = "pydata_sphinx_theme"
html_title = f"tabgan {version}"
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": [],
}
# Where versions stand side by side, all of them read one list of versions, whose address is given here: the file
# docs/_static/switcher.json as it stands beside the newest one. Without an address there is no menu of versions.
if switcher := os.environ.get("TABGAN_DOCS_SWITCHER"):
    html_theme_options["switcher"] = {
        "json_url": switcher,
        "version_match": os.environ.get("TABGAN_DOCS_VERSION", version),
    }
    html_theme_options["navbar_start"] = ["navbar-logo", "version-switcher"]
    html_theme_options["check_switcher"] = False  # the address need not answer where the pages are built
html_static_path = ["_static"]
html_css_files = ["tabgan.css"]
html_show_sourcelink = False
toc_object_entries_show_parents = "hide"  # names of methods fit beside the page

# Single backticks in docstrings link where they name something of ours, and are code otherwise.
default_role = "autolink"
autosummary_generate = True
autodoc_typehints = "none"  # numpydoc's parameter lists already say the types
autodoc_member_order = "bysource"
numpydoc_show_class_members = False  # the class template lists methods itself, without scikit-learn's

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the notebooks carry their outputs; tests/test_docs.py runs their code

# Every build without a cache runs all scripts of docs/examples; one that fails stops the build.
sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "within_subsection_order": "ExampleTitleSortKey",
    "abort_on_example_error": True,
    "min_reported_time": 1e6,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
    "download_all_examples": False,
}


def skip_foreign_member(app: Any, what: str, name: str, member: Any, skip: bool, options: Any) -> bool | None:
    """Leave out what scikit-learn and torch bring along: their docstrings link to their own manuals."""
    function = getattr(member, "fget", None) or getattr(member, "__func__", member)
    module = getattr(function, "__module__", None) or "tabgan"
    return True if module.split(".")[0] != "tabgan" else None


GROUPED = {
    "tabgan.GAINImputer": GROUPS,
    "tabgan.BAGANOversampler": BAGAN_GROUPS,
    "tabgan.CGANSampler": CGAN_GROUPS,
}
"""Parameters under headings, by the class that has many."""


def head_parameters(app: Any, what: str, name: str, thing: Any, wanted: Any, lines: list[str]) -> None:
    """Put a heading before the first parameter of each group; numpydoc has made a field list of them by now."""
    for heading, (first, *_) in GROUPED.get(name, {}).items():
        for at, line in enumerate(lines):
            if line.strip().startswith(f"**{first}** :"):
                indent = line[: len(line) - len(line.lstrip())]
                lines[at:at] = [
                    "",
                    f"{indent}.. rubric:: {heading}",
                    f"{indent}   :heading-level: 3",
                    f"{indent}   :class: parameter-group",
                    "",
                ]
                break


def describe_thumbnails(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Give each small picture of the gallery the first sentence of its script as a text for those who do not see it."""
    if page == "gallery/index":
        context["body"] = re.sub(
            r'(tooltip="([^"]*?[.:?!])(?: [^"]*)?"><img alt=)""',
            lambda found: f'{found[1]}"{found[2]}"',
            context["body"],
        )


def setup(app: Any) -> None:
    """Register the filter, the headings of parameters, and the texts of small pictures."""
    app.connect("html-page-context", describe_thumbnails)
    app.connect("autodoc-skip-member", skip_foreign_member)
    app.connect("autodoc-process-docstring", head_parameters, priority=900)  # after numpydoc
