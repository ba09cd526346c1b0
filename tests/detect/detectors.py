"""One small instance of every detector on a model, fitted, and the data it was fitted on."""

import numpy as np
from tiny import tiny_batch

from robustzoo.detect import LID, Confidence, KernelDensity, NonMaximalEntropy

EXAMPLES = {
    "confidence": Confidence,
    "non-maximal-entropy": NonMaximalEntropy,
    "kernel-density": lambda model: KernelDensity(model, variance=0.05, per_class=10),
    "lid": lambda model: LID(model, neighbours=5, reference=20),
}


def training_data(classes: int = 4):
    """Images (60, 8, 8, 3), labels, and images that are no longer like them."""
    x, y = tiny_batch(60)
    y = (y % classes).astype("int32")
    noise = np.random.default_rng(2).uniform(-0.3, 0.3, x.shape)
    return x, y, np.clip(x + noise, 0, 1).astype("float32")


def fit(detector, x, y, adversarial):
    """Fits it with what it needs."""
    return detector.fit(x, y, adversarial) if detector.supervised else detector.fit(x, y)
