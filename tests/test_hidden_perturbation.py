"""LWA_Rep: the perturbation of a hidden layer."""

import keras
import numpy as np
import pytest
from tiny import numpy, tiny_batch, tiny_classifier, values

from robustzoo.architectures import preact_resnet
from robustzoo.attacks import fgsm
from robustzoo.defenses import HiddenPerturbation
from robustzoo.losses import cross_entropy
from robustzoo.threats import L1, L2, Linf


def defense_at(layer, threat, classifier=None):
    defense = HiddenPerturbation(classifier or tiny_classifier(), threat=threat, layer=layer)
    defense.compile(keras.optimizers.SGD(0.1))
    return defense


@pytest.mark.parametrize("threat", [L2(0.5), Linf(0.1), L1(0.5)], ids=lambda t: type(t).__name__)
def test_a_linear_head_falls_by_the_dual_norm(threat):
    """Below the head, with two classes, the loss at h + r is softplus of a closed form."""
    x, y = tiny_batch(8)
    y = y % 2
    inner = [keras.layers.Conv2D(6, 3, activation="relu"), keras.layers.GlobalMaxPooling2D()]
    inner[-1].name = "pool"
    head = keras.layers.Dense(2, name="head")
    model = keras.Sequential([keras.Input((8, 8, 3)), *inner, head])
    defense = defense_at("pool", threat, model)
    kernel = numpy(model.get_layer("head").kernel)
    w, sign = kernel[:, 1] - kernel[:, 0], 2.0 * y - 1.0
    dual = {Linf: np.abs(w).sum(), L2: np.sqrt((w**2).sum()), L1: np.abs(w).max()}[type(threat)]
    r = defense._adversarial(x, y)
    logits = numpy(defense.above(defense.below(x, training=False) + r, training=False))
    score = numpy(model(x, training=False)) @ [-1.0, 1.0]
    expected = sign * score - threat.eps * dual
    np.testing.assert_allclose(sign * (logits @ [-1.0, 1.0]), expected, rtol=1e-3, atol=1e-4)


def test_at_the_first_layer_it_is_one_step_at_the_input():
    x, y = tiny_batch(8)
    inputs = keras.Input((8, 8, 3))
    same = keras.layers.Activation("linear", name="same")(inputs)
    model = keras.Model(inputs, tiny_classifier()(same))
    r = numpy(defense_at("same", L2(0.1), model)._adversarial(x, y))
    z = numpy(fgsm(L2(0.1))(model, x, y))
    np.testing.assert_allclose(x + r, z, atol=1e-5)


def test_the_step_uses_r_and_the_halves_share_the_weights():
    x, y = tiny_batch(8)
    defense = defense_at("relu", L2(1.0))
    before = values(defense.classifier)
    r = defense._adversarial(x, y)
    for old, new in zip(before, values(defense.classifier), strict=True):
        np.testing.assert_array_equal(old, new)  # making r moves nothing
    losses, _, _ = defense.objective(x, r, y)
    clean = numpy(cross_entropy(y, defense.classifier(x, training=True)))
    assert (numpy(losses).mean() > clean.mean()) and len(defense.trainable_variables) == 5
    defense.fit(x, y, verbose=0)
    moved = numpy(defense.above(defense.below(x)))
    np.testing.assert_allclose(moved, numpy(defense.classifier(x)), atol=1e-6)


def test_refuses_layers_that_do_not_cut_the_model():
    with pytest.raises(ValueError, match="layer must be one of"):
        defense_at("rleu", L2(0.1))
    with pytest.raises(ValueError, match="layer must be one of"):
        defense_at("head", L2(0.1))  # the logits themselves
    resnet = preact_resnet(input_shape=(8, 8, 3), depth=10, stem_strides=2)
    inside = next(layer.name for layer in resnet.layers if layer.name.endswith("_conv1"))
    with pytest.raises(ValueError, match="not the only way"):
        defense_at(inside, L2(0.1), resnet)
