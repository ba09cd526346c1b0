"""The README's ten lines on defensive distillation, on nets that die of too large a rate."""

import keras
import numpy as np
from keras import layers

from tests.readme.block import block
from tests.readme.test_readme_rce import quadrants


def my_model():
    return keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(100, activation="relu"),
            layers.Dense(4),
        ]
    )


def test_the_student_of_an_own_teacher_predicts_right():
    keras.utils.set_random_seed(0)
    images, labels = quadrants(256)
    images = images.repeat(2, axis=1).repeat(2, axis=2)
    scope = {"my_model": my_model, "images": images, "labels": labels}
    exec(block("loss=TemperedCrossEntropy("), scope)
    assert np.mean(scope["student"].predict(images).argmax(axis=1) == labels) > 0.95
