import math

import keras
from keras import ops

from robustzoo.architectures._copy import input_of
from robustzoo.architectures._parts import MAX_WEIGHTS, check_integer
from robustzoo.layers import LogMeanProbability, MixupPool

MAX_SAMPLES = 256


def mixup_inference(
    base: keras.Model,
    predicted: int = 0,
    other: int = 30,
    predicted_mixing: float = 0.5,
    other_mixing: float = 0.5,
    gap: float = 0.2,
    pool: int = 100,
    seed: int = 2000,
) -> keras.Model:
    """log (1/K) sum_k softmax(f(m x + (1 - m) s_k)), s_k drawn from a pool of training images.

    Mixup inference (Pang et al., 2020, arXiv:1909.11515). The s_k are of the class that f predicts
    for x (MI-PL) or of the others (MI-OL). With both, the PL mean is returned where its highest
    probability is less than `gap` below that of f(x), else the OL mean (MI-Combined).

    The pool lies in the layer "pool", whose `adapt(images, labels)` fills it.

    Args:
        base: f, from images to logits; shared, not copied.
        predicted, other: samples K of either kind; 0 for none.
        predicted_mixing, other_mixing: m in [0, 1], the share of x.
        pool: images kept per class.
        seed: of the draws. Far from 0, where attacks and defenses begin.
    """
    inputs = input_of(base)
    _check(base, predicted, other, pool, seed)
    if type(gap) not in (int, float) or not math.isfinite(gap):
        raise ValueError(f"gap must be a finite number. Received: {gap!r:.100}")
    mixings = {"predicted_mixing": predicted_mixing, "other_mixing": other_mixing}
    mix = MixupPool(predicted, other, **mixings, size=pool, seed=seed, dtype="float32", name="pool")
    logits = base(inputs)
    mixed = ops.reshape(mix([inputs, logits]), (-1, *inputs.shape[1:]))
    each = ops.reshape(base(mixed), (-1, predicted + other, logits.shape[-1]))
    if predicted and other:
        same, rest = _mean(each[:, :predicted], "mean_predicted"), _mean(each[:, predicted:])
        outputs = ops.where(_drop(logits, same) < gap, same, rest)
    else:
        outputs = _mean(each)
    return keras.Model(inputs, outputs, name="mixup_inference")


def _mean(logits, name="mean"):
    return LogMeanProbability(dtype="float32", name=name)(logits)


def _drop(logits, mixed):
    """How much lower the highest probability is, (B, 1)."""
    before, after = (ops.max(ops.softmax(z), axis=-1, keepdims=True) for z in (logits, mixed))
    return before - after


def _check(base, predicted, other, pool, seed):
    check_integer("predicted", predicted, 0, MAX_SAMPLES)
    check_integer("other", other, 0, MAX_SAMPLES)
    check_integer("seed", seed, 0, 2**31 - 1)
    pixels = base.output_shape[-1] * math.prod(base.input_shape[1:])
    check_integer("pool", pool, 1, max(1, 4 * MAX_WEIGHTS // pixels))  # as fit into a model folder
