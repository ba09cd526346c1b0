"""Which numbers seed noise."""

import click

SEED = click.IntRange(0, 2**31 - 1)  # as `robustzoo.evaluate` has it
