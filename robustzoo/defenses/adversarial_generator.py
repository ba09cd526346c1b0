"""Adversarial minimax training against a generator network (AMT)."""

import keras
from keras import ops

from robustzoo.architectures import perturbation_generator
from robustzoo.attacks._model import forward, gradient
from robustzoo.attacks.base import fooled
from robustzoo.backend import replicas, weight_gradient
from robustzoo.check_number import check_number
from robustzoo.defenses._linf import check_linf
from robustzoo.defenses.base import Defense
from robustzoo.threats import Linf

RADII = ("fixed", "estimated")
HALVINGS = 6  # of the interval in which the smallest radius lies


class AdversarialGenerator(Defense):
    """min_w max_v CE(f_w(x), y) + CE(f_w(x'), y) with x' = clip(x + r G_v(x), 0, 1).

    Each step first moves the generator G_v up the second term, with f_w in inference mode, then
    f_w down both at the new x'. This is our reading of Komiyama & Hattori, 2018, "Adversarial
    minimax training for robustness against adversarial examples": their paper and code could not
    be obtained, so networks, optimizers and the estimate of r are ours.

    The radius r is eps, or estimated: an exponential average, from 0, of the batch's mean least
    r <= eps at which clip(x + r sign(grad_x CE)) is misclassified, over the x that f_w classifies
    as y. It is found by halving, as though no larger r were harmless; eps stands where none is
    found.

    Args:
        threat: eps bounds the generator's perturbation in every pixel.
        generator: from images to perturbations in [-1, 1], by default
            `architectures.perturbation_generator`; it is trained in place.
        generator_rate: learning rate of the generator's Adam.
        radius: "fixed" or "estimated".
        radius_decay: d in r <- d r + (1 - d) estimate.
    """

    attacked = False  # by the generator alone

    def __init__(
        self,
        classifier: keras.Model,
        *,
        threat: Linf,
        generator: keras.Model | None = None,
        generator_rate: float = 1e-3,
        radius: str = "fixed",
        radius_decay: float = 0.99,
        **options,
    ):
        check_linf(threat)
        if radius not in RADII:
            raise ValueError(f"radius must be one of {RADII}. Received: radius={radius!r}")
        check_number("radius_decay", radius_decay, "in [0, 1)")
        super().__init__(classifier, **options)
        self.threat, self.radius_decay, self.estimated = threat, radius_decay, radius == "estimated"
        self.radius = keras.Variable(
            0.0 if self.estimated else threat.eps, trainable=False, dtype="float32", name="radius"
        )
        self.generator = generator or perturbation_generator(classifier.input_shape[1:])
        if self.generator.non_trainable_variables:
            raise ValueError(
                "generator must keep nothing but weights, no BatchNormalization, say. Received: "
                f"{[v.path for v in self.generator.non_trainable_variables]}"
            )
        self.generator_optimizer = keras.optimizers.Adam(generator_rate)
        self.generator_optimizer.build(self.generator.trainable_variables)
        self.generator_state = list(self.generator_optimizer.variables)  # so that fit carries it

    @property
    def trainable_variables(self):
        """What the optimizer of `compile` moves: not the generator, which has its own."""
        return self.classifier.trainable_variables

    @property
    def non_trainable_variables(self):
        own = {id(v) for v in self.trainable_variables}
        return [v for v in self.variables if id(v) not in own]

    def objective(self, x, x_adv, y):
        clean = self.logits(x)
        adversarial = self.logits(x_adv)
        return self.criterion(y, clean) + self.criterion(y, adversarial), clean, adversarial

    def _adversarial(self, x, y):
        """The generator's images, after it and the radius have moved."""
        x = ops.convert_to_tensor(x, "float32")
        if self.estimated:
            self._estimate(x, y)

        def descended():
            logits = forward(self.classifier, self._generated(x))
            return -ops.mean(self.criterion(y, logits)) / replicas(), ()

        _, gradients = weight_gradient(self.generator, descended)
        self.generator_optimizer.apply(gradients, self.generator.trainable_variables)
        return ops.stop_gradient(self._generated(x))

    def _generated(self, x):
        radius = ops.convert_to_tensor(self.radius) * self.warmup()
        return ops.clip(x + radius * ops.cast(self.generator(x), x.dtype), 0.0, 1.0)

    def _estimate(self, x, y):
        """Moves the radius towards the mean least one of the batch."""
        _, logits, slope = gradient(self.classifier, x, lambda logits: self.criterion(y, logits))
        high = self._least(x, y, ops.sign(slope))
        right = ops.cast(ops.logical_not(fooled(logits, y)), "float32")
        count = ops.sum(right)
        mean = ops.sum(right * high) / ops.maximum(count, 1.0)
        old = ops.convert_to_tensor(self.radius)
        moved = self.radius_decay * old + (1.0 - self.radius_decay) * mean
        self.radius.assign(ops.where(count > 0, moved, old))

    def _least(self, x, y, direction):
        """Least radius (B,) along `direction` that changes the prediction, at most eps."""
        low = ops.zeros_like(ops.cast(y, "float32"))
        high = low + self.threat.eps
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            z = ops.clip(x + ops.reshape(middle, (-1, 1, 1, 1)) * direction, 0.0, 1.0)
            flipped = fooled(forward(self.classifier, z), y)
            low, high = ops.where(flipped, low, middle), ops.where(flipped, middle, high)
        return high
