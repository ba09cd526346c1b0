"""Architectures: the published sizes, one contract for all, and what `build` refuses."""

import keras
import numpy as np
import pytest
from keras import ops

from robustzoo import architectures
from robustzoo.architectures import ARCHITECTURES, CIFAR10_MEAN, CIFAR10_STD, build
from robustzoo.architectures._parts import convolution
from robustzoo.architectures.build import MAX_DEPTH

BASE = {"architecture": "linear", "arguments": {"input_shape": [8, 8, 1]}}
CONVOLUTIONAL = {"architecture": "resnet_v1", "arguments": {"depth": 8, "input_shape": [8, 8, 3]}}
SMALL = {  # the least of each architecture, for tests that run it
    "mlp": {"widths": [8, 4], "input_shape": [8, 8, 1]},
    "linear": {"input_shape": [8, 8, 1]},
    "madry_cnn": {"input_shape": [4, 4, 1]},
    "shaham_cnn": {"input_shape": [18, 18, 1]},
    "small_cnn": {"input_shape": [16, 16, 1]},
    "resnet_v1": {"depth": 8, "input_shape": [8, 8, 3]},
    "resnet_v2": {"depth": 11, "input_shape": [8, 8, 3]},
    "preact_resnet": {"depth": 10, "stem_strides": 2, "input_shape": [8, 8, 3]},
    "wide_resnet": {"depth": 10, "width": 1, "input_shape": [8, 8, 3]},
    "reversed_logits": {"base": BASE},
    "center_head": {"base": BASE, "dim": 16},
    "ensemble": {"members": [BASE, BASE]},
    "abstaining": {"base": BASE, "detector": "KernelDensity", "per_class": 3},
    "mixup_inference": {"base": BASE, "predicted": 1, "other": 2, "pool": 2},
    "noisy": {"base": CONVOLUTIONAL, "draws": 2},
    "wong_small": {"input_shape": [4, 4, 1]},
    "vgg16": {"input_shape": [32, 32, 3]},
    "wong_large": {"input_shape": [4, 4, 1]},
    "wong_resnet": {"input_shape": [8, 8, 3]},
}


def nested(depth):
    """Arguments of a model with `depth` models within each other inside."""
    base = BASE
    for _ in range(depth - 1):
        base = {"architecture": "reversed_logits", "arguments": {"base": base}}
    return {"base": base}


def with_classes(arguments, classes):
    """`arguments` with another number of classes, where models are within each other inside."""
    inner = {
        key: [{**model, "arguments": with_classes(model["arguments"], classes)} for model in value]
        if key == "members"
        else {**value, "arguments": with_classes(value["arguments"], classes)}
        for key, value in arguments.items()
        if key in ("base", "members")
    }
    return {**arguments, **inner} if inner else {**arguments, "classes": classes}


one_backend = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="counting is the same on every backend"
)


def conv(size, filters_in, filters):
    return size * size * filters_in * filters + filters


def dense(units_in, units):
    return units_in * units + units


def trainable(model):
    return sum(int(np.prod(v.shape)) for v in model.trainable_variables)


@one_backend
@pytest.mark.parametrize(
    ("name", "arguments", "count"),
    [
        ("linear", {}, dense(784, 10)),
        ("mlp", {"widths": [256, 128]}, dense(784, 256) + dense(256, 128) + dense(128, 10)),
        ("madry_cnn", {}, 3_274_634),
        ("shaham_cnn", {}, conv(5, 1, 32) + conv(5, 32, 64) + dense(256, 200) + dense(200, 10)),
        ("small_cnn", {}, 312_202),
        ("wong_small", {}, 166_406),
        ("wong_small", {"input_shape": [32, 32, 3]}, 214_918),
        ("wong_large", {}, 1_974_762),
        ("wong_large", {"batch_norm": True}, 1_974_762 + 2 * (32 + 32 + 64 + 64 + 512 + 512)),
        ("wong_large", {"input_shape": [32, 32, 3]}, 2_466_858),
        ("wong_resnet", {"input_shape": [28, 28, 1]}, 3_254_562),
        ("wong_resnet", {}, 4_214_850),
    ],
)
def test_size_is_exactly_as_published(name, arguments, count):
    assert trainable(build(name, arguments)) == count


def test_sizes_of_the_plain_networks_by_hand():
    def residual(filters_in, filters, first, skip):
        skipped = conv(skip, filters_in, filters)
        return conv(first, filters_in, filters) + conv(3, filters, filters) + skipped

    madry = conv(5, 1, 32) + conv(5, 32, 64) + dense(7 * 7 * 64, 1024) + dense(1024, 10)
    trades = conv(3, 1, 32) + conv(3, 32, 32) + conv(3, 32, 64) + conv(3, 64, 64)
    trades += dense(4 * 4 * 64, 200) + dense(200, 200) + dense(200, 10)
    resnet = conv(3, 3, 16) + 2 * residual(16, 16, 3, 1)
    resnet += residual(16, 32, 4, 2) + residual(32, 64, 4, 2)
    resnet += dense(8 * 8 * 64, 1000) + dense(1000, 10)
    assert (madry, trades, resnet) == (3_274_634, 312_202, 4_214_850)
    slim = conv(4, 3, 8) + 2 * residual(8, 8, 3, 1) + residual(8, 16, 4, 2) + residual(16, 32, 4, 2)
    slim += dense(4 * 4 * 32, 256) + dense(256, 10)
    options = {"filters": 8, "units": 256, "stem_strides": 2}
    assert slim == trainable(build("wong_resnet", options))
    shallow = conv(4, 3, 16) + residual(16, 32, 4, 2) + dense(8 * 8 * 32, 256) + dense(256, 10)
    only = {"filters": 16, "blocks": [[2, 2]]}
    assert shallow == trainable(build("wong_resnet", options | only))
    norms = 8 + 2 * (8 + 8) + (16 + 16) + (32 + 32) + 256
    assert slim + 2 * norms == trainable(build("wong_resnet", options | {"batch_norm": True}))


@one_backend
@pytest.mark.parametrize(
    ("name", "arguments", "millions"),
    [
        ("resnet_v1", {"depth": 20}, 0.27),
        ("vgg16", {}, 14.73),
        ("resnet_v2", {"depth": 164}, 1.70),
        ("preact_resnet", {}, 11.17),
        ("wide_resnet", {"depth": 28, "width": 10}, 36.48),
        ("wide_resnet", {"depth": 34, "width": 10}, 46.16),
    ],
)
def test_size_rounds_to_the_published_one(name, arguments, millions):
    assert round(trainable(build(name, arguments)) / 1e6, 2) == millions


@one_backend
def test_resnet_v1_adds_only_its_two_shortcuts_to_the_published_size():
    # He et al. count 0.85 million at depth 56: they pad the shortcut where ours is a convolution.
    assert trainable(build("resnet_v1", {"depth": 56})) == 853_018 + 16 * 32 + 32 * 64


def test_every_architecture_is_tested():
    assert set(SMALL) == set(ARCHITECTURES)


@pytest.mark.parametrize("name", SMALL)
def test_logits_are_float32_under_bfloat16(name):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build(name, with_classes(SMALL[name], 3))
    finally:
        keras.config.set_dtype_policy(before)
    assert model.output.shape == (None, 3 + (name == "abstaining"))  # its rejection
    assert model.output.dtype == "float32"
    assert "bfloat16" in {layer.compute_dtype for layer in model.layers}
    assert {v.dtype for v in model.trainable_variables} == {"float32"}


@pytest.mark.parametrize("name", SMALL)
def test_channels_are_last_whatever_keras_is_set_to(name, channels_first):
    arguments = SMALL[name]
    if "input_shape" in arguments:
        channels = arguments["input_shape"][2]
        arguments = {**arguments, "mean": [0.5] * channels, "std": [0.2] * channels}
    model = build(name, arguments)
    assert keras.config.image_data_format() == "channels_first"
    keras.config.set_image_data_format("channels_last")
    usual = build(name, arguments)
    usual.set_weights(model.get_weights())
    images = np.random.default_rng(0).uniform(size=(2, *usual.input_shape[1:])).astype("float32")
    expected = ops.convert_to_numpy(usual(images))
    keras.config.set_image_data_format("channels_first")
    np.testing.assert_array_equal(ops.convert_to_numpy(model(images)), expected)


def test_an_error_leaves_the_format_of_keras_as_it_was(channels_first):
    with pytest.raises(ValueError, match="classes must be"):
        architectures.linear(classes=1)
    assert keras.config.image_data_format() == "channels_first"
    assert architectures.perturbation_generator().output_shape == (None, 28, 28, 1)


@pytest.mark.parametrize("name", SMALL)
def test_paths_do_not_depend_on_what_was_built_before(name):
    first, second = build(name, SMALL[name]), build(name, SMALL[name])
    assert first.name == second.name == name
    weights = {v.path: v for v in first.weights}
    assert len(weights) == len(first.weights)
    assert list(weights) == [v.path for v in second.weights]
    random = np.random.default_rng(0)
    for variable in second.weights:  # no layer stays at zero, where it would hide the others
        if "seed" not in variable.path:
            variable.assign(random.uniform(0.1, 0.5, variable.shape))
            weights[variable.path].assign(variable)
    images = random.uniform(size=(2, *first.input_shape[1:])).astype("float32")
    expected = ops.convert_to_numpy(first(images))
    assert np.abs(expected).max() > 0
    np.testing.assert_array_equal(ops.convert_to_numpy(second(images)), expected)


def test_normalisation_is_inside_and_survives_a_keras_file(tmp_path):
    arguments = {"input_shape": [4, 4, 3], "mean": list(CIFAR10_MEAN), "std": list(CIFAR10_STD)}
    model, bare = build("linear", arguments), build("linear", {"input_shape": [4, 4, 3]})
    bare.set_weights(model.get_weights())
    images = np.random.default_rng(0).uniform(size=(2, 4, 4, 3)).astype("float32")
    by_hand = (images - np.float32(CIFAR10_MEAN)) / np.float32(CIFAR10_STD)
    logits = ops.convert_to_numpy(model(images))
    np.testing.assert_allclose(logits, ops.convert_to_numpy(bare(by_hand)), atol=1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(ops.convert_to_numpy(again(images)), logits)


def test_strided_convolution_pads_every_side():
    inputs = keras.Input((4, 4, 1))
    ones = {"kernel_initializer": "ones", "use_bias": False}
    model = keras.Model(inputs, convolution(inputs, 1, 3, "conv", strides=2, **ones))
    output = ops.convert_to_numpy(model(np.ones((1, 4, 4, 1), "float32")))[0, :, :, 0]
    np.testing.assert_array_equal(output, [[4, 6], [6, 9]])  # with "same": [[9, 6], [6, 4]]


def test_small_cnn_starts_undecided():
    images = np.random.default_rng(0).uniform(size=(2, 28, 28, 1)).astype("float32")
    logits = ops.convert_to_numpy(architectures.small_cnn()(images))
    np.testing.assert_array_equal(logits, np.zeros((2, 10)))


LINEAR = {"architecture": "linear", "arguments": {}}
REJECTING = {
    "architecture": "abstaining",
    "arguments": {"base": LINEAR, "detector": "Confidence"},
}


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("wide_resnt", {}, "closest: wide_resnet"),
        (["linear"], {}, "no architecture"),
        ("wide_resnet", [], "must be an object"),
        ("wide_resnet", {"dept": 10}, "closest: depth"),
        ("wide_resnet", {"depth": 27}, r"6n \+ 4. Received: 27; closest: 28"),
        ("wide_resnet", {"depth": 4}, "depth must be an integer in 10"),
        ("wide_resnet", {"depth": 10**9}, "depth must be an integer"),
        ("wide_resnet", {"depth": 28.0}, "depth must be an integer"),
        ("wide_resnet", {"depth": True}, "depth must be an integer"),
        ("wide_resnet", {"depth": "28"}, "depth must be an integer"),
        ("wide_resnet", {"depth": 10, "width": 0}, "width must be an integer"),
        ("resnet_v1", {"depth": 18}, r"6n \+ 2. Received: 18; closest: 20"),
        ("resnet_v2", {"depth": 21}, r"9n \+ 2. Received: 21; closest: 20"),
        ("linear", {"classes": 1}, "classes must be an integer in 2"),
        ("linear", {"input_shape": [28, 28]}, "input_shape must be"),
        ("linear", {"input_shape": "28x28x1"}, "input_shape must be"),
        ("linear", {"input_shape": [28, 28, 0]}, "input_shape must be"),
        ("linear", {"input_shape": [10**6, 28, 1]}, "input_shape must be"),
        ("small_cnn", {"input_shape": [12, 12, 1]}, r"sides in 16"),
        ("linear", {"mean": [0.5]}, "std must be 1 finite"),
        ("linear", {"mean": [0.5, 0.5], "std": [1.0, 1.0]}, "mean must be 1 finite"),
        ("linear", {"mean": [float("nan")], "std": [1.0]}, "mean must be 1 finite"),
        ("linear", {"mean": [0.5], "std": [0.0]}, "std must be positive"),
        ("wong_large", {"batch_norm": 1}, "batch_norm must be true or false"),
        ("wong_resnet", {"batch_norm": None}, "batch_norm must be true or false"),
        ("wong_resnet", {"blocks": []}, "blocks must be 1 to 8 pairs"),
        ("wong_resnet", {"blocks": [2]}, "each of blocks must be a pair"),
        (
            "wong_resnet",
            {"blocks": [[2, 3]]},
            "the strides of a block must be an integer in 1 .. 2",
        ),
        ("wong_resnet", {"blocks": [[64, 1]], "filters": 32}, "filters times the multiple .* 2048"),
        ("wong_resnet", {"blocks": [[1, 1]] * 9}, "blocks must be 1 to 8 pairs"),
        ("wong_resnet", {"blocks": [[1, 2]] * 4, "input_shape": [8, 8, 3]}, "sides in 16"),
        ("wong_resnet", {"stem_strides": 4}, "stem_strides must be an integer in 1 .. 2"),
        ("wong_resnet", {"stem_strides": 2, "input_shape": [4, 4, 3]}, "sides in 8"),
        ("mlp", {"widths": 256}, "widths must be"),
        ("mlp", {"widths": [256, "8"]}, "each of widths must be an integer"),
        ("mlp", {"widths": []}, "widths must be"),
        ("reversed_logits", {"base": {"architecture": "linear"}}, "a model is described by"),
        ("reversed_logits", {"base": {"architecture": "os", "arguments": {}}}, "no architecture"),
        ("reversed_logits", nested(MAX_DEPTH), "deeper than 4 models"),
        ("reversed_logits", {"base": 3}, "can be seen and copied"),
        ("noisy", {}, "noisy needs the argument 'base'"),
        ("noisy", {"base": LINEAR, "inner": 0.0, "image": "x"}, "scale must be a finite number"),
        ("abstaining", {"base": LINEAR, "detector": "KernelDensty"}, "closest: KernelDensity"),
        ("abstaining", {"base": LINEAR, "detector": "LID", "per_class": 9}, "no setting per_class"),
        ("abstaining", {"base": LINEAR, "detector": "LID", "reference": 10**9}, "1 .. 10000"),
        ("abstaining", {"base": LINEAR, "detector": "LID", "features": 3}, "a list of different"),
        (
            "abstaining",
            {"base": LINEAR, "detector": "LID", "features": ["logits"] * 2},
            "different",
        ),
        ("reversed_logits", {"base": REJECTING}, "a model that abstains is part of no other"),
        ("abstaining", {"base": REJECTING, "detector": "Confidence"}, "is part of no other"),
        ("mixup_inference", {"base": LINEAR, "gap": "x"}, "gap must be a finite number"),
        ("mixup_inference", {"base": LINEAR, "gap": float("nan")}, "gap must be a finite number"),
    ],
)
def test_build_refuses(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        build(name, arguments)


def test_a_config_cannot_ask_for_more_memory_than_a_folder_holds():
    with pytest.raises(ValueError, match="dense1 would have 1048576 x 4096 weights"):
        build("mlp", {"input_shape": [256, 256, 16], "widths": [4096]})
    large = {"architecture": "linear", "arguments": {"input_shape": [256, 256, 16]}}
    with pytest.raises(ValueError, match="KernelDensity would keep more than a model folder"):
        build("abstaining", {"base": large, "detector": "KernelDensity", "per_class": 9000})
    with pytest.raises(ValueError, match="dense1 would have"):
        build("madry_cnn", {"input_shape": [256, 256, 3]})


def test_logits_of_a_sequential_that_was_never_called_are_reversed():
    base = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
    x = np.random.default_rng(0).random((2, 4, 4, 1), "float32")
    reverse = ops.convert_to_numpy(architectures.reversed_logits(base)(x))
    np.testing.assert_allclose(reverse, -ops.convert_to_numpy(base(x)), rtol=1e-6)
