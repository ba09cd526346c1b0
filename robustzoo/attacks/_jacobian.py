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
    # Weights read once: so TensorFlow sees that K forward passes are one, as XLA does anyway.
    read = [(v, ops.convert_to_tensor(v)) for v in getattr(model, "variables", [])]
    with frozen(read):
        parts = [gradient(model, z, row, noise) for row in rows]
    return parts[0][1], [values for values, _, _ in parts], [slope for _, _, slope in parts]
