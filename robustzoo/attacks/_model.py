"""How an attack looks at a model: nothing is written to it, and the attack seeds its noise."""

import functools

from keras import ops

from robustzoo.backend import frozen, input_gradient


def forward(model, z, noise=None):
    """Logits (B, L) of `z`; `noise` as in `gradient`."""
    with frozen(reseeded(model, noise, 0)):
        return model(z)


def gradient(model, z, values, noise=None, draws: int = 1):
    """Returns values (B,), logits (B, L) and d values / dz, averaged over `draws` (EOT).

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
                logits = model(z)
            return values(logits), logits

        part = input_gradient(judged, z)
        total = part if total is None else [a + b for a, b in zip(total, part, strict=True)]
    losses, logits, direction = total
    return (losses / draws, logits / draws, direction / draws) if draws > 1 else tuple(total)


def random_variables(model) -> list:
    """States of the `SeedGenerator`s inside `model`, which decide its next noise."""
    model = model.func if isinstance(model, functools.partial) else model
    variables = getattr(model, "non_trainable_variables", [])
    return [v for v in variables if v.path.endswith("seed_generator_state")]


def later(noise, i):
    """The raw random state `i` steps after `noise`; None stays None."""
    return within(noise, 1000 * i)


def within(noise, i):
    """The raw random state of the `i`-th forward pass of one step; None stays None."""
    if noise is None:
        return None
    i = ops.cast(i, noise.dtype)
    return noise + ops.stack([ops.zeros_like(i), i])


def reseeded(model, noise, draw: int) -> list:
    """Maps every random state of `model` to a fresh one, different for each `draw`."""
    if noise is None:
        return []
    mapping = []
    for k, variable in enumerate(random_variables(model)):
        offset = ops.convert_to_tensor([k, draw], variable.dtype)
        mapping.append((variable, ops.cast(noise, variable.dtype) + offset))
    return mapping
