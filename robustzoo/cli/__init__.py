"""The command `robustzoo`.

Results go to standard output: tables in a terminal, tab-separated lines in a pipe. Notices and
errors go to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage. What is heavy is imported
by the command that needs it, so that `robustzoo list` answers at once.
"""

import warnings

import click

import robustzoo
from robustzoo.cli._show import notice
from robustzoo.cli.folders import download, export, push, verify
from robustzoo.cli.image import attack, predict
from robustzoo.cli.listing import info, list_
from robustzoo.cli.measure import evaluate, report
from robustzoo.cli.prove import certify, smooth
from robustzoo.late_removal import late_removal

COMMANDS = (
    list_, info, download, verify, predict, attack, evaluate, certify, smooth, report, export, push,
)  # fmt: skip


class Group(click.Group):
    """Turns what the package raises into one line and exit code 1; done work is kept then."""

    def invoke(self, context):
        """Runs the command."""
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: notice(f"warning: {message}")
            try:
                with late_removal():
                    return super().invoke(context)
            except BrokenPipeError:  # `robustzoo list | head -1`; click leaves without a word
                raise
            except (ValueError, OSError, ImportError) as error:
                raise click.ClickException(" ".join(str(error).split())) from None


@click.group(cls=Group, commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(robustzoo.__version__, prog_name="robustzoo")
def main():
    """Adversarially robust image classifiers for Keras 3.

    NAME is a released model, a model folder (a path with a separator), or
    hf://org/repo@revision.
    """
