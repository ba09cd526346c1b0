"""Each check fires on a defense planted for it, and none on honest models."""

import keras
import numpy as np
import pytest
from keras import ops
from tiny import numpy, tiny_batch, tiny_classifier, tiny_linear, values

from robustzoo.attacks import bpda
from robustzoo.checks import check_data
from robustzoo.evaluation import Result, checks
from robustzoo.threats import L1, L2, Linf

THREAT = Linf(0.05)


def linear(count=64):
    """A linear model whose boundaries the images surround, the images, and its labels."""
    model, x = tiny_linear(4), tiny_batch(count)[0]
    model.layers[-1].bias.assign(-numpy(model(x)).mean(0))
    return model, x, numpy(model(x)).argmax(1).astype("int32")


def wrapped(model, before=None, after=None):
    """The model with a function in front of it, or behind it."""
    images = keras.Input(model.input_shape[1:])
    logits = model(before(images) if before else images)
    return keras.Model(images, after(logits) if after else logits)


def quantised(x):
    return ops.round(x * 7.0) / 7.0


class HiddenNoise(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.seeds = keras.random.SeedGenerator(0)

    def call(self, x):
        return x + keras.random.normal(ops.shape(x), stddev=0.05, seed=self.seeds)


def names(findings):
    return [finding.name for finding in findings]


@pytest.fixture(scope="module")
def trained():
    """The tiny convolutional net after some epochs: 4 classes, well above chance."""
    keras.utils.set_random_seed(0)
    model, (x, y) = tiny_classifier(), tiny_batch(64)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.03), loss)
    model.fit(x, y, batch_size=16, epochs=15, verbose=0)
    assert (numpy(model(x)).argmax(1) == y).mean() > 0.7
    return model, x, y


@pytest.mark.parametrize("threat", [THREAT, L2(0.3), L1(2.0)], ids=["linf", "l2", "l1"])
def test_no_false_alarm_on_a_trained_net(trained, threat):
    before = values(trained[0])
    assert checks.check_model(*trained, threat) == []
    for old, new in zip(before, values(trained[0]), strict=True):
        np.testing.assert_array_equal(old, new)


def test_no_false_alarm_on_a_linear_model():
    assert checks.check_model(*linear(), THREAT) == []


@pytest.mark.parametrize("layer", ["RandomFlip", "RandomTranslation"])
def test_no_false_alarm_on_layers_that_train_by_default(layer):
    """Deployed, they are the identity."""
    model, x, y = linear()
    options = {"RandomTranslation": dict(height_factor=0.1, width_factor=0.1)}.get(layer, {})
    augmented = wrapped(model, getattr(keras.layers, layer)(**options))
    assert checks.check_model(augmented, x, y, THREAT) == []


def test_rounding_of_a_class_of_hardly_any_output():
    """Large numbers that cancel leave what another order of the sum leaves otherwise."""
    first = np.array([[5.0, -3.0, 1e-6], [4.0, 2.0, 0.0]], "float32")
    second = first + np.array([0.0, 0.0, 2e-6], "float32")
    assert checks._difference(first, second, checks.ROUNDING) == 0
    assert checks._difference(first, first + np.float32(0.01), checks.ROUNDING) > 0.009


class FixedNoise(keras.layers.Layer):
    """The same at every call, for each place of the batch another."""

    def call(self, x):
        return x + keras.random.normal(ops.shape(x), stddev=0.05, seed=7)


def without_the_batchs_mean(x):
    return x - ops.mean(x, axis=0, keepdims=True)


@pytest.mark.parametrize("mask", [FixedNoise(), without_the_batchs_mean])
@pytest.mark.parametrize("count", [2, 20, 64])
def test_outputs_that_depend_on_the_batch(mask, count):
    """Two passes over it agree, yet it is judged in another batch than it was attacked in."""
    model, x, y = linear()
    masked, x, y = wrapped(model, mask), x[:count], y[:count]
    assert checks.random_outputs(masked, x) is None and checks.is_random(masked, x)
    finding, *_ = checks.check_model(masked, x, y, THREAT, averaged=True)
    assert finding.name == "outputs depend on the batch" and finding.evidence > 0.01


def test_hidden_noise():
    model, x, _ = linear()
    noisy = wrapped(model, HiddenNoise())
    before = values(noisy)
    finding = checks.random_outputs(noisy, x)
    assert finding.name == "random outputs" and finding.evidence > 0.01
    for old, new in zip(before, values(noisy), strict=True):
        np.testing.assert_array_equal(old, new)


def test_noise_that_spares_stored_pixels():
    """It is 0 at multiples of 1 / 255, where all images lie that no attack has seen."""
    model, x, _ = linear()
    x = (np.round(x * 255) / 255).astype("float32")
    noise, images = HiddenNoise(), keras.Input(model.input_shape[1:])
    whole = ops.all(ops.abs(images * 255 - ops.round(images * 255)) < 1e-3, axis=(1, 2, 3))
    sly = ops.where(whole[:, None, None, None], images, noise(images))
    assert checks.random_outputs(keras.Model(images, model(sly)), x).evidence > 0.01


def test_noise_beside_an_image_without_outputs():
    model, x, _ = linear()
    broken = wrapped(model, HiddenNoise(), lambda z: z + ops.log(ops.abs(z - z)) * 0.0)
    assert checks.random_outputs(broken, x) is None  # nothing but NaN
    x[0], y = 1.0, keras.Input(model.input_shape[1:])
    gone = ops.where(ops.all(ops.equal(y, 1.0), axis=(1, 2, 3))[:, None], float("nan"), 0.0)
    assert checks.random_outputs(keras.Model(y, model(HiddenNoise()(y)) + gone), x).evidence > 0.01


def test_a_mask_under_l1():
    """The gradient is of pixels with random signs, the outputs are of the pixels themselves."""
    model, x, y = linear()
    signs = np.random.default_rng(3).choice([-1.0, 1.0], (1, 8, 8, 3)).astype("float32")
    masked = wrapped(model, lambda z: ops.stop_gradient(z - z * signs) + z * signs)
    found = checks.check_model(masked, x, y, L1(2.0), left=np.ones(len(x), bool))
    assert "outputs alone break more" in names(found)


@pytest.mark.parametrize("logit", [float("-inf"), -1e9, -1e6])
def test_noise_beside_a_class_that_is_out_of_question(logit):
    model, x, _ = linear()
    images = keras.Input(model.input_shape[1:])
    never = logit * ops.ones_like(images[:, 0, 0, :1])
    logits = ops.concatenate([model(HiddenNoise()(images)), never], axis=-1)
    assert checks.random_outputs(keras.Model(images, logits), x).evidence > 0.01


def test_noise_outside_of_the_models_own_seeds():
    model, x, _ = linear()
    noise = keras.layers.Lambda(
        lambda z: z * keras.random.uniform((), 0.5, 1.5), output_shape=(8, 8, 3)
    )
    noisy = wrapped(model, noise)
    assert checks.random_outputs(noisy, x).evidence > 0.01


def test_probabilities():
    model, x, _ = linear()
    finding = checks.probabilities(wrapped(model, after=ops.softmax), x)
    assert finding.name == "probabilities" and finding.evidence < 1e-5
    assert checks.probabilities(wrapped(model, after=ops.log_softmax), x) is None
    assert checks.probabilities(wrapped(model, after=ops.sigmoid), x) is None


def test_quantised_input():
    """No gradient at all: nothing moves, within eps or without it. With bpda all is well."""
    model, x, _ = linear()
    masked = wrapped(model, quantised)
    y = numpy(masked(x)).argmax(1).astype("int32")
    found = checks.check_model(masked, x, y, THREAT)
    assert names(found) == ["useless gradients", "unbounded attack fails"]
    assert [finding.evidence for finding in found] == [1, 1]
    assert checks.check_model(bpda(model, quantised), x, y, Linf(0.15)) == []


def test_saturated_softmax():
    """Logits so large that the cross-entropy is exactly 0 where the model is right."""
    model, x, y = linear()
    finding = checks.useless_gradients(wrapped(model, after=lambda z: 2.0**20 * z), x, y)
    assert finding.name == "useless gradients" and finding.evidence > 0.95
    # Spelled out, because TensorFlow's Keras looks through a softmax for the logits behind it.
    saturated = wrapped(model, after=lambda z: ops.exp(ops.log_softmax(2.0**20 * z)))
    found = names(checks.check_model(saturated, x, y, THREAT))
    assert found == ["probabilities", "useless gradients", "unbounded attack fails"]


def test_gradients_that_are_not_finite():
    """d sqrt(v) / dv is infinite at 0, and times dv / dz = 0 it is no number."""
    model, x, y = linear()
    broken = wrapped(model, after=lambda z: z + ops.sqrt(0.0 * z))
    assert np.isfinite(numpy(broken(x))).all()
    assert checks.useless_gradients(broken, x, y).evidence == 1


def test_gradients_of_which_a_part_is_not_finite():
    """One such pixel is enough, though attacks take 0 for it and go on."""
    model, x, y = linear()
    images = keras.Input(model.input_shape[1:])
    corner = ops.pad(ops.sqrt(0.0 * images[:, 0, 0, :1]), ((0, 0), (0, 3)))
    broken = keras.Model(images, model(images) + corner)
    assert checks.useless_gradients(broken, x, y).evidence == 1


def test_outputs_that_are_not_finite():
    model, x, y = linear()
    broken = wrapped(model, after=lambda z: z + ops.log(-1.0 + 0.0 * z))
    assert "useless gradients" in names(checks.check_model(broken, x, y, THREAT))


def test_a_mask_that_small_steps_get_lost_in():
    """x + 3 p sin(2 pi x / p) / 2 pi rises at the multiples of p, where images and FGSM lie, and
    falls half-way between, where short steps turn back."""
    model, x, y = linear()
    p = 0.01
    x = (np.round(x / p) * p).astype("float32")
    wave = 2 * np.pi / p
    masked = wrapped(model, lambda z: z + 3.0 * ops.sin(wave * z) / wave)
    y = numpy(masked(x)).argmax(1).astype("int32")
    finding = checks.more_steps_help_the_defender(masked, x, y, Linf(5 * p))
    assert finding.name == "more steps help the defender" and finding.evidence > 0.1


def test_a_mask_far_from_the_images():
    """Pixels are squeezed back to the middle of [0, 1], so that no image is far enough away."""
    model, x, _ = linear()
    model.layers[-1].bias.assign(numpy(model.layers[-1].bias) + 4.0 * np.eye(4)[0])
    clipped = wrapped(model, lambda z: ops.clip(z, 0.45, 0.55))
    y = numpy(clipped(x)).argmax(1).astype("int32")
    finding = checks.unbounded_attack_fails(clipped, x, y)
    assert finding.name == "unbounded attack fails" and finding.evidence > 0.9
    assert checks.unbounded_attack_fails(model, x, y) is None


def test_looks_at_two_hundred_examples():
    """What comes after them may be as broken as it likes."""
    model, x, y = linear(210)
    x[200:] = np.nan
    assert checks.check_model(model, x, y, THREAT) == []


def mask(count, *rows):
    out = np.zeros(count, bool)
    out[list(rows)] = True
    return out


@pytest.mark.parametrize(
    "check", [checks.black_box_beats_white_box, checks.transfer_beats_white_box]
)
def test_what_a_weaker_attack_breaks_alone(check):
    white = mask(1000, *range(500))
    assert check(mask(1000, *range(400)), white) is None
    assert check(mask(1000, *range(400), 600, 601), white) is None  # .2 points
    assert check(mask(1000, 600, 601, 602), white).evidence == pytest.approx(0.003)
    assert check(mask(20, 3), mask(20)) is None  # one in twenty may be luck
    assert check(mask(20, 3, 4), mask(20)) is None  # and so may two
    assert check(mask(20, 3, 4, 5), mask(20)).evidence == pytest.approx(0.15)


def result(attack, broken, gradients, queries, spared=()):
    """`spared`: broken before, by another attack of a cascade."""
    distance = np.where(broken, 0.1, np.inf)
    distance[list(spared)] = np.nan
    return Result(
        label=attack,
        attack=attack,
        arguments={},
        robust=~broken,
        distance=distance,
        norm="Linf",
        minimal=False,
        gradients=gradients,
        queries=queries,
        seconds=0.0,
    )


def test_results():
    clean = result("none", mask(100, 0, 1), 0, 0)
    white = [result("PGD", mask(100, 0, 1, 2), 9, 0), result("APGD", mask(100, 0, 1, 3), 9, 0)]
    square = result("Square", mask(100, *range(7)), 0, 9)
    spared = result("SPSA", mask(100, *range(20)), 0, 0, range(100))  # had nothing to do
    transfer = result("Transfer", mask(100, 0, 1, 8, 9, 10), 9, 9)
    assert checks.check_results([clean, *white]) == []
    assert checks.check_results([clean, square, transfer]) == []  # nothing to compare with
    assert checks.check_results([clean, *white, spared]) == []
    assert checks.check_results([clean, spared, square]) == []
    found = checks.check_results([clean, *white, square, transfer])
    assert names(found) == ["black box beats white box", "transfer beats white box"]
    assert [finding.evidence for finding in found] == pytest.approx([0.03, 0.03])


def test_results_of_a_cascade():
    """A white-box attack that was spared an example has not broken it, nor failed on it."""
    clean = result("none", mask(100), 0, 0)
    first = result("APGD", mask(100, *range(10)), 9, 0)
    square = result("Square", mask(100, *range(15)), 0, 9, range(10))
    fab = result("FAB", mask(100, *range(20)), 9, 9, range(15))
    found = checks.check_results([clean, first, square, fab])
    assert names(found) == ["black box beats white box"]
    assert found[0].evidence == pytest.approx(0.05)
    early = result("Square", mask(100, *range(30)), 0, 9)
    late = result("APGD", mask(100, *range(40)), 9, 0, range(30))
    assert checks.check_results([clean, early, late]) == []


def test_a_callable_of_unknown_cost_is_a_white_box():
    clean = result("none", mask(100), 0, 0)
    square = result("Square", mask(100, *range(15)), 0, 9)
    own = result("own", mask(100, *range(15)), 0, 0)
    assert checks.check_results([clean, result("PGD", mask(100), 9, 0), own, square]) == []
    assert len(checks.check_results([clean, result("own", mask(100), 0, 0), square])) == 1


def test_says_what_there_was_nothing_to_compare_with():
    white, black = result("PGD", mask(100), 9, 0), result("Square", mask(100), 0, 9)
    clean, transfer = result("none", mask(100), 0, 0), result("Transfer", mask(100), 9, 9)
    no_transfer = "transfer beats white box (no transfer attack was run)"
    assert checks.checks_not_made([clean, white]) == [no_transfer]  # a short Square was
    assert checks.checks_not_made([clean, white, black, transfer], random=True) == []
    (missing,) = checks.checks_not_made([clean, white, transfer], random=True)
    assert missing.startswith("black box beats white box (no black") and "is random" in missing
    model, *others = checks.checks_not_made([clean, white], abstains=True)
    assert model.startswith("the model itself (it abstains") and len(others) == 2
    alone = checks.checks_not_made([clean, black, transfer])
    assert len(alone) == 2 and all("no white-box attack was run" in text for text in alone)


def test_models_for_images_of_any_size():
    images = keras.Input((None, None, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(images)
    model = keras.Model(images, keras.layers.Dense(4)(pooled))
    x, y = tiny_batch(6)
    assert check_data(model, x, y)[0].shape == x.shape
    with pytest.raises(ValueError, match=r"shape \(B, None, None, 3\). Received: \(6, 8, 8, 1\)"):
        check_data(model, x[..., :1], y)
    with pytest.raises(ValueError, match="one image needs a batch axis"):
        check_data(model, x[0], y)
