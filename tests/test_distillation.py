"""Defensive distillation: its losses by hand, the teacher left alone, what T does to gradients."""

import functools

import keras
import numpy as np
import pytest
from tiny import numpy, tiny_batch, tiny_classifier, tiny_linear, values

from robustzoo.backend import input_gradient
from robustzoo.defenses import Distillation, StandardTraining
from robustzoo.layers import Temperature
from robustzoo.losses import (
    TemperedCrossEntropy,
    cross_entropy,
    soft_cross_entropy,
    tempered_cross_entropy,
)

X, Y = tiny_batch(64)
Z = np.array([[2.0, 1.0, -1.0, 0.0], [0.0, 3.0, 0.5, 1.0]], "float32")
ZT = np.array([[1.0, -1.0, 0.0, 2.0], [4.0, 3.0, 0.0, 1.0]], "float32")


def softmax(z):
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def test_losses_by_hand():
    y = np.array([0, 3], "int32")
    by_hand = -np.log(softmax(Z / 5)[[0, 1], y])
    np.testing.assert_allclose(numpy(tempered_cross_entropy(y, Z, 5.0)), by_hand, rtol=1e-5)
    soft = -(softmax(ZT / 5) * np.log(softmax(Z / 5))).sum(axis=1)
    np.testing.assert_allclose(numpy(soft_cross_entropy(ZT, Z, 5.0)), soft, rtol=1e-5)


def test_at_temperature_one_labels_are_certain_teachers():
    y = np.array([1, 2], "int32")
    certain = 1e4 * np.eye(4, dtype="float32")[y]
    np.testing.assert_allclose(
        numpy(soft_cross_entropy(certain, Z)), numpy(cross_entropy(y, Z)), rtol=1e-5
    )
    np.testing.assert_array_equal(numpy(tempered_cross_entropy(y, Z)), numpy(cross_entropy(y, Z)))
    np.testing.assert_array_equal(numpy(Temperature(1.0)(Z)), Z)


def test_the_gradient_has_no_factor_of_the_squared_temperature():
    temperature = 20.0
    z = keras.ops.convert_to_tensor(Z)
    gradient = input_gradient(lambda z: (soft_cross_entropy(ZT, z, temperature), ()), z)[2]
    expected = (softmax(Z / temperature) - softmax(ZT / temperature)) / temperature
    np.testing.assert_allclose(numpy(gradient), expected, atol=1e-7)


def test_the_objective_and_a_teacher_that_stays_as_it_is():
    teacher, student = tiny_classifier(seed=1), tiny_classifier()
    before = values(teacher)
    defense = Distillation(student, teacher, temperature=3.0)
    student.trainable = False  # BatchNorm in inference mode, so that logits can be compared
    expected = numpy(soft_cross_entropy(teacher(X), student(X), 3.0))
    np.testing.assert_allclose(numpy(defense.objective(X, X, Y)[0]), expected, rtol=1e-4)
    student.trainable = True
    defense.compile(keras.optimizers.SGD(0.1))
    defense.fit(X, Y, batch_size=32, epochs=2, verbose=0)
    for copied, old, own in zip(values(defense.teacher), before, values(teacher), strict=True):
        np.testing.assert_array_equal(copied, old)
        np.testing.assert_array_equal(own, old)
    assert teacher.trainable


def test_the_student_learns_the_teacher_and_logits_grow_with_the_temperature():
    """A net trained at T is T times one trained at 1, so at T = 1 its softmax saturates.

    From zero, the gradient at T is 1 / T of that at 1, which Adam does not see.
    """
    logits = []
    for temperature in (1.0, 50.0):
        teacher, student = tiny_linear(4), tiny_linear(4)
        for model in (teacher, student):
            model.set_weights([np.zeros_like(w) for w in model.get_weights()])
        criterion = functools.partial(tempered_cross_entropy, temperature=temperature)
        train(StandardTraining(teacher, criterion=criterion), temperature)
        train(Distillation(student, teacher, temperature), temperature)
        agreed = numpy(student(X)).argmax(1) == numpy(teacher(X)).argmax(1)
        assert agreed.mean() > 0.9
        logits.append(numpy(student(X)))
    np.testing.assert_allclose(logits[1], 50 * logits[0], atol=0.05 * np.abs(logits[1]).max())


def train(defense, temperature):
    defense.compile(keras.optimizers.Adam(3e-4 * temperature, epsilon=1e-10))
    for _ in range(100):
        defense.train_on_batch(X, Y)


def test_a_teacher_can_be_trained_with_the_loss_class_or_as_a_criterion():
    one, other = tiny_linear(4), tiny_linear(4)
    one.compile(keras.optimizers.SGD(0.5), TemperedCrossEntropy(10.0))
    one.fit(X, Y, batch_size=64, verbose=0)
    criterion = functools.partial(tempered_cross_entropy, temperature=10.0)
    defense = StandardTraining(other, criterion=criterion)
    defense.compile(keras.optimizers.SGD(0.5))
    defense.fit(X, Y, batch_size=64, verbose=0)
    for a, b in zip(values(one), values(other), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Distillation(tiny_linear(4), tiny_linear(3)), "teacher's output_shape must be"),
        (
            lambda: Distillation(tiny_linear(4), tiny_linear(4), 0.0),
            "temperature must be a finite",
        ),
        (
            lambda: Temperature(-1.0),
            "temperature must be .*. Received: temperature=-1",
        ),
        (
            lambda: TemperedCrossEntropy(0.0),
            "temperature must be .*. Received: temperature=0",
        ),
    ],
)
def test_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()
