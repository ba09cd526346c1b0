"""Ensembles: the mean of the members, their names, and what cannot be a member."""

import keras
import numpy as np
import pytest
from keras import ops

from robustzoo.architectures import ensemble, ensemble_members, noisy
from tests.tiny import numpy, tiny_batch, tiny_classifier, tiny_linear


def test_is_the_log_of_the_mean_probability():
    x = tiny_batch(5)[0]
    members = [tiny_classifier(seed=k) for k in range(3)]
    mean = np.mean([numpy(ops.softmax(member(x))) for member in members], axis=0)
    np.testing.assert_allclose(numpy(ensemble(members)(x)), np.log(mean), atol=1e-5)


def test_one_member_predicts_as_it_did():
    x = tiny_batch(5)[0]
    member = tiny_classifier()
    alone = numpy(ops.log_softmax(member(x)))
    np.testing.assert_allclose(numpy(ensemble([member])(x)), alone, atol=1e-6)


def test_member_logits_are_the_input_of_the_last_layer():
    x = tiny_batch(5)[0]
    members = [tiny_classifier(seed=k) for k in range(2)]
    model = ensemble(members)
    logits = keras.Model(model.input, model.layers[-1].input)(x)
    assert logits.shape == (5, 2, 4)
    for k, member in enumerate(members):
        np.testing.assert_allclose(numpy(logits)[:, k], numpy(member(x)), atol=1e-6)


def test_is_taken_apart_into_its_members():
    x = tiny_batch(5)[0]
    members = [tiny_classifier(seed=k) for k in range(3)]
    model = ensemble(members)
    for parts in (ensemble_members(model), ensemble_members(noisy(model, 0.0, 0.0))):
        assert len(parts) == 3
        for part, member in zip(parts, members, strict=True):
            np.testing.assert_allclose(numpy(part(x)), numpy(member(x)), atol=1e-6)
            assert part.count_params() == member.count_params()
    assert len(ensemble_members(ensemble(members[:1]))) == 1


def test_other_models_have_no_members():
    model = tiny_classifier()
    for other in (model, noisy(model, draws=2, inner=0.0), keras.Sequential([ensemble([model])])):
        assert ensemble_members(other) == []


def test_names_are_unique_even_of_models_within_models():
    inside = keras.Sequential([keras.Input((8, 8, 3)), tiny_linear(), keras.layers.Dense(3)])
    model = ensemble([ensemble([inside, inside]), ensemble([inside, inside])])
    paths = [w.path for w in model.weights]
    assert len(set(paths)) == len(paths) == 16
    x = tiny_batch(5)[0]
    expected = numpy(ops.log_softmax(inside(x)))
    np.testing.assert_allclose(numpy(model(x)), expected, atol=1e-5)


def test_members_may_be_random():
    x = tiny_batch(5)[0]
    model = ensemble([noisy(tiny_classifier(), inner=0.0), tiny_classifier(seed=1)])
    assert np.abs(numpy(model(x)) - numpy(model(x))).max() > 1e-3


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([], "1 to 16 models"),
        (tiny_linear(), "1 to 16 models"),
        ([tiny_linear()] * 17, "1 to 16 models"),
        ([tiny_linear(2), tiny_linear(3)], "same images and classes"),
        ([tiny_linear(), "small_cnn"], "Received: 'small_cnn' of type str"),
        ([keras.Sequential([keras.layers.Dense(2)])], "built Sequential"),
    ],
)
def test_refuses(members, message):
    with pytest.raises(ValueError, match=message):
        ensemble(members)
