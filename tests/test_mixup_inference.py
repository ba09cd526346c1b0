"""Mixup inference: what is drawn, the formula by hand, and what an attack and a reload see."""

import numpy as np
import pytest
from tiny import numpy, tiny_linear, values

from robustzoo.architectures import mixup_inference
from robustzoo.attacks import PGD, generate
from robustzoo.layers import MixupPool
from robustzoo.threats import Linf

X = np.random.default_rng(0).uniform(0.2, 0.8, (6, 8, 8, 3)).astype("float32")


def softmax(z):
    p = np.exp(z - z.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


def gray_pool(classes=4, **samples):
    """A pool whose images say their class: all pixels c / 10. Filled out of order."""
    layer = MixupPool(**samples, size=3, seed=0)
    layer.build([(None, 2, 2, 1), (None, classes)])
    labels = np.random.default_rng(1).permutation(np.repeat(np.arange(classes), 5))
    layer.adapt(np.full((1, 2, 2, 1), 0.1, "float32") * labels[:, None, None, None], labels)
    return layer


def classes_drawn(layer, logits):
    """The class of each image drawn, (B, K): black images are mixed with them, half and half."""
    mixed = numpy(layer([np.zeros((len(logits), 2, 2, 1), "float32"), logits]))
    assert (mixed == mixed[:, :, :1, :1]).all()
    return mixed[:, :, 0, 0, 0] / 0.5 * 10


def test_predicted_samples_are_of_the_predicted_class():
    logits = 3 * np.eye(4, dtype="float32")[[2, 0, 3]]
    drawn = classes_drawn(gray_pool(predicted=50, other=0), logits)
    np.testing.assert_allclose(drawn, np.repeat([[2], [0], [3]], 50, axis=1), atol=0.02)


def test_other_samples_are_uniform_over_the_other_classes():
    logits = 3 * np.eye(4, dtype="float32")[[2, 0]]
    drawn = np.round(classes_drawn(gray_pool(other=3000), logits))
    for row, own in zip(drawn, (2, 0), strict=True):
        counts = np.bincount(row.astype(int), minlength=4)
        assert counts[own] == 0
        assert np.delete(counts, own) == pytest.approx([1000] * 3, abs=100)


def test_of_two_classes_the_other_one_is_drawn():
    drawn = classes_drawn(gray_pool(2, other=20), np.array([[0.0, 1.0]], "float32"))
    np.testing.assert_allclose(drawn, 0.0)


def test_draws_differ_by_call_and_repeat_by_seed():
    logits = np.zeros((1, 4), "float32")
    first, second = gray_pool(), gray_pool()
    one, two = (classes_drawn(first, logits) for _ in range(2))
    assert (one != two).any()
    np.testing.assert_array_equal(classes_drawn(second, logits), one)


def test_the_pool_keeps_eight_bits_exactly_and_repeats_the_only_image():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 1)).astype("uint8")
    layer = MixupPool(size=2, seed=0)
    layer.build([(None, 4, 4, 1), (None, 2)])
    layer.adapt(pixels.astype("float32") / np.float32(255), np.array([1, 0, 0]))
    kept = numpy(layer.images)
    np.testing.assert_array_equal(kept[1], pixels[[0, 0]])
    assert {k.tobytes() for k in kept[0]} == {p.tobytes() for p in pixels[1:]}


def test_refuses_a_pool_without_one_of_the_classes():
    layer = MixupPool(size=2)
    layer.build([(None, 8, 8, 3), (None, 4)])
    with pytest.raises(ValueError, match=r"image of each class. Received none of \[1, 3\]"):
        layer.adapt(X, np.array([0, 2, 0, 2, 0, 2]))
    with pytest.raises(ValueError, match="size must be an integer >= 1. Received: size=0"):
        MixupPool(size=0)


def test_the_pool_is_filled_once_its_shape_is_known():
    with pytest.raises(ValueError, match="call the layer on .images, logits. before adapt"):
        MixupPool().adapt(X, np.arange(6))


def single(classes, **arguments):
    """Base, its mixup inference with one image per class in the pool, and that pool."""
    base = tiny_linear(classes)
    base.layers[-1].kernel.assign(4 * numpy(base.layers[-1].kernel))
    model = mixup_inference(base, pool=1, **arguments)
    images = np.random.default_rng(5).integers(0, 256, (classes, 8, 8, 3)) / np.float32(255)
    model.get_layer("pool").adapt(images.astype("float32"), np.arange(classes))
    return base, model, images


def test_predicted_mean_by_hand():
    base, model, images = single(4, predicted=3, other=0, predicted_mixing=0.7)
    own = numpy(base(X)).argmax(axis=1)
    assert len(set(own)) > 1
    mixed = 0.7 * X + np.float32(0.3) * images[own]
    expected = softmax(numpy(base(mixed.astype("float32"))))
    np.testing.assert_allclose(np.exp(numpy(model(X))), expected, rtol=1e-3)


def test_other_mean_lies_among_the_others():
    base, model, images = single(3, other=40, other_mixing=0.5)
    own = numpy(base(X)).argmax(axis=1)
    for x, c, p in zip(X, own, np.exp(numpy(model(X))), strict=True):
        mixed = [0.5 * x + 0.5 * images[k] for k in range(3) if k != c]
        one, other = softmax(numpy(base(np.stack(mixed).astype("float32"))))
        share = (p - other)[0] / (one - other)[0]
        np.testing.assert_allclose(p, share * one + (1 - share) * other, atol=1e-4)
        assert share * 40 == pytest.approx(round(share * 40), abs=0.05) and 5 < share * 40 < 35


def test_combined_takes_the_predicted_mean_where_confidence_stays():
    """Two classes and one image of each: nothing is left to chance."""
    base, _, images = single(2, other=1)
    z = numpy(base(X))
    own = z.argmax(axis=1)
    same = softmax(numpy(base((0.5 * X + 0.5 * images[own]).astype("float32"))))
    others = softmax(numpy(base((0.4 * X + 0.6 * images[1 - own]).astype("float32"))))
    drop = softmax(z).max(axis=1) - same.max(axis=1)
    gap = float(np.sort(drop)[2:4].mean())
    _, model, _ = single(2, predicted=2, other=2, other_mixing=0.4, gap=gap)
    stays = drop < gap
    assert stays.sum() == 3
    expected = np.where(stays[:, None], same, others)
    np.testing.assert_allclose(np.exp(numpy(model(X))), expected, atol=1e-4)


def test_mixing_of_one_leaves_the_base():
    base, model, _ = single(4, other=2, other_mixing=1.0)
    np.testing.assert_allclose(np.exp(numpy(model(X))), softmax(numpy(base(X))), atol=1e-5)
    np.testing.assert_allclose(numpy(model(X[:1])), numpy(model(X))[:1], atol=1e-5)


def test_an_attack_goes_through_the_mixing_and_leaves_the_seed():
    _, model, _ = single(4, other=3)
    before = values(model)
    y = numpy(model(X)).argmax(axis=1)
    model.get_layer("pool").seed_generator.state.assign(before[-1])
    bad = generate(PGD(Linf(0.2), 0.05, steps=5, draws=2), model, X, y)
    for old, new in zip(before, values(model), strict=True):
        np.testing.assert_array_equal(new, old)
    rows = np.arange(len(y))
    assert (numpy(model(bad))[rows, y] < numpy(model(X))[rows, y]).mean() > 0.8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"other": 0}, "predicted or other must be positive"),
        ({"other": 10**9}, "other must be an integer in 0 .. 256"),
        ({"other_mixing": 1.5}, r"other_mixing must lie in \[0, 1\]. Received: other_mixing=1.5"),
        ({"pool": 10**6}, "pool must be an integer in 1 .. 349525"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        mixup_inference(tiny_linear(4), **arguments)
