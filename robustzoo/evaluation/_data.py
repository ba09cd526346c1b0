"""The images and labels that a caller gave."""

from robustzoo.checks import check_data


def checked_data(model, data):
    """(images, labels) of a `Split` or a tuple, if `model` can take them; ValueError otherwise."""
    images, labels = data if isinstance(data, tuple) else (data.images, data.labels)
    return check_data(model, images, labels)
