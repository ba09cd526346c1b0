import keras

from robustzoo.architectures._last_dense import last_dense
from robustzoo.architectures._parts import check_integer, dense
from robustzoo.layers import CenterLogits


def center_head(
    base: keras.Model,
    centers: str = "max_mahalanobis",
    scale: float = 10.0,
    dim: int = 256,
    seed: int = 0,
) -> keras.Model:
    """`base` with its last Dense layer replaced by one of `dim` features and `CenterLogits`.

    Max-Mahalanobis centres are trained with `losses.mmc` (MMC, Pang et al., 2020,
    arXiv:1905.10626) or cross-entropy (MM-LDA, Pang et al., 2018, arXiv:1802.09308), learned ones
    with `losses.large_margin_gm` (Wan et al., 2018, arXiv:1803.02988).

    Args:
        base: from images to logits, ends with a Dense layer; its other layers are shared, not
            copied.
        centers: "max_mahalanobis", "random" or "learned"; see `layers.CenterLogits`.
        scale: norm of the centres, at the start of those learned.
        dim: number of features, up to 4096; classes - 1 suffice for the best centres.
        seed: of random centres.
    """
    last = last_dense(base)
    check_integer("dim", dim, 1, 4096)
    check_integer("seed", seed, 0, 2**31 - 1)
    features = dense(last.input, dim, "features", dtype="float32")
    head = CenterLogits(last.units, centers, scale, seed, dtype="float32", name="head")
    return keras.Model(base.inputs[0], head(features), name="center_head")
