"""Kernel density."""

import math

import numpy as np
from keras import ops
from scipy.spatial import distance

from robustzoo.detect._distances import flat, squared_distances
from robustzoo.detect._layers import check_positive, feature
from robustzoo.detect.base import Detector
from robustzoo.forward import forward
from robustzoo.losses._own import own

NOTHING = -1e30  # log density of a class without training features


class KernelDensity(Detector):
    """log mean_i exp(-||z - z_i||^2 / s2) over training features z_i of the predicted class.

    The score is the logarithm, in which nothing underflows. An image of a class that the training
    data lacked has density zero, and scores less than any other. Feinman et al., 2017,
    arXiv:1703.00410, as used by Pang et al., 2018, arXiv:1706.00633; their bandwidth h is
    sqrt(s2 / 2).

    Args:
        model: from images in [0, 1] to logits (B, L).
        features: layer whose outputs are the features, flattened; None for what the last Dense
            layer takes in.
        variance: s2, in squared units of the features; None for the median ||z_i - z_j||^2 of
            training features of one class. Far below, only the nearest z_i counts. Pang et al. have
            1 / 0.26, and 0.1 / 0.26 with RCE, for the 64 features of their nets.
        per_class: most training features z_i kept of each class, drawn with `seed`.
    """

    def __init__(
        self,
        model,
        features: str | None = None,
        variance: float | None = None,
        per_class: int = 1000,
        seed: int = 0,
    ):
        if variance is not None and not 0 < variance < float("inf"):
            raise ValueError(
                f"variance must be a positive number or None. Received: variance={variance!r}"
            )
        check_positive("per_class", per_class)
        super().__init__(
            model,
            [feature(model, features)],
            features=features,
            variance=variance,
            per_class=per_class,
            seed=seed,
        )
        self.variance, self.per_class, self.seed = variance, per_class, seed
        self._features = self.network_with(lambda arrays, logits, z: flat(z), {})

    def features(self, images: np.ndarray, batch_size: int = 128) -> np.ndarray:
        """Features (N, D) of images (N, H, W, C) in [0, 1]."""
        return forward(self._features, self.checked(images), batch_size)

    def shapes(self):
        classes, size = self.model.output_shape[-1], math.prod(self._features.output_shape[1:])
        return {"bank": (classes, self.per_class, size), "counts": (classes,), "variance": ()}

    def learn(self, images, labels):
        generator = np.random.default_rng(self.seed)
        classes = self.model.output_shape[-1]
        rows = [generator.permutation(np.flatnonzero(labels == c)) for c in range(classes)]
        rows = [kept[: self.per_class] for kept in rows]
        counts = np.array([len(kept) for kept in rows])
        found = self.features(images[np.concatenate(rows)])
        bank = np.zeros((classes, counts.max(), found.shape[1]), "float32")
        owners = np.repeat(np.arange(classes), counts)
        places = np.concatenate([np.arange(count) for count in counts])
        # What fills up a class lies where its features lie too, and counts for nothing.
        bank[:] = found.mean(axis=0)
        bank[owners, places] = found
        variance = self.variance or _median([found[owners == c] for c in range(classes)])
        return {"bank": bank, "counts": counts, "variance": variance}

    def values(self, arrays, logits, z):
        bank, counts = arrays["bank"], arrays["counts"]
        classes, most, size = bank.shape
        distances = squared_distances(flat(z), ops.reshape(bank, (classes * most, size)))
        exponents = ops.reshape(-distances / arrays["variance"], (-1, classes, most))
        kept = ops.arange(most, dtype="float32")[None] < counts[:, None]
        logs = ops.logsumexp(ops.where(kept, exponents, NOTHING), axis=-1)
        logs = ops.maximum(logs - ops.log(ops.maximum(counts, 1.0)), NOTHING)
        logs = ops.where(counts > 0, logs, NOTHING)
        return own(logs, ops.argmax(logits, axis=-1))


def _median(groups):
    """Median squared distance of two features (n, D) of one group."""
    found = [distance.pdist(z, "sqeuclidean") for z in groups if len(z) > 1]
    median = float(np.median(np.concatenate(found))) if found else 0.0
    if median == 0.0:
        raise ValueError(
            "variance=None takes the median distance of two training features of one class, and "
            "there are no two, or most are equal; give a number"
        )
    return median
