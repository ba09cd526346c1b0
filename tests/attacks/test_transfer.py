import keras
import numpy as np
import pytest
from keras import ops
from tiny import numpy, tiny_batch, tiny_classifier, tiny_linear, values

from robustzoo.attacks import APGD, PGD, DeepFool, Noise, Transfer, generate, run
from robustzoo.detect import Confidence, abstaining
from robustzoo.losses import margin
from robustzoo.threats import Linf

THREAT = Linf(0.02)


def predicted(model, x):
    return numpy(model(x)).argmax(1).astype("int32")


def undecided():
    """A linear model, and images on all sides of its boundaries, labelled by it."""
    model, x = tiny_linear(4), tiny_batch()[0]
    model.layers[-1].bias.assign(-numpy(model(x)).mean(0))
    return model, x, predicted(model, x)


@pytest.mark.parametrize(
    "attack, until",
    [
        (PGD(THREAT, 0.01, steps=6, restarts=2), THREAT.contains),
        (Noise(THREAT, steps=9), None),
        (DeepFool(steps=5), None),
    ],
    ids=["pgd", "noise", "deepfool"],
)
def test_from_the_model_itself_it_is_the_attack_itself(attack, until):
    model, x, y = undecided()
    direct = run(attack, model, x, y, until=until, seed=2)
    through = run(Transfer(model, attack), model, x, y, until=until, seed=2)
    assert 0 < direct.success.sum()
    np.testing.assert_array_equal(direct.success, through.success)
    same = direct.success if until else slice(None)  # a failed PGD ends elsewhere: at the worst
    np.testing.assert_allclose(direct.images[same], through.images[same], atol=1e-6)
    assert through.gradients == direct.gradients


def test_finds_no_less_than_the_finished_example_does():
    model, x, y = undecided()
    source = keras.models.clone_model(model)
    kernel, bias = (numpy(v) for v in model.layers[-1].weights)
    shift = np.random.default_rng(0).normal(size=kernel.shape, scale=0.1)
    source.layers[-1].set_weights([kernel + shift, bias])
    attack = PGD(Linf(0.1), 0.02, steps=8)
    crafted = predicted(model, generate(attack, source, x, y, seed=2)) != y
    z = generate(Transfer(source, attack), model, x, y, seed=2)
    assert crafted.any() and not (crafted & (predicted(model, z) == y)).any()
    assert numpy(attack.threat.distance(z, x)).max() <= 0.1 + 1e-6


def test_shows_what_never_fooled_the_source():
    """APGD's best stays the clean image on a source that nothing fools."""
    model, x, y = undecided()
    x, y = x[y == y[0]], y[y == y[0]]
    source = keras.models.clone_model(model)
    kernel, bias = (numpy(v) for v in model.layers[-1].weights)
    source.layers[-1].set_weights([kernel, bias + 100.0 * np.eye(4, dtype="float32")[y[0]]])
    attack = APGD(Linf(0.1), steps=5, loss=margin)
    assert not run(attack, source, x, y).success.any()
    out = run(Transfer(source, attack), model, x, y)
    np.testing.assert_array_equal(out.success, run(attack, model, x, y).success)
    assert out.success.any()


def test_reads_no_gradient_of_the_model():
    """Rounded logits have none, and a transfer does not care."""
    x = tiny_batch()[0]
    source = tiny_linear()
    y = predicted(source, x)

    class Stepped:
        input_shape, output_shape = source.input_shape, source.output_shape
        variables = source.variables

        def __call__(self, z):
            return ops.round(source(z) * 100.0)

    attack = PGD(Linf(0.1), 0.02, steps=10, start="clean")
    assert not run(attack, Stepped(), x, y).success.any()
    assert run(Transfer(source, attack), Stepped(), x, y).success.mean() > 0.5


def test_source_and_model_stay_as_they_were():
    source, model, (x, y) = tiny_classifier(0.3, seed=1), tiny_classifier(), tiny_batch(8)
    before = values(source) + values(model)
    generate(Transfer(source, PGD(THREAT, 0.01, steps=3)), model, x, y)
    for old, new in zip(before, values(source) + values(model), strict=True):
        np.testing.assert_array_equal(old, new)


def test_works_inside_a_larger_computation():
    """The plain call judges the last iterate too."""
    model, (x, _) = tiny_linear(), tiny_batch()
    y = predicted(model, x)
    attack = PGD(Linf(0.1), 0.1, steps=1, start="clean")
    z = numpy(Transfer(model, attack)(model, x, y))
    np.testing.assert_allclose(z, numpy(attack(model, x, y)), atol=1e-6)


def test_bad_attack():
    with pytest.raises(ValueError, match="attack must be an iterative attack"):
        Transfer(tiny_linear(), generate)


@pytest.mark.parametrize("source", ["m", None, keras.Model], ids=["text", "none", "class"])
def test_bad_source(source):
    with pytest.raises(ValueError, match="source must be a keras.Model. Received: "):
        Transfer(source, PGD(THREAT, 0.01))


@pytest.mark.parametrize(
    "shape, classes, message",
    [
        ((8, 8, 1), 4, r"take images \(8, 8, 3\), .* takes \(8, 8, 1\)"),
        ((4, 8, 3), 4, r"take images \(8, 8, 3\), .* takes \(4, 8, 3\)"),
        ((8, 8, 3), 3, "have 4 classes, .* has 3"),
        ((8, 8, 3), 5, "have 4 classes, .* has 5"),
    ],
)
@pytest.mark.parametrize(
    "attack", [PGD(THREAT, 0.01, steps=1), DeepFool(steps=1)], ids=["pgd", "deepfool"]
)
def test_a_source_of_other_images_or_classes(attack, shape, classes, message):
    """Such labels are out of its range, or mean other things."""
    layers = [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(classes)]
    transfer, (x, y) = Transfer(keras.Sequential(layers), attack), tiny_batch(8)
    with pytest.raises(ValueError, match=f"^source must {message}"):
        generate(transfer, tiny_classifier(), x, y)
    with pytest.raises(ValueError, match=f"^source must {message}"):
        transfer(tiny_classifier(), x, y, training=True)


def test_rejection_is_no_class_of_a_source():
    plain, (x, y) = tiny_classifier(), tiny_batch(8)
    rejecting = abstaining(Confidence(plain), 0.1)
    for source, model in ((plain, rejecting), (rejecting, plain)):
        assert generate(Transfer(source, PGD(THREAT, 0.01, steps=1)), model, x, y).shape == x.shape
