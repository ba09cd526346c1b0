"""What all figures share: colours, a canvas, a file. matplotlib is imported where it draws."""

import io

# Okabe and Ito's colours, told apart by people who see red and green alike.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D", "v", "P")


def canvas(width: float, height: float):
    """A white figure of so many inches, which no window shows."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def png(figure) -> bytes:
    """The figure as a file."""
    file = io.BytesIO()
    # Without the name and version of what wrote it, the same figure is the same file.
    figure.savefig(file, format="png", dpi=130, metadata={"Software": None})
    return file.getvalue()


def turn(choices: tuple, index: int):
    """The choice at `index`, from the first again after the last."""
    return choices[index % len(choices)]
