"""How far eps has grown."""

from keras import ops


def warmup(defense):
    """The share in (0, 1] of the full eps at the optimizer step that comes now."""
    if not defense.warmup_steps:
        return 1.0
    step = ops.cast(defense.optimizer.iterations + 1, "float32")
    return ops.minimum(1.0, step / defense.warmup_steps)
