"""The README's ten lines on reverse cross-entropy, on a linear net and images of four kinds."""

import keras
import numpy as np

from tests.readme.block import block


def my_model():
    return keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(4)])


def quadrants(count=64):
    """Noise, and light in the quadrant that is the label."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 4, count)
    images = 0.4 * generator.uniform(size=(count, 2, 4, 2, 4, 1))
    images[np.arange(count), labels // 2, :, labels % 2] += 0.4
    return images.reshape(count, 8, 8, 1).astype("float32"), labels


def test_an_own_model_predicts_by_its_highest_logit():
    images, labels = quadrants()
    scope = {"my_model": my_model, "images": images, "labels": labels}
    exec(block("loss=ReverseCrossEntropy()"), scope)
    assert np.mean(scope["predicted"] == labels) > 0.95
    accuracy = scope["model"].evaluate(images, labels, verbose=0)[1]
    assert np.isclose(accuracy, np.mean(scope["predicted"] == labels))
