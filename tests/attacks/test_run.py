import importlib

import numpy as np
import pytest
from tiny import numpy, tiny_batch, tiny_classifier

from robustzoo.attacks import Square, run
from robustzoo.threats import Linf

driver = importlib.import_module("robustzoo.attacks.run")


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
