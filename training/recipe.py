"""What a recipe says."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from keras.optimizers import Optimizer
from keras.optimizers.schedules import LearningRateSchedule

from robustzoo.attacks import PGD
from robustzoo.defenses import Defense
from robustzoo.threats import L2, Linf


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights, but for the seed.

    Args:
        dataset: a name of `robustzoo.datasets`.
        architecture, arguments: a builder of `robustzoo.architectures` and its arguments.
        released: {"architecture": ..., "arguments": {...}} of the model that is released, where
            it is not the one that is trained: more draws of noise, a pool of images, a detector.
        fitting: of the detector of a `released` model that abstains: "false_positive_rate" and, if
            it learns from so many training images only, "examples"; None without a detector.
        defense: from a classifier to a `Defense`, `partial(Trades, attack=..., beta=6.0)`.
        threat: what the model claims to resist; None if nothing.
        epochs, batch_size: as in `fit`; a last batch that is not full is left out. No epochs leave
            `initial` as it is: there is something to learn for the `released` model alone.
        learning_rate: from the total number of steps to a schedule, `partial(one_cycle, peak=0.1)`.
        optimizer: from a schedule to an optimizer, gradient clipping and weight decay included.
        augment: (images, generator) -> images, of one batch (`training.augment`), or None.
        precision: "float32" or "mixed_bfloat16"; the released weights are float32 either way.
        warmup_epochs: epochs over which eps grows from 0.
        validation_attack: judges each epoch; by default the training attack.
        validation_examples: of the 5,000 held out, how many judge each epoch.
        patience: epochs without a better validation accuracy after which training ends.
        classes: the labels kept, None for all.
        initial: a released model whose weights come first, but for another head; None for random.
        teacher: a released model that the defense is given as `teacher`, None for no such argument.
        left_by: released models, the earlier stages of a cascade: training and validation are on
            the images alone whose answer none of them certifies within `threat`.
        method: a name of `robustzoo.zoo.methods`, where that of the `Defense` says too little:
            "mmc" is standard training with another loss.
        published: accuracies that the paper prints, by label of the attack ("clean", "PGD-40"), and
            their "source"; the card shows them beside ours.
        remark: a sentence that the card carries, as that settings were told apart on the test set.
        license: of the released weights.
    """

    dataset: str
    architecture: str
    arguments: Mapping[str, Any]
    defense: Callable[..., Defense]
    threat: Linf | L2 | None
    epochs: int
    batch_size: int
    learning_rate: Callable[[int], LearningRateSchedule | float]
    optimizer: Callable[[LearningRateSchedule | float], Optimizer]
    augment: Callable | None = None
    precision: str = "float32"
    warmup_epochs: float = 0.0
    validation_attack: PGD | None = None
    validation_examples: int = 1000
    patience: int | None = None
    classes: tuple[int, ...] | None = None
    initial: str | None = None
    released: Mapping[str, Any] | None = None
    fitting: Mapping[str, Any] | None = None
    teacher: str | None = None
    left_by: tuple[str, ...] = ()
    method: str | None = None
    published: Mapping[str, Any] | None = None
    remark: str | None = None
    license: str = "apache-2.0"

    def __post_init__(self):
        if (self.described["architecture"] == "abstaining") != (self.fitting is not None):
            raise ValueError(
                "fitting is of a released model that abstains, and of that alone. Received: "
                f"fitting={self.fitting}, {self.described['architecture']}"
            )

    @property
    def described(self) -> dict:
        """{"architecture", "arguments"} of the model that is released."""
        trained = {"architecture": self.architecture, "arguments": dict(self.arguments)}
        return dict(self.released or trained)
