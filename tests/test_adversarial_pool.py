"""The pool of adversarial examples: what goes in, what comes out, what a checkpoint keeps."""

import keras
import numpy as np
import pytest
from resumed import check_goes_on_exactly
from tiny import numpy, tiny_batch, tiny_classifier

from robustzoo.attacks import LBFGS, PGD
from robustzoo.defenses import AdversarialPool
from robustzoo.threats import Linf


def fresh(pool=8, refresh=3, rate=0.0, attack=None):
    attack = attack or PGD(Linf(0.02), 0.02, steps=1, start="clean")
    defense = AdversarialPool(tiny_classifier(), attack, pool=pool, refresh=refresh)
    defense.compile(keras.optimizers.SGD(rate, momentum=0.9))
    defense.optimizer.build(defense.trainable_variables)
    return defense


def test_the_oldest_make_room_and_labels_stay_with_their_images():
    x, y = tiny_batch(12)
    defense = fresh()
    for step in range(3):
        defense.train_on_batch(x[4 * step : 4 * step + 4], y[4 * step : 4 * step + 4])
    rows = [10, 1, 2, 4, 5, 6, 8, 9]  # example 10 took the place of example 0
    near = numpy(defense.images) - x[rows]
    assert 0 < np.abs(near).max() <= 0.02 + 1e-6
    np.testing.assert_array_equal(numpy(defense.labels), y[rows])
    assert int(numpy(defense.made)) == 9


def test_draws_come_from_what_has_been_made_so_far():
    x, y = tiny_batch(16)
    defense = fresh(pool=100)
    images, labels = defense._adversarial(x, y)
    assert images.shape == x.shape
    for image, label in zip(numpy(images), numpy(labels), strict=True):
        source = np.abs(x[:3] - image).max((1, 2, 3)).argmin()
        assert np.abs(x[source] - image).max() <= 0.02 + 1e-6 and label == y[source]


def test_a_batch_smaller_than_the_refresh():
    x, y = tiny_batch(2)
    defense = fresh()
    defense.train_on_batch(x, y)
    assert int(numpy(defense.made)) == 2


def test_goes_on_exactly_from_a_checkpoint(tmp_path):
    x, y = tiny_batch(8)
    runs = [fresh(rate=0.1) for _ in range(3)]
    check_goes_on_exactly(runs, x, y, tmp_path / "run", 1e-6)
    np.testing.assert_array_equal(numpy(runs[0].images), numpy(runs[2].images))


def test_holds_examples_of_lbfgs_that_fool_the_model():
    x, y = tiny_batch(8)
    attack = LBFGS(initial_c=1.0, searches=2, iterations=5)
    defense = fresh(pool=8, refresh=8, attack=attack)
    y = numpy(defense.classifier(x)).argmax(1).astype("int32")
    defense._adversarial(x, y)
    fooled = numpy(defense.classifier(numpy(defense.images))).argmax(1) != y
    assert fooled.any()


@pytest.mark.parametrize(
    ("pool", "refresh", "message"),
    [
        (4, 5, "refresh must lie in 1 .. pool"),
        (4, 0, "refresh must be an integer >= 1"),
        (0, 0, "pool must be an integer >= 1"),
        (10.5, 4, "pool must be an integer >= 1. Received: pool=10.5"),
    ],
)
def test_refuses_more_fresh_ones_than_places_and_what_is_no_number(pool, refresh, message):
    with pytest.raises(ValueError, match=message):
        fresh(pool, refresh)
