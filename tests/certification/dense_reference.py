"""Bounds from the formulas with matrices alone: NumPy, no convolutions, nothing of robustzoo.

A net is h_0 = x, z_k = b_k + sum_{j<k} W_kj h_j, h_k = relu(z_k), and the last z_k its logits;
weights are {(k, j): W_kj}, so a skip connection is one more matrix.
"""

import functools

import numpy as np


def convolution_matrix(kernel, bias, shape, strides, margins):
    """(W, b, output shape) of a convolution of (H, W, C), entry by entry."""
    height, width, channels, filters = kernel.shape
    (top, bottom), (left, right) = margins
    rows = (shape[0] + top + bottom - height) // strides + 1
    columns = (shape[1] + left + right - width) // strides + 1
    matrix = np.zeros((rows, columns, filters, *shape))
    for y in range(rows):
        for x in range(columns):
            for i in range(height):
                for j in range(width):
                    at = y * strides + i - top, x * strides + j - left
                    if 0 <= at[0] < shape[0] and 0 <= at[1] < shape[1]:
                        matrix[y, x, :, at[0], at[1], :] += kernel[i, j].T
    offset = np.broadcast_to(bias, (rows, columns, filters)).ravel()
    return matrix.reshape(offset.size, -1), offset, (rows, columns, filters)


def margins(weights, biases, x, eps, norm, clip, label, hidden, slope):
    """Lower bounds of z_y - z_j, (classes,), of one flat image; see `METHODS` for the slopes."""
    last = max(k for k, _ in weights)
    low, high = hidden_bounds(weights, biases, x, eps, norm, clip, hidden)
    rows, at = np.eye(len(biases[last])), functools.partial(least, x, eps, norm, clip)
    return linear(weights, biases, low, high, at, rows[label] - rows, last, slope)


def hidden_bounds(weights, biases, x, eps, norm, clip, hidden):
    """({k: lower}, {k: upper bounds}) of each z_k but the last, and of the image at 0."""
    last = max(k for k, _ in weights)
    low, high = {0: x - eps}, {0: x + eps}
    if clip:
        low[0], high[0] = np.maximum(low[0], 0), np.minimum(high[0], 1)
    bound = functools.partial(
        linear, weights, biases, low, high, functools.partial(least, x, eps, norm, clip)
    )
    for k in range(1, last):
        eye, affine = np.eye(len(biases[k])), [j for node, j in weights if node == k] == [0]
        low[k], high[k] = interval = _interval(weights, biases, low, high, k)
        kind = hidden if hidden or not affine else "same"  # from the images on, rows are exact
        if kind or affine:
            ends = bound(eye, k, kind), -bound(-eye, k, kind)
            asked = affine | (interval[0] < 0) & (interval[1] > 0)  # the sign of others is known
            low[k] = np.where(asked, np.maximum(interval[0], ends[0]), interval[0])
            high[k] = np.where(asked, np.minimum(interval[1], ends[1]), interval[1])
    return low, high


def linear(weights, biases, low, high, least, rows, end, kind):
    """Lower bounds of rows z_end, by lines of the given kind."""
    at = {j: rows @ w for (k, j), w in weights.items() if k == end}
    offset = rows @ biases[end]
    for k in range(end - 1, 0, -1):
        if k not in at:
            continue
        a = at.pop(k)
        if kind is None:
            ends = np.maximum(low[k], 0), np.maximum(high[k], 0)
            offset = offset + np.maximum(a, 0) @ ends[0] + np.minimum(a, 0) @ ends[1]
            continue
        flat, up, shift = relu_lines(low[k], high[k], kind)
        offset = offset + np.minimum(a, 0) @ shift
        a = np.maximum(a, 0) * flat + np.minimum(a, 0) * up
        offset = offset + a @ biases[k]
        for (node, j), w in weights.items():
            if node == k:
                at[j] = at.get(j, 0) + a @ w
    return offset + (least(low[0], high[0], at[0]) if 0 in at else 0)


def least(x, eps, norm, clip, low, high, a):
    """min <a, z> over the region, for each row."""
    box = np.maximum(a, 0) @ low + np.minimum(a, 0) @ high
    if norm == "linf":
        return box
    dual = np.linalg.norm(a, axis=1) if norm == "l2" else np.abs(a).max(1)
    ball = a @ x - eps * dual
    return np.maximum(ball, box) if clip else ball


def relu_lines(low, high, kind):
    """Slope of the lower line, slope and offset of the upper one."""
    crossing = (low < 0) & (high > 0)
    chord = np.where(crossing, high / np.where(crossing, high - low, 1), low >= 0)
    lower = {"same": chord, "adaptive": high > -low, "zero": 0 * low}[kind]
    return np.where(crossing, lower, chord), chord, np.where(crossing, -chord * low, 0)


def _interval(weights, biases, low, high, k):
    center, radius = biases[k], 0 * biases[k]
    for (node, j), w in weights.items():
        if node == k:
            ends = (low[j], high[j]) if j == 0 else (np.maximum(low[j], 0), np.maximum(high[j], 0))
            center = center + w @ (ends[0] + ends[1]) / 2
            radius = radius + np.abs(w) @ (ends[1] - ends[0]) / 2
    return center - radius, center + radius
