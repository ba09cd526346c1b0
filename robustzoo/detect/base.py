"""What a detector is."""

import keras
import numpy as np

from robustzoo.checks import check_data, check_images
from robustzoo.detect._layers import check_model
from robustzoo.forward import forward


class Detector:
    """Accepts or rejects an input by a score: the higher, the more it looks like clean data.

    Subclasses write `values`, and `learn` where they need training data.

    Args:
        model: functional or sequential, from images in [0, 1] to logits; it is left as it is.
        tensors: symbolic ones of `model` that `values` sees beside the logits.
        settings: the arguments of the subclass, which `save` writes.

    Attributes:
        supervised: whether `fit` needs adversarial examples too.
        scorer: `keras.Model` from images to scores (B,), through which gradients pass; None until
            there is something to score with.
    """

    supervised = False

    def __init__(self, model: keras.Model, tensors=(), /, **settings):
        check_model(model)
        self.model, self.settings = model, settings
        self.network = keras.Model(model.inputs[0], [model.outputs[0], *tensors])
        self.scorer, self.arrays = None, {}

    def fit(self, images: np.ndarray, labels: np.ndarray):
        """Learns what clean data look like; returns itself.

        Args:
            images: training images (N, H, W, C) in [0, 1].
            labels: their true classes (N,).
        """
        self.use(self.learn(*check_data(self.model, images, labels)))
        return self

    def score(self, images: np.ndarray, batch_size: int = 128) -> np.ndarray:
        """Scores (N,), float32, of images (N, H, W, C) in [0, 1]; RuntimeError before `fit`."""
        return forward(self.fitted(), self.checked(images), batch_size)

    def learn(self, images: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the arrays that `values` needs, by name."""
        return {}

    def values(self, arrays: dict, logits, *features):
        """Scores (B,) as tensors, from `arrays`, logits (B, L) and features (B, ...)."""
        raise NotImplementedError(f"{type(self).__name__} must write values")

    def fitted(self) -> keras.Model:
        """`scorer`; RuntimeError before `fit`."""
        if self.scorer is None:
            raise RuntimeError(f"{type(self).__name__} must be fitted first: detector.fit(...)")
        return self.scorer

    def use(self, arrays: dict[str, np.ndarray]) -> None:
        """Scores with `arrays` from now on."""
        self.arrays = {name: np.asarray(value, "float32") for name, value in arrays.items()}
        self.scorer = self.network_with(self.values, self.arrays)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the arrays that `learn` returns, if it sees as many images as the settings keep."""
        return {}

    def blank(self) -> keras.Model:
        """`scorer` with weights of 1 in place of arrays, to be read from a model folder."""
        return self._scoring(self.values, self.shapes())[0]

    def network_with(self, fn, arrays: dict[str, np.ndarray]) -> keras.Model:
        """A model from images to `fn(arrays, logits, *features)`, `arrays` as fixed weights."""
        network, weights = self._scoring(fn, {name: a.shape for name, a in arrays.items()})
        for name, array in arrays.items():
            weights[name].assign(array)
        return network

    def checked(self, images) -> np.ndarray:
        """`images` as float32, or ValueError."""
        return check_images(images, self.model.input_shape[1:])

    def _scoring(self, fn, shapes):
        """A model from images to `fn(arrays, logits, *features)`, and the weights of the arrays."""
        head = _Head(fn, shapes)
        return keras.Model(self.network.inputs[0], head(self.network.outputs)), head.arrays


class _Head(keras.layers.Layer):
    """`fn(arrays, *inputs)`, with arrays of `shapes` as weights that no training changes."""

    def __init__(self, fn, shapes):
        super().__init__(trainable=False, dtype="float32", name="detector_score")
        self.fn = fn
        self.arrays = {
            name: self.add_weight(shape=shape, initializer="ones", trainable=False, name=name)
            for name, shape in shapes.items()
        }

    def call(self, inputs):
        return self.fn({name: weight.value for name, weight in self.arrays.items()}, *inputs)
