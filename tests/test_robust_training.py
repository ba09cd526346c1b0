"""RT of Shaham et al.: `MadryTraining` with `fgsm`, the maximiser of the linearised loss."""

import keras
import numpy as np
import pytest
from tiny import numpy, tiny_batch, tiny_linear

from robustzoo.attacks import fgsm, generate
from robustzoo.backend import input_gradient
from robustzoo.losses import cross_entropy
from robustzoo.threats import L1, L2, Linf


@pytest.mark.parametrize("threat", [Linf(0.02), L2(0.1), L1(0.05)], ids=lambda t: type(t).__name__)
def test_the_step_is_the_argmax_of_the_linearised_loss(threat):
    """<g, D> is eps ||g||_*, its most over the ball, and no random D of the ball reaches it."""
    x, y = tiny_batch(8)
    x, model = 0.2 + 0.6 * x, tiny_linear(4)  # inside [0, 1] by more than eps

    def losses(z):
        return cross_entropy(y, model(z)), ()

    g = numpy(input_gradient(losses, keras.ops.convert_to_tensor(x))[2])
    step = generate(fgsm(threat), model, x, y) - x
    gain = (g * step).sum((1, 2, 3))
    flat = g.reshape(8, -1)
    dual = {Linf: np.abs(flat).sum(1), L2: np.sqrt((flat**2).sum(1)), L1: np.abs(flat).max(1)}
    np.testing.assert_allclose(gain, threat.eps * dual[type(threat)], rtol=1e-3)
    assert numpy(threat.distance(x + step, x)) == pytest.approx(threat.eps, rel=1e-3)
    if isinstance(threat, L1):
        assert ((np.abs(step) > 1e-6).sum((1, 2, 3)) == 1).all()
    for seed in range(20):
        other = numpy(threat.random_start(keras.ops.convert_to_tensor(x), seed)) - x
        assert ((g * other).sum((1, 2, 3)) < gain).all()
