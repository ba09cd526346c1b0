"""`python -m robustzoo` is the command `robustzoo`."""

from robustzoo.cli import main

main()
