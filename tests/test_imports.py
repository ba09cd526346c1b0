"""Imports point one way, and what needs no backend imports none."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import robustzoo

PACKAGE = Path(robustzoo.__file__).parent
BACKENDS = {"tensorflow", "jax", "torch"}
# A part imports itself and what stands on the lines above its own. Neighbours on a line do not
# know each other, but for the first line: there, say, the provenance asks the backend.
LAYERS = [
    {
        "backend",
        "threats",
        "losses",
        "layers",
        "datasets",
        "checks",
        "provenance",
        "pictures",
        "canvas",
        "theory",
        "writable",
        "adam",
        "hashes",
        "forward",
        "check_number",
        "closest",
        "inference",
        "whole_file",
        "late_removal",
        "write_whole",
        "journal",
        "single_precision",
    },
    {"detect"},
    {"architectures", "attacks", "certification", "smoothing"},
    {"defenses", "evaluation", "zoo"},
    {"cli"},
    {"__main__"},
]
LEVELS = {part: level for level, parts in enumerate(LAYERS) for part in parts}


def files():
    return sorted(PACKAGE.rglob("*.py"))


def part_of(file):
    """ "attacks" of attacks/pgd.py; "" of the package's own __init__.py."""
    part = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if part == "__init__" else part


def imported_modules(file):
    """Every module that a file imports anywhere, "from robustzoo import x" as robustzoo.x."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_parts(file):
    modules = (module.split(".") for module in imported_modules(file))
    return {module[1] for module in modules if module[0] == "robustzoo" and len(module) > 1}


@pytest.mark.parametrize("file", files(), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_point_one_way(file):
    part = part_of(file)
    if part == "":
        assert imported_parts(file) == set()
        return
    for other in imported_parts(file) - {part, "__version__"}:
        lower = LEVELS[other] < LEVELS[part] or LEVELS[part] == 0 == LEVELS[other]
        assert lower, f"{part} must not import {other}"
    if part == "zoo":
        assert "attacks" not in imported_parts(file)


def test_only_the_seam_imports_a_backend():
    importers = {
        part_of(file)
        for file in files()
        if BACKENDS & {module.split(".")[0] for module in imported_modules(file)}
    }
    assert importers == {"backend"}


@pytest.mark.parametrize(
    "statement",
    [
        "import robustzoo",
        "import robustzoo.zoo; robustzoo.list_models()",
        "from robustzoo.cli import main; main(['list'], standalone_mode=False)",
        "from robustzoo.cli import main; main(['list', '--certified'], standalone_mode=False)",
        "from robustzoo.cli import main; main(['--help'], standalone_mode=False)",
    ],
)
def test_takes_no_backend(statement):
    heavy = sorted(BACKENDS | {"keras", "numpy", "huggingface_hub", "matplotlib"})
    code = f"import sys; {statement}; sys.exit(str([m for m in {heavy} if m in sys.modules]))"
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    process = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert process.stderr.splitlines()[-1] == "[]"
