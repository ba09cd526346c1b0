"""The dual network of Wong & Kolter (2018, arXiv:1711.00851) from its formulas: NumPy, matrices.

A net is z_1 = x, z_{i+1} = W_i h_i + b_i with h_1 = x and h_i = relu(z_i), given as a list of
(W_i, b_i). For any c the least c z_k on a box of images is no less than

    J(nu) = - sum_i nu_{i+1} b_i - max_{z in box} nuhat_1 z + sum_i sum_{j in I_i} l_ij [nu_ij]_+

with nu_k = -c and nuhat_i = W_i' nu_{i+1}. Of a unit that is always on nu = nuhat, of one that is
always off nu = 0, and of those in I_i, which may be either, nu = u / (u - l) [nuhat]_+ -
alpha [nuhat]_-, here with the authors' choice alpha = u / (u - l).
"""

import numpy as np


def dual_margins(net, box, label):
    """J of z_y - z_j, (classes,), and the bounds (low, high) of z_2 .. z_{k-1} that it is of.

    Args:
        box: (low, high) of every pixel, flat.
    """
    hidden = []
    for depth in range(1, len(net)):
        units = np.eye(len(net[depth - 1][1]))
        part = net[:depth]
        hidden.append((_dual(part, box, hidden, units), -_dual(part, box, hidden, -units)))
    classes = np.eye(len(net[-1][1]))
    return _dual(net, box, hidden, classes[label] - classes), hidden


def _dual(net, box, hidden, c):
    """J of each row c (R, n)."""
    nu, value = -c, 0.0
    for i in range(len(net) - 1, 0, -1):
        weight, bias = net[i]
        value, hat = value - nu @ bias, nu @ weight
        low, high = hidden[i - 1]
        either = (low < 0) & (high > 0)
        slope = np.where(either, high / np.where(either, high - low, 1.0), low >= 0)
        nu = slope * np.maximum(hat, 0) - slope * np.maximum(-hat, 0)
        value = value + np.maximum(nu, 0) @ np.where(either, low, 0.0)
    (weight, bias), (low, high) = net[0], box
    hat = nu @ weight
    return value - nu @ bias - np.maximum(hat, 0) @ high + np.maximum(-hat, 0) @ low
