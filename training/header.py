"""The header of a recipe, from what was measured."""

import re
import textwrap
from pathlib import Path

from robustzoo.zoo.card import describe_threat, read_facts

EXPECTED = re.compile(r"^Expect:   .*?(?=\n\"\"\"|\n\n)", re.MULTILINE | re.DOTALL)


def write_header(recipe: Path, folder: Path) -> None:
    """Rewrites "Expect:" of `recipe` from the records of the model `folder`; no other line."""
    training = read_facts(folder, "training.json")
    measured, proved = (read_facts(folder, file) for file in ("eval.json", "certificate.json"))
    # An evaluation that spared what is proved says less of these images than the proof.
    least = 0 if not measured or "proved" in measured else measured["examples"]
    if proved and proved["examples"] > least:
        result = _proved(proved)
    else:
        result = _measured(measured) if measured else _validated(training)
    minutes = training["seconds"] / 60
    text = f"Expect:   {result}; {minutes:.0f} minutes on {training['device']}"
    lines = textwrap.fill(text, 98, subsequent_indent=" " * 10)
    source = recipe.read_text(encoding="utf-8")
    recipe.write_text(EXPECTED.sub(lambda _: lines, source, count=1), encoding="utf-8")


def _measured(evaluation):
    return _shares({r["label"]: r["accuracy"] for r in evaluation["results"]}, evaluation)


def _proved(certificate):
    attacked = certificate["attacked"]
    shares = {"clean": certificate["accuracy"], attacked["label"]: attacked["accuracy"]}
    return _shares(shares | {"certified": certificate["certified_accuracy"]}, certificate)


def _shares(shares, record):
    told = [f"{name} {100 * share:.2f}" for name, share in shares.items()]
    threat, examples = describe_threat(record["threat"]), record["examples"]
    return f"{', '.join(told)} % at {threat}, {examples:,} test images"


def _validated(training):
    if not training["curve"]:
        return "nothing was trained, not yet measured"
    best = training["curve"][training["best_epoch"] - 1]
    names = {"val_accuracy": "clean", "val_robust_accuracy": "robust"}
    shares = [f"{name} {100 * best[key]:.1f}" for key, name in names.items() if key in best]
    return f"{', '.join(shares)} % of validation images, not measured on the test set"
