"""Two kinds of arrays that the same bounds are computed on.

FLOAT64   NumPy in double precision: what a certificate is printed from
FLOAT32   tensors of the backend: compiled, on an accelerator, differentiable in the weights; for
          training and its judge, not for certificates: where large numbers cancel, what is left of
          them is rounding, which nothing here accounts for

Both name their functions as NumPy and `keras.ops` do; the four methods here are what either lacks.
"""

import numpy as np
from keras import ops


class Float64:
    """NumPy arrays in double precision."""

    dtype = "float64"

    def __getattr__(self, name):
        return getattr(np, name)

    def read(self, value) -> np.ndarray:
        """A variable, a tensor or numbers as an array."""
        return np.asarray(ops.convert_to_numpy(value), self.dtype)

    def convolve(self, x, kernel, strides):
        """Convolution without padding of x (N, H, W, C) with a kernel (h, w, C, D)."""
        windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], (1, 2))
        windows = windows[:, :: strides[0], :: strides[1]]
        return np.tensordot(windows, kernel, ((4, 5, 3), (0, 1, 2)))

    def convolve_adjoint(self, a, kernel, strides, shape):
        """Adjoint of `convolve`: a (N, H', W', D) to (N, *shape, C)."""
        height, width, channels, filters = kernel.shape
        columns = a.reshape(-1, filters) @ kernel.reshape(-1, filters).T
        columns = columns.reshape(*a.shape[:3], height, width, channels)
        taps = [columns[..., i, j, :] for i in range(height) for j in range(width)]
        return self.spread(taps, (height, width), strides, shape)

    def spread(self, taps, size, strides, shape):
        """Adjoint of taking `windows`: the sum of all taps (N, H', W', C) at their places."""
        out = np.zeros((len(taps[0]), *shape, taps[0].shape[-1]))
        for place, tap in zip(places(size, strides, taps[0].shape[1:3]), taps, strict=True):
            out[place] += tap
        return out


class Float32:
    """Tensors of Keras' backend in single precision."""

    dtype = "float32"

    def __getattr__(self, name):
        return getattr(ops, name)

    def read(self, value):
        """A variable, an array or numbers as a tensor."""
        return ops.cast(ops.convert_to_tensor(value), self.dtype)

    def arange(self, *limits):
        """Integers, as labels are; those of `keras.ops` get wider with Keras' floatx."""
        return ops.arange(*limits, dtype="int32")

    def convolve(self, x, kernel, strides):
        """Convolution without padding of x (N, H, W, C) with a kernel (h, w, C, D)."""
        return ops.conv(x, kernel, strides, "valid", "channels_last")

    def convolve_adjoint(self, a, kernel, strides, shape):
        """Adjoint of `convolve`: a (N, H', W', D) to (N, *shape, C).

        The transposed convolution does not know the size that the convolution came from: what is
        missing at the end are zeros, what is too much is as well.
        """
        out = ops.conv_transpose(a, kernel, strides, "valid", data_format="channels_last")
        return _fit(out, shape)

    def spread(self, taps, size, strides, shape):
        """Adjoint of taking `windows`: the sum of all taps (N, H', W', C) at their places."""
        total = 0.0
        for k, tap in enumerate(taps):
            height, width, channels = tap.shape[1:]
            gaps = [[0, 0], [0, 0], [0, strides[0] - 1], [0, 0], [0, strides[1] - 1], [0, 0]]
            tap = ops.pad(ops.reshape(tap, (-1, height, 1, width, 1, channels)), gaps)
            tap = ops.reshape(tap, (-1, height * strides[0], width * strides[1], channels))
            i, j = divmod(k, size[1])
            total = total + _fit(ops.pad(tap, [[0, 0], [i, 0], [j, 0], [0, 0]]), shape)
        return total


def places(size, strides, counts):
    """Slices of (N, H, W, C), one per tap of a window of `size`, that hold `counts` windows."""
    for i in range(size[0]):
        for j in range(size[1]):
            ends = i + (counts[0] - 1) * strides[0] + 1, j + (counts[1] - 1) * strides[1] + 1
            yield slice(None), slice(i, ends[0], strides[0]), slice(j, ends[1], strides[1])


def windows(x, size, strides, counts) -> list:
    """The taps of all windows: for each place in a window an array (N, *counts, C)."""
    return [x[place] for place in places(size, strides, counts)]


def _fit(x, shape):
    """`x` (N, H, W, C) cut, or filled up with zeros, at the bottom and right."""
    x = x[:, : shape[0], : shape[1]]
    missing = [[0, want - have] for want, have in zip(shape, x.shape[1:3], strict=True)]
    return ops.pad(x, [[0, 0], *missing, [0, 0]])


FLOAT64, FLOAT32 = Float64(), Float32()
