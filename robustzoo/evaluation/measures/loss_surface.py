"""The loss around an image."""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from robustzoo.attacks._model import forward, gradient
from robustzoo.backend import compiled, in_batches
from robustzoo.losses import cross_entropy
from robustzoo.threats import L1, L2, Linf


def loss_surface(
    model: keras.Model,
    image: np.ndarray,
    label: int,
    threat: Linf | L2 | L1,
    points: int = 25,
    batch_size: int = 128,
    seed: int = 0,
    loss: Callable = cross_entropy,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The loss at clip(x + eps (a g + b r), 0, 1) for a and b from -1 to 1.

    g is the threat's direction of steepest ascent at `image` (in Linf the sign of the gradient),
    r the same of Gaussian noise (random signs).

    Args:
        image, label: one of them, float32 (H, W, C) in [0, 1] and an integer.
        points: values of a and of b.
        seed: of r.

    Returns steps (points,), the values of a and b; losses (points, points), a along the first
    axis; and the predicted classes, shaped alike.
    """
    x, y = ops.convert_to_tensor(image[None]), ops.convert_to_tensor([label], "int32")
    noise = np.random.default_rng(seed).normal(size=x.shape).astype("float32")
    slope = gradient(model, x, lambda logits: loss(y, logits))[2]
    g, r = (np.array(ops.convert_to_numpy(threat.steepest(d))) for d in (slope, noise))
    steps = np.linspace(-1.0, 1.0, points).astype("float32")
    a, b = (part.reshape(-1, 1, 1, 1) for part in np.meshgrid(steps, steps, indexing="ij"))
    around = np.clip(image + threat.eps * (a * g + b * r), 0.0, 1.0).astype("float32")

    labels = np.full(len(around), label, "int32")
    judge = compiled(_judge(model, loss), model.variables)
    judged = in_batches(judge, min(batch_size, len(around)), around, labels)
    losses, classes = judged.T.reshape(2, points, points)
    return steps, losses, classes.astype("int32")


def _judge(model, loss):
    """(z, y) -> losses and predicted classes, float32 (B, 2)."""

    def judge(z, y):
        logits = forward(model, z)
        classes = ops.cast(ops.argmax(logits, axis=-1), "float32")
        return ops.stack([ops.cast(loss(y, logits), "float32"), classes], axis=1)

    return judge
