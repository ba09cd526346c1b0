"""The images and labels that a caller gave."""

from robustzoo.checks import check_images, check_labels


def checked_data(model, data):
    """(images, labels) of a `Split` or a tuple, if `model` can take them; ValueError otherwise."""
    images, labels = data if isinstance(data, tuple) else (data.images, data.labels)
    images = check_images(images, model.input_shape[1:])
    return images, check_labels(labels, len(images), model.output_shape[-1])
