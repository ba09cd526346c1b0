"""What the commands work on: a model, its test images, its threat."""

import logging
import os
from pathlib import Path

import robustzoo


def open_model(name: str) -> tuple:
    """(model, config.json, folder) of a model."""
    _refuse_file(name)
    import_keras()
    from robustzoo.zoo.config import check_config
    from robustzoo.zoo.folder import parse_json
    from robustzoo.zoo.obtain import obtain

    # Both by name: a released folder asked for as a folder would vouch for itself.
    model = robustzoo.load(name)
    # All is at hand now, so the Hub isn't asked again, and the weights aren't read again.
    folder, files = obtain(name, skip=("model.safetensors",), local_files_only=True)
    return model, check_config(parse_json(files["config.json"], "config.json")), folder


def _refuse_file(name):
    """Says where a model that Keras saved can be evaluated, before it is looked for as a folder."""
    if Path(name).suffix == ".keras" and not Path(name).is_dir():
        raise ValueError(
            f"a command takes a released model or a model folder. Received: {name}, a file of "
            "Keras; closest: keras.models.load_model and then robustzoo.evaluate in Python, or "
            "robustzoo.zoo.save, which makes a folder of it"
        )


def import_keras() -> None:
    """Imports Keras without the lines that TensorFlow prints about drivers that are not there.

    Some are written before any log level is read, so standard error is closed to them meanwhile.
    Who sets TF_CPP_MIN_LOG_LEVEL sees what it asks for.
    """
    if "TF_CPP_MIN_LOG_LEVEL" not in os.environ:
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        with open(os.devnull, "wb") as nowhere:
            shown = os.dup(2)
            os.dup2(nowhere.fileno(), 2)
            try:
                import keras  # noqa: F401
            finally:
                os.dup2(shown, 2)
                os.close(shown)
        # It takes many small functions compiled for one that is compiled again and again.
        logging.getLogger("tensorflow").setLevel(logging.ERROR)


def threat_of(config: dict, eps: str | None):
    """What the model claims to resist, else the literature's Linf; with another eps if given."""
    import dataclasses

    from robustzoo.evaluation import standard_threat
    from robustzoo.threats import Linf, from_config, parse_eps

    if eps is not None and parse_eps(eps) == 0:
        raise ValueError(f"eps must be above 0: no change at all is the row clean. Received: {eps}")
    if config["threat"]:
        threat = from_config(config["threat"])
        return threat if eps is None else dataclasses.replace(threat, eps=parse_eps(eps))
    if eps is not None:
        return Linf(parse_eps(eps))
    try:
        return standard_threat(config["dataset"])
    except KeyError:
        raise ValueError(
            f"the model claims to resist nothing, and {config['dataset']} has no usual eps: "
            "give --eps"
        ) from None


def sample(config: dict, examples: int | None, seed: int) -> tuple:
    """(test images, or so many of them, the seed of that sample or None)."""
    test = _test_split(config)
    if examples is None or examples >= len(test):
        return test, None
    return test.sample(examples, seed), seed


def _test_split(config):
    from robustzoo import datasets
    from robustzoo.zoo.config import classes

    data = datasets.load(config["dataset"])
    labels, names = classes(config), list(data.label_names)
    if labels == names:
        return data.test
    unknown = [label for label in labels if label not in names]
    if unknown:
        raise ValueError(f"{config['dataset']} has no class {unknown[0]!r}; it has {names[:20]}")
    return datasets.load(config["dataset"], classes=tuple(map(names.index, labels))).test
