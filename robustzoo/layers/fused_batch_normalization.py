"""BatchNormalization whose training step is one kernel."""

import keras
from keras import ops

from robustzoo.backend import batch_normalized

DTYPES = ("float16", "bfloat16", "float32")  # that the kernel takes


@keras.saving.register_keras_serializable("robustzoo")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` over the last axis of images, fused in training.

    gamma (x - mean) / sqrt(variance + epsilon) + beta with the moments of the batch (Ioffe &
    Szegedy, 2015, arXiv:1502.03167). Keras computes them by eight operations, two fifths of a
    training step of a small ResNet on a CPU under TensorFlow; that backend has one for them all.
    Inference, JAX, torch and float64 are Keras' own. Weights and config are those of Keras' layer
    with axis, centre and scale at their defaults.

    Args:
        axis: -1.
        momentum: of the moving moments.
        epsilon: added to the variance.
    """

    def __init__(self, axis: int = -1, momentum: float = 0.99, epsilon: float = 1e-3, **options):
        super().__init__(axis, momentum, epsilon, **options)
        if self.axis != -1 or not (self.center and self.scale) or self.renorm or self.synchronized:
            raise ValueError(
                "FusedBatchNormalization has axis -1, centre and scale, neither renorm nor "
                "synchronized; take keras.layers.BatchNormalization for others. Received: "
                f"axis={self.axis}, center={self.center}, scale={self.scale}, "
                f"renorm={self.renorm}, synchronized={self.synchronized}"
            )

    def call(self, inputs, training=None, mask=None):
        kernel = batch_normalized is not None and mask is None and len(inputs.shape) == 4
        kernel = kernel and keras.backend.standardize_dtype(inputs.dtype) in DTYPES
        if not (kernel and training and self.trainable):
            return super().call(inputs, training=training, mask=mask)
        gamma, beta = ops.cast(self.gamma, "float32"), ops.cast(self.beta, "float32")
        outputs, *moments = batch_normalized(inputs, gamma, beta, self.epsilon)
        moving = (self.moving_mean, self.moving_variance)
        for variable, value in zip(moving, moments, strict=True):
            old = ops.cast(variable, value.dtype)
            variable.assign(old * self.momentum + value * (1.0 - self.momentum))
        return ops.cast(outputs, self.compute_dtype)
