"""What the commands print."""

import sys

import click


def notice(text: str) -> None:
    """Tells something that is not the result."""
    click.echo(text, err=True)


def table(columns: list[str], rows: list[list]) -> None:
    """A table in a terminal, tab-separated lines without a head in a pipe."""
    rows = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        drawn.add_row(*map(Text, row))
    Console().print(drawn)


def line(first: str, *cells: str) -> None:
    """One row of a table that grows while work goes on."""
    if sys.stdout.isatty():
        click.echo("  ".join([f"{first:<16}", *(f"{cell:>8}" for cell in cells)]))
    else:
        click.echo("\t".join([first, *cells]))


def percent(share: float | None) -> str | None:
    """0.5 as "50.00"; what was not measured stays None."""
    return None if share is None else f"{100 * share:.2f}"


def show_results(record: dict) -> None:
    """Tables of eval.json, one per evaluation."""
    from robustzoo.zoo.card import describe_threat
    from robustzoo.zoo.records import parts

    for part in parts(record):
        threat = describe_threat(part["threat"])
        notice(f"{part['examples']} test images of {part['dataset']}, {threat}, accuracy in %")
        rows = [[r["label"], percent(r["accuracy"]), r["seconds"]] for r in part["results"]]
        if "worst_case_accuracy" in part:
            rows.append(["worst case", percent(part["worst_case_accuracy"]), None])
        table(["attack", "accuracy", "seconds"], rows)
