import importlib

import keras
import numpy as np
import pytest
from tiny import numpy, tiny_batch, tiny_classifier

from robustzoo.attacks import APGD, PGD, SPSA, Noise, Square, run
from robustzoo.attacks._model import later
from robustzoo.backend import random_state
from robustzoo.threats import Linf

driver = importlib.import_module("robustzoo.attacks.run")


def test_a_run_of_more_steps_than_seeds_go_round():
    """100,003 seeds a step: from step 21,475 on they exceed an int32, which JAX refuses."""
    noise = random_state(7)
    np.testing.assert_array_equal(numpy(later(noise, 21_475)), [7 + 100_003 * 21_475 - 2**32, 0])
    assert numpy(random_state(2**31 + 5))[0] == 5 - 2**31


def test_a_loss_that_is_a_mean_is_refused():
    """It would tie every example of a batch to the others."""
    mean = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    x, y = tiny_batch(4)
    ball = Linf(0.1)
    gradients = PGD(ball, 0.1, loss=mean), APGD(ball, loss=mean)
    for attack in (*gradients, *(cls(ball, loss=mean) for cls in (SPSA, Square, Noise))):
        with pytest.raises(ValueError, match="one value per example"):
            run(attack, tiny_classifier(), x, y)


@pytest.mark.parametrize(("long", "smallest"), [(30, 4), (31, 32)])
def test_long_attacks_end_in_smaller_batches_with_the_same_result(monkeypatch, long, smallest):
    sizes = []

    def tensors(state, make=driver._tensors):
        sizes.append(len(state["y"]))
        return make(state)

    monkeypatch.setattr(driver, "LONG", long)
    monkeypatch.setattr(driver, "SMALLEST", 4)
    monkeypatch.setattr(driver, "_tensors", tensors)
    model, (x, _) = tiny_classifier(), tiny_batch(40)
    y = numpy(model(x)).argmax(1).astype("int32")
    attack = Square(Linf(0.12), steps=30)
    packed = run(attack, model, x, y, batch_size=32)
    assert 0 < packed.success.sum() < len(x)
    assert min(sizes) == smallest and all(32 % size == 0 for size in sizes)
    one_by_one = run(attack, model, x, y, batch_size=1)
    assert packed.queries == one_by_one.queries
    np.testing.assert_array_equal(packed.success, one_by_one.success)
    np.testing.assert_allclose(packed.images, one_by_one.images, atol=1e-6)
