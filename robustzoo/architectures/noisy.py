import keras
from keras import layers, ops

from robustzoo.architectures._copy import copied, input_of
from robustzoo.architectures._parts import check_integer
from robustzoo.layers import LogMeanProbability, Noise

MAX_DRAWS = 256
IMAGE_NOISE = "image_noise"
MEAN = "log_mean_probability"  # where the base is no ensemble, which has a layer of this name
CONVOLUTIONS = (
    layers.Conv2D,
    layers.Conv2DTranspose,
    layers.DepthwiseConv2D,
    layers.SeparableConv2D,
)


def noisy(
    base: keras.Model,
    image: float = 0.2,
    inner: float = 0.1,
    distribution: str = "gaussian",
    draws: int = 1,
    seed: int = 1000,
) -> keras.Model:
    """`base` with noise on the image and before every further convolution, at test time as well.

    Random self-ensemble (Liu et al., 2018, arXiv:1712.00673); with inner=0 the randomised
    classifier of Araujo et al., 2019, arXiv:1903.10219. Several draws are averaged:
    log (1/K) sum_k softmax(f_k(x)).

    Args:
        base: from images to logits; copied with its weights.
        image: scale of the noise on the image, in pixels of [0, 1], before any normalisation.
        inner: scale of the noise before every convolution but the first; 0 for none.
        distribution: "gaussian" of that deviation, or "uniform" within +- that scale.
        draws: K, passes through the net per image.
        seed: of the first noise layer, the others count on. Far from 0, where attacks and
            defenses begin: equal seeds would draw equal numbers.
    """
    check_integer("draws", draws, 1, MAX_DRAWS)
    check_integer("seed", seed, 0, 2**31 - 1)
    inputs, taken = input_of(base), _names(base)
    x = ops.repeat(inputs, draws, axis=0) if draws > 1 else inputs
    insert = _Insert(inputs, Noise(image, distribution, seed, name=IMAGE_NOISE)(x))
    if inner:
        insert.noise = lambda name, k: Noise(inner, distribution, seed + k, name=name)
    outputs = copied(base, inputs, call=insert)
    if inner and not insert.added:
        raise ValueError(
            f"{base.name} has no second convolution for the inner noise: give inner=0. "
            f"Received: inner={inner}"
        )
    if draws > 1:
        outputs = _mean(outputs, draws, "mean_of_draws" if MEAN in taken else MEAN)
    return keras.Model(inputs, outputs, name="noisy")


def _mean(outputs, draws, name):
    outputs = ops.reshape(outputs, (-1, draws, outputs.shape[-1]))
    return LogMeanProbability(dtype="float32", name=name)(outputs)


def _names(base):
    """Names of the layers of `base`; ValueError if it has noise on the image already."""
    names = {layer.name for layer in base.layers}
    if IMAGE_NOISE in names:
        raise ValueError(
            f"base must have no layer {IMAGE_NOISE!r}: take the model without noise, and give all "
            f"of it at once. Received: {base.name!r}, which has one"
        )
    return names


class _Insert:
    """Calls layer after layer of the base, on noisy images and with noise in between."""

    noise = None

    def __init__(self, images, noisy_images):
        self.images, self.noisy_images = images, noisy_images
        # Tensors by their id: those behind a convolution, and of paddings layer and input.
        self.behind, self.padded, self.added = {}, {}, {}

    def __call__(self, layer, *args, **kwargs):
        args = keras.tree.map_structure(
            lambda x: self.noisy_images if x is self.images else x, args
        )
        convolution = isinstance(layer, CONVOLUTIONS)
        behind = any(id(x) in self.behind for x in keras.tree.flatten(args))
        if self.noise:
            _check_not_nested(layer)
            if convolution and behind:
                args = self._noise(layer, args[0]), *args[1:]
        outputs = layer(*args, **kwargs)
        for x in keras.tree.flatten(outputs):
            if behind or convolution:
                self.behind[id(x)] = x
            if isinstance(layer, layers.ZeroPadding2D):
                self.padded[id(x)] = layer, args[0], x
        return outputs

    def _noise(self, layer, x):
        name = f"{layer.name}_noise"
        if name not in self.added:
            self.added[name] = self.noise(name, len(self.added) + 1)
        if id(x) in self.padded:  # the zeros around stay zeros, as in a convolution that pads
            padding, x, _ = self.padded[id(x)]
            return padding(self.added[name](x))
        return self.added[name](x)


def _check_not_nested(layer):
    if any(isinstance(part, CONVOLUTIONS) for part in _parts(layer)):
        raise ValueError(
            f"{layer.name} is a model within the model, whose convolutions inner noise does not "
            "reach: wrap that one, or give inner=0"
        )


def _parts(model):
    """The layers inside a model, and inside of those."""
    for layer in getattr(model, "layers", []):
        yield layer
        yield from _parts(layer)
