"""Adversarial training at a hidden layer (LWA_Rep)."""

import keras
from keras import ops

from robustzoo.attacks._model import forward, gradient
from robustzoo.defenses.base import Defense
from robustzoo.single_precision import single_precision
from robustzoo.threats import L1, L2, Linf


class HiddenPerturbation(Defense):
    """min_w max over ||r|| <= c of CE(g(h(x) + r), y), where g(h(x)) is the classifier.

    The maximum is that of the linearised loss: r = c times the direction of steepest ascent of CE
    in h(x), whose components may take any value; w is then moved at that r. `robust_accuracy` of
    `fit` is that of g(h(x) + r), in `evaluate` that of `validation_attack`. Huang et al., 2015,
    arXiv:1511.03034, who found it worse than the same at the input.

    Args:
        classifier: functional or sequential, with `layer` the only way from images to logits.
        threat: the norm, over all components of h(x), and c as its eps.
        layer: name of the layer whose output is h(x).
    """

    attacked = False  # by an attack of its own

    def __init__(self, classifier: keras.Model, *, threat: Linf | L2 | L1, layer: str, **options):
        if not isinstance(threat, Linf | L2 | L1):
            raise ValueError(f"threat must be Linf, L2 or L1. Received: {threat!r}")
        super().__init__(classifier, **options)
        self.threat = threat
        self.below, self.above = _split(classifier, layer)

    def objective(self, x, x_adv, y):
        hidden = self.below(x, training=True)
        logits = self.above(hidden + ops.cast(x_adv, hidden.dtype), training=True)
        logits = single_precision(logits)
        return self.criterion(y, logits), None, logits

    def _adversarial(self, x, y):
        """r, shaped like h(x)."""
        hidden = ops.stop_gradient(forward(self.below, x))
        _, _, slope = gradient(self.above, hidden, lambda logits: self.criterion(y, logits))
        shape = ops.shape(slope)
        direction = self.threat.steepest(ops.reshape(slope, (shape[0], -1, 1, 1)))
        eps = self.threat.eps * self.warmup()
        return ops.stop_gradient(eps * ops.reshape(direction, shape))


def _split(classifier, name):
    """Two models on the layers of `classifier`: up to the layer `name`, and from there on."""
    names = [part.name for part in classifier.layers]
    if name not in names[:-1]:
        raise ValueError(f"layer must be one of {names[:-1]}. Received: {name!r}")
    hidden = classifier.get_layer(name).output
    try:
        below = keras.Model(classifier.inputs[0], hidden, name="below")
        above = keras.Model(hidden, classifier.outputs[0], name="above")
    except ValueError as error:
        raise ValueError(
            f"layer {name!r} is not the only way from images to logits: name one that every path "
            "goes through, not one inside a residual block, nor one that another model uses first"
        ) from error
    return below, above
