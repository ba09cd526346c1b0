"""AMT: who moves when, and the radius."""

import keras
import numpy as np
import pytest
from resumed import check_goes_on_exactly
from tiny import numpy, tiny_batch, tiny_classifier, tiny_linear, values

from robustzoo.architectures import perturbation_generator
from robustzoo.defenses import AdversarialGenerator
from robustzoo.losses import cross_entropy
from robustzoo.threats import L2, Linf


def fresh(rate=0.0, classifier=None, **options):
    options = {"threat": Linf(0.1), "generator_rate": 1e-2} | options
    defense = AdversarialGenerator(classifier or tiny_classifier(), **options)
    defense.compile(keras.optimizers.SGD(rate, momentum=0.9))
    defense.optimizer.build(defense.trainable_variables)
    return defense


def test_the_generator_raises_the_loss_of_a_classifier_that_stands_still():
    x, y = tiny_batch(32)
    defense = fresh(classifier=tiny_linear(4))  # no BatchNorm, whose statistics would move
    weights = [numpy(v).copy() for v in defense.trainable_variables]

    def loss():
        images = defense._generated(keras.ops.convert_to_tensor(x))
        return numpy(cross_entropy(y, defense.classifier(images))).mean()

    before = loss()
    defense.fit(x, y, epochs=10, verbose=0)
    after_images = defense._generated(keras.ops.convert_to_tensor(x))
    assert loss() > before
    assert np.abs(numpy(after_images) - x).max() <= 0.1 + 1e-6
    for old, new in zip(weights, defense.trainable_variables, strict=True):
        np.testing.assert_array_equal(old, numpy(new))
    assert len(defense.trainable_variables) == len(defense.classifier.trainable_variables)


def test_the_classifier_learns_and_the_generator_leaves_its_statistics_alone():
    x, y = tiny_batch(32)
    defense = fresh(rate=0.1)
    generator = values(defense.generator)
    defense._adversarial(x, y)
    assert float(np.abs(numpy(defense.classifier.get_layer("bn").moving_mean)).max()) == 0
    moved = zip(generator, values(defense.generator), strict=True)
    assert any((old != new).any() for old, new in moved)
    history = defense.fit(x, y, epochs=12, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]


@pytest.mark.parametrize("decay", [0.0, 0.75])
def test_the_radius_is_the_least_that_flips_a_linear_model(decay):
    """There it is |z_1 - z_0| / ||w_1 - w_0||_1, as long as the image stays in [0, 1]."""
    x, y = tiny_batch(32)
    x = x * 0.5 + 0.25
    model = tiny_linear(2)
    kernel = numpy(model.layers[-1].kernel)
    y = numpy(model(x)).argmax(1).astype("int32")
    y[:4] = 1 - y[:4]  # those count for nothing
    gap = np.abs(numpy(model(x)) @ [-1.0, 1.0]) / np.abs(kernel @ [-1.0, 1.0]).sum()
    expected = np.minimum(gap, 0.1)[4:].mean()
    defense = fresh(classifier=model, radius="estimated", radius_decay=decay)
    assert float(numpy(defense.radius)) == 0
    defense.train_on_batch(x, y)
    assert float(numpy(defense.radius)) == pytest.approx((1 - decay) * expected, abs=0.1 / 64)
    defense.train_on_batch(x, 1 - numpy(model(x)).argmax(1).astype("int32"))  # all are wrong
    assert float(numpy(defense.radius)) == pytest.approx((1 - decay) * expected, abs=0.1 / 64)


def test_a_fixed_radius_stays():
    x, y = tiny_batch(8)
    defense = fresh()
    defense.fit(x, y, verbose=0)
    assert float(numpy(defense.radius)) == pytest.approx(0.1)


def test_goes_on_exactly_from_a_checkpoint(tmp_path):
    x, y = tiny_batch(8)
    runs = [fresh(rate=0.1, radius="estimated") for _ in range(3)]
    for run in runs[1:]:
        run.generator.set_weights(runs[0].generator.get_weights())
    check_goes_on_exactly(runs, x, y, tmp_path / "run", 1e-5)
    assert int(numpy(runs[2].generator_optimizer.iterations)) == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threat": L2(0.1)}, "threat must be Linf"),
        ({"radius": "fixd"}, "radius must be one of"),
        ({"radius_decay": 1.0}, "radius_decay must lie"),
        ({"generator": tiny_classifier()}, "must keep nothing but weights"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        fresh(**options)


def test_generator_stays_within_one_and_refuses_odd_sides():
    x, _ = tiny_batch(4)
    perturbation = numpy(perturbation_generator((8, 8, 3))(x))
    assert perturbation.shape == x.shape and np.abs(perturbation).max() <= 1
    with pytest.raises(ValueError, match="multiples of 4"):
        perturbation_generator((10, 8, 3))
