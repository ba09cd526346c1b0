"""A trained classifier and a detector, fitted and with its threshold, as one model."""

from collections.abc import Mapping
from typing import Any

import keras

from robustzoo.attacks import PGD, generate
from robustzoo.datasets import Dataset
from robustzoo.detect import DETECTORS, abstaining, threshold
from robustzoo.losses import margin
from robustzoo.threats import Linf


def with_detector(
    classifier: keras.Model,
    arguments: Mapping[str, Any],
    data: Dataset,
    threat: Linf,
    false_positive_rate: float,
    examples: int | None = None,
) -> keras.Model:
    """`detect.abstaining` of what `architectures.abstaining` is told by `arguments`.

    Args:
        threat: a detector that learns from adversarial images, too, sees those of PGD-40 within it.
        false_positive_rate: share of the validation images that score less than the threshold.
        examples: training images that the detector learns from, drawn by chance; None for all.
    """
    settings = {k: v for k, v in arguments.items() if k not in ("base", "detector")}
    detector = DETECTORS[arguments["detector"]](classifier, **settings)
    train = data.train.sample(examples) if examples else data.train
    adversarial = ()
    if detector.supervised:
        attack = PGD(threat, threat.eps / 10, steps=40, loss=margin)
        adversarial = (generate(attack, classifier, train.images, train.labels),)
    detector.fit(train.images, train.labels, *adversarial)
    least = threshold(detector.score(data.validation.images), false_positive_rate)
    return abstaining(detector, least)
