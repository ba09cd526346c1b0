"""The layer between features and logits."""

import keras


def last_dense(model: keras.Model) -> keras.layers.Dense:
    """The Dense layer that `model` ends with: its `input` is the features (B, d).

    Raises ValueError for a model that ends with another layer, or is no graph of layers.
    """
    last = getattr(model, "layers", [None])[-1]
    if not isinstance(last, keras.layers.Dense) or not getattr(model, "inputs", None):
        raise ValueError(
            "the model must be a functional or Sequential one that ends with a Dense layer of "
            f"logits. Received: {type(model).__name__} that ends with {type(last).__name__}"
        )
    return last
