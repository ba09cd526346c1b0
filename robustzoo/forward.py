"""Outputs of a model over many images."""

import functools

import keras
import numpy as np

from robustzoo.backend import compiled, frozen, in_batches
from robustzoo.inference import inference


def forward(model: keras.Model, images: np.ndarray, batch_size: int = 128) -> np.ndarray:
    """The single output (N, ...) of `model` for checked images (N, H, W, C); it is unchanged."""
    return in_batches(_compiled(model), min(batch_size, len(images)), images)


@functools.lru_cache(maxsize=16)  # compiling costs more than a few batches do
def _compiled(model):
    def outputs(x):
        with frozen():
            return inference(model)(x)

    return compiled(outputs, model.variables)
