"""The seam: what Keras lacks, once per backend. No other file imports tensorflow, jax or torch.

frozen(mapping)                read variables, drop every write
repeat(steps, fn, x)           x <- fn(i, x) in a compiled loop
input_gradient(fn, x)          fn: x -> (values (B,), aux); returns (values, aux, gradients)
weight_gradient(model, fn)     fn: () -> (loss, aux); keeps the updates of BatchNorm
portable_step(step)            step(self, x, y, sample_weight) -> logs, as train or test step
compiled(fn, variables)        one compiled function that reads and updates `variables`
batch_normalized(x, ...)       x by the moments of its batch in one kernel; None where XLA fuses
data_parallel(count)           scope in which a model trains on several devices
device_name()                  name of the accelerator, None on a CPU
"""

import contextlib
import functools
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

BACKEND = keras.backend.backend()
UNROLLED = 10  # steps that TensorFlow on a CPU gets without a loop


class frozen(keras.StatelessScope):  # noqa: N801 - reads as a statement: `with frozen():`
    """Scope in which Keras variables read as usual but every write is dropped.

    `mapping` gives some variables another value meanwhile. A plain inner `StatelessScope` hides
    the values of the outer one; this one inherits them, so it works inside a JAX train step.
    """

    def __enter__(self):
        super().__enter__()
        if self.original_scope is not None:
            self.state_mapping = {**self.original_scope.state_mapping, **self.state_mapping}
        return self


def repeat(steps: int, fn: Callable, x):
    """Applies `x = fn(i, x)` for i = 0 .. steps - 1, as one compiled loop where that is fast.

    On an accelerator it is. On a CPU, XLA runs convolutions in a loop about 17 times slower, so
    JAX gets the steps one after the other; TensorFlow's loop costs up to a seventh more than its
    steps, so it goes over ten of them at a time.
    """
    if BACKEND != "torch" and device_name() is not None:
        return ops.fori_loop(0, steps, fn, x)

    def unrolled(first, count, x):
        for i in range(count):
            x = fn(first + i, x)
        return x

    if BACKEND != "tensorflow" or steps <= UNROLLED:
        return unrolled(0, steps, x)
    chunks, rest = divmod(steps, UNROLLED)
    x = ops.fori_loop(0, chunks, lambda c, x: unrolled(c * UNROLLED, UNROLLED, x), x)
    return unrolled(chunks * UNROLLED, rest, x)


def in_batches(run: Callable, batch_size: int, *arrays: np.ndarray) -> np.ndarray:
    """`run(*batch)` over the rows of `arrays` (N, ...), put together again as one array (N, ...).

    A last batch of another size would compile again: it is filled up and the rest dropped.
    """
    count, parts = len(arrays[0]), []
    for begin in range(0, count, batch_size):
        rows = np.arange(begin, begin + batch_size) % count
        result = run(*(ops.convert_to_tensor(array[rows]) for array in arrays))
        parts.append(ops.convert_to_numpy(result)[: count - begin])
    return np.concatenate(parts)


def random_state(seed):
    """Draws the raw state (2,) of an integer or a `SeedGenerator`, which moves on by one."""
    if isinstance(seed, keras.random.SeedGenerator):
        return seed.next()
    return ops.convert_to_tensor([wrapped(seed), 0], "int32")


def wrapped(number):
    """An integer as int32 arithmetic has it, modulo 2^32; tensors are so already."""
    return (number + 2**31) % 2**32 - 2**31 if isinstance(number, int) else number


if BACKEND == "tensorflow":
    import tensorflow as tf

    def input_gradient(fn, x):
        """Returns `values, aux = fn(x)` and the gradient of each value (B,), shaped like `x`."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            values, aux = fn(x)
        gradient = tape.gradient(values, x, unconnected_gradients="zero")
        return values, aux, gradient

    def weight_gradient(model, fn):
        """Returns `fn() = (loss, aux)` and d loss / d trainable weights; keeps BN updates."""
        with tf.GradientTape() as tape:
            loss, aux = fn()
        return (loss, aux), tape.gradient(loss, model.trainable_variables)

    def portable_step(step):
        """Gives `step(self, x, y, sample_weight)` the signature this backend's fit wants."""

        @functools.wraps(step)
        def with_data(self, data):
            return step(self, *keras.utils.unpack_x_y_sample_weight(data))

        return with_data

    def compiled(fn, variables):
        """Compiles `fn`, which may read `variables` and update them."""
        function = tf.function(
            fn, jit_compile=accelerated(), autograph=False, reduce_retracing=True
        )
        # Each attack of a suite is compiled once; TensorFlow takes that for one traced too often.
        function._omit_frequent_tracing_warning = True
        return function

    def batch_normalized(x, gamma, beta, epsilon: float):
        """Returns gamma (x - mean) / sqrt(variance + epsilon) + beta of x (B, H, W, C), and both.

        The moments (C,) are those of the batch, without Bessel's correction, as Keras has them.
        """
        y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=x, scale=gamma, offset=beta, mean=[], variance=[], epsilon=epsilon, is_training=True
        )
        count = tf.cast(tf.size(x) / tf.shape(x)[-1], variance.dtype)
        return y, mean, variance * (count - 1) / count

    def accelerated() -> bool:
        """Whether XLA pays: it does on an accelerator, and halves the speed on a CPU."""
        return bool(tf.config.list_physical_devices("GPU"))

    def replicas() -> int:
        """Number of devices among which `tf.distribute` splits a batch; gradients are summed."""
        return tf.distribute.get_strategy().num_replicas_in_sync

    def device_name() -> str | None:
        """Name of the first accelerator, None on a CPU."""
        gpus = tf.config.list_physical_devices("GPU")
        return tf.config.experimental.get_device_details(gpus[0])["device_name"] if gpus else None

    def data_parallel(count: int):
        """Scope in which a model built is trained on `count` devices, each batch split evenly.

        Without enough accelerators the CPU is cut into `count` virtual devices; call it before
        TensorFlow's first operation. Keras clips gradients per device here, before their sum.
        """
        if count == 1:
            return contextlib.nullcontext()
        gpus = tf.config.list_physical_devices("GPU")
        if len(gpus) >= count:
            names = [f"GPU:{i}" for i in range(count)]
        else:
            virtual = [tf.config.LogicalDeviceConfiguration()] * count
            cpu = tf.config.list_physical_devices("CPU")[0]
            tf.config.set_logical_device_configuration(cpu, virtual)
            names = [f"CPU:{i}" for i in range(count)]
        reduction = tf.distribute.ReductionToOneDevice() if names[0].startswith("CPU") else None
        return tf.distribute.MirroredStrategy(names, cross_device_ops=reduction).scope()

elif BACKEND == "jax":
    import jax

    def input_gradient(fn, x):
        """Returns `values, aux = fn(x)` and the gradient of each value (B,), shaped like `x`."""
        values, pullback, aux = jax.vjp(fn, x, has_aux=True)
        return values, aux, pullback(ops.ones_like(values))[0]

    def weight_gradient(model, fn):
        """Returns `fn() = (loss, aux)` and d loss / d trainable weights; keeps BN updates."""
        weights = model.trainable_variables
        state = model.non_trainable_variables + model.metrics_variables

        def pure(values):
            with frozen(list(zip(weights, values, strict=True))):
                loss, aux = fn()
                return loss, (aux, [v.value for v in state])

        values = [v.value for v in weights]
        (loss, (aux, new)), gradients = jax.value_and_grad(pure, has_aux=True)(values)
        for variable, value in zip(state, new, strict=True):
            variable.assign(value)
        return (loss, aux), gradients

    def portable_step(step):
        """Gives `step(self, x, y, sample_weight)` the signature this backend's fit wants."""

        @functools.wraps(step)
        def stateless(self, state, data):
            groups = [self.trainable_variables, self.non_trainable_variables]
            if len(state) == 4:  # train_step; test_step carries no optimizer state
                groups.append(self.optimizer.variables)
            groups.append(self.metrics_variables)
            mapping = []
            for variables, values in zip(groups, state, strict=True):
                mapping += zip(variables, values, strict=True)
            with keras.StatelessScope(mapping):
                logs = step(self, *keras.utils.unpack_x_y_sample_weight(data))
                return logs, tuple([v.value for v in vs] for vs in groups)

        return stateless

    def compiled(fn, variables):
        """Compiles `fn`, which may read `variables` and update them."""

        @jax.jit
        def pure(values, *args):
            with keras.StatelessScope(list(zip(variables, values, strict=True))):
                return fn(*args), [v.value for v in variables]

        def call(*args):
            out, values = pure([v.value for v in variables], *args)
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
            return out

        return call

    batch_normalized = None  # XLA makes one pass of Keras' operations

    def accelerated() -> bool:
        """Whether XLA pays; on JAX there is nothing else."""
        return True

    def replicas() -> int:
        """Always 1: `keras.distribution` shards the batch of one program."""
        return 1

    def device_name() -> str | None:
        """Name of the first accelerator, None on a CPU."""
        return None if jax.default_backend() == "cpu" else jax.devices()[0].device_kind

    def data_parallel(count: int):
        """Scope in which a model built is trained on `count` devices, each batch split evenly.

        Virtual CPU devices: XLA_FLAGS=--xla_force_host_platform_device_count=2.
        """
        if count == 1:
            return contextlib.nullcontext()
        if len(jax.devices()) < count:
            raise ValueError(
                f"{count} devices were asked for, JAX sees {len(jax.devices())}: {jax.devices()}"
            )
        devices = [f"{d.platform}:{d.id}" for d in jax.devices()[:count]]
        return keras.distribution.DataParallel(devices=devices).scope()

else:
    import torch

    def input_gradient(fn, x):
        """Returns `values, aux = fn(x)` and the gradient of each value (B,), shaped like `x`."""
        x = x.detach().requires_grad_(True)
        with torch.enable_grad():
            values, aux = fn(x)
            (gradient,) = torch.autograd.grad(
                values.sum(), x, allow_unused=True, materialize_grads=True
            )
        return values.detach(), keras.tree.map_structure(lambda t: t.detach(), aux), gradient

    def weight_gradient(model, fn):
        """Returns `fn() = (loss, aux)` and d loss / d trainable weights; keeps BN updates."""
        weights = [v.value for v in model.trainable_variables]
        with torch.enable_grad():
            loss, aux = fn()
            gradients = torch.autograd.grad(loss, weights)
        aux = keras.tree.map_structure(lambda t: t.detach(), aux)
        return (loss.detach(), aux), gradients

    def portable_step(step):
        """Gives `step(self, x, y, sample_weight)` the signature this backend's fit wants."""

        @functools.wraps(step)
        def with_data(self, data):
            with torch.no_grad():
                return step(self, *keras.utils.unpack_x_y_sample_weight(data))

        return with_data

    def compiled(fn, variables):
        """Runs `fn` eagerly, without a gradient tape around it."""
        return torch.no_grad()(fn)

    batch_normalized = None  # Keras takes torch's own kernel

    def accelerated() -> bool:
        """Whether XLA pays; torch has none."""
        return False

    def replicas() -> int:
        """Always 1: several devices are for TensorFlow and JAX."""
        return 1

    def device_name() -> str | None:
        """Name of the first accelerator, None on a CPU."""
        return torch.cuda.get_device_name() if torch.cuda.is_available() else None

    def data_parallel(count: int):
        """One device only; several need the TensorFlow or the JAX backend."""
        if count != 1:
            raise ValueError(
                f"{count} devices need KERAS_BACKEND=tensorflow or jax. Received: torch"
            )
        return contextlib.nullcontext()
