"""A page of a report as Markdown and as plain data, without its pictures."""

from __future__ import annotations

from typing import Any

from tabgan.report.page import Page, Table

__all__ = ["page_dict", "page_markdown"]


def page_dict(page: Page) -> dict[str, Any]:
    """Everything that a page says, as JSON can hold it; of pictures their titles and captions.

    Parameters
    ----------
    page : Page
    """
    return {
        "title": page.title,
        "source": page.source,
        "date": page.date,
        "version": page.version,
        "headline": page.headline,
        "lead": page.lead,
        "facts": dict(page.facts),
        "notices": [{"what": notice.what, "advice": notice.advice} for notice in page.notices],
        "tables": [
            {
                "title": table.title,
                "note": table.note,
                "rows": [
                    {head.text: cell.text for head, cell in zip(table.heads, row, strict=True)} for row in table.rows
                ],
            }
            for table in page.tables
        ],
        "next_steps": [{"why": why, "command": command} for why, command in page.next_steps],
        "pictures": [{"title": picture.title, "caption": picture.caption} for picture in page.pictures],
        "details": {title: dict(entries) for title, entries in page.details},
    }


def page_markdown(page: Page) -> str:
    """Everything that a page says, as Markdown; of pictures nothing.

    Parameters
    ----------
    page : Page
    """
    title = f"{page.title}: {page.source}" if page.source else page.title
    parts = [f"# {_plain(title)}", f"**{_plain(page.headline)}**" if page.headline else "", _plain(page.lead)]
    parts.append("\n".join(f"- {_plain(name)}: {_plain(value)}" for name, value in page.facts))
    for table in page.tables:
        parts += [f"## {_plain(table.title)}", _table(table), _plain(table.note)]
    if page.notices:
        lines = [f"- **{_plain(notice.what)}** {_plain(notice.advice)}".rstrip() for notice in page.notices]
        parts += ["## What to watch", "\n".join(lines)]
    if page.next_steps:
        lines = [f"- {_plain(why)}: `{command}`" for why, command in page.next_steps]
        parts += ["## What to do next", "\n".join(lines)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(table: Table) -> str:
    heads = [_plain(head.text) for head in table.heads]
    rule = ["---:" if head.is_number else "---" for head in table.heads]
    rows = [[_plain(cell.text) for cell in row] for row in table.rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in (heads, rule, *rows))


def _plain(text: str) -> str:
    """Text from data that is neither markup nor the end of a cell or line."""
    return "".join("\\" + mark if mark in "\\|<>*_`[]#" else " " if mark in "\r\n" else mark for mark in text)
