"""A page of tables and pictures, as HTML and as Markdown."""

from robustzoo.evaluation.page.html import to_html
from robustzoo.evaluation.page.markdown import to_markdown
from robustzoo.evaluation.page.parts import Page, Picture, Table

__all__ = ["Page", "Picture", "Table", "to_html", "to_markdown"]
