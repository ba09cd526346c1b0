"""Cascades, on models of one pixel x whose certificates are exact."""

import keras
import numpy as np
import pytest

from robustzoo.certification import cascade
from robustzoo.certification.certifier import Certifier
from robustzoo.threats import Linf
from tests.certification.nets import images, residual

THREAT = Linf(0.1)


def one_pixel(slope, bias):
    """Class 1 if slope x + bias > 0, else 0."""
    model = keras.Sequential(
        [keras.Input((1, 1, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    model.set_weights([np.array([[0.0, slope]]), np.array([0.0, bias])])
    return model


# The first certifies where |x - 1/2| > 0.1, and the second says 0 whatever it sees.
STAGES = [one_pixel(1.0, -0.5), one_pixel(0.0, -1.0)]


def pixels(*x):
    return np.reshape(x, (-1, 1, 1, 1)).astype("float32")


def test_numbers_by_hand():
    labels = np.array([1, 1, 0, 0])
    report = cascade(STAGES, pixels(0.65, 0.58, 0.2, 0.45), labels, THREAT, "ibp", batch_size=3)
    np.testing.assert_array_equal(report.predicted, [[1, 1, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_array_equal(report.certified, [[1, 0, 1, 0], [1, 1, 1, 1]])
    np.testing.assert_array_equal(report.stage, [0, 1, 0, 1])
    np.testing.assert_array_equal(report.answers, [1, 0, 0, 0])
    assert report.accuracy == report.claimed == 0.75
    assert report.accuracies.tolist() == [1.0, 0.5]
    assert report.certified_accuracies.tolist() == [0.5, 0.5]
    text = str(report)
    assert "75.00% claimed, not certified" in text and "has no certificate" in text
    assert "stage 2 alone: 50.00% correct, 50.00% certified, answers 2" in text
    assert "stage 1 alone, 50.00%." in text


def test_a_claim_can_be_false():
    """x = 0.65 is claimed; 0.58, within the threat, the second stage answers otherwise."""
    x, label = pixels(0.65), np.array([1])
    assert cascade(STAGES, x, label, THREAT, "milp").claimed == 1.0
    z = pixels(0.58)
    assert THREAT.contains(z, x)
    assert cascade(STAGES, z, label, THREAT, "milp").answers.tolist() == [0]
    assert cascade(STAGES[:1], x, label, THREAT, "milp").certified_accuracies.tolist() == [1.0]


def test_the_last_answers_what_none_certifies():
    never = [one_pixel(1.0, -0.5), one_pixel(-1.0, 0.5)]
    report = cascade(never, pixels(0.55, 0.45), np.array([1, 1]), THREAT, "ibp")
    assert not report.certified.any()
    assert report.stage.tolist() == [1, 1] and report.answers.tolist() == [0, 1]
    assert (report.accuracy, report.claimed) == (0.5, 0.0)


def test_one_stage_is_the_model_alone():
    model = residual()
    x, y = images(model, 6)
    report = cascade([model], x, (y + [1, 0, 0, 0, 0, 0]) % 3, 0.01, ("ibp", "crown"))
    np.testing.assert_array_equal(report.predicted[0], y)
    assert report.claimed == report.certified_accuracies[0] > 0
    margins = Certifier(model, Linf).margins("milp", x, y, 0.01).min(axis=1)
    assert (margins[report.certified[0]] > 0).all()


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ([], "Received: no model"),
        ([*STAGES, residual()], "one input shape and one number of classes"),
    ],
)
def test_refuses(models, message):
    with pytest.raises(ValueError, match=message):
        cascade(models, pixels(0.5), np.array([1]), THREAT)
