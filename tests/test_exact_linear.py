"""The closed form of the adversary of a linear model, and training against it."""

import keras
import numpy as np
import pytest
from tiny import numpy, tiny_batch, tiny_classifier, tiny_linear

from robustzoo.architectures import linear
from robustzoo.attacks import PGD, run
from robustzoo.defenses import ExactLinear
from robustzoo.losses import cross_entropy, linear_worst_case, margin, robust_linear
from robustzoo.threats import L1, L2, Linf

THREATS = [(Linf(0.1), 0.02), (L2(0.1), 0.02), (L1(0.1), 0.02)]
each_threat = pytest.mark.parametrize(
    ("threat", "step"), THREATS, ids=[type(threat).__name__ for threat, _ in THREATS]
)


def inner_batch(classes):
    """Images farther than 0.1 from 0 and 1, so that the box does not matter."""
    x, y = tiny_batch(12)
    return x * 0.5 + 0.2, y % classes


@each_threat
def test_two_classes_are_the_formula_and_what_pgd_reaches(threat, step):
    x, y = inner_batch(2)
    model = tiny_linear(2)
    kernel = numpy(model.layers[-1].kernel)
    w, sign = kernel[:, 1] - kernel[:, 0], 2.0 * y - 1.0
    dual = {Linf: np.abs(w).sum(), L2: np.sqrt((w**2).sum()), L1: np.abs(w).max()}[type(threat)]
    score = x.reshape(12, -1) @ w
    by_hand = np.log1p(np.exp(-(sign * score - threat.eps * dual)))
    exact = numpy(robust_linear(y, model(x), kernel, threat))
    np.testing.assert_allclose(exact, by_hand, rtol=1e-4)
    attack = PGD(threat, step, steps=40)
    reached = numpy(cross_entropy(y, model(run(attack, model, x, y).images)))
    np.testing.assert_allclose(exact, reached, rtol=1e-3)


@each_threat
def test_more_classes_are_a_bound_of_the_loss_and_exact_in_the_error(threat, step):
    x, y = inner_batch(4)
    model = tiny_linear(4)
    y = numpy(model(x)).argmax(1).astype("int32")
    kernel = model.layers[-1].kernel
    exact = numpy(robust_linear(y, model(x), kernel, threat))
    attack = PGD(threat, step, steps=40)
    reached = numpy(cross_entropy(y, model(run(attack, model, x, y).images)))
    assert (exact > reached).all()
    worst = numpy(margin(y, linear_worst_case(y, model(x), kernel, threat)))
    best = np.full(12, -np.inf)  # of the attacks on each rival alone, which is what is exact
    for j in range(4):

        def ahead(y, logits, j=j):
            return logits[:, j] - keras.ops.take_along_axis(logits, y[:, None], axis=1)[:, 0]

        z = run(PGD(threat, step, steps=40, loss=ahead), model, x, y).images
        ahead_by = numpy(ahead(y, model(z)))
        best = np.maximum(best, np.where(y == j, -np.inf, ahead_by))
    np.testing.assert_allclose(worst, best, rtol=1e-3, atol=1e-4)


def test_without_eps_it_is_cross_entropy_and_has_a_finite_gradient():
    x, y = inner_batch(4)
    model = tiny_linear(4)
    for threat in (Linf(0.0), L2(0.0), L1(0.0)):
        losses = robust_linear(y, model(x), model.layers[-1].kernel, threat)
        np.testing.assert_allclose(numpy(losses), numpy(cross_entropy(y, model(x))), rtol=1e-5)
    defense = ExactLinear(tiny_linear(4), threat=L2(0.1))  # where w_j - w_y is 0 for j = y
    defense.compile(keras.optimizers.SGD(0.1))
    defense.fit(x, y, verbose=0)
    assert np.isfinite(numpy(defense.classifier.layers[-1].kernel)).all()


def test_normalisation_is_part_of_the_kernel():
    x, y = tiny_batch(12)
    model = linear((8, 8, 3), classes=4, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))
    defense = ExactLinear(model, threat=Linf(0.05))
    kernel = numpy(defense._kernel())
    shift = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype("float32")
    change = numpy(model(x + shift)) - numpy(model(x))
    np.testing.assert_allclose(change, np.tile(shift.reshape(1, -1) @ kernel, (12, 1)), rtol=1e-3)


def test_training_lowers_the_exact_robust_error_below_that_of_standard_training():
    x, y = inner_batch(2)
    robust = []
    for eps in (0.0, 0.1):
        model = linear((8, 8, 3), classes=2)
        defense = ExactLinear(model, threat=Linf(eps))
        defense.compile(keras.optimizers.SGD(0.05))
        defense.fit(x, y, epochs=60, verbose=0)
        losses = robust_linear(y, model(x), defense._kernel(), Linf(0.1))
        robust.append(numpy(losses).mean())
    assert robust[1] < 0.9 * robust[0]


def test_eps_grows_over_the_warmup():
    x, y = inner_batch(2)
    defense = ExactLinear(tiny_linear(2), threat=Linf(0.1), warmup_steps=2)
    defense.compile(keras.optimizers.SGD(0.0))
    losses = []
    for _ in range(3):
        defense.reset_metrics()
        losses.append(float(defense.train_on_batch(x, y, return_dict=True)["loss"]))
    assert losses[0] < losses[1] == pytest.approx(losses[2])


@pytest.mark.parametrize("model", [tiny_classifier(), linear((8, 8, 3))], ids=["cnn", "relu"])
def test_refuses_what_is_not_linear(model):
    model.layers[-1].activation = keras.activations.relu
    with pytest.raises(ValueError, match="classifier must be linear"):
        ExactLinear(model, threat=Linf(0.1))


def test_refuses_what_is_no_threat():
    with pytest.raises(ValueError, match="threat must be Linf, L2 or L1"):
        linear_worst_case(np.zeros(1, "int32"), np.zeros((1, 2)), np.zeros((3, 2)), 0.1)
