import dataclasses

import keras
import numpy as np
import pytest
from tiny import numpy, tiny_batch, tiny_classifier, tiny_linear, values

from robustzoo import losses
from robustzoo.attacks import PGD, bim, fgsm, generate
from robustzoo.attacks._model import reseeded
from robustzoo.attacks.run import _Machine
from robustzoo.backend import compiled
from robustzoo.threats import L2, Linf

LINF, BALL = Linf(8 / 255), L2(0.5)
ATTACKS = {
    "fgsm": fgsm(LINF),
    "bim": bim(LINF, 2 / 255, steps=4),
    "pgd": PGD(LINF, 2 / 255, steps=4),
    "restarts": PGD(LINF, 2 / 255, steps=3, restarts=2),
    "dlr": PGD(LINF, 2 / 255, steps=3, loss=losses.dlr),
    "margin": PGD(LINF, 2 / 255, steps=3, loss=losses.margin),
    "draws": PGD(LINF, 2 / 255, steps=3, draws=2),
    "gaussian": PGD(LINF, 2 / 255, steps=3, start="gaussian"),
    "fgsm-l2": fgsm(BALL),
    "pgd-l2": PGD(BALL, 0.1, steps=3, restarts=2),
}


# Of the module, so that all tests of one attack come in a row and share what it compiled.
@pytest.fixture(scope="module", params=ATTACKS.values(), ids=ATTACKS.keys())
def attack(request):
    return request.param


@pytest.fixture(scope="module")
def model():
    return tiny_classifier(dropout=0.3)


def test_budget_box_and_strength(attack, model):
    x, _ = tiny_batch()
    y = numpy(model(x)).argmax(1).astype("int32")
    z = generate(attack, model, x, y)
    assert numpy(attack.threat.distance(z, x)).max() <= attack.threat.eps + 1e-6
    assert z.min() >= 0 and z.max() <= 1
    assert numpy(losses.margin(y, model(z))).mean() > numpy(losses.margin(y, model(x))).mean()


def test_leaves_the_model_untouched_in_training(attack, model):
    """At inference the contract of all attacks has it."""
    x, y = map(keras.ops.convert_to_tensor, tiny_batch())
    seeds = keras.random.SeedGenerator(0)
    before = values(model)
    compiled(
        lambda x, y: attack(model, x, y, seeds, training=True), [*model.variables, seeds.state]
    )(x, y)
    for old, new in zip(before, values(model), strict=True):
        np.testing.assert_array_equal(old, new)


def test_zero_budget_is_the_identity(attack, model):
    x, y = tiny_batch()
    threat = dataclasses.replace(attack.threat, eps=0.0)
    z = generate(dataclasses.replace(attack, threat=threat), model, x, y)
    np.testing.assert_allclose(z, x, atol=1e-7)


def test_same_seed_same_result_and_padding_is_dropped(attack, model):
    x, y = tiny_batch()
    first = generate(attack, model, x, y, seed=5)
    np.testing.assert_array_equal(first, generate(attack, model, x, y, seed=5))
    if attack.start == "clean":  # without noise, neither batch size nor padding matters
        np.testing.assert_allclose(first, generate(attack, model, x, y, batch_size=5), atol=1e-5)
    else:
        assert np.abs(first - generate(attack, model, x, y, seed=6)).max() > 0


def test_reaches_the_exact_worst_case_of_a_linear_model():
    """Margin falls by eps |w0 - w1|_1 in Linf and eps ||w0 - w1||_2 in L2, inside the box."""
    x, y = tiny_batch()[0] * 0.5 + 0.25, np.zeros(32, "int32")
    model = tiny_linear()
    w = numpy(model.layers[-1].kernel)
    w = w[:, 0] - w[:, 1]
    for threat, drop in ((Linf(0.05), np.abs(w).sum()), (L2(0.05), np.sqrt((w**2).sum()))):
        for attack in (fgsm(threat), PGD(threat, 0.03, steps=8)):
            z = generate(attack, model, x, y)
            rise = numpy(losses.margin(y, model(z))) - numpy(losses.margin(y, model(x)))
            np.testing.assert_allclose(rise, threat.eps * drop, atol=2e-4)


def test_fgsm_flips_a_linear_model_at_the_closed_form_radius():
    x, _ = tiny_batch()
    x = x[:1] * 0.2 + 0.4
    model = tiny_linear()
    y = numpy(model(x)).argmax(1).astype("int32")
    w = numpy(model.layers[-1].kernel)
    radius = float(-numpy(losses.margin(y, model(x)))[0] / np.abs(w[:, 0] - w[:, 1]).sum())
    for factor, flipped in ((0.99, False), (1.01, True)):
        z = generate(fgsm(Linf(factor * radius)), model, x, y)
        assert (numpy(model(z)).argmax(1) != y)[0] == flipped


@pytest.mark.parametrize("threat", [Linf(0.5), L2(5.0)], ids=["linf", "l2"])
def test_targeted_reaches_the_target(threat):
    """A linear model has no local optimum to stop at, so a wide ball holds every target."""
    x, y = tiny_batch()
    model, target = tiny_linear(4), (y + 1) % 4
    z = generate(PGD(threat, threat.eps / 5, steps=20, targeted=True), model, x, target)
    assert (numpy(model(x)).argmax(1) != target).any()
    np.testing.assert_array_equal(numpy(model(z)).argmax(1), target)


def test_restarts_and_steps_never_help_the_defender(model):
    x, _ = tiny_batch()
    y = numpy(model(x)).argmax(1).astype("int32")

    def broken(attack):
        return (numpy(model(generate(attack, model, x, y, seed=1))).argmax(1) != y).mean()

    once = PGD(Linf(0.02), 0.02, steps=1)
    assert broken(dataclasses.replace(once, restarts=4)) >= broken(once)
    assert broken(dataclasses.replace(once, step_size=0.005, steps=20)) >= broken(fgsm(Linf(0.02)))


def test_averaged_gradients_see_through_noise():
    """On logits + noise of mean 0, draws of fresh noise give other gradients than one draw."""

    @keras.saving.register_keras_serializable("tests")
    class Noise(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.seeds = keras.random.SeedGenerator(0)

        def call(self, x):
            return x * keras.random.uniform(keras.ops.shape(x), -1.0, 3.0, seed=self.seeds)

    x, y = tiny_batch()
    linear = tiny_linear(4)
    model = keras.Sequential([keras.Input((8, 8, 3)), Noise(), *linear.layers])
    clean = numpy(losses.margin(y, linear(x)))
    rises = []
    for draws in (1, 16):
        z = generate(PGD(Linf(0.02), 0.02, 1, start="clean", draws=draws), model, x, y)
        rises.append((numpy(losses.margin(y, linear(z))) - clean).mean())
    assert rises[1] > rises[0] > 0


def test_every_draw_of_a_run_is_fresh(model):
    """Three steps of 20 draws, in each of which a layer may ask for several random numbers."""
    x, y = tiny_batch(4)
    machine = _Machine(PGD(LINF, 2 / 255, steps=2), model, x, None, 4, 4)
    step, noises = machine.step, []

    def noted(slots, noise):
        noises.append(noise)
        return step(slots, noise)

    machine.step = noted
    list(machine.play(machine.queue(x, y, 7, 0), 4, 7))
    states = [
        tuple(numpy(state) + [0, again])
        for noise in noises
        for draw in range(20)
        for _, state in reseeded(model, noise, draw)
        for again in range(5)
    ]
    assert len(set(states)) == len(states) == 3 * 20 * 5
    assert not any(seed == 7 for seed, _ in states)  # as of the random start


@pytest.mark.parametrize(
    "options, message",
    [
        ({"threat": 0.1}, "threat must be Linf, L2 or L1. Received: threat=0.1"),
        ({"step_size": -0.01}, "step_size must be a number >= 0. Received: step_size=-0.01"),
        ({"step_size": float("nan")}, "step_size must be"),
        ({"start": "zero"}, "start must be one of"),
        ({"restarts": 0}, "restarts must be a positive integer"),
        ({"steps": -1}, "steps must be"),
        ({"start": "clean", "restarts": 2}, "need a random start"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        PGD(**{"threat": Linf(0.1), "step_size": 0.1, **options})


@pytest.mark.parametrize(
    "images, labels, message",
    [
        (np.zeros((2, 8, 8), "float32"), [0, 1], r"shape \(B, 8, 8, 3\)"),
        (np.zeros((8, 8, 3), "float32"), [0], r"images\[None\]"),
        (np.zeros((0, 8, 8, 3), "float32"), [], "must not be empty"),
        (np.full((2, 8, 8, 3), 200, "uint8"), [0, 1], "divide 8-bit images by 255"),
        (np.full((2, 8, 8, 3), 200.0), [0, 1], "divide 0-255 images by 255"),
        (np.full((2, 8, 8, 3), np.nan), [0, 1], "NaN or Inf"),
        (np.zeros((2, 8, 8, 3), "float32"), [0, 4], r"0 \.\. 3\. Received: 0 \.\. 4"),
        (np.zeros((2, 8, 8, 3), "float32"), [0, -1], r"Received: -1 \.\. 0"),
        (np.zeros((2, 8, 8, 3), "float32"), [0.0, 1.0], "must be integers"),
        (np.zeros((2, 8, 8, 3), "float32"), np.eye(4)[:2], "argmax of one-hot"),
    ],
)
def test_bad_input(model, images, labels, message):
    with pytest.raises(ValueError, match=message):
        generate(fgsm(Linf(0.1)), model, images, np.array(labels))


def test_a_batch_of_one(attack, model):
    x, y = tiny_batch(1)
    assert generate(attack, model, x, y).shape == x.shape
