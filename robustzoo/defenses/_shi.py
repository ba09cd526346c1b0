"""Initialisation and regulariser of Shi et al., 2021, arXiv:2103.17268."""

import math

import keras
from keras import ops

TOLERANCE = 0.5  # the paper's tau


def initialize(model: keras.Model, seed: int) -> None:
    """Draws kernels from N(0, 2 pi / n^2), n the fan-in, and sets biases to 0."""
    generator = keras.random.SeedGenerator(seed)
    fan_in = dict(_fans(model))
    for weight in model.trainable_weights:
        if weight.name == "kernel":
            deviation = math.sqrt(2.0 * math.pi) / fan_in[id(weight)]
            weight.assign(keras.random.normal(weight.shape, stddev=deviation, seed=generator))
        elif weight.name == "bias":
            weight.assign(ops.zeros(weight.shape))


def _fans(model):
    """(id of a kernel, number of inputs of one of its outputs) in `model` and the models within."""
    for layer in getattr(model, "layers", []):
        yield from _fans(layer)
        kernel = getattr(layer, "kernel", None)
        if kernel is not None:
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            yield id(kernel), math.prod(kernel.shape[: -2 if depthwise else -1])


def regularizer(graph, boxes):
    """Mean over the nodes before a ReLU of tightness + balance, a number.

    relu(tau - E r_0 / E r) / tau with radii r, r_0 those of the images; and for a = the ratio of
    mean centres of active and inactive units, and that of their squared distances from the mean,
    relu(tau - min(a, 1 / a)) / tau each; tau = 0.5.
    """
    radius = ops.mean(boxes[0][1] - boxes[0][0])
    terms = []
    for place in graph.bent:
        low, high = boxes[place]
        grown = radius / ops.maximum(ops.mean(high - low), 1e-12)
        terms.append(_missing(grown) + _balance(low, high))
    return sum(terms) / len(terms)


def _balance(low, high):
    center = (low + high) / 2.0
    active, inactive = (ops.cast(mask, center.dtype) for mask in (low > 0, high < 0))
    distance = ops.square(center - ops.mean(center))
    means = ops.mean(center * active), -ops.mean(center * inactive)
    variances = ops.mean(distance * active), ops.mean(distance * inactive)
    # A layer without active or without inactive units has no ratio, and no gradient to mend it.
    both = ops.cast(ops.any(low > 0) & ops.any(high < 0), center.dtype)
    return both * (_missing(_even(*means)) + _missing(_even(*variances)))


def _even(a, b):
    a, b = ops.maximum(a, 1e-12), ops.maximum(b, 1e-12)
    return ops.minimum(a / b, b / a)


def _missing(value):
    return ops.relu(TOLERANCE - value) / TOLERANCE
