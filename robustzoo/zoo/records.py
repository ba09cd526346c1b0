"""Checks of the records of a model folder, before they are believed, printed or published."""

from collections.abc import Iterable

from robustzoo.hashes import sha256
from robustzoo.zoo.config import check_plain, check_text, check_threat, same_threat
from robustzoo.zoo.folder import parse_json

# What a record says, and the types that each fact may have.
OBJECT, LIST, TEXT, WHOLE, NUMBER = (dict,), (list,), (str,), (int,), (int, float)
NOTHING = type(None)
MACHINE = {"commit": (str, NOTHING), "versions": OBJECT, "backend": TEXT, "device": TEXT}
ORIGIN = MACHINE | {"command": TEXT}
SAMPLE = {"dataset": TEXT, "split": TEXT, "examples": WHOLE}
TRAINING = ORIGIN | {"seed": WHOLE, "seconds": NUMBER, "epochs": NUMBER}
EVALUATION = ORIGIN | SAMPLE | {"threat": OBJECT, "results": LIST}
RESULT = {"attack": TEXT, "label": TEXT, "arguments": OBJECT, "seed": (int, NOTHING),
          "accuracy": NUMBER, "seconds": NUMBER}  # fmt: skip
FINDING = {"name": TEXT, "text": TEXT}
PROVED = {"methods": LIST, "examples": WHOLE, "tolerance": NUMBER, "seconds": NUMBER}
CERTIFICATE = ORIGIN | SAMPLE | {
    "sample_seed": (int, NOTHING), "threat": OBJECT, "clip": (bool,), "methods": LIST,
    "accuracy": NUMBER, "certified_accuracy": NUMBER, "attacked": OBJECT, "tolerance": NUMBER,
    "precision": TEXT, "seconds": NUMBER, "model_sha256": TEXT, "data_sha256": TEXT,
    "weights_sha256": TEXT,
}  # fmt: skip
SMOOTHING = ORIGIN | SAMPLE | {
    "sample_seed": (int, NOTHING), "sigma": NUMBER, "n0": WHOLE, "n": WHOLE, "alpha": NUMBER,
    "seed": (int, NOTHING), "abstained": NUMBER, "certified_accuracy": OBJECT, "seconds": NUMBER,
    "weights_sha256": TEXT,
}  # fmt: skip
# Facts that may be absent.
OPTIONAL = {"further": LIST, "sample_seed": (int, NOTHING), "worst_case_accuracy": NUMBER,
            "precision": TEXT, "proved": OBJECT, "rejected": NUMBER, "not_checked": LIST,
            "interval": LIST, "findings": (list, NOTHING), "median_distance": (int, float, NOTHING),
            "weights_sha256": TEXT, "settings": OBJECT, "curve": LIST,
            "best_epoch": WHOLE, "models": OBJECT, "earlier": LIST,
            "published": (dict, NOTHING), "remark": (str, NOTHING)}  # fmt: skip
WORDS = {dict: "an object", list: "a list", str: "text", int: "a whole number", float: "a number",
         bool: "true or false", NOTHING: "null"}  # fmt: skip


def parts(record: dict | None) -> list[dict]:
    """A record and those filed further in it; none of no record."""
    return [record, *record.get("further", [])] if record else []


def at_threat(records: Iterable[dict], threat: dict | None) -> list[dict]:
    """Those of `records` that were made at `threat`."""
    return [part for part in records if same_threat(part["threat"], threat)]


def left(record: dict) -> float:
    """Share of the images of an evaluation that its worst case leaves; all if nothing attacked."""
    return record.get("worst_case_accuracy", 1.0)


def check_records(files: dict[str, bytes]) -> dict[str, dict | None]:
    """The checked records in the contents of a folder, None for one that it does not hold."""

    def read(file):
        return parse_json(files[file], file) if file in files else None

    weights = files["model.safetensors"]
    return {
        "training": check_training(read("training.json")),
        "evaluation": check_evaluation(read("eval.json"), weights),
        "certificate": check_certificate(read("certificate.json"), weights),
        "smoothing": check_smoothing(read("smoothing.json"), weights),
    }


def check_training(training: dict | None) -> dict | None:
    """Returns `training` (training.json); ValueError if a fact that the card prints is missing."""
    for part in _checked_parts("training.json", training, TRAINING):
        for epoch in part.get("curve", []):
            _has("training.json: an epoch of curve", epoch, {})
        for machine in part.get("earlier", []):
            _has("training.json: an entry of earlier", machine, MACHINE)
        _check_published(part.get("published"))
    return training


def check_evaluation(evaluation: dict | None, weights: bytes | None = None) -> dict | None:
    """Returns `evaluation` (eval.json).

    Raises ValueError if it lacks a fact, has a wrong accuracy, or says that it is of other weights
    than `weights`, the contents of model.safetensors; None where these are not at hand.
    """
    for part in _checked_parts("eval.json", evaluation, EVALUATION):
        check_threat(part["threat"])
        if not part["results"]:
            raise ValueError("eval.json: results must not be empty")
        for result in part["results"]:
            _has("eval.json: a result", result, RESULT)
        for finding in part.get("findings") or ():
            _has("eval.json: a finding", finding, FINDING)
        if "proved" in part:
            proved = _has("eval.json: proved", part["proved"], PROVED)
            _check_methods("eval.json", proved["methods"])
        for check in part.get("not_checked", ()):
            check_text("eval.json: an entry of not_checked", check)
        accuracies = [result["accuracy"] for result in part["results"]]
        shares = ("worst_case_accuracy", "rejected")
        accuracies += [part[share] for share in shares if share in part]
        _check_accuracies("eval.json", accuracies)
        if "interval" in part:
            _check_interval(part["interval"])
        if weights is not None and "weights_sha256" in part:
            _check_weights("eval.json", part, weights)
    return evaluation


def check_certificate(certificate: dict | None, weights: bytes) -> dict | None:
    """Returns `certificate` (certificate.json).

    Raises ValueError if it lacks a fact, has a wrong accuracy, or is of other weights than those
    of model.safetensors, whose contents `weights` are.
    """
    for part in _checked_parts("certificate.json", certificate, CERTIFICATE):
        check_threat(part["threat"])
        _check_methods("certificate.json", part["methods"])
        attack = _has("certificate.json: attacked", part["attacked"], RESULT)
        accuracies = [part["certified_accuracy"], attack["accuracy"], part["accuracy"]]
        _check_accuracies("certificate.json", accuracies)
        _check_weights("certificate.json", part, weights)
    return certificate


def check_smoothing(smoothing: dict | None, weights: bytes) -> dict | None:
    """Returns `smoothing` (smoothing.json); ValueError as `check_certificate`."""
    for part in _checked_parts("smoothing.json", smoothing, SMOOTHING):
        _check_accuracies("smoothing.json", part["certified_accuracy"].values())
        _check_weights("smoothing.json", part, weights)
    return smoothing


def _checked_parts(file: str, record: dict | None, kinds: dict) -> list[dict]:
    """The parts of a record, each with the facts of `kinds`; all that is in them is plain."""
    if record is None:
        return []
    check_plain(file, record)
    first = _has(file, record, kinds)
    further = first.get("further", [])
    return [first, *(_has(f"{file}: a further record", part, kinds) for part in further)]


def _check_published(published: dict | None) -> None:
    """{"FGSM": 0.56, ..., "source": "Madry et al."}: numbers of others, never without a source."""
    if not published:
        return
    _has("training.json: published", published, {"source": TEXT})
    _check_accuracies(
        "training.json: published", (v for key, v in published.items() if key != "source")
    )


def _check_interval(interval: list) -> None:
    bounded = all(_is(bound, NUMBER) and 0 <= bound <= 1 for bound in interval)
    if not (len(interval) == 2 and bounded and interval[0] <= interval[1]):
        raise ValueError(
            "eval.json: interval must be two ascending numbers in [0, 1]. Received: "
            f"{interval!r:.100}"
        )


def _check_weights(file: str, record: dict, weights: bytes) -> None:
    wanted, found = record["weights_sha256"], sha256(weights)
    if wanted != found:
        raise ValueError(
            f"{file} is of a model.safetensors with sha256 {wanted}, actual {found}: measure the "
            "model again"
        )


def _check_methods(file: str, methods: list) -> None:
    for method in methods:
        check_text(f"{file}: a method", method)


def _check_accuracies(where: str, accuracies: Iterable) -> None:
    for accuracy in accuracies:
        if not _is(accuracy, NUMBER) or not 0 <= accuracy <= 1:
            raise ValueError(f"{where}: accuracy must lie in [0, 1]. Received: {accuracy!r:.100}")


def _has(where: str, value, kinds: dict[str, tuple]) -> dict:
    """Returns `value` if it is an object with all of `kinds`; what is optional may be absent."""
    if not isinstance(value, dict):
        raise ValueError(f"{where} must be an object. Received: {value!r:.200}")
    missing = [key for key in kinds if key not in value]
    if missing:
        raise ValueError(f"{where} lacks {', '.join(missing)}")
    for key, kind in (OPTIONAL | kinds).items():
        if key in value and not _is(value[key], kind):
            valid = " or ".join(WORDS[each] for each in kind)
            raise ValueError(f"{where}: {key} must be {valid}. Received: {value[key]!r:.100}")
    return value


def _is(value, kind: tuple) -> bool:
    """isinstance, but true and false are no numbers."""
    return isinstance(value, kind) and (bool in kind or not isinstance(value, bool))
