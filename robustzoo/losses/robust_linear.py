"""Exact adversarial loss of a linear classifier."""

from robustzoo.losses.cross_entropy import cross_entropy
from robustzoo.losses.linear_worst_case import linear_worst_case
from robustzoo.threats import L1, L2, Linf


def robust_linear(y, logits, kernel, threat: Linf | L2 | L1):
    """Cross-entropy of `linear_worst_case`, shape (B,).

    For two classes it is max over ||d|| <= eps of CE(W (x + d) + b, y), with w = w_1 - w_0 and
    y in {-1, 1}: softplus(-(y (w x + b) - eps ||w||_*)). For more it is an upper bound of that
    maximum, as each class then has a d of its own; images beyond [0, 1] count in either case.
    Arguments and source as of `linear_worst_case`.
    """
    return cross_entropy(y, linear_worst_case(y, logits, kernel, threat))
