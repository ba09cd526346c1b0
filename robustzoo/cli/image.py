"""robustzoo predict | attack"""

import difflib
from pathlib import Path

import click

from robustzoo.cli._figure import need_matplotlib, png
from robustzoo.cli._open import open_model, threat_of
from robustzoo.cli._seed import SEED
from robustzoo.cli._show import notice, table


@click.command()
@click.argument("name")
@click.argument("image", type=click.Path(dir_okay=False))
@click.option("--top", default=5, show_default=True, type=click.IntRange(1), help="Classes shown.")
def predict(name, image, top):
    """Classify the file IMAGE."""
    model, config, _ = open_model(name)
    probabilities = _probabilities(model, _picture(image, model))
    best = probabilities.argsort()[::-1][:top]
    rows = [[config["labels"][i], f"{probabilities[i]:.4f}"] for i in best]
    table(["class", "probability"], rows)


@click.command()
@click.argument("name")
@click.argument("image", type=click.Path(dir_okay=False))
@click.option("--label", help="True class, by name or number; by default the predicted one.")
@click.option("--target", help="Class that the model shall see, by name or number.")
@click.option("--eps", help='Budget, e.g. "8/255"; by default what the model was trained for.')
@click.option("--steps", default=40, show_default=True, type=click.IntRange(1, 10000))
@click.option("--seed", default=0, show_default=True, type=SEED, help="Of the random start.")
@click.option("--output", type=click.Path(dir_okay=False), help="By default IMAGE-adversarial.png.")
@click.option(
    "--figure/--no-figure", default=None,
    help="OUTPUT-figure.png beside it, or not; by default where matplotlib is installed.",
)  # fmt: skip
def attack(name, image, label, target, eps, steps, seed, output, figure):
    """Attack a model on the file IMAGE by PGD, and write the adversarial image.

    The result is read back from the file, which holds 8 bits per channel.
    """
    from robustzoo.zoo.config import classes

    output = _output(image, output)
    figure = _drawn(figure)
    model, config, _ = open_model(name)
    labels, clean, valid = config["labels"], _picture(image, model), classes(config)
    before = _probabilities(model, clean)
    label = int(before[: len(valid)].argmax()) if label is None else _class(label, valid)
    target = None if target is None else _class(target, valid)
    if target == label:
        raise ValueError(f"target must differ from the true class {labels[label]!r}")
    threat = threat_of(config, eps)
    _write_adversarial(model, clean, label, target, threat, steps, seed, output)
    adversarial = _picture(output, model)
    after = _probabilities(model, adversarial)
    rows = [_row("clean", before, labels, image), _row("adversarial", after, labels, output)]
    if figure:
        rows.append(["figure", None, None, _write_figure(output, clean, adversarial, rows)])
    table(["image", "class", "probability", "file"], rows)
    wrong = after.argmax() not in (label, len(valid))  # at whose place a rejection stands
    fooled = wrong if target is None else after.argmax() == target
    distance = float(threat.distance(adversarial, clean)[0])
    outcome = "succeeds" if fooled else "fails"
    notice(f"PGD-{steps} {outcome} at {threat}; the file is {distance:.4f} away")


def _picture(path, model):
    from robustzoo.pictures import read_picture

    image, notices = read_picture(path, model.input_shape[1:])
    for text in notices:
        notice(f"{path}: {text}")
    return image


def _probabilities(model, image):
    from keras import ops

    return ops.convert_to_numpy(ops.softmax(model(image, training=False)))[0]


def _class(text, labels):
    """The index of a class given by name or number."""
    if text in labels:
        return labels.index(text)
    if text.isdecimal() and int(text) < len(labels):
        return int(text)
    close = difflib.get_close_matches(text, labels, 1)
    hint = f"; closest: {close[0]}" if close else ""
    raise ValueError(
        f"a class is one of {', '.join(labels[:20])}{', ...' if len(labels) > 20 else ''} or "
        f"0 .. {len(labels) - 1}. Received: {text!r}{hint}"
    )


def _output(image, output):
    # Any lossy format would undo the perturbation.
    output = png(output or Path(image).with_name(f"{Path(image).stem}-adversarial.png"))
    if output.resolve() == Path(image).resolve():
        raise ValueError(f"output must not be the image itself. Received: {output}")
    return output


def _drawn(figure):
    """Whether there will be a figure; ImportError where one was asked for that cannot be."""
    if figure is False:
        return False
    try:
        need_matplotlib("give --no-figure")
    except ImportError as error:
        if figure:
            raise
        notice(f"no figure is drawn: {error}")  # the adversarial image needs none
        return False
    return True


def _write_adversarial(model, clean, label, target, threat, steps, seed, output):
    import numpy as np

    from robustzoo.attacks import PGD, generate
    from robustzoo.detect import abstains, evasion
    from robustzoo.losses import cross_entropy
    from robustzoo.pictures import write_picture

    targeted = target is not None
    loss = evasion if abstains(model) and not targeted else cross_entropy
    # 2.5 eps in all, so that PGD can reach any point of the ball from any other (Madry et al.).
    pgd = PGD(threat, 2.5 * threat.eps / steps, steps, loss, targeted=targeted)
    labels = np.array([label if target is None else target])
    adversarial = generate(pgd, model, clean, labels, seed=seed)
    write_picture(output, adversarial[0], clean[0])


def _row(kind, probabilities, labels, file):
    best = int(probabilities.argmax())
    return [kind, labels[best], f"{probabilities[best]:.4f}", file]


def _write_figure(output, clean, adversarial, rows):
    from robustzoo.pictures import attack_figure

    path = output.with_name(f"{output.stem}-figure.png")
    titles = [f"{kind}: {what} ({share})" for kind, what, share, _ in rows]
    attack_figure(path, clean[0], adversarial[0], titles)
    return path
