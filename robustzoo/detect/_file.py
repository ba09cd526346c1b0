"""What `save` and `load` of detectors agree on."""

import hashlib

import numpy as np
from keras import ops

from robustzoo.detect.confidence import Confidence
from robustzoo.detect.kernel_density import KernelDensity
from robustzoo.detect.lid import LID
from robustzoo.detect.non_maximal_entropy import NonMaximalEntropy

DETECTORS = {c.__name__: c for c in (Confidence, KernelDensity, LID, NonMaximalEntropy)}
CONFIG, ARRAYS = "detector.json", "arrays.npz"


def fingerprint(model) -> str:
    """sha256 of all weights of `model` as float32, in their order."""
    digest = hashlib.sha256()
    for weight in model.weights:
        array = ops.convert_to_numpy(ops.cast(weight, "float32"))
        digest.update(f"{array.shape}".encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()
