"""The images and labels that a caller gave."""

from robustzoo.checks import check_data


def checked_data(model, data):
    """(images, labels) of a `Split` or a tuple, if `model` can take them; ValueError otherwise."""
    try:
        images, labels = data if isinstance(data, tuple | list) else (data.images, data.labels)
    except (AttributeError, ValueError):
        hint = "; closest: its .test" if hasattr(data, "test") else ""
        raise ValueError(
            "data must be a tuple (images, labels), or something with both as attributes. "
            f"Received: {type(data).__name__}{hint}"
        ) from None
    return check_data(model, images, labels)
