"""A page as HTML."""

import base64
import struct
from html import escape

from robustzoo.evaluation.page.parts import Page, Picture, Table

STYLE = """
:root { color-scheme: light dark; --text: #1c1f23; --soft: #59626c; --line: #d5dade;
  --ground: #ffffff; --raised: #f4f6f8; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ec; --soft: #a4adb6; --line: #3b434b;
  --ground: #15181b; --raised: #1f2428; } }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1rem 4rem; color: var(--text);
  background: var(--ground); font: 1rem/1.5 system-ui, sans-serif; }
h1 { margin: 0 0 .5rem; font-size: 1.8rem; line-height: 1.2; }
h2 { margin: 3rem 0 .8rem; font-size: 1.25rem; }
a { color: inherit; }
nav ul { columns: 18rem 2; padding-left: 1.2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.2rem; padding: 1rem;
  border-radius: .5rem; background: var(--raised); }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } }
figure { margin: 0; }
img { display: block; max-width: 100%; height: auto; border-radius: .5rem; background: #fff; }
figcaption, .caption { margin-top: .6rem; color: var(--soft); font-size: .9rem; }
code { font-size: .92em; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem 1.2rem .35rem 0; border-bottom: 1px solid var(--line); text-align: left; }
thead th { color: var(--soft); font-weight: 600; }
tbody th { font-weight: 500; }
"""
# Nothing may be fetched and nothing run, whatever stands on the page.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def to_html(page: Page) -> str:
    """One file that needs no other: style and pictures are inside, there is no script."""
    contents = "".join(
        f'<li><a href="#{escape(part.name)}">{escape(part.title)}</a></li>\n' for part in page.parts
    )
    facts = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>\n" for k, v in page.facts)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{escape(page.title)}</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>{escape(page.title)}</h1>
<p>{escape(page.summary)}</p>
<dl>
{facts}</dl>
<nav aria-label="Contents"><ul>
{contents}</ul></nav>
</header>
<main>
{"".join(_section(part) for part in page.parts)}</main>
</body>
</html>
"""


def _section(part):
    inside = _picture(part) if isinstance(part, Picture) else _table(part)
    name, title = escape(part.name), escape(part.title)
    return f'<section id="{name}">\n<h2>{title}</h2>\n{inside}</section>\n'


def _picture(part):
    data = base64.b64encode(part.png).decode()
    width, height = struct.unpack(">II", part.png[16:24])  # of PNG's first chunk
    return (
        f'<figure>\n<img src="data:image/png;base64,{data}" alt="{escape(part.alt)}" '
        f'width="{width}" height="{height}">\n'
        f"<figcaption>{_text(part.caption)}</figcaption>\n</figure>\n"
    )


def _table(part: Table):
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in part.columns)
    rows = ""
    for first, *others in part.rows:
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in others)
        rows += f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>\n'
    return (
        f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n'
        f'</table></div>\n<p class="caption">{_text(part.caption)}</p>\n'
    )


def _text(caption):
    """Escaped, with `code` between backquotes."""
    pieces = [escape(piece) for piece in caption.split("`")]
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(pieces))
