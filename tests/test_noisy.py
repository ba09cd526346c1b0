"""Noise at test time: where it is put, what it draws, and what averaging many draws gives."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from robustzoo.architectures import ensemble, noisy, preact_resnet, small_cnn
from robustzoo.attacks import PGD, generate
from robustzoo.defenses import MadryTraining
from robustzoo.layers import LogMeanProbability, Noise
from robustzoo.threats import Linf
from tests.tiny import numpy, tiny_batch, tiny_classifier, tiny_linear, values


def small_resnet(classes=4):
    return preact_resnet(depth=10, stem_strides=2, input_shape=(8, 8, 3), classes=classes)


@pytest.mark.parametrize(
    ("distribution", "deviation"), [("gaussian", 0.2), ("uniform", 0.2 / np.sqrt(3))]
)
def test_noise_has_its_moments_in_inference_and_a_seed(distribution, deviation):
    zeros = np.zeros((100, 30, 30, 1), "float32")
    layer, twin = Noise(0.2, distribution, seed=3), Noise(0.2, distribution, seed=3)
    first, second = numpy(layer(zeros, training=False)), numpy(layer(zeros, training=False))
    assert abs(first.mean()) < 4 * deviation / np.sqrt(first.size)
    assert first.std() == pytest.approx(deviation, rel=0.02)
    assert np.abs(first - second).max() > 0.1
    np.testing.assert_array_equal(numpy(twin(zeros)), first)
    if distribution == "uniform":
        assert np.abs(first).max() <= 0.2


def test_no_noise_is_the_identity_and_has_no_state():
    x = tiny_batch(4)[0]
    layer = Noise(0.0)
    np.testing.assert_array_equal(numpy(layer(x)), x)
    assert layer.variables == []
    base = small_resnet()
    plain = numpy(base(x))
    np.testing.assert_array_equal(numpy(noisy(base, image=0.0, inner=0.0)(x)), plain)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": -0.1}, "scale must be a finite"),
        ({"scale": float("nan")}, "scale must be a finite"),
        ({"scale": 0.1, "distribution": "cauchy"}, "'gaussian' or 'uniform'. Received: 'cauchy'"),
    ],
)
def test_noise_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        Noise(**options)


def test_noise_before_every_convolution_and_once_on_the_image():
    base = small_resnet()
    model = noisy(base, image=0.2, inner=0.1)
    convolutions = [layer.name for layer in base.layers if isinstance(layer, layers.Conv2D)]
    noise = {layer.name: layer.scale for layer in model.layers if isinstance(layer, Noise)}
    expected = {f"{name}_noise": 0.1 for name in convolutions[1:]} | {"image_noise": 0.2}
    assert noise == expected
    seeds = [layer.seed for layer in model.layers if isinstance(layer, Noise)]
    assert len(set(seeds)) == len(seeds)


def test_image_noise_is_one_draw_where_the_image_feeds_two_layers():
    images = keras.Input((4, 4, 1))
    twice = layers.Subtract()([images, layers.Activation("linear")(images)])
    base = keras.Model(images, layers.Flatten()(twice))
    result = noisy(base, image=1.0, inner=0.0)(np.zeros((2, 4, 4, 1), "float32"))
    np.testing.assert_array_equal(numpy(result), 0.0)


def test_noise_is_added_in_pixels_and_zeros_of_a_padding_stay():
    images = keras.Input((4, 4, 1))
    x = layers.Rescaling(10.0, name="rescaling")(images)
    x = layers.Conv2D(1, 1, kernel_initializer="zeros", name="first")(x)
    x = layers.ZeroPadding2D(1, name="pad")(x)
    second = layers.Conv2D(1, 1, kernel_initializer="ones", use_bias=False, name="second")
    model = noisy(keras.Model(images, second(x)), image=0.2, inner=0.1)
    output = numpy(model(np.zeros((50, 4, 4, 1), "float32")))
    assert output[:, 1:-1, 1:-1].std() == pytest.approx(0.1, rel=0.1)
    assert np.abs(output[:, 0]).max() == np.abs(output[:, :, -1]).max() == 0.0
    rescaled = keras.Model(model.input, model.get_layer("rescaling").output)
    zeros = np.zeros((50, 4, 4, 1), "float32")
    assert numpy(rescaled(zeros)).std() == pytest.approx(2.0, rel=0.1)


def test_takes_the_weights_of_a_trained_net_and_leaves_it_alone():
    base = tiny_classifier()
    before = values(base)
    model = noisy(base, image=0.0, inner=0.0)
    x = tiny_batch(4)[0]
    np.testing.assert_allclose(numpy(model(x)), numpy(base(x)), atol=1e-6)
    model.get_layer("head").kernel.assign(ops.zeros((8, 4)))
    for old, new in zip(before, values(base), strict=True):
        np.testing.assert_array_equal(old, new)


def test_takes_an_adapted_normalization():
    normalization = layers.Normalization(name="adapted")
    normalization.adapt(tiny_batch(32)[0])
    base = keras.Sequential([keras.Input((8, 8, 3)), normalization, tiny_linear()])
    x = tiny_batch(4)[0]
    model = noisy(base, image=0.0, inner=0.0)
    np.testing.assert_allclose(numpy(model(x)), numpy(base(x)), rtol=1e-5)


def test_draws_are_averaged_as_probabilities():
    """On a linear net the mean over many draws is that of a Gaussian integral, by sampling."""
    base, x = tiny_linear(3), tiny_batch(2)[0]
    model = noisy(base, image=0.3, inner=0.0, draws=200)
    logits = numpy(base(x))
    kernel, bias = base.layers[-1].get_weights()
    images = x[None] + 0.3 * np.random.default_rng(0).normal(size=(4000, *x.shape))
    z = images.reshape(4000, 2, -1) @ kernel + bias
    p = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    assert model(x).shape == logits.shape
    np.testing.assert_allclose(np.exp(numpy(model(x))).sum(1), 1.0, rtol=1e-5)
    error = 5 * p.std(0) / np.sqrt(200)
    assert (np.abs(np.exp(numpy(model(x))) - p.mean(0)) < error).all()


def test_an_ensemble_is_drawn_several_times():
    base = ensemble([tiny_classifier(seed=k) for k in range(2)])
    model = noisy(base, image=0.0, inner=0.0, draws=3)
    x = tiny_batch(4)[0]
    np.testing.assert_allclose(numpy(model(x)), numpy(base(x)), atol=1e-5)
    assert noisy(tiny_classifier(), inner=0.0, draws=2).layers[-1].name == "log_mean_probability"


def test_log_mean_probability_by_hand():
    z = np.array([[[0.0, np.log(3.0)], [np.log(3.0), 0.0]], [[100.0, 0.0], [0.0, 100.0]]])
    expected = np.log([[0.5, 0.5], [0.5, 0.5]])
    np.testing.assert_allclose(numpy(LogMeanProbability()(z)), expected, rtol=1e-5)


def test_attack_averages_its_draws_and_leaves_the_seeds_alone():
    x, y = tiny_batch(8)
    model = noisy(tiny_classifier(), image=0.2, inner=0.0)
    before = values(model)
    one = PGD(Linf(0.1), 0.05, steps=3, start="clean")
    many = PGD(Linf(0.1), 0.05, steps=3, start="clean", draws=8)
    found = [generate(attack, model, x, y) for attack in (one, many)]
    assert np.abs(found[0] - found[1]).max() > 0.01
    for old, new in zip(before, values(model), strict=True):
        np.testing.assert_array_equal(old, new)


def test_adversarial_training_draws_new_noise_every_step():
    x, y = tiny_batch(32)
    model = noisy(tiny_classifier(), image=0.1, inner=0.0)
    attack = PGD(Linf(0.02), 0.01, steps=2, draws=2)
    defense = MadryTraining(model, attack, average_decay=0.9)
    defense.compile(keras.optimizers.Adam(0.01))
    state = model.get_layer("image_noise").seed_generator.state
    start = numpy(state)[1]
    history = defense.fit(x, y, batch_size=16, epochs=6, verbose=0).history["loss"]
    assert history[-1] < history[0]
    assert numpy(state)[1] == start + 12  # once a step: the attack's passes do not count


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: noisy(small_cnn(), draws=0), "draws must be an integer in 1"),
        (lambda: noisy(small_cnn(), seed=-1), "seed must be an integer in 0"),
        (lambda: noisy(tiny_linear()), "no second convolution"),
        (lambda: noisy(keras.Sequential([layers.Dense(2)])), "functional model or of a built"),
        (
            lambda: noisy(keras.Sequential([keras.Input((8, 8, 3)), small_resnet()])),
            "model within the model",
        ),
        (
            lambda: noisy(noisy(small_resnet())),
            "no layer 'image_noise': take the model without noise.*Received: 'noisy'",
        ),
    ],
)
def test_noisy_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()
