"""Defensive distillation."""

import functools

import keras
from keras import ops

from robustzoo.check_number import check_number
from robustzoo.checks import check_classifier
from robustzoo.defenses.base import Defense, frozen_copy
from robustzoo.inference import inference
from robustzoo.losses import soft_cross_entropy, tempered_cross_entropy


class Distillation(Defense):
    """CE(softmax(Z_t / T), softmax(Z / T)), Z_t the teacher's logits, Z those of `classifier`.

    The teacher is trained before, with `criterion=partial(tempered_cross_entropy, temperature=T)`.
    What is kept are the logits Z as they are: deployed at temperature 1. It hides gradients and
    makes nobody robust (Carlini & Wagner, 2016, arXiv:1607.04311).

    Papernot et al., 2016, arXiv:1511.04508.

    Args:
        teacher: from the same images to as many logits; a copy of it is kept, in inference mode.
        temperature: T > 0.
    """

    attacked = False

    def __init__(
        self,
        classifier: keras.Model,
        teacher: keras.Model,
        temperature: float = 100.0,
        **options,
    ):
        for model in (classifier, teacher):
            check_classifier(model)
        check_number("temperature", temperature, "> 0")
        for what in ("input_shape", "output_shape"):
            own, theirs = getattr(classifier, what), getattr(teacher, what)
            if own != theirs:
                raise ValueError(f"the teacher's {what} must be {own}. Received: {theirs}")
        criterion = functools.partial(tempered_cross_entropy, temperature=temperature)
        super().__init__(classifier, criterion=criterion, **options)
        self.temperature = temperature
        self.teacher = frozen_copy(teacher)  # the user's may go on to be trained

    def objective(self, x, x_adv, y):
        logits = self.logits(x)
        soft = ops.cast(ops.stop_gradient(inference(self.teacher)(x)), logits.dtype)
        return soft_cross_entropy(soft, logits, self.temperature), logits, None
