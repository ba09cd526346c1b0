"""What a page is made of."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Picture:
    """A PNG file.

    Attributes:
        name: of the file without its ending, unique on a page.
        alt: what it shows, for who cannot see it.
        caption: how to read it and how it was made.
    """

    name: str
    title: str
    png: bytes
    alt: str
    caption: str


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of text; the first cell of each is its head. `name` is unique on a page."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str


@dataclasses.dataclass(frozen=True)
class Page:
    """A title, a sentence, facts (name, value) that hold for all of it, and parts in order."""

    title: str
    summary: str
    facts: tuple[tuple[str, str], ...]
    parts: tuple[Picture | Table, ...]
