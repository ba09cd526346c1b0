"""config.json of a model folder: every key, its type and its bounds."""

import difflib
import re
from fractions import Fraction

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
        _check_text(key, config[key])
    if config["recipe"] is not None:
        _check_text("recipe", config["recipe"])
    if not isinstance(config["arguments"], dict):
        raise ValueError(f"arguments must be an object. Received: {config['arguments']!r}")
    if config["threat"] is not None:
        check_threat(config["threat"])
    shape = config["input_shape"]
    if not (
        isinstance(shape, (list, tuple))
        and len(shape) == 3
        and all(type(n) is int and 1 <= n <= 4096 for n in shape)
    ):
        raise ValueError(f"input_shape must be [height, width, channels]. Received: {shape!r}")
    labels = config["labels"]
    if not isinstance(labels, (list, tuple)) or not 2 <= len(labels) <= 10000:
        raise ValueError(f"labels must be a list of 2 to 10000 names. Received: {labels!r:.200}")
    for label in labels:
        _check_text("a label", label)
    if len(set(labels)) != len(labels):
        raise ValueError(f"labels must differ from each other. Received: {labels!r:.200}")
    return config


def check_threat(threat: dict) -> None:
    """ValueError unless `threat` is {"norm": "linf", "eps": "8/255"} or alike."""
    _check_keys("threat", threat, ("norm", "eps"))
    if threat["norm"] not in NORMS:
        raise ValueError(f"norm must be one of {', '.join(NORMS)}. Received: {threat['norm']!r}")
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
        raise ValueError(f"{where} must be an object with {', '.join(keys)}. Received: {value!r}")
    for key in value:
        if key not in keys:
            close = difflib.get_close_matches(str(key), keys, 1)
            hint = f"; closest: {close[0]}" if close else ""
            raise ValueError(f"{where} has an unknown key {key!r}; valid: {', '.join(keys)}{hint}")
    missing = [key for key in keys if key not in value]
    if missing:
        raise ValueError(f"{where} lacks {', '.join(missing)}")


def _check_text(what: str, value) -> None:
    # These texts reach a terminal: an escape sequence in one could rewrite what is on screen.
    if not isinstance(value, str) or not 1 <= len(value) <= 200 or not value.isprintable():
        raise ValueError(
            f"{what} must be printable text of 1 to 200 characters. Received: {value!r:.200}"
        )
