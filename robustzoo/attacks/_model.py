"""How an attack looks at a model: nothing is written to it, and the attack seeds its noise."""

import functools

from keras import ops

from robustzoo.backend import frozen, input_gradient, random_state, wrapped
from robustzoo.inference import inference

# A raw random state is a seed and a counter. They move by more than a model draws meanwhile, so
# that no two layers, passes or steps see the same noise.
OWN = 2**30  # from the attack's seed to the model's: its first noise is not the random start's
STEP = 100_003  # seeds from a step to the next, over those of the model's random layers
PASS = 1000  # counts from a forward pass to the next, over those that a layer takes in one


def forward(model, z, noise=None, draws: int = 1):
    """Logits (B, L) of `z`, averaged over `draws` passes; `noise` as in `gradient`.

    Without noise all passes would be the same, so one is made.
    """
    total = None
    for draw in range(draws if noise is not None else 1):
        with frozen(reseeded(model, noise, draw)):
            logits = inference(model)(z)
        total = logits if total is None else total + logits
    return total / draws if draws > 1 and noise is not None else total


def clean_logits(attack, model, x, seed):
    """Logits (B, L) of clean `x`, averaged over `attack.draws` passes; `seed` is `begin`'s."""
    noise = random_state(seed) if random_variables(model) else None
    return forward(model, x, noise, attack.draws)


def gradient(model, z, values, noise=None, draws: int = 1):
    """Returns values (B,), logits (B, L) and d values / dz, averaged over `draws` (EOT).

    The derivative is 0 where it is not finite: one NaN would make the whole image one.

    Args:
        values: from logits (B, L) to one value per example (B,).
        noise: raw random state (2,) that seeds the model's own noise, differently in each draw;
            None keeps the noise that the model's next call would have.
        draws: gradients averaged, each with fresh noise (Athalye et al., arXiv:1707.07397).
    """
    total = None
    for draw in range(draws):
        mapping = reseeded(model, noise, draw)

        def judged(z, mapping=mapping):
            with frozen(mapping):
                logits = inference(model)(z)
            return values(logits), logits

        *part, slope = input_gradient(judged, z)
        per_example(part[0])
        part.append(ops.where(ops.isfinite(slope), slope, 0.0))
        total = part if total is None else [a + b for a, b in zip(total, part, strict=True)]
    losses, logits, direction = total
    return (losses / draws, logits / draws, direction / draws) if draws > 1 else tuple(total)


def per_example(values):
    """`values` of a loss, or ValueError unless there is one per example."""
    if len(values.shape) != 1:
        raise ValueError(
            "a loss of an attack must give one value per example, shape (B,); a class of Keras "
            f"does with reduction=None. Received: {tuple(values.shape)}"
        )
    return values


def random_variables(model) -> list:
    """States of the `SeedGenerator`s inside `model`, which decide its next noise."""
    model = model.func if isinstance(model, functools.partial) else model
    variables = getattr(model, "non_trainable_variables", [])
    return [v for v in variables if v.path.endswith("seed_generator_state")]


def later(noise, i):
    """The raw random state `i` steps after `noise`; None stays None."""
    return None if noise is None else noise + _offset(noise, wrapped(STEP * i), 0)


def within(noise, i):
    """The raw random state of the `i`-th forward pass of one step; None stays None."""
    return None if noise is None else noise + _offset(noise, 0, PASS * i)


def reseeded(model, noise, draw: int) -> list:
    """Maps every random state of `model` to a fresh one, different for each `draw`."""
    if noise is None:
        return []
    noise, mapping = within(noise, draw), []
    for k, variable in enumerate(random_variables(model)):
        fresh = ops.cast(noise, variable.dtype)
        mapping.append((variable, fresh + _offset(fresh, OWN + k, 0)))
    return mapping


def _offset(noise, seeds, counts):
    return ops.stack([ops.cast(seeds, noise.dtype), ops.cast(counts, noise.dtype)])
