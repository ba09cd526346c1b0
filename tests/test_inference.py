"""Models are looked at as they are deployed, even with layers that train where nobody says no."""

import keras
import numpy as np
from tiny import numpy, tiny_batch, tiny_classifier

from robustzoo.attacks import _model
from robustzoo.forward import forward
from robustzoo.losses import cross_entropy


def flipping():
    """Its RandomFlip trains by default, and tells so to what stands behind it."""
    net = tiny_classifier(dropout=0.5)
    return keras.Sequential([keras.Input((8, 8, 3)), keras.layers.RandomFlip(), *net.layers])


def test_no_layer_trains_where_outputs_are_asked_for():
    model, (x, _) = flipping(), tiny_batch()
    expected = numpy(model(x, training=False))
    for batch_size in (5, 32):
        np.testing.assert_allclose(forward(model, x, batch_size), expected, atol=1e-5)
    np.testing.assert_allclose(numpy(_model.forward(model, x)), expected, atol=1e-5)


def test_no_layer_trains_under_an_attack():
    (x, y), slopes = tiny_batch(), []
    for model in (flipping(), tiny_classifier()):
        z = keras.ops.convert_to_tensor(x)
        slope = _model.gradient(model, z, lambda logits: cross_entropy(y, logits))[2]
        slopes.append(numpy(slope))
    np.testing.assert_allclose(*slopes, atol=1e-6)
