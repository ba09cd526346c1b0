"""A progress bar on the terminal, silent where there is none."""

import sys

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


def progress_bar(width: int) -> Progress:
    """A bar with the time elapsed and descriptions of up to `width` letters."""
    columns = TextColumn(f"{{task.description:>{width}}}"), BarColumn(), TimeElapsedColumn()
    return Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
