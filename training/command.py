"""The command that makes a record."""

import shlex
import sys


def command(module: str) -> str:
    """`python -m module` with the arguments of this process, as a shell reads it."""
    return shlex.join(["python", "-m", module, *sys.argv[1:]])
