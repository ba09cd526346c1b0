"""What every defense must do: go on from a checkpoint as if it had never stopped."""

import numpy as np
from keras import ops

from training.checkpoint import read_checkpoint, restore_checkpoint, save_checkpoint


def check_goes_on_exactly(runs, x, y, folder, tolerance):
    """Four steps of the first are two of the second, saved to `folder`, and two of the third."""
    whole, first, second = runs
    for _ in range(4):
        whole.train_on_batch(x, y)
    for _ in range(2):
        first.train_on_batch(x, y)
    save_checkpoint(folder, first, {}, None)
    restore_checkpoint(second, read_checkpoint(folder)[1])
    for _ in range(2):
        second.train_on_batch(x, y)
    for one, other in zip(whole.variables, second.variables, strict=True):
        one, other = ops.convert_to_numpy(one), ops.convert_to_numpy(other)
        np.testing.assert_allclose(one, other, atol=tolerance)
