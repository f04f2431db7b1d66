"""Sentences of the guides, how-tos and README are short enough to be read once."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("docs/howto/*.md"), ROOT / "README.md"])
MOST_WORDS = 40


def _sentences(text: str) -> list[str]:
    """Sentences of a page in Markdown; code blocks, tables, headings and pictures are left out."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    text = re.sub(r"^\s*(?:-|\d+\.) ", "\n\n", text, flags=re.MULTILINE)
    sentences = []
    for paragraph in re.split(r"\n\s*\n", text):
        lines = [line for line in paragraph.splitlines() if not line.lstrip().startswith(("|", "#", "!"))]
        prose = re.sub(r"`[^`]*`", "CODE", " ".join(lines))
        prose = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", prose)
        sentences += re.split(r"(?<=[.!?:])\s+(?=[A-Z*])", prose)
    return sentences


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_sentences_are_short(page):
    long = [sentence for sentence in _sentences(page.read_text("utf-8")) if len(sentence.split()) > MOST_WORDS]
    assert not long, f"split these sentences of more than {MOST_WORDS} words:\n" + "\n".join(long)


def test_a_long_sentence_is_found_and_other_text_is_not_counted():
    words = "word " * MOST_WORDS
    assert max(len(sentence.split()) for sentence in _sentences(f"Short one. Then {words}ends.\n")) == MOST_WORDS + 2
    others = f"Text.\n\n```\n{words}{words}\n```\n\n| {words}{words}|\n\n- {words}\n- `{words}{words}` ends.\n"
    assert max(len(sentence.split()) for sentence in _sentences(others)) == MOST_WORDS
