import keras

from robustzoo.architectures._copy import ends, input_of
from robustzoo.layers import ReverseLogits


def reversed_logits(base: keras.Model) -> keras.Model:
    """`base` with its logits negated, to be trained with `losses.reverse_cross_entropy`.

    Pang et al., 2018, arXiv:1706.00633.

    Args:
        base: from images to logits; its layers are shared, not copied.
    """
    input_of(base)  # refuses what has no graph
    images, logits = ends(base)
    outputs = ReverseLogits(dtype="float32", name="reverse")(logits)
    return keras.Model(images, outputs, name="reversed_logits")
