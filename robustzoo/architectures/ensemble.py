from collections.abc import Sequence

import keras
from keras import ops

from robustzoo.architectures._copy import copied, input_of
from robustzoo.layers import LogMeanProbability

MAX_MEMBERS = 16


def ensemble(members: Sequence[keras.Model]) -> keras.Model:
    """log (1/K) sum_k softmax(f_k(x)) of K classifiers f_k of the same images and classes.

    The logits (B, K, L) of the members are the input of its last layer.

    Args:
        members: from images to logits, 1 to 16 of them; copied with their weights, and the layers
            of the k-th renamed to "member{k}_...".
    """
    if not isinstance(members, list | tuple) or not 1 <= len(members) <= MAX_MEMBERS:
        raise ValueError(f"members must be 1 to {MAX_MEMBERS} models. Received: {members!r:.100}")
    inputs = input_of(members[0])
    for member in members:
        _check(member, members[0])
    logits = [copied(member, inputs, f"member{k}_") for k, member in enumerate(members, 1)]
    stacked = ops.stack(logits, axis=1)
    outputs = LogMeanProbability(dtype="float32", name="log_mean_probability")(stacked)
    return keras.Model(inputs, outputs, name="ensemble")


def _check(member, first):
    input_of(member)
    shapes = [(model.input_shape, model.output_shape) for model in (first, member)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            "members must have the same images and classes. "
            f"Received: {first.name} {shapes[0]}, {member.name} {shapes[1]}"
        )
