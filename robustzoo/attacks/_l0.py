"""The norm that JSMA keeps small, and APGD in L1 goes by."""

import dataclasses

from keras import ops


@dataclasses.dataclass(frozen=True)
class L0:
    """Counts the values of an image that differ; to measure by, not to be attacked within."""

    eps: float

    def distance(self, z, x):
        """Number of (pixel, channel) pairs in which z and x differ, shape (B,)."""
        return ops.sum(ops.cast(z != x, "float32"), axis=(1, 2, 3))
