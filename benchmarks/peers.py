"""The same attacks in Foolbox and ART, on one Keras model."""

from collections.abc import Callable

import foolbox
import keras
import numpy as np
import tensorflow as tf
from art.attacks import evasion
from art.estimators.classification import TensorFlowV2Classifier


def of_foolbox(model: keras.Model, attack, x: np.ndarray, y: np.ndarray, eps=None) -> Callable:
    """`run` and not `__call__`, which would also measure the attack's success."""
    peer = foolbox.TensorFlowModel(model, bounds=(0, 1))
    budget = {} if eps is None else {"epsilon": eps}
    return lambda: attack.run(peer, tf.constant(x), tf.constant(y), **budget).numpy()


def of_art(model: keras.Model, attack: str, x: np.ndarray, y: np.ndarray, **options) -> Callable:
    """An attack of `art.attacks.evasion` by name, on true labels."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    peer = TensorFlowV2Classifier(model, 10, x.shape[1:], loss, clip_values=(0.0, 1.0))
    made = getattr(evasion, attack)(peer, batch_size=len(x), verbose=False, **options)
    return lambda: made.generate(x, np.eye(10, dtype="float32")[y])
