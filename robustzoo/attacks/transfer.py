"""Transfer from another model."""

import dataclasses
import functools

import keras
from keras import ops

from robustzoo.attacks._model import clean_logits, forward, within
from robustzoo.attacks.base import Attack, better, fooled, spread
from robustzoo.checks import fits
from robustzoo.detect import abstains
from robustzoo.losses import margin
from robustzoo.threats import PIXELS

PREFIX = "source_"  # of what belongs to the inner attack in the state


@dataclasses.dataclass(frozen=True)
class Transfer(Attack):
    """Attacks `source`, and tries on the model whatever comes up (Papernot, arXiv:1605.07277).

    Each step of `attack` on the source proposes its best image so far; while that is the clean
    one, as APGD's is until it fools the source, the image that the step judged, if within the
    threat. Of the proposals
    the model keeps one that fools it, of those the one of the highest margin or, where `attack`
    looks for the smallest change, of the smallest.

    Args:
        source: from the same images to logits; its gradients are used, the model's never.
        attack: any iterative attack, whose threat, runs and steps hold here.
    """

    source: keras.Model
    attack: Attack

    def __post_init__(self):
        if not isinstance(self.source, keras.Model):
            raise ValueError(f"source must be a keras.Model. Received: {self.source!r:.100}")
        if not isinstance(self.attack, Attack):
            raise ValueError(f"attack must be an iterative attack. Received: {self.attack!r}")

    def longest(self, x):
        return self.attack.longest(x)

    @property
    def draws(self):
        return self.attack.draws

    @property
    def threat(self):
        return getattr(self.attack, "threat", None)

    @property
    def norm(self):
        return self.attack.norm

    @property
    def runs(self):
        return self.attack.runs

    @property
    def gradients(self):
        return self.attack.gradients

    @property
    def queries(self):
        return self.attack.queries + self.draws

    @property
    def minimal(self):
        return self.attack.minimal

    @property
    def targeted(self):
        return self.attack.targeted

    def begin(self, model, x, y, seed, run):
        self._check_source(model, x)
        inner = self.attack.begin(self.source, x, y, seed, run)
        if self.minimal:
            wrong = fooled(clean_logits(self, model, x, seed), y, self.targeted)
        else:
            wrong = ops.zeros_like(y, "bool")
        return _prefixed(inner) | {
            "best": x,
            "success": wrong,
            "value": ops.where(wrong, 0.0, -float("inf")),
            "done": wrong,
        }

    def step(self, model, state, x, y, noise=None):
        inner = {k.removeprefix(PREFIX): v for k, v in state.items() if k.startswith(PREFIX)}
        before, inner = inner, self.attack.step(self.source, inner, x, y, noise)
        proposal = self._proposal(before, inner, x)
        logits = forward(model, proposal, within(noise, self.draws), self.draws)
        found = {"best": proposal, "success": fooled(logits, y, self.targeted)}
        if self.minimal:
            found["value"] = ops.where(found["success"], inner["value"], -float("inf"))
        else:
            found["value"] = (-1.0 if self.targeted else 1.0) * margin(y, logits)
        kept = {name: state[name] for name in found}
        return better(kept, found) | _prefixed(inner) | {"done": inner["done"]}

    def _check_source(self, model, x):
        """Raises ValueError where the source tells that it takes or gives something else."""
        takes, shape = _told(self.source, "input_shape"), tuple(x.shape[1:])
        if not fits(shape, takes):
            raise ValueError(
                f"source must take images {shape}, as the attacked model does. "
                f"Received: a source that takes {takes}"
            )
        own, wanted = _classes(self.source), _classes(model)
        if None not in (own, wanted) and own != wanted:
            raise ValueError(
                f"source must have {wanted} classes, as the attacked model has. "
                f"Received: a source that has {own}"
            )

    def _proposal(self, before, after, x):
        if self.minimal or "z" not in before:
            return after["best"]
        nothing = ops.all(ops.equal(after["best"], x), axis=PIXELS, keepdims=True)
        if self.threat is not None:  # APGD may look further out
            nothing = nothing & spread(self.threat.contains(before["z"], x))
        return ops.where(nothing, before["z"], after["best"])


def _prefixed(state):
    return {PREFIX + name: value for name, value in state.items()}


def _classes(model):
    """Number of classes, rejection not counted; None of a model that does not tell."""
    model = model.func if isinstance(model, functools.partial) else model
    shape = _told(model, "output_shape")
    return None if shape is None else shape[-1] - abstains(model)


def _told(model, name):
    """The shape `name` of `model` without its batch axis; None of one that does not tell."""
    try:
        return getattr(model, name)[1:]
    except (AttributeError, ValueError):
        return None
