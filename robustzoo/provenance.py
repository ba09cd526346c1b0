"""Where a number came from."""

import importlib.metadata
import os
import subprocess
from pathlib import Path


def provenance() -> dict:
    """Returns commit (None outside a checkout), versions, backend and device of this process."""
    from robustzoo.backend import BACKEND, device_name

    return {
        "commit": _commit(),
        "versions": versions(),
        "backend": BACKEND,
        "device": device_name() or f"CPU, {os.cpu_count()} cores",
    }


def versions() -> dict[str, str]:
    """{name: version} of what this process computes with."""
    from robustzoo.backend import BACKEND

    return {name: _version(name) for name in ("robustzoo", "keras", BACKEND, "numpy")}


def _version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "source"


def _commit():
    root = Path(__file__).parents[1]
    if not (root / ".git").exists():
        return None
    git = ["git", "-C", str(root)]
    try:
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True)
        # The registry and the tables are results: they change with these, and change none.
        results = (":!robustzoo/zoo/registry.json", ":!training/tables/*.json", ":!*.md")
        code = ["--", "robustzoo", "training", *results]
        changed = subprocess.run([*git, "diff", "--quiet", "HEAD", *code], capture_output=True)
    except OSError:  # no git on this machine
        return None
    if head.returncode:
        return None
    return head.stdout.strip() + ("-modified" if changed.returncode else "")
