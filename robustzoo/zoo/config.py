"""config.json of a model folder: every key, its type and its bounds."""

import difflib
import re
from fractions import Fraction

from robustzoo.closest import closest

NORMS = ("linf", "l2", "l1", "l0")
TEXTS = ("architecture", "dataset", "defense", "license")
KEYS = (*TEXTS, "arguments", "threat", "input_shape", "labels", "recipe")
# Not every text that Fraction takes: "1e99999999" would be computed digit by digit.
EXACT = re.compile(r"\d{1,6}/\d{1,6}|\d{1,6}(\.\d{1,40})?", re.ASCII)


def check_config(config: dict) -> dict:
    """Returns `config` if it describes a model that can be built; ValueError otherwise.

    Only names, numbers and text: the architecture and its arguments are checked again, against
    the allow-list of builders, by `robustzoo.architectures.build`.
    """
    _check_keys("config.json", config, KEYS)
    for key in TEXTS:
        check_text(key, config[key])
    if config["recipe"] is not None:
        check_text("recipe", config["recipe"])
    if not isinstance(config["arguments"], dict):
        raise ValueError(f"arguments must be an object. Received: {config['arguments']!r:.200}")
    check_plain("config.json: arguments", config["arguments"])
    if config["threat"] is not None:
        check_threat(config["threat"])
    shape = config["input_shape"]
    if not (
        isinstance(shape, (list, tuple))
        and len(shape) == 3
        and all(type(n) is int and 1 <= n <= 4096 for n in shape)
    ):
        raise ValueError(f"input_shape must be [height, width, channels]. Received: {shape!r:.99}")
    labels = config["labels"]
    if not isinstance(labels, (list, tuple)) or not 2 <= len(labels) <= 10000:
        raise ValueError(f"labels must be a list of 2 to 10000 names. Received: {labels!r:.200}")
    for label in labels:
        check_text("a label", label)
    if len(set(labels)) != len(labels):
        raise ValueError(f"labels must differ from each other. Received: {labels!r:.200}")
    return config


def classes(config: dict) -> list[str]:
    """The labels that data can have: all but the rejection of a model that abstains."""
    labels = list(config["labels"])
    return labels[:-1] if rejects(config) else labels


def rejects(config: dict) -> bool:
    """Whether the model abstains, and the last of its labels is rejection."""
    return config["architecture"] == "abstaining"


def check_threat(threat: dict) -> None:
    """ValueError unless `threat` is {"norm": "linf", "eps": "8/255"} or alike."""
    _check_keys("threat", threat, ("norm", "eps"))
    if threat["norm"] not in NORMS:
        valid, norm = ", ".join(NORMS), f"{threat['norm']!s:.100}"
        close = closest(norm.lower(), NORMS)
        raise ValueError(f"norm must be one of {valid}. Received: {norm!r}; closest: {close!r}")
    eps = threat["eps"]
    try:
        positive = isinstance(eps, str) and EXACT.fullmatch(eps) and Fraction(eps) > 0
    except ZeroDivisionError:
        positive = False
    if not positive:
        raise ValueError(f'eps must be exact text such as "8/255" or "0.3". Received: {eps!r:.100}')


def same_threat(first: dict | None, second: dict | None) -> bool:
    """Whether two checked threats are equal, "51/255" and "0.2" alike; None is no threat."""
    if not first or not second:
        return first == second
    return first["norm"] == second["norm"] and Fraction(first["eps"]) == Fraction(second["eps"])


def _check_keys(where: str, value, keys: tuple) -> None:
    if not isinstance(value, dict):
        valid = ", ".join(keys)
        raise ValueError(f"{where} must be an object with {valid}. Received: {value!r:.200}")
    for key in value:
        if key not in keys:
            close = difflib.get_close_matches(str(key)[:100], keys, 1)
            hint = f"; valid: {', '.join(keys)}" + (f"; closest: {close[0]}" if close else "")
            raise ValueError(f"{where} has an unknown key {key!r:.100}{hint}")
    missing = [key for key in keys if key not in value]
    if missing:
        raise ValueError(f"{where} lacks {', '.join(missing)}")


def check_text(what: str, value, low: int = 1, high: int = 200) -> None:
    """ValueError unless `value` is printable text of `low` to `high` characters.

    Such texts reach a terminal: an escape sequence in one could rewrite what is on screen.
    """
    if not isinstance(value, str) or not low <= len(value) <= high or not value.isprintable():
        raise ValueError(
            f"{what} must be printable text of {low} to {high} characters. Received: {value!r:.200}"
        )


def check_plain(where: str, value, depth: int = 16) -> None:
    """ValueError unless `value` is JSON of short printable texts and finite numbers, not deep."""
    if not depth:
        raise ValueError(f"{where} lies too deep, in more than 16 lists and objects")
    if isinstance(value, dict):
        for key, inner in value.items():
            check_text(f"{where}: a key", key)
            check_plain(f"{where}: {key}", inner, depth - 1)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            check_plain(where, inner, depth - 1)
    elif isinstance(value, str):
        check_text(where, value, 0, 1000)
    elif value is not None and not (isinstance(value, (int, float)) and abs(value) < 1e300):
        raise ValueError(f"{where} must be text or a finite number. Received: {value!r:.100}")
