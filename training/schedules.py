"""Learning rates: functions of the total number of steps that return a Keras schedule."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("robustzoo")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Linear from 0 to `peak` over the first `rise` of `steps`, then linear to 0.

    The triangle of DAWNBench and of "Fast is better than free" (arXiv:2001.03994).
    """

    def __init__(self, peak: float, steps: int, rise: float = 0.4):
        self.peak, self.steps, self.rise = peak, steps, rise

    def __call__(self, step):
        done = ops.cast(step + 1, "float32") / (self.steps + 1)
        return self.peak * ops.minimum(done / self.rise, (1.0 - done) / (1.0 - self.rise))

    def get_config(self):
        return {"peak": self.peak, "steps": self.steps, "rise": self.rise}


def one_cycle(steps: int, peak: float, rise: float = 0.4) -> OneCycle:
    """See `OneCycle`."""
    return OneCycle(peak, steps, rise)


def constant(steps: int, peak: float) -> float:
    """`peak` all along."""
    return peak


def cosine(
    steps: int, peak: float, warmup: float = 0.0
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Half a cosine from `peak` to 0, after a linear rise over the first `warmup` of the steps."""
    rise = int(warmup * steps)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if rise else peak,
        decay_steps=max(1, steps - rise),
        warmup_target=peak if rise else None,
        warmup_steps=rise,
    )


def piecewise(
    steps: int, peak: float, at: tuple[float, ...], factor: float = 0.1
) -> keras.optimizers.schedules.LearningRateSchedule:
    """`peak`, times `factor` at each fraction `at` of the steps."""
    boundaries = [int(fraction * steps) for fraction in at]
    values = [peak * factor**i for i in range(len(at) + 1)]
    return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, values)
