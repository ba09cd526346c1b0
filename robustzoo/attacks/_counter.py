"""Random numbers that are a function of (key, counter): no state, so no memory and no order.

Each example has a key of its own, drawn once, and counts its own draws; what it gets then depends
on nothing else in the batch. The bits are Threefry-2x32-20 (Salmon et al., 2011, "Parallel random
numbers: as easy as 1, 2, 3"), the generator of JAX, in int32 because that wraps on every backend.
"""

import math

import keras
from keras import ops

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA


def random_keys(count, seed):
    """Draws one key for each of `count` examples; `seed` is an integer or a `SeedGenerator`."""
    return keras.random.randint((count,), 0, 2**31 - 1, dtype="int32", seed=seed)


def random_bits(key, counter, shape: tuple[int, ...]):
    """Uniform int32 (B, *shape) over all 2^32 values; `key` and `counter` are int32 (B,)."""
    first, second = _words(key, counter, (math.prod(shape) + 1) // 2)
    bits = ops.concatenate([first, second], axis=1)[:, : math.prod(shape)]
    return ops.reshape(bits, (-1, *shape))


def uniform(key, counter, shape: tuple[int, ...]):
    """Multiples of 2^-24 in [0, 1), float32 (B, *shape)."""
    return _unit(random_bits(key, counter, shape))


def normal(key, counter, shape: tuple[int, ...]):
    """N(0, 1) by Box and Muller, float32 (B, *shape); at most 5.8 in size."""
    first, second = _words(key, counter, (math.prod(shape) + 1) // 2)
    radius = ops.sqrt(-2.0 * ops.log(1.0 - _unit(first)))
    angle = 2.0 * math.pi * _unit(second)
    both = ops.concatenate([radius * ops.cos(angle), radius * ops.sin(angle)], axis=1)
    return ops.reshape(both[:, : math.prod(shape)], (-1, *shape))


def threefry(key, block):
    """Threefry-2x32-20: two int32 words of output for two of `key` and two of `block`."""
    keys = (*key, ops.bitwise_xor(ops.bitwise_xor(key[0], key[1]), PARITY))
    a, b = block[0] + keys[0], block[1] + keys[1]
    for group in range(5):
        for rotation in ROTATIONS[group % 2]:
            a = a + b
            b = ops.bitwise_xor(_rotate(b, rotation), a)
        a, b = a + keys[(group + 1) % 3], b + keys[(group + 2) % 3] + (group + 1)
    return a, b


def _words(key, counter, count):
    """Two tensors (B, count) of bits, from blocks 0 .. count - 1."""
    block = ops.arange(count, dtype="int32")[None, :]
    return threefry((key[:, None], counter[:, None]), (block, ops.zeros_like(block)))


def _rotate(bits, by):
    # >> keeps the sign of an int32, so what it drags in from the left is masked out.
    right = ops.bitwise_and(ops.right_shift(bits, 32 - by), 2**by - 1)
    return ops.bitwise_or(ops.left_shift(bits, by), right)


def _unit(bits):
    top = ops.bitwise_and(ops.right_shift(bits, 8), 2**24 - 1)
    return ops.cast(top, "float32") * 2.0**-24
