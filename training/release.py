"""From the classifier that was trained to the model that is released."""

import keras

from robustzoo import architectures
from robustzoo.datasets import Dataset
from robustzoo.evaluation import standard_threat
from robustzoo.zoo.weights import named_weights
from training.recipe import Recipe
from training.with_detector import with_detector


def release(recipe: Recipe, trained: keras.Model, data: Dataset) -> keras.Model:
    """Builds what the model folder describes, with the weights of `trained`.

    Where the recipe's `released` differs from what it trains, weights find their place by name,
    and a layer with `adapt(images, labels)` (the pool of mixup inference) sees the training data.
    A model that abstains gets its detector and threshold by `with_detector`.
    """
    described = recipe.described
    if described["architecture"] == "abstaining":
        about = described["arguments"], data, standard_threat(recipe.dataset)
        trained = with_detector(trained, *about, **recipe.fitting)
    model = architectures.build(described["architecture"], described["arguments"])
    places = named_weights(model)
    for name, variable in named_weights(trained).items():
        if name not in places:
            raise ValueError(f"{model.name} has no place for the weight {name}")
        places.pop(name).assign(variable)
    adapted = [layer for layer in model.layers if hasattr(layer, "adapt")]
    for layer in adapted:
        layer.adapt(data.train.images, data.train.labels)
    filled = {id(variable) for layer in adapted for variable in layer.weights}
    places = [name for name, variable in places.items() if id(variable) not in filled]
    if places:
        raise ValueError(f"training leaves {', '.join(places)} of the released model without value")
    return model
