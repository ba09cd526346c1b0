"""The released models: registry.json beside this file, written only by `register`."""

import difflib
import json
from pathlib import Path

REGISTRY = Path(__file__).with_name("registry.json")


def released() -> dict[str, dict]:
    """{name: facts} of every released model, by name."""
    return json.loads(REGISTRY.read_bytes())


def released_entry(name: str) -> dict:
    """Facts of one released model; ValueError with the closest names if there is none."""
    entries = released()
    if name not in entries:
        close = difflib.get_close_matches(name.lower(), entries, 3, 0.4)
        hint = f"closest: {', '.join(close)}" if close else f"there are {len(entries)} names"
        raise ValueError(
            f"no released model is named {name!r}; {hint}; robustzoo.zoo.list_models() lists all"
        )
    return entries[name]
