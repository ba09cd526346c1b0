"""A model in the mode in which it is deployed."""

import functools
from collections.abc import Callable

import keras

from robustzoo.single_precision import single_precision


def inference(model: Callable) -> Callable:
    """A `keras.Model` called with training=False, any other callable as it is; in 32 bits at least.

    Without a word some of Keras' layers (RandomFlip, say) train by default, and take Dropout and
    BatchNormalization behind them along.
    """
    deployed = functools.partial(model, training=False) if isinstance(model, keras.Model) else model
    return lambda x: single_precision(deployed(x))
