"""What the literature says of each defense: its paper, what it resists, what breaks it."""

import functools
import json
from pathlib import Path


@functools.cache
def methods() -> dict[str, dict]:
    """{defense: {"title", "paper" (None for standard training), "defends", "breaks"}}.

    The keys are what "defense" in a config.json of ours may be.
    """
    return json.loads(Path(__file__).with_name("methods.json").read_text(encoding="utf-8"))
