"""Figures as SVG for a page: letters are text, colours are the page's, in light and in dark."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from typing import Any
from xml.etree import ElementTree

__all__ = ["svg_of"]

_DOTS_PER_INCH = 160
_SVG, _LINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_SETTINGS: Any = {"svg.fonttype": "none", "svg.hashsalt": "tabgan"}
_COLOURS = {
    "#000000": "--ink",
    "#ffffff": "--panel",
    "#7f7f7f": "--soft",
    "#d9d9d9": "--line",
    "#0072b2": "--plot-main",
    "#d55e00": "--plot-other",
    "#009e73": "--plot-third",
}
"""By colour of `tabgan.plotting.canvas`, the variable of the style sheet that stands for it."""
_LETTERS = {"#0072b2": "--accent", "#d55e00": "--bad", "#009e73": "--good"}
"""Letters need more contrast than areas."""


def svg_of(figure: Any) -> str:
    """A figure as an ``svg`` element without a fixed size.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Drawn inside `svg_style`.

    Returns
    -------
    str
        Nothing in it refers to anything outside of it, or shares an identifier with another figure.
    """
    from matplotlib import rc_context

    buffer = io.BytesIO()
    with rc_context(_SETTINGS), warnings.catch_warnings():
        # Names in scripts that the font lacks: the reader's browser has them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(
            buffer,
            format="svg",
            dpi=_DOTS_PER_INCH,
            transparent=True,
            bbox_inches="tight",  # the longest names would stick out
            pad_inches=0.04,
            metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")),
        )
    root = ElementTree.fromstring(buffer.getvalue())
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
                parent.remove(child)
    mine = hashlib.sha256(buffer.getvalue()).hexdigest()[:8]
    used = set(re.findall(rb"#([\w.-]+)[\")]", buffer.getvalue()))
    for one in root.iter():
        _made_plain(one, mine, used)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _LINK)
    return re.sub(r">\s+<", "><", ElementTree.tostring(root, encoding="unicode")).strip()


def _made_plain(one: ElementTree.Element, mine: str, used: set[bytes]) -> None:
    """Give an element identifiers of its own, the page's colours and fonts, and no more digits than can be seen."""
    is_text = one.tag in (f"{{{_SVG}}}text", f"{{{_SVG}}}tspan")
    for name, value in list(one.attrib.items()):
        if name == "id":
            if value.encode() in used:
                one.set(name, f"{mine}-{value}")
            else:
                del one.attrib[name]
        elif name == f"{{{_LINK}}}href":
            if value.startswith("#"):
                one.set(name, f"#{mine}-{value[1:]}")
        elif name == "style":
            one.set(name, _style(value, mine, is_text))
        elif name == "clip-path":
            one.set(name, value.replace("url(#", f"url(#{mine}-"))
        elif name in ("d", "x", "y", "transform", "points", "width", "height", "viewBox"):
            one.set(name, re.sub(r"(\.\d\d)\d+", r"\1", value))


def _style(text: str, mine: str, is_text: bool) -> str:
    colours = _COLOURS | _LETTERS if is_text else _COLOURS

    def themed(found: re.Match[str]) -> str:
        variable = colours.get(found[0])
        return f"var({variable}, {found[0]})" if variable else found[0]

    text = text.replace("url(#", f"url(#{mine}-")
    text = re.sub(r"(?<!\()#[0-9a-f]{6}\b", themed, text)
    return re.sub(r"font: (?:\w+ )*?([\d.]+)px [^;]*", r"font-size: \1px", text)
