"""Several input gradients of one forward pass."""

from keras import ops

from robustzoo.attacks._model import gradient
from robustzoo.backend import frozen


def jacobian(model, z, rows, noise=None):
    """Returns logits (B, L), and for each row its values (B,) and their gradient like `z`.

    Args:
        rows: K functions from logits (B, L) to one value per example (B,).
        noise: as in `_model.gradient`; all rows see the same.
    """
    # Where each pass reads the weights anew, TensorFlow does not see that the K passes are one;
    # here they are tensors read once (stop_gradient makes one out of a variable).
    read = [(v, ops.stop_gradient(v.value)) for v in getattr(model, "variables", [])]
    with frozen(read):
        parts = [gradient(model, z, row, noise) for row in rows]
    return parts[0][1], [values for values, _, _ in parts], [slope for _, _, slope in parts]
