"""Training with max-Mahalanobis centres, alone and adversarially."""

import keras
import numpy as np
import pytest
from keras import ops

from robustzoo.architectures import center_head, linear
from robustzoo.attacks import PGD
from robustzoo.backend import input_gradient
from robustzoo.defenses import AdversarialMixing, MadryTraining, StandardTraining
from robustzoo.layers import CenterLogits
from robustzoo.losses import cross_entropy, large_margin_gm, mmc
from robustzoo.threats import Linf
from tests.tiny import tiny_batch, tiny_classifier

THREAT = Linf(0.02)


def adversarial_loss(model, x, y):
    x_adv = PGD(THREAT, 0.01, steps=5, loss=mmc)(model, x, y, seed=1)
    return float(ops.mean(mmc(y, model(x_adv, training=False))))


@pytest.mark.parametrize("cls", [MadryTraining, AdversarialMixing])
def test_adversarial_training_lowers_the_distance_under_its_own_attack(cls):
    x, y = tiny_batch(64)
    model = center_head(linear((8, 8, 3), classes=4), dim=6, scale=3.0)
    before = adversarial_loss(model, x, y)
    centers = ops.convert_to_numpy(model.get_layer("head").centers.value)
    defense = cls(model, PGD(THREAT, 0.01, steps=2, loss=mmc), criterion=mmc)
    defense.compile(keras.optimizers.Adam(0.01))
    history = defense.fit(x, y, batch_size=32, epochs=15, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert adversarial_loss(model, x, y) < 0.75 * before
    after = ops.convert_to_numpy(model.get_layer("head").centers.value)
    np.testing.assert_array_equal(after, centers)


def test_learned_centers_train_under_large_margin_gm_and_are_averaged():
    x, y = tiny_batch(64)
    model = center_head(tiny_classifier(), "learned", dim=6, scale=3.0)
    before = ops.convert_to_numpy(model.get_layer("head").centers.value)
    defense = StandardTraining(model, criterion=large_margin_gm, average_decay=0.9)
    defense.compile(keras.optimizers.SGD(0.02, momentum=0.9))
    history = defense.fit(x, y, batch_size=32, epochs=8, verbose=0).history["loss"]
    assert history[-1] < history[0]
    after = ops.convert_to_numpy(model.get_layer("head").centers.value)
    mean = ops.convert_to_numpy(defense.averaged.get_layer("head").centers.value)
    assert np.abs(after - before).max() > 1e-3
    assert 0 < np.abs(mean - after).max() < np.abs(before - after).max()


def test_near_a_centre_cross_entropy_has_no_gradient_and_mmc_has():
    """Why an attack on the cross-entropy of an MMC net fails, and one on its own loss does not."""
    head = CenterLogits(4, scale=20.0)
    head.build((None, 6))
    y = np.arange(4)
    z = ops.convert_to_tensor(ops.convert_to_numpy(head.centers.value) + 0.5)

    def gradient(loss):
        return ops.convert_to_numpy(input_gradient(lambda z: (loss(y, head(z)), ()), z)[2])

    np.testing.assert_array_equal(gradient(cross_entropy), 0.0)
    np.testing.assert_allclose(gradient(mmc), 0.5, atol=1e-5)
