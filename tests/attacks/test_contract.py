"""What every attack promises, whatever it does."""

import dataclasses
import inspect

import keras
import numpy as np
import pytest
from examples import EXAMPLES
from keras import ops
from tiny import numpy, tiny_batch, tiny_classifier, values

from robustzoo import attacks
from robustzoo.attacks import Attack, Transfer, generate, run
from robustzoo.attacks.base import fooled, nothing_yet
from robustzoo.threats import Linf

MINIMAL = {name: attack for name, attack in EXAMPLES.items() if attack.minimal}
BUDGETED = {k: v for k, v in EXAMPLES.items() if k not in MINIMAL and v.threat is not None}


LOSSES = {k: v for k, v in EXAMPLES.items() if hasattr(v, "loss")}


# Of the module, so that all tests of one attack come in a row and share what it compiled.
@pytest.fixture(scope="module", params=EXAMPLES.values(), ids=EXAMPLES.keys())
def attack(request):
    return request.param


@pytest.fixture(scope="module")
def model():
    return tiny_classifier(dropout=0.3)


@pytest.fixture(scope="module")
def batch(model):
    """Images, and for each the class that an untargeted or a targeted attack is given."""
    x, _ = tiny_batch(12)
    predicted = classes(model, x)
    return x, predicted, ((predicted + 1) % 4).astype("int32")


def classes(model, x):
    return numpy(model(x)).argmax(1).astype("int32")


def labels_for(attack, batch):
    return batch[2] if attack.targeted else batch[1]


def test_every_attack_has_an_example():
    public = {getattr(attacks, name) for name in attacks.__all__}
    known = {c for c in public if inspect.isclass(c) and issubclass(c, Attack)} - {Attack}
    assert known <= {type(attack) for attack in EXAMPLES.values()}


def test_budget_and_box(attack, model, batch):
    z = generate(attack, model, batch[0], labels_for(attack, batch))
    assert z.shape == batch[0].shape and np.isfinite(z).all()
    assert z.min() >= 0 and z.max() <= 1
    if attack in BUDGETED.values():
        assert numpy(attack.threat.distance(z, batch[0])).max() <= attack.threat.eps + 1e-6


def test_success_is_what_the_model_says(attack, model, batch):
    x, y = batch[0], labels_for(attack, batch)
    out = run(attack, model, x, y)
    reached = classes(model, out.images) == y
    fooled = reached if attack.targeted else ~reached
    np.testing.assert_array_equal(out.success, fooled)
    if attack.minimal:
        np.testing.assert_array_equal(out.images[~out.success], x[~out.success])
    size = np.abs(out.images - x).max((1, 2, 3))
    np.testing.assert_array_equal(out.distance == 0, size == 0)
    if attack.norm is Linf or isinstance(getattr(attack, "threat", None), Linf):
        np.testing.assert_allclose(out.distance, size, atol=1e-6)


def test_draws_multiply_what_is_spent(attack, model, batch):
    if "draws" not in {field.name for field in dataclasses.fields(attack)}:
        pytest.skip("averages nothing")
    more = dataclasses.replace(attack, draws=2)
    assert (more.gradients, more.queries) == (2 * attack.gradients, 2 * attack.queries)
    out = run(more, model, batch[0][:4], labels_for(attack, batch)[:4])
    assert out.gradients % 2 == 0 and np.isfinite(out.images).all()


def test_leaves_the_model_untouched(attack, model, batch):
    before = values(model)
    generate(attack, model, batch[0], labels_for(attack, batch))
    for old, new in zip(before, values(model), strict=True):
        np.testing.assert_array_equal(old, new)


def test_same_seed_same_result_whatever_the_batch(attack, model, batch):
    x, y = batch[0], labels_for(attack, batch)
    first = run(attack, model, x, y, seed=5)
    again = run(attack, model, x, y, batch_size=5, seed=5)
    np.testing.assert_array_equal(first.success, again.success)
    np.testing.assert_allclose(first.images, again.images, atol=2e-5)


@pytest.mark.parametrize("attack", BUDGETED.values(), ids=BUDGETED.keys())
def test_zero_budget_is_the_identity(attack, model, batch):
    threat = dataclasses.replace(attack.threat, eps=0.0)
    if isinstance(attack, Transfer):
        attack = Transfer(attack.source, dataclasses.replace(attack.attack, threat=threat))
    else:
        attack = dataclasses.replace(attack, threat=threat)
    z = generate(attack, model, batch[0], labels_for(attack, batch))
    np.testing.assert_allclose(z, batch[0], atol=1e-6)


@pytest.mark.parametrize("attack", MINIMAL.values(), ids=MINIMAL.keys())
def test_what_is_fooled_already_costs_no_change(attack, model, batch):
    """A misclassified image is its own smallest adversarial example."""
    wrong = batch[1] if attack.targeted else batch[2]
    out = run(attack, model, batch[0], wrong)
    assert out.success.all()
    np.testing.assert_array_equal(out.images, batch[0])


@pytest.mark.parametrize("attack", LOSSES.values(), ids=LOSSES.keys())
def test_a_loss_can_be_called(attack):
    with pytest.raises(ValueError, match="loss must be a function .* Received: loss='ce'"):
        dataclasses.replace(attack, loss="ce")


def test_stops_where_enough_was_found(model, batch):
    """`until` ends an example's attack, and the gradients saved are not counted."""
    attack = attacks.PGD(Linf(0.2), 0.05, steps=20)
    x, y = batch[0], batch[1]
    whole, short = run(attack, model, x, y), run(attack, model, x, y, until=attack.threat.contains)
    assert short.gradients < whole.gradients == 21 * len(x)
    assert short.success.sum() >= whole.success.sum() > 0


def test_gradients_that_are_no_numbers_make_no_such_images(attack, batch):
    """d sqrt(v) / dv is infinite at 0, and times dv / dz = 0 it is no number."""
    images = keras.Input((8, 8, 3))
    logits = tiny_classifier()(images)
    broken = keras.Model(images, logits + ops.sqrt(0.0 * logits))
    x, y = batch[0], labels_for(attack, batch)
    assert np.isfinite(generate(attack, broken, x, y)).all()
    out = run(attack, broken, x, y)
    assert np.isfinite(out.images).all()
    reached = classes(broken, out.images) == y
    np.testing.assert_array_equal(out.success, reached if attack.targeted else ~reached)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX mixes dtypes as it is")
def test_logits_of_16_bits(attack, batch):
    """As a net gives them under Keras' mixed_bfloat16."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        short = tiny_classifier()
    finally:
        keras.config.set_dtype_policy("float32")
    z = generate(attack, short, batch[0], labels_for(attack, batch))
    assert z.dtype == "float32" and np.isfinite(z).all()


def test_logits_that_are_no_numbers_fool_nobody():
    logits = np.array([[np.nan, 0], [0, np.nan], [-np.inf, 0], [0, -np.inf]], "float32")
    y = np.zeros(4, "int32")
    np.testing.assert_array_equal(numpy(fooled(logits, y)), [False, False, True, False])
    np.testing.assert_array_equal(numpy(fooled(logits, y, True)), [False, False, False, True])


@dataclasses.dataclass(frozen=True)
class Flaky(Attack):
    """Its first run finds what is no number, the second black images of a low value."""

    restarts: int = 2
    steps: int = 1
    threat: Linf = Linf(1.0)

    def begin(self, model, x, y, seed, run):
        value = ops.where(ops.equal(run, 0), float("nan"), -5.0)
        return nothing_yet(x, y) | {"found": ops.full_like(y, value, "float32")}

    def step(self, model, state, x, y, noise=None):
        images = ops.where(ops.isnan(state["found"])[:, None, None, None], float("nan"), 0.0 * x)
        done = ops.ones_like(state["done"])
        return state | {"best": images, "value": state["found"], "done": done}


def test_what_is_no_number_blocks_no_later_run(model, batch):
    x, y = batch[0], batch[1]
    np.testing.assert_array_equal(run(Flaky(), model, x, y).images, 0.0)
    np.testing.assert_array_equal(numpy(Flaky()(model, x, ops.convert_to_tensor(y))), 0.0)
