"""What must hold for every report page, and the texts that try to break it."""

import base64
import hashlib
import re
from html.parser import HTMLParser

HOSTILE = "<script>alert('x')</script>"
BREAKOUT = '"><img src=x onerror=alert(1)> {{ 7*7 }} ${x} & </script></td>'
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Structure(HTMLParser):
    """Opening and closing tags in balance, and everything in them."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.found, self.scripts, self.words = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        else:
            self.words.append(data.strip())

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def check_page(text):
    """Whatever must hold for every report."""
    page = Structure(text)
    assert len(page.scripts) == 1
    policy = next(tag["content"] for tag in page.all("meta") if tag.get("http-equiv"))
    digest = base64.b64encode(hashlib.sha256(page.scripts[0].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert {tag for tag, _ in page.found} <= set(
        "html head meta title style body a nav header h1 h2 h3 p main section dl div dt dd ul li strong span table thead tr th "
        "tbody td code figure img figcaption details summary footer script svg g defs clippath path use rect text tspan image "
        "pattern".split()
    )
    for tag, attributes in page.found:
        assert not [name for name in attributes if name.startswith("on")]
        assert "url(" not in re.sub(r"url\(#[\w-]+\)", "", " ".join(map(str, attributes.values()))), tag
        for name in ("src", "href", "xlink:href"):
            assert attributes.get(name, "#").startswith(("#", "data:image/png;base64,")), tag
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    assert "url(" not in style
    assert "@import" not in style
    assert all(image["alt"] for image in page.all("img"))
    assert all(head.get("scope") in ("col", "row") for head in page.all("th"))
    assert page.all("html")[0]["lang"] == "en"
    identifiers = [attributes["id"] for _, attributes in page.found if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    assert {tag["href"].removeprefix("#") for tag in page.all("a")} <= set(identifiers)
    used = {tag["xlink:href"] for tag in page.all("use")} | set(re.findall(r"url\((#[\w-]+)\)", text))
    assert {name.removeprefix("#") for name in used} <= set(identifiers)
    assert all(plot["aria-label"] for plot in page.all("div") if plot.get("role") == "img")
    named = {attributes["aria-labelledby"] for _, attributes in page.found if "aria-labelledby" in attributes}
    assert named <= set(identifiers)
    return page
