"""Adversarial training on a pool of adversarial examples that is refreshed all along (AT)."""

import keras
from keras import ops

from robustzoo.attacks import Attack
from robustzoo.check_number import check_number
from robustzoo.defenses.base import Defense


class AdversarialPool(Defense):
    """CE(f(x), y) + CE(f(x'), y'), with pairs (x', y') drawn from a pool of adversarial examples.

    Each step makes `refresh` of them anew, from the first images of the batch and the current
    weights; they take the places of the oldest. So an attack much dearer than a training step will
    do, as `LBFGS` in the training of Szegedy et al., 2014, arXiv:1312.6199. Where such an attack
    finds nothing, the clean image goes into the pool. The pool is part of the defense's variables:
    a checkpoint holds it.

    Args:
        attack: makes the examples of the pool.
        pool: number of examples it holds.
        refresh: number of them made anew in each step.
    """

    needs_attack = True

    def __init__(
        self,
        classifier: keras.Model,
        attack: Attack,
        *,
        pool: int = 1000,
        refresh: int = 4,
        **options,
    ):
        check_number("pool", pool, ">= 1", whole=True)
        check_number("refresh", refresh, ">= 1", whole=True)
        if refresh > pool:
            raise ValueError(
                f"refresh must lie in 1 .. pool. Received: refresh={refresh}, pool={pool}"
            )
        super().__init__(classifier, attack, **options)
        self.size, self.refresh = pool, refresh

        def kept(shape, dtype, name):
            return keras.Variable(ops.zeros(shape, dtype), trainable=False, dtype=dtype, name=name)

        self.images = kept((pool, *classifier.input_shape[1:]), "float32", "pool_images")
        self.labels = kept((pool,), "int32", "pool_labels")
        self.made = kept((), "int32", "pool_made")

    def objective(self, x, drawn, y):
        """As ever, but `drawn` is (images, labels)."""
        images, labels = drawn
        clean = self.logits(x)
        losses = self.criterion(labels, self.logits(images))
        return self.criterion(y, clean) + losses, clean, None

    def _adversarial(self, x, y):
        """As many pairs as the batch has, after the pool's oldest have been made anew."""
        x, y = ops.convert_to_tensor(x, "float32"), ops.cast(y, "int32")
        self._renew(super()._adversarial(x[: self.refresh], y[: self.refresh]), y[: self.refresh])
        filled = ops.minimum(ops.convert_to_tensor(self.made), self.size)
        uniform = keras.random.uniform((ops.shape(x)[0],), dtype="float32", seed=self.seeds)
        rows = ops.cast(uniform * ops.cast(filled, "float32"), "int32")
        rows = ops.minimum(rows, filled - 1)
        images, labels = ops.convert_to_tensor(self.images), ops.convert_to_tensor(self.labels)
        return ops.take(images, rows, axis=0), ops.take(labels, rows, axis=0)

    def _renew(self, images, labels):
        made = ops.convert_to_tensor(self.made)
        count = ops.shape(labels)[0]
        places = ops.mod(made + ops.arange(count, dtype="int32"), self.size)[:, None]
        self.images.assign(ops.scatter_update(ops.convert_to_tensor(self.images), places, images))
        self.labels.assign(ops.scatter_update(ops.convert_to_tensor(self.labels), places, labels))
        self.made.assign(made + count)
