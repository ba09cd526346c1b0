import keras

from robustzoo.layers import LogMeanProbability


def ensemble_members(model: keras.Model) -> list[keras.Model]:
    """The members of an `ensemble`, each a model of its own with the same weights; else [].

    A member of an ensemble of ensembles is an ensemble itself.
    """
    mean = _producer(model.outputs[0]) if getattr(model, "outputs", None) else None
    if not isinstance(mean, LogMeanProbability):
        return []
    stack = _producer(mean.input)
    if type(stack).__name__ != "Stack":  # one model averages several draws of its own
        return []
    logits = keras.tree.flatten(stack.input)
    return [
        keras.Model(model.inputs[0], z, name=f"{model.name}_member{k}")
        for k, z in enumerate(logits, 1)
    ]


def _producer(tensor):
    return tensor._keras_history.operation
