"""What an iterative attack is."""

import functools

from keras import ops

from robustzoo.attacks._model import forward, later, per_example, random_variables
from robustzoo.backend import random_state, repeat

RESTART = 7919  # seeds of two runs of one attack are so far apart


class Attack:
    """An attack that goes step by step, every example for itself.

    Subclasses are frozen dataclasses that write `begin` and `step`. A state is a dictionary of
    tensors with a leading batch axis; it holds whatever the attack needs, and

        best (B, H, W, C)   what the attack would return now: the clean image where it found nothing
                            and looks for the smallest change
        success (B,) bool   whether the model was seen to be fooled by `best`
        value (B,) float    how good `best` is, to choose between two runs: the loss, or - norm
        done (B,) bool      nothing more to do; later steps on this example are ignored

    All randomness of the attack itself is drawn in `begin` and kept in the state, per example, so
    that the outcome does not depend on which examples share a batch.

    Attributes:
        restarts: independent runs.
        draws: gradients averaged per step, or outputs where there are no gradients, each with fresh
            noise of a random model.
        runs: restarts and targets, of which the best per example counts.
        gradients: input gradients per step and example; 0 where it only asks for outputs.
        queries: forward passes per step and example beside those.
        minimal: whether it looks for the smallest change rather than for one within a budget.
        norm: class whose `distance` measures that change, where it is not that of `threat`.
        targeted: whether `y` holds the classes to reach.
        one_graph: whether `generate` compiles the attack whole rather than step by step.
    """

    restarts = 1
    draws = 1
    queries = 0
    minimal = False
    norm = None
    targeted = False
    one_graph = False

    @property
    def runs(self):
        return self.restarts

    @property
    def gradients(self):
        return self.draws

    def longest(self, x):
        """Most steps of a run on images like `x`."""
        return self.steps

    def begin(self, model, x, y, seed, run):
        """Returns the first state.

        Args:
            model: any callable from images to logits.
            x: clean images (B, H, W, C).
            y: labels (B,); the classes to reach if the attack is targeted.
            seed: integer or `SeedGenerator`.
            run: number of the run, from 0; an integer or an integer tensor.
        """
        raise NotImplementedError(f"{type(self).__name__} must write begin")

    def step(self, model, state, x, y, noise=None):
        """Returns the next state; `noise` seeds a random model's own noise."""
        raise NotImplementedError(f"{type(self).__name__} must write step")

    def __call__(self, model, x, y, seed=0, training=False):
        """Returns adversarial examples of `x` (B, H, W, C), as part of a larger computation.

        Over many images `generate` is faster: there, finished examples make room for others.
        """
        x = ops.convert_to_tensor(x, "float32")
        model = functools.partial(model, training=True) if training else model
        best = None
        for run in range(self.runs):
            again = seed + RESTART * run if isinstance(seed, int) else seed
            state = self._run(model, x, y, again, run)
            best = state if best is None else better(best, state)
        return ops.stop_gradient(best["best"])

    def _run(self, model, x, y, seed, run):
        state = self.begin(model, x, y, seed, run)
        noise = random_state(seed) if random_variables(model) else None

        def advance(i, state):
            new = self.step(model, state, x, y, later(noise, i))
            return where(state["done"], state, new)

        # Some attacks judge where a step began: the last move needs one step more.
        return repeat(self.longest(x) + 1, advance, state)


def nothing_yet(x, y):
    """What a first state holds of an attack that has found nothing."""
    nobody = ops.zeros_like(y, "bool")
    return {
        "steps": ops.zeros_like(y, "int32"),
        "best": x,
        "success": nobody,
        "value": ops.full_like(y, -float("inf"), "float32"),
        "done": nobody,
    }


def where(mask, state, other):
    """Per example, `state` where `mask` (B,) holds, else `other`."""

    def chosen(value, instead):
        return ops.where(ops.reshape(mask, (-1,) + (1,) * (len(value.shape) - 1)), value, instead)

    return {name: chosen(value, other[name]) for name, value in state.items()}


def better(old, new):
    """Per example the state that succeeded, and of two alike the one of the higher value."""
    wins = ops.cast(new["success"], "int32") - ops.cast(old["success"], "int32")
    return where((wins > 0) | ((wins == 0) & exceeds(new["value"], old["value"])), new, old)


def exceeds(value, other):
    """`value` > `other`, where what is no number is less than anything else."""
    return (value > other) | (ops.isnan(other) & ops.logical_not(ops.isnan(value)))


def smaller(state, z, size, hit):
    """What a state holds of the smallest change: `z` where it is a `hit` of less `size` (B,)."""
    better = hit & (ops.logical_not(state["success"]) | (size < -state["value"]))
    old = {name: state[name] for name in ("best", "success", "value")}
    return where(better, {"best": z, "success": hit, "value": -size}, old)


def tried(attack, model, state, z, y, noise):
    """`state` with `z` as its best where that fools the model or has more of the attack's loss."""
    logits = forward(model, z, noise, attack.draws)
    value = (-1.0 if attack.targeted else 1.0) * per_example(attack.loss(y, logits))
    success = fooled(logits, y, attack.targeted)
    return better(state, state | {"best": z, "success": success, "value": value})


def spread(values):
    """`values` (B,) as (B, 1, 1, 1), to multiply images with."""
    return ops.reshape(values, (-1, 1, 1, 1))


def fooled(logits, y, targeted: bool = False):
    """Whether argmax of `logits` (B, L) differs from `y` (B,), or equals it if `targeted`.

    Logits that are no numbers prove nothing. Those of a class that is out of question may be -inf.
    """
    hit = ops.equal(ops.cast(ops.argmax(logits, axis=-1), "int32"), ops.cast(y, "int32"))
    known = ops.logical_not(ops.any(ops.isnan(logits), axis=-1))
    return known & (hit if targeted else ops.logical_not(hit))
