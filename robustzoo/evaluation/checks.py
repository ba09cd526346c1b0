"""Signs that a number flatters a model; after Carlini et al., arXiv:1902.06705, and AutoAttack.

Each check returns a `Finding`, or None where nothing is wrong. Images are checked float32
(N, H, W, C) in [0, 1], labels int32 (N,); the model is left as it was.
"""

import contextlib
from collections.abc import Iterable, Mapping, Sequence

import keras
import numpy as np
from keras import ops

from robustzoo.attacks import Square, bim, run
from robustzoo.backend import compiled, frozen, in_batches, input_gradient
from robustzoo.checks import distance_to_probabilities
from robustzoo.detect import evasion
from robustzoo.evaluation.findings import Finding
from robustzoo.forward import forward
from robustzoo.inference import inference
from robustzoo.losses import cross_entropy, margin
from robustzoo.threats import L1, L2, Linf

EXAMPLES = 200  # that `check_model` looks at
BATCH = 50
ROUNDING = 1e-4  # of a class's largest output; what two passes may differ by on an accelerator
OTHER_SIZE = 1e-2  # the same of batches of two sizes, for which other kernels may round to TF32
WITHOUT_GRADIENT = 0.01  # share of the examples above which gradients hide something
ENOUGH = 20  # draws that attacks on random models average, at least
OFF_GRID = 4 / 255  # how far a copy of the images is moved, lest noise spare stored pixels
STEPS = {1: 1.0, 10: 0.25, 40: 0.1}  # of PGD, and how long they are in eps
RISE = 0.01  # of the accuracy, when an attack gets more steps
OVERTAKEN = 0.002  # share of the examples that a weaker attack may break alone
LUCK = 2  # so many examples may fall, or stay, by chance
SIGMAS = 3  # of the noise of a random model, by which a number may be off
QUERIES = 200  # of Square, where no black-box attack was asked for

# `check_results` finds these, `check_model` all others.
BLACK_BOX, TRANSFER = "black box beats white box", "transfer beats white box"


def check_model(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    threat: Linf | L2 | L1,
    seed: int = 0,
    averaged: bool = False,
    left: np.ndarray | None = None,
) -> list[Finding]:
    """What is suspicious about `model` itself, judged on the first 200 examples.

    Args:
        averaged: every attack averaged 20 draws of a random model's noise, which is then no news.
        left: bool (N,), the examples that white-box attacks left, if no black-box attack saw them.
    """
    images, labels = images[:EXAMPLES], labels[:EXAMPLES]
    noisy = random_outputs(model, images)
    batch = None if noisy else outputs_of_the_batch(model, images)
    findings = [
        None if averaged else noisy,
        batch,
        probabilities(model, images),
        useless_gradients(model, images, labels),
        more_steps_help_the_defender(model, images, labels, threat, seed),
        unbounded_attack_fails(model, images, labels, seed),
    ]
    if left is not None and not noisy and not batch:
        rows = np.flatnonzero(left[: len(images)])
        findings.append(outputs_alone_break_more(model, images[rows], labels[rows], threat, seed))
    return [finding for finding in findings if finding]


def left_by_white_box(results: Sequence) -> np.ndarray | None:
    """Examples (N,) that survive `results`; None if no attack was white-box, or one black-box."""
    kinds = {_kind(result) for result in results if result.attack != "none"}
    if "white" not in kinds or "black" in kinds:
        return None
    return np.all([result.robust for result in results], axis=0)


def check_results(results: Iterable) -> list[Finding]:
    """What is suspicious about the `Result`s of a report, the first without attack.

    An attack of a cascade says nothing about the examples that it was spared: they are compared
    only where a white-box attack saw them. Where attacks average over draws the model is random,
    and each of them was judged by other noise.
    """
    broken, seen, random = {}, {}, False
    for result in results:
        random |= result.arguments.get("draws", 1) > 1
        if result.attack != "none":
            kind, looked = _kind(result), ~np.isnan(result.distance)
            broken[kind] = broken.get(kind, False) | (looked & ~result.robust)
            seen[kind] = seen.get(kind, False) | looked
    compare = {"black": black_box_beats_white_box, "transfer": transfer_beats_white_box}
    if "white" not in broken:
        return []
    findings = [
        check(broken[kind] & seen["white"], broken["white"], random)
        for kind, check in compare.items()
        if kind in broken
    ]
    return [finding for finding in findings if finding]


def checks_not_made(results: Iterable, random: bool = False, abstains: bool = False) -> list[str]:
    """What `check_model` and `check_results` could not look for in `results`, each with its reason.

    Args:
        random: whether the model is, or depends on the batch (`is_random`).
        abstains: whether the model may reject.
    """
    alone = "the model itself (it abstains, which the attacks of the checks take for success)"
    return [alone] * abstains + _not_compared(results, random or abstains)


def _not_compared(results, spared):
    """`spared`: a model that no short black-box attack was run on."""
    kinds = {_kind(result) for result in results if result.attack != "none"}
    if "white" not in kinds:
        return [f"{name} (no white-box attack was run)" for name in (BLACK_BOX, TRANSFER)]
    told = []
    if "black" not in kinds and spared:  # else `outputs_alone_break_more` has stood in for it
        why = "the model is random, depends on the batch or abstains, so no short one either"
        told.append(f"{BLACK_BOX} (no black-box attack was run; {why})")
    if "transfer" not in kinds:
        told.append(f"{TRANSFER} (no transfer attack was run)")
    return told


def _kind(result):
    if result.attack == "Transfer":
        return "transfer"
    # A callable that is no `Attack` counts nothing, and may have used the gradient.
    return "black" if result.queries and not result.gradients else "white"


def is_random(model: keras.Model, images: np.ndarray) -> bool:
    """Whether the first images are answered otherwise elsewhere: by chance, or by their batch.

    Dropout has a seed, and is silent here.
    """
    return any(check(model, images[:BATCH]) for check in (random_outputs, outputs_of_the_batch))


def random_outputs(model: keras.Model, images: np.ndarray) -> Finding | None:
    """Two forward passes differ. Evidence: by how much, at most, in logits.

    They see the images, and images moved a little.
    """
    images, size = _with_moved(images)
    with _restored(model):
        first, second = (_plain(model, images, size) for _ in range(2))
    difference = _difference(first, second, ROUNDING)
    if not difference:
        return None
    text = (
        f"two passes over the same images differ by up to {difference:.2g}: the model is random, "
        "and attacks should average their gradients (draws=20)"
    )
    return Finding("random outputs", text, difference)


def outputs_of_the_batch(model: keras.Model, images: np.ndarray) -> Finding | None:
    """Other places, other neighbours or fewer of them change the outputs of a model not random.

    Evidence: by how much, at most, in logits.
    """
    images, size = _with_moved(images)
    with _restored(model):
        first = _plain(model, images, size)
        rolled = _plain(model, np.roll(images, 1, axis=0), size)
        fewer = _plain(model, images, max(1, size // 3))  # halves may be alike: images, moved
    rolled = np.roll(rolled, -1, axis=0)
    difference = max(_difference(first, rolled, ROUNDING), _difference(first, fewer, OTHER_SIZE))
    if not difference:
        return None
    text = (
        f"the same images in another order or in smaller batches differ by up to {difference:.2g}: "
        "what an attack finds at one place of a batch is judged at another, where it may fail"
    )
    return Finding("outputs depend on the batch", text, difference)


def _with_moved(images):
    """The images and copies moved a little, and how many of them make a batch."""
    step = np.random.default_rng(0).uniform(-OFF_GRID, OFF_GRID, images.shape)
    moved = np.clip(images + step, 0.0, 1.0).astype("float32")
    return np.concatenate([images, moved]), min(BATCH, 2 * len(images))


@contextlib.contextmanager
def _restored(model):
    """What the block writes to the model's state is undone."""
    state = [(v, ops.convert_to_numpy(v.value).copy()) for v in model.non_trainable_variables]
    try:
        yield
    finally:
        for variable, value in state:
            variable.assign(value)


def _plain(model, images, size):
    """Outputs of plain calls: compiled ones would repeat any noise drawn outside of Keras."""
    return in_batches(inference(model), size, images)


def _difference(first, second, tolerance):
    """The largest difference of outputs (N, classes); 0 where none exceeds what rounding may do.

    That is a share of the largest output of each class, and of the median class where that is more:
    one masked with -1e9 excuses no other, and one of hardly any output is rounded as its sums are.
    """
    known = np.isfinite(first) & np.isfinite(second)
    largest = np.abs(np.where(known, first, 0.0)).max(axis=0)
    largest = np.maximum(largest, np.quantile(largest, 0.5, method="lower"))
    difference = np.abs(np.subtract(first, second, out=np.zeros_like(first), where=known))
    return float(difference[difference > tolerance * largest].max(initial=0.0))


def probabilities(model: keras.Model, images: np.ndarray) -> Finding | None:
    """All outputs lie in [0, 1] and sum to 1. Evidence: the largest distance of a sum from 1."""
    distance = distance_to_probabilities(forward(model, images, BATCH))
    if not distance < 1e-3:
        return None
    text = (
        "the outputs look like probabilities, but attacks need logits: their losses take the "
        "softmax once more, which flattens gradients; remove the model's own"
    )
    return Finding("probabilities", text, distance)


def rejection_unknown(attacks: Mapping) -> Finding | None:
    """No attack on a model that abstains ascends `detect.evasion`. Evidence: how many do not."""
    if any(getattr(attack, "loss", None) is evasion for attack in attacks.values()):
        return None
    text = (
        "no attack knows that the model rejects: most take a rejection for success, and end there; "
        'use the suite "evasion", or PGD(..., loss=robustzoo.detect.evasion)'
    )
    return Finding("no attack knows the rejection", text, float(len(attacks)))


def useless_gradients(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> Finding | None:
    """The cross-entropy's gradient is exactly zero, or not finite. Evidence: share of images."""

    def largest(x, y):
        def losses(z):
            with frozen():
                return cross_entropy(y, inference(model)(z)), ()

        slope = input_gradient(losses, x)[2]  # attacks take 0 for what is not finite
        finite = ops.all(ops.isfinite(slope), axis=(1, 2, 3))
        return ops.where(finite, ops.max(ops.abs(slope), axis=(1, 2, 3)), float("inf"))

    largest = compiled(largest, model.variables)
    largest = in_batches(largest, min(BATCH, len(images)), images, labels)
    share = float(np.mean((largest == 0) | ~np.isfinite(largest)))
    if share <= WITHOUT_GRADIENT:
        return None
    text = (
        f"the gradient is zero or not finite at {share:.1%} of the clean images: gradient attacks "
        "cannot move there; use bpda, another loss, or attacks that ask for outputs only"
    )
    return Finding("useless gradients", text, share)


def more_steps_help_the_defender(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    threat: Linf | L2 | L1,
    seed: int = 0,
) -> Finding | None:
    """Accuracy under 1, 10 and 40 small steps from the clean image rises with their number.

    Evidence: the largest rise, as a share of the examples. Last iterates count: the best of all
    would hide that an attack gets lost.
    """
    left = []
    for steps, size in STEPS.items():
        attack = bim(threat, size * threat.eps, steps)
        left.append(int((~run(attack, model, images, labels, BATCH, seed).success).sum()))
    rise = max(left[1] - left[0], left[2] - min(left[:2]))
    chance = _chance(len(images)) if is_random(model, images) else LUCK
    if rise <= max(RISE * len(images), chance):
        return None
    counts = ", ".join(f"{n / len(images):.1%} at {s}" for s, n in zip(STEPS, left, strict=True))
    text = (
        f"accuracy rises with the steps of PGD ({counts}): the loss surface misleads gradient "
        "attacks, and stronger ones will find more"
    )
    return Finding("more steps help the defender", text, rise / len(images))


def unbounded_attack_fails(
    model: keras.Model, images: np.ndarray, labels: np.ndarray, seed: int = 0
) -> Finding | None:
    """PGD that may choose any image in [0, 1] leaves more than two right. Evidence: their share.

    All of [0, 1] is the ball of Linf 1, of L2 sqrt(d) and of L1 d alike.
    """
    right = np.arange(len(images))
    for loss in (cross_entropy, margin):
        attack = bim(Linf(1.0), 0.1, steps=50, loss=loss)  # noise as a start would do all alone
        found = run(attack, model, images[right], labels[right], BATCH, seed, until=_anywhere)
        right = right[~found.success]
        if len(right) <= min(LUCK, len(images) - 1):  # never all of them
            return None
    share = len(right) / len(images)
    text = (
        f"PGD that may choose any image leaves {share:.1%} of the examples right, where nothing "
        "can be robust: the attack fails, and its numbers at smaller eps prove nothing"
    )
    return Finding("unbounded attack fails", text, share)


def outputs_alone_break_more(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    threat: Linf | L2 | L1,
    seed: int = 0,
) -> Finding | None:
    """A short Square breaks what gradients did not. Evidence: share of examples."""
    if not len(images):
        return None
    attack = Square(threat, steps=QUERIES)
    broken = run(attack, model, images, labels, BATCH, seed).success
    if broken.sum() <= LUCK:
        return None
    text = (
        f"{QUERIES} queries of Square, which sees outputs only, break {broken.mean():.1%} of "
        f"{len(images)} examples that no white-box attack breaks: those are too weak here, or the "
        "model hides its gradients"
    )
    return Finding("outputs alone break more", text, float(broken.mean()))


def black_box_beats_white_box(
    black: np.ndarray, white: np.ndarray, random: bool = False
) -> Finding | None:
    """More than 0.2% of the examples are broken (bool (N,)) by a black-box attack alone.

    Evidence: their share. Two examples are no evidence, however few there are. On a `random` model
    it is by how many more fall, for which of them is chance.
    """
    return _overtaken("black-box", BLACK_BOX, black, white, random)


def transfer_beats_white_box(
    transfer: np.ndarray, white: np.ndarray, random: bool = False
) -> Finding | None:
    """The same of a transfer attack."""
    return _overtaken("transfer", TRANSFER, transfer, white, random)


def _overtaken(kind, name, weaker, white, random):
    alone = int((weaker & ~white).sum())
    count = int(weaker.sum()) - int(white.sum()) if random else alone
    share = count / len(white)
    if share <= OVERTAKEN or count <= (_chance(len(white)) if random else LUCK):
        return None
    text = (
        f"{kind} attacks break {share:.1%} of the examples that no white-box attack breaks: the "
        "model hides its gradients from those"
    )
    return Finding(name, text, share)


def _chance(count):
    """By how many of `count` examples two accuracies of a random model may differ."""
    return SIGMAS * (count / 2) ** 0.5  # each example adds a variance of at most 1/4 to either


def _anywhere(z, x):
    """True (B,): any image will do, for the `until` of `attacks.run`."""
    return ops.ones(ops.shape(x)[:1], "bool")
