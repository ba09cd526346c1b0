"""Accuracy of a model under one attack, and under several."""

import numpy as np

from robustzoo import evaluation
from robustzoo.attacks import APGD, run
from robustzoo.evaluation.predict import predict


def accuracy(model, data, attack=None, seed: int = 0) -> float:
    """Share of `data` whose class the model still predicts after `attack`; clean for None.

    What counts is the image that the attack returns: the last iterate of PGD, BIM and MIM, as in
    the papers. A targeted attack goes for another class drawn at random.
    """
    found, labels = data.images, data.labels
    if attack is not None:
        aims = random_targets(model, labels, seed) if attack.targeted else labels
        found = run(attack, model, found, aims, seed=seed).images
    kept = predict(model, data.images) == labels
    return float(np.mean(kept & (predict(model, found) == labels)))


def random_targets(model, labels, seed: int = 0):
    """For each of `labels` (N,) another class of the model, at random."""
    classes = model.output_shape[-1]
    others = np.random.default_rng(seed).integers(1, classes, len(labels))
    return ((labels + others) % classes).astype("int32")


def mean_change(found, images, rows=slice(None)) -> float | None:
    """Mean L2 distance of `found` from `images` (N, H, W, C), of those at `rows`; None of none."""
    change = np.sqrt(np.square(found - images).sum(axis=(1, 2, 3)))[rows]
    return float(change.mean()) if len(change) else None


def adaptive_accuracy(model, data, threat, draws: int = 1, seed: int = 0) -> float:
    """What APGD on cross-entropy and then on nine targets leaves, gradients over `draws` (EOT)."""
    attacks = {
        "APGD-CE": APGD(threat, draws=draws),
        "APGD-T": APGD(threat, targets=min(9, model.output_shape[-1] - 1), draws=draws),
    }
    report = evaluation.evaluate(
        model, data, threat, attacks, cascade=True, checks=False, seed=seed
    )
    return report.worst_case_accuracy
