import keras
import numpy as np
import pytest
from tiny import numpy, tiny_batch, tiny_classifier, tiny_linear

from robustzoo.attacks import ILCM, bim, generate, run
from robustzoo.threats import L2, Linf


def test_is_bim_towards_the_least_likely_class():
    x, _ = tiny_batch()
    model = tiny_classifier()
    logits = numpy(model(x))
    y, least = logits.argmax(1).astype("int32"), logits.argmin(1).astype("int32")
    targeted = generate(bim(Linf(0.1), 0.03, 5, targeted=True), model, x, least)
    np.testing.assert_allclose(generate(ILCM(Linf(0.1), 0.03, 5), model, x, y), targeted, atol=1e-5)


def test_reaches_the_clean_least_likely_class_though_others_become_less_likely():
    x, _ = tiny_batch()
    model = tiny_linear(4)
    least = numpy(model(x)).argmin(1)
    z = generate(ILCM(L2(5.0), 1.0, 20), model, x, np.zeros(32, "int32"))
    np.testing.assert_array_equal(numpy(model(z)).argmax(1), least)


def test_any_wrong_class_is_a_success():
    """Labels that name the target itself: reaching it is no success, every other class is."""
    x, _ = tiny_batch()
    model = tiny_linear(4)
    least = numpy(model(x)).argmin(1).astype("int32")
    outcome = run(ILCM(L2(5.0), 1.0, steps=20), model, x, least)
    assert not outcome.success.any()
    assert run(ILCM(L2(5.0), 1.0, steps=20), model, x, (least + 1) % 4).success.all()


def test_in_a_graph_as_image_by_image():
    x, y = tiny_batch(6)
    model, attack = tiny_classifier(), ILCM(Linf(0.1), 0.03, steps=3)
    np.testing.assert_allclose(
        numpy(attack(model, x, keras.ops.convert_to_tensor(y))),
        generate(attack, model, x, y),
        atol=1e-5,
    )


def test_bad_options():
    with pytest.raises(ValueError, match="draws must be a positive integer"):
        ILCM(Linf(0.1), 0.1, draws=0)


def test_bad_threat_and_step_size():
    with pytest.raises(ValueError, match="threat must be"):
        ILCM(0.1, 0.01)
    with pytest.raises(ValueError, match="Received: step_size=-0.01"):
        ILCM(Linf(0.1), -0.01)
