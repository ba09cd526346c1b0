"""A page as Markdown."""

import re
from urllib.parse import quote

from robustzoo.evaluation.page.parts import Page, Picture


def to_markdown(page: Page, folder: str) -> str:
    """GitHub's Markdown, whose pictures are `folder`/<name>.png."""
    blocks = [f"# {_escape(page.title)}", _escape(page.summary)]
    blocks.append(_rows([("", ""), *page.facts]))
    for part in page.parts:
        blocks.append(f"## {_escape(part.title)}")
        if isinstance(part, Picture):
            blocks.append(f"![{_escape(part.alt)}]({quote(f'{folder}/{part.name}.png')})")
        else:
            blocks.append(_rows([part.columns, *part.rows]))
        blocks.append(_text(part.caption))
    return "\n\n".join(blocks) + "\n"


def _rows(rows):
    lines = ["| " + " | ".join(_escape(cell) for cell in row) + " |" for row in rows]
    lines.insert(1, "|" + " --- |" * len(rows[0]))
    return "\n".join(lines)


def _text(caption):
    """Escaped but for what stands between backquotes, which is code."""
    pieces = caption.split("`")
    return "".join(f"`{p}`" if i % 2 else _escape(p) for i, p in enumerate(pieces))


def _escape(text):
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", text.replace("\n", " "))
