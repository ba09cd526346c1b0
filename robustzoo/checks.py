"""What images and labels must look like, said in one error before anything is computed."""

import numpy as np


def check_data(model, images, labels) -> tuple[np.ndarray, np.ndarray]:
    """`images` and `labels` as below, such as `model` takes and gives, or raises ValueError."""
    shape, classes = check_classifier(model)
    images = check_images(images, shape)
    return images, check_labels(labels, len(images), classes)


def check_images(images, input_shape: tuple | None = None) -> np.ndarray:
    """Returns `images` as float32 (B, H, W, C) in [0, 1], or raises ValueError.

    Args:
        images: array; 0-255 images, other shapes, NaN and integers are refused.
        input_shape: (H, W, C) that the model expects, None where any size will do.
    """
    images = np.asarray(images)
    wanted = "(B, H, W, C)" if input_shape is None else f"(B, {', '.join(map(str, input_shape))})"
    if images.ndim != 4 or not fits(images.shape[1:], input_shape):
        hint = ""
        if input_shape and images.ndim == 3 and fits(images.shape, input_shape):
            hint = "; one image needs a batch axis: images[None]"
        raise ValueError(f"images must have shape {wanted}. Received: {images.shape}{hint}")
    if len(images) == 0:
        raise ValueError("images must not be empty. Received: 0 images")
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(
            f"images must be floating point in [0, 1]. Received: {images.dtype}; "
            "divide 8-bit images by 255"
        )
    low, high = float(images.min()), float(images.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError("images must be finite. Received: NaN or Inf")
    if low < 0 or high > 1:
        hint = "; divide 0-255 images by 255" if high > 1.5 else ""
        raise ValueError(f"images must lie in [0, 1]. Received: [{low:g}, {high:g}]{hint}")
    return images.astype("float32", copy=False)


def check_labels(labels, count: int, classes: int) -> np.ndarray:
    """Returns `labels` as int32 (B,) with B = `count` in [0, classes), or raises ValueError."""
    labels = np.asarray(labels)
    if labels.shape != (count,):
        hint = "; use argmax of one-hot labels" if labels.shape == (count, classes) else ""
        raise ValueError(f"labels must have shape ({count},). Received: {labels.shape}{hint}")
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels must be integers. Received: {labels.dtype}")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"labels must lie in 0 .. {classes - 1}. Received: {labels.min()} .. {labels.max()}"
        )
    return labels.astype("int32", copy=False)


def distance_to_probabilities(outputs: np.ndarray) -> float:
    """The most by which a sum of `outputs` (B, L) differs from 1; inf if one is not in [0, 1]."""
    if not (outputs.min() >= 0 and outputs.max() <= 1):
        return float("inf")
    return float(np.abs(outputs.sum(axis=1) - 1.0).max())


def is_attack(value) -> bool:
    """Whether `value` can be called as an attack; a class, `PGD` without arguments, is none."""
    return callable(value) and not isinstance(value, type)


def check_attack(value, name: str = "attack") -> None:
    """Raises ValueError unless `is_attack`."""
    if not is_attack(value):
        raise ValueError(
            f"{name} must be an attack, such as PGD(Linf(8 / 255), 2 / 255). Received: {value!r}"
        )


def check_classifier(model) -> tuple[tuple, int]:
    """(H, W, C) that `model` takes and the number of classes; ValueError for what is no classifier.

    Sizes that it leaves open are None.
    """
    try:
        images, logits = model.input_shape, model.output_shape
    except (AttributeError, ValueError):
        hint = "; closest: its .deployed" if hasattr(model, "deployed") else ""
        raise ValueError(
            "the model must be a functional keras.Model or a built Sequential. "
            f"Received: {model!r:.100} of type {type(model).__name__}{hint}"
        ) from None
    ranks = [len(shape) if _is_shape(shape) else None for shape in (images, logits)]
    if ranks != [4, 2] or not (logits[1] or 0) >= 2:
        raise ValueError(
            "the model must take images (B, H, W, C) and give logits (B, L) of L >= 2 classes. "
            f"Received: one of inputs {images} and outputs {logits}"
        )
    return images[1:], logits[1]


def _is_shape(value):
    """Whether that is the shape of a single tensor, not a list or dictionary of some."""
    return isinstance(value, tuple) and all(size is None or type(size) is int for size in value)


def fits(shape, wanted):
    """Whether a shape is `wanted`; in both None stands for any size. None wants nothing."""
    return wanted is None or (
        len(shape) == len(wanted)
        and all(
            None in (want, size) or want == size for size, want in zip(shape, wanted, strict=True)
        )
    )
