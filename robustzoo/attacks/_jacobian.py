"""Several input gradients of one forward pass."""

from keras import ops

from robustzoo.attacks._model import gradient
from robustzoo.backend import frozen
from robustzoo.losses._own import own


def jacobian(model, z, rows, noise=None, draws: int = 1):
    """Returns logits (B, L), and for each row its values (B,) and their gradient like `z`.

    Args:
        rows: K functions from logits (B, L) to one value per example (B,).
        noise, draws: as in `_model.gradient`; all rows see the same noise.
    """
    # Where each pass reads the weights anew, TensorFlow does not see that the K passes are one;
    # here they are tensors read once (stop_gradient makes one out of a variable).
    read = [(v, ops.stop_gradient(v.value)) for v in getattr(model, "variables", [])]
    with frozen(read):
        parts = [gradient(model, z, row, noise, draws) for row in rows]
    return parts[0][1], [values for values, _, _ in parts], [slope for _, _, slope in parts]


def leads(model, z, y, others, noise=None, draws: int = 1):
    """z_j - z_y (B, K) of the classes j in `others` (B, K), and its gradients (B, K, H, W, C)."""
    rows = [
        lambda logits, k=k: own(logits, others[:, k]) - own(logits, y)
        for k in range(others.shape[1])
    ]
    _, values, slopes = jacobian(model, z, rows, noise, draws)
    return ops.stack(values, axis=1), ops.stack(slopes, axis=1)
