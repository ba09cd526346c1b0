"""Single images as files: what a person shows a model, and what an attack made of it."""

from pathlib import Path

import numpy as np
from PIL import Image

MODES = {1: "L", 3: "RGB"}
# Modes that convert to these without a change of range; others hold 16 bits or floats.
EIGHT_BIT = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")


def read_picture(path: str | Path, input_shape: tuple) -> tuple[np.ndarray, list[str]]:
    """An image file as float32 (1, H, W, C) in [0, 1], and notices of what was changed to fit.

    Args:
        path: PNG, JPEG or whatever Pillow reads, of 8 bits per channel.
        input_shape: (H, W, C) of the model, C 1 or 3.

    Raises ValueError or OSError where it is no such image.
    """
    height, width, channels = input_shape
    if channels not in MODES:
        raise ValueError(f"an image file has 1 or 3 channels; this model takes {channels}")
    image = _open(path)
    if image.mode not in EIGHT_BIT:
        raise ValueError(f"{path} must have 8 bits per channel. Received: mode {image.mode}")
    notices = []
    if image.mode != MODES[channels]:
        notices.append(f"converted from {image.mode} to {MODES[channels]}, which the model takes")
        image = image.convert(MODES[channels])
    if image.size != (width, height):
        was = f"{image.size[0]} x {image.size[1]}"
        notices.append(f"resized from {was} to {width} x {height}, which the model takes")
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    pixels = np.asarray(image, "float32").reshape(1, height, width, channels)
    return pixels / np.float32(255), notices


def write_picture(path: str | Path, adversarial: np.ndarray, clean: np.ndarray) -> None:
    """Writes `adversarial` (H, W, C) as 8-bit PNG, no farther from `clean` than it is.

    A file holds steps of 1/255. Rounding to the nearest could leave the budget where eps is not a
    multiple of that, so every pixel is rounded towards the clean one.
    """
    change = (adversarial.astype("float64") - clean) * 255
    # A float32 of 8 may read 7.9999995, which is 8.
    change = np.trunc(change + 1e-3 * np.sign(change))
    pixels = np.clip(np.rint(clean * 255.0) + change, 0, 255).astype("uint8")
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(path, "PNG")


def attack_figure(path: str | Path, clean: np.ndarray, adversarial: np.ndarray, titles: list[str]):
    """Clean image, magnified perturbation and adversarial image, each (H, W, C), side by side.

    Args:
        path: where to, as PNG.
        titles: what to write above the first and the third.
    """
    from matplotlib.figure import Figure

    change = adversarial - clean
    largest = float(np.abs(change).max())
    shown = 0.5 + change / (2 * largest) if largest else np.full_like(change, 0.5)
    middle = f"change x {0.5 / largest:.1f}" if largest else "no change"
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    panels = zip(
        figure.subplots(1, 3),
        (clean, shown, adversarial),
        (titles[0], middle, titles[1]),
        strict=True,
    )
    for axes, image, title in panels:
        image = image[..., 0] if image.shape[-1] == 1 else image
        axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axes.set_title(title)
        axes.set_axis_off()
    figure.savefig(path, format="png", dpi=150)


def _open(path):
    try:
        with Image.open(path) as image:
            image.load()
            return image
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no image {path}") from None
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} cannot be read as an image: {error}") from None
