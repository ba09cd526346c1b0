"""The centre loss: its objective, its own update of the centres, and what it does to features."""

import keras
import numpy as np
import pytest

from robustzoo.attacks import PGD, fgsm
from robustzoo.defenses import CenterLossTraining, StandardTraining
from robustzoo.layers import CenterLogits
from robustzoo.losses import MMC, cross_entropy
from robustzoo.threats import Linf
from tests.tiny import numpy, tiny_batch, tiny_classifier


def test_objective_and_centers_by_hand():
    x, y = tiny_batch(6)
    y[:] = [0, 0, 0, 1, 2, 2]  # no example of class 3
    classifier = tiny_classifier()
    classifier.trainable = False  # BatchNorm in inference mode
    defense = CenterLossTraining(classifier, weight=0.3, rate=0.5)
    start = np.random.default_rng(0).normal(size=(4, 8)).astype("float32")
    defense.centers.assign(start)
    losses, logits, adversarial = defense.objective(x, x, y)
    h = numpy(defense.features_and_logits(x)[0])
    expected = numpy(cross_entropy(y, classifier(x))) + 0.15 * ((h - start[y]) ** 2).sum(-1)
    np.testing.assert_allclose(numpy(losses), expected, rtol=1e-4)
    assert adversarial is None
    for label, count in enumerate((3, 1, 2, 0)):
        step = (start[label] - h[y == label]).sum(0) / (1 + count)
        moved = numpy(defense.centers.value)[label]
        np.testing.assert_allclose(moved, start[label] - 0.5 * step, atol=1e-5)


@pytest.mark.parametrize("attack", [None, PGD(Linf(0.02), 0.01, steps=2)])
def test_centers_move_once_a_step_and_are_not_trained(attack):
    x, y = tiny_batch()
    defense = CenterLossTraining(tiny_classifier(), attack, weight=0.1, rate=0.5)
    defense.compile(keras.optimizers.SGD(0.0))
    before = numpy(defense.features_and_logits(x)[0])
    defense.fit(x, y, batch_size=32, verbose=0, validation_data=(x, y))
    assert all(v is not defense.centers for v in defense.trainable_variables)
    assert len(defense.trainable_variables) == len(tiny_classifier().trainable_variables)
    moved = numpy(defense.centers.value)
    assert np.abs(moved).max() > 0
    if attack is None:  # in training BatchNorm sees the batch, so the features are these
        batch = numpy(defense.features_and_logits(x, training=True)[0])
        assert np.abs(batch - before).max() > 0
        for label in range(4):
            own = batch[y == label]
            np.testing.assert_allclose(
                moved[label], 0.5 * own.sum(0) / (1 + len(own)), rtol=1e-4, atol=1e-5
            )


def spread(classifier, x, y):
    """Variance within the classes over variance of all, of the features."""
    h = numpy(keras.Model(classifier.inputs[0], classifier.layers[-1].input)(x))
    own = np.stack([h[y == label].mean(0) for label in range(4)])
    return ((h - own[y]) ** 2).sum() / ((h - h.mean(0)) ** 2).sum()


def test_classes_lie_closer_together_than_without_it():
    x, y = tiny_batch(64)
    spreads = []
    for cls, options in ((StandardTraining, {}), (CenterLossTraining, {"weight": 0.5})):
        classifier = tiny_classifier()
        defense = cls(classifier, **options)
        defense.compile(keras.optimizers.Adam(0.02))
        defense.fit(x, y, batch_size=32, epochs=15, verbose=0)
        spreads.append(spread(classifier, x, y))
    assert spreads[1] < spreads[0]


def test_weight_0_is_standard_training():
    x, y = tiny_batch()
    weights = []
    for cls, options in ((StandardTraining, {}), (CenterLossTraining, {"weight": 0.0})):
        classifier = tiny_classifier()
        defense = cls(classifier, **options)
        defense.compile(keras.optimizers.SGD(0.1))
        defense.fit(x, y, batch_size=16, shuffle=False, verbose=0)
        weights.append(classifier.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_batch_of_one():
    x, y = tiny_batch(1)
    defense = CenterLossTraining(tiny_classifier(), fgsm(Linf(0.02)))
    defense.compile(keras.optimizers.SGD(0.1))
    assert np.isfinite(defense.train_on_batch(x, y, return_dict=True)["loss"])


def test_alone_in_an_ordinary_model_as_its_docstring_says():
    x, y = tiny_batch(64)
    classifier = tiny_classifier()
    head = CenterLogits(4, "learned", scale=1.0, name="centers")
    model = keras.Model(
        classifier.inputs[0], [classifier.outputs[0], head(classifier.layers[-1].input)]
    )
    entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss=[entropy, MMC()], loss_weights=[1.0, 0.01])
    history = model.fit(x, [y, y], epochs=5, verbose=0).history["loss"]
    assert history[-1] < history[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [({"weight": -1.0}, "weight must be"), ({"rate": 2.0}, "rate must lie")],
)
def test_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        CenterLossTraining(tiny_classifier(), **options)


def test_refuses_a_classifier_without_a_last_dense_layer():
    softmax = keras.Sequential([tiny_classifier(), keras.layers.Softmax()])
    with pytest.raises(ValueError, match="ends with Softmax"):
        CenterLossTraining(softmax)
