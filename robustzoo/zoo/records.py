"""Checks of the records of a model folder, before they are believed, printed or published."""

from collections.abc import Iterable

from robustzoo.hashes import sha256
from robustzoo.zoo.config import check_threat

TRAINING_KEYS = ("command", "commit", "seed", "versions", "backend", "device", "seconds", "epochs")
EVALUATION_KEYS = ("dataset", "split", "examples", "threat", "command", "commit", "versions",
                   "backend", "device", "results")  # fmt: skip
RESULT_KEYS = ("attack", "label", "arguments", "seed", "accuracy", "seconds")
CERTIFICATE_KEYS = ("dataset", "split", "examples", "sample_seed", "threat", "clip", "methods",
                    "accuracy", "certified_accuracy", "attacked", "tolerance", "precision",
                    "seconds", "model_sha256", "data_sha256", "weights_sha256", "command", "commit",
                    "versions", "backend", "device")  # fmt: skip
SMOOTHING_KEYS = ("dataset", "split", "examples", "sample_seed", "sigma", "n0", "n", "alpha",
                  "seed", "abstained", "certified_accuracy", "seconds", "weights_sha256", "command",
                  "commit", "versions", "backend", "device")  # fmt: skip


def parts(record: dict | None) -> list[dict]:
    """A record and those filed further in it; none of no record."""
    return [record, *record.get("further", [])] if record else []


def check_training(training: dict | None) -> dict | None:
    """Returns `training` (training.json); ValueError if a fact that the card prints is missing."""
    return training and _has("training.json", training, TRAINING_KEYS)


def check_evaluation(evaluation: dict | None) -> dict | None:
    """Returns `evaluation` (eval.json); ValueError if it lacks a fact or has a wrong accuracy."""
    for part in parts(evaluation):
        _has("eval.json", part, EVALUATION_KEYS)
        check_threat(part["threat"])
        if not part["results"]:
            raise ValueError("eval.json: results must not be empty")
        for result in part["results"]:
            _has("eval.json: a result", result, RESULT_KEYS)
        accuracies = [result["accuracy"] for result in part["results"]]
        if "worst_case_accuracy" in part:
            accuracies.append(part["worst_case_accuracy"])
        _check_accuracies("eval.json", accuracies)
    return evaluation


def check_certificate(certificate: dict | None, weights: bytes) -> dict | None:
    """Returns `certificate` (certificate.json).

    Raises ValueError if it lacks a fact, has a wrong accuracy, or is of other weights than those
    of model.safetensors, whose contents `weights` are.
    """
    for part in parts(certificate):
        _has("certificate.json", part, CERTIFICATE_KEYS)
        check_threat(part["threat"])
        attack = _has("certificate.json: attacked", part["attacked"], RESULT_KEYS)
        accuracies = [part["certified_accuracy"], attack["accuracy"], part["accuracy"]]
        _check_accuracies("certificate.json", accuracies)
        _check_weights("certificate.json", part, weights)
    return certificate


def check_smoothing(smoothing: dict | None, weights: bytes) -> dict | None:
    """Returns `smoothing` (smoothing.json); ValueError as `check_certificate`."""
    for part in parts(smoothing):
        _has("smoothing.json", part, SMOOTHING_KEYS)
        _check_accuracies("smoothing.json", part["certified_accuracy"].values())
        _check_weights("smoothing.json", part, weights)
    return smoothing


def _check_weights(file: str, record: dict, weights: bytes) -> None:
    wanted, found = record["weights_sha256"], sha256(weights)
    if wanted != found:
        raise ValueError(
            f"{file} is of a model.safetensors with sha256 {wanted}, actual {found}: certify the "
            "model again"
        )


def _check_accuracies(where: str, accuracies: Iterable) -> None:
    for accuracy in accuracies:
        if not isinstance(accuracy, (int, float)) or not 0 <= accuracy <= 1:
            raise ValueError(f"{where}: accuracy must lie in [0, 1]. Received: {accuracy!r}")


def _has(where: str, value, keys: tuple) -> dict:
    if not isinstance(value, dict):
        raise ValueError(f"{where} must be an object. Received: {value!r:.200}")
    missing = [key for key in keys if key not in value]
    if missing:
        raise ValueError(f"{where} lacks {', '.join(missing)}")
    return value
