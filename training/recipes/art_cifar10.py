"""ART (Madry et al.), CIFAR-10, Linf 8/255, pre-activation ResNet-10 from fast-at-cifar10.

It trains against 9/255 to resist 8/255: the margin costs clean accuracy, of which this net has some
to spare. Keras multiplies the weight decay by the learning rate alone, so 5e-3 beside a momentum of
0.9 is what the literature calls 5e-4.

Command:  python -m training.train art_cifar10
Expect:   clean 71.70, FGSM 46.56, PGD-20 42.05, PGD-20 margin 40.27, PGD-40 47.09 % at Linf
          8/255, 10,000 test images; 43 minutes on CPU, 2 cores
"""

from functools import partial

import keras

from robustzoo.architectures import CIFAR10_MEAN, CIFAR10_STD
from robustzoo.attacks import PGD
from robustzoo.defenses import MadryTraining
from robustzoo.threats import Linf
from training.augment import crop_flip
from training.recipe import Recipe
from training.schedules import one_cycle


def recipe() -> Recipe:
    threat = Linf(8 / 255)
    attack = PGD(Linf(9 / 255), step_size=6 / 255, steps=2)
    return Recipe(
        dataset="cifar10",
        architecture="preact_resnet",
        arguments={"depth": 10, "stem_strides": 2, "mean": CIFAR10_MEAN, "std": CIFAR10_STD},
        defense=partial(MadryTraining, attack=attack, average_decay=0.998),
        threat=threat,
        initial="fast-at-cifar10",
        epochs=8,
        batch_size=128,
        learning_rate=partial(one_cycle, peak=0.1, rise=0.2),
        optimizer=partial(keras.optimizers.SGD, momentum=0.9, nesterov=True, weight_decay=5e-3),
        augment=crop_flip,
        precision="mixed_bfloat16",
        validation_attack=PGD(threat, step_size=2 / 255, steps=7),
        published={
            "clean": 0.873,
            "FGSM": 0.561,
            "PGD-20": 0.458,
            "source": "Madry et al., arXiv:1706.06083, a WideResNet of 46 million weights",
        },
    )
