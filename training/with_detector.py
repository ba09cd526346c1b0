"""A trained classifier and a detector, fitted and with its threshold, as one model."""

from collections.abc import Mapping
from typing import Any

import keras

from robustzoo.attacks import PGD, generate
from robustzoo.datasets import Dataset
from robustzoo.detect import DETECTORS, abstaining, threshold
from robustzoo.losses import margin
from robustzoo.threats import Linf

FALSE_POSITIVES = 0.05  # share of the clean validation images that it rejects
SUPERVISED = 2000  # training images for a detector that sees adversarial ones too


def with_detector(
    classifier: keras.Model, arguments: Mapping[str, Any], data: Dataset, threat: Linf
) -> keras.Model:
    """`detect.abstaining` of what `architectures.abstaining` is told by `arguments`.

    The detector learns from training images, LID also from their PGD-40 examples within `threat`;
    5 % of the validation images score less than the threshold.
    """
    settings = {k: v for k, v in arguments.items() if k not in ("base", "detector")}
    detector, train = DETECTORS[arguments["detector"]](classifier, **settings), data.train
    if detector.supervised:
        train = train.sample(SUPERVISED)
        attack = PGD(threat, threat.eps / 10, steps=40, loss=margin)
        adversarial = generate(attack, classifier, train.images, train.labels)
        detector.fit(train.images, train.labels, adversarial)
    else:
        detector.fit(train.images, train.labels)
    least = threshold(detector.score(data.validation.images), FALSE_POSITIVES)
    return abstaining(detector, least)
