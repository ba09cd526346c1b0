"""Backward pass differentiable approximation."""

from collections.abc import Callable, Sequence

import keras
from keras import ops


def bpda(
    model: keras.Model,
    transform: Callable,
    substitute: Callable | None = None,
    input_shape: Sequence[int] | None = None,
) -> keras.Model:
    """Returns x -> model(transform(x)) with the gradient of x -> model(substitute(x)).

    The defense is `transform`, whose own gradient is useless: quantisation, JPEG, a sort. The
    gradient of the model is taken where the defense puts the image, and only the transform's is
    replaced: model(transform(x) + s - stop_gradient(s)) with s = substitute(x). Every attack takes
    the result for a model (Athalye et al., 2018, arXiv:1802.00420).

    Args:
        model: differentiable, from what `transform` returns to logits; shared, not copied.
        transform: of `keras.ops`, or a layer or model; (B, H, W, C) -> the model's input.
        substitute: differentiable and close to `transform`, same shapes; None: the identity.
        input_shape: (H, W, C) of the images if it is not that of the model's input.
    """
    shape = tuple(model.input_shape[1:] if input_shape is None else input_shape)
    images = keras.Input(shape, name="images")
    return keras.Model(images, model(_StraightThrough(transform, substitute)(images)))


class _StraightThrough(keras.layers.Layer):
    def __init__(self, transform, substitute):
        super().__init__(name="straight_through")
        self.transform, self.substitute = transform, substitute

    def call(self, x):
        # Stopped before the transform too: JAX cannot even start to differentiate some of them.
        true = ops.stop_gradient(self.transform(ops.stop_gradient(x)))
        near = x if self.substitute is None else self.substitute(x)
        if tuple(true.shape[1:]) != tuple(near.shape[1:]):
            raise ValueError(
                "transform and substitute must return the same shape. "
                f"Received: {true.shape} and {near.shape}"
            )
        return true + (near - ops.stop_gradient(near))
