"""Local intrinsic dimensionality."""

import math

import numpy as np
from keras import ops

from robustzoo.backend import frozen
from robustzoo.checks import check_data
from robustzoo.detect._distances import flat, squared_distances
from robustzoo.detect._layers import check_model, check_positive, feature
from robustzoo.detect.base import Detector
from robustzoo.forward import forward


class LID(Detector):
    """Log-odds of being clean, by logistic regression on -k / sum_i log(r_i / r_k) in each layer.

    r_1 <= ... <= r_k are the distances of a layer's output to the nearest outputs of `reference`
    clean images. Ma et al., 2018, arXiv:1801.02613, who take the minibatch that an image is scored
    in as reference; here it is drawn once from the training images, so that a score depends on
    nothing else. Fitting needs scikit-learn (`pip install robustzoo[detect]`).

    Args:
        model: from images in [0, 1] to logits (B, L).
        features: names of the layers; None for all that have weights.
        neighbours: k.
        reference: number of reference images, drawn with `seed`.
    """

    supervised = True

    def __init__(
        self,
        model,
        features: tuple[str, ...] | None = None,
        neighbours: int = 20,
        reference: int = 100,
        seed: int = 0,
    ):
        check_model(model)
        check_positive("neighbours", neighbours)
        if type(reference) is not int or reference < neighbours:
            raise ValueError(
                f"reference must be an integer of at least neighbours={neighbours}. "
                f"Received: reference={reference!r}"
            )
        if features is None:
            features = [layer.name for layer in model.layers if layer.weights]
        if isinstance(features, str) or not features:
            raise ValueError(f"features must be names of layers. Received: features={features!r}")
        settings = {"features": list(features), "neighbours": neighbours, "reference": reference}
        tensors = [feature(model, name) for name in features]
        super().__init__(model, tensors, **settings, seed=seed)
        self.neighbours, self.reference, self.seed = neighbours, reference, seed

    def fit(self, images: np.ndarray, labels: np.ndarray, adversarial: np.ndarray):
        """Learns to tell clean and noisy images from adversarial ones; returns itself.

        The first `reference` images drawn are the reference, the others train the regression.
        Noisy ones are Gaussian, as far from `images` in L2 as the adversarial ones, and clipped.

        Args:
            images: training images (N, H, W, C) in [0, 1], N > reference.
            labels: their true classes (N,).
            adversarial: adversarial examples of `images`, in the same order.
        """
        images, _ = check_data(self.model, images, labels)
        adversarial = self.checked(adversarial)
        if adversarial.shape != images.shape or len(images) <= self.reference:
            raise ValueError(
                f"fit needs more than reference={self.reference} images and as many adversarial. "
                f"Received: {len(images)} and {len(adversarial)}"
            )
        generator = np.random.default_rng(self.seed)
        order = generator.permutation(len(images))
        reference, rows = order[: self.reference], order[self.reference :]
        noisy = _noisy(images[rows], adversarial[rows], generator)
        parts = (images[rows], noisy, adversarial[rows])
        self.use(self._regression(images[reference], parts))
        return self

    def shapes(self):
        outputs = self.network.outputs[1:]
        banks = {
            f"layer{i}": (self.reference, math.prod(z.shape[1:])) for i, z in enumerate(outputs)
        }
        return banks | {"scale": (len(outputs),), "weights": (len(outputs),), "bias": (1,)}

    def values(self, arrays, logits, *features):
        scaled = self._dimensions(arrays, logits, *features) * arrays["scale"]
        return ops.sum(scaled * arrays["weights"], axis=-1) + arrays["bias"][0]

    def _dimensions(self, arrays, logits, *features):
        """Dimensionality (B, layers)."""
        dimensions = [
            _dimension(flat(z), arrays[f"layer{i}"], self.neighbours)
            for i, z in enumerate(features)
        ]
        return ops.stack(dimensions, axis=-1)

    def _regression(self, reference, parts):
        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import MinMaxScaler

        with frozen():
            outputs = self.network(ops.convert_to_tensor(reference), training=False)[1:]
        outputs = [ops.convert_to_numpy(z).reshape(self.reference, -1) for z in outputs]
        arrays = {f"layer{i}": z for i, z in enumerate(outputs)}
        network = self.network_with(self._dimensions, arrays)
        found = np.concatenate([forward(network, part) for part in parts]).astype("float64")
        clean = np.repeat([1, 1, 0], len(parts[0]))
        scaler = MinMaxScaler().fit(found)
        model = LogisticRegression(max_iter=1000).fit(scaler.transform(found), clean)
        bias = model.intercept_ + model.coef_[0] @ scaler.min_  # the scaler: x scale_ + min_
        return arrays | {"scale": scaler.scale_, "weights": model.coef_[0], "bias": bias}


def _dimension(z, reference, neighbours):
    """-k / sum_{i <= k} log(r_i / r_k), shape (B,), of `z` (B, D) among `reference` (N, D)."""
    nearest, _ = ops.top_k(-squared_distances(z, reference), neighbours)
    # Where a layer tells nothing apart all distances are 0, and the dimension is without bound.
    logs = 0.5 * ops.log(ops.maximum(-nearest, 1e-20))
    return neighbours / ops.maximum(ops.sum(logs[:, -1:] - logs, axis=-1), 1e-3)


def _noisy(images, adversarial, generator):
    """`images` with Gaussian noise as long as each adversarial change, clipped to [0, 1]."""
    noise = generator.normal(size=images.shape)
    lengths = [np.sqrt(np.square(d).sum(axis=(1, 2, 3))) for d in (adversarial - images, noise)]
    noise *= (lengths[0] / lengths[1])[:, None, None, None]
    return np.clip(images + noise, 0.0, 1.0).astype("float32")
