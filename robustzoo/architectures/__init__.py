"""Architectures: functions that return a `keras.Model` from images in [0, 1] to float32 logits."""

from robustzoo.architectures._parts import CIFAR10_MEAN, CIFAR10_STD
from robustzoo.architectures.abstaining import abstaining
from robustzoo.architectures.build import ARCHITECTURES, build
from robustzoo.architectures.center_head import center_head
from robustzoo.architectures.ensemble import ensemble
from robustzoo.architectures.ensemble_members import ensemble_members
from robustzoo.architectures.linear import linear
from robustzoo.architectures.madry_cnn import madry_cnn
from robustzoo.architectures.mixup_inference import mixup_inference
from robustzoo.architectures.mlp import mlp
from robustzoo.architectures.noisy import noisy
from robustzoo.architectures.perturbation_generator import perturbation_generator
from robustzoo.architectures.preact_resnet import preact_resnet
from robustzoo.architectures.resnet_v1 import resnet_v1
from robustzoo.architectures.resnet_v2 import resnet_v2
from robustzoo.architectures.reversed_logits import reversed_logits
from robustzoo.architectures.shaham_cnn import shaham_cnn
from robustzoo.architectures.small_cnn import small_cnn
from robustzoo.architectures.vgg16 import vgg16
from robustzoo.architectures.wide_resnet import wide_resnet
from robustzoo.architectures.wong_large import wong_large
from robustzoo.architectures.wong_resnet import wong_resnet
from robustzoo.architectures.wong_small import wong_small

__all__ = [
    "ARCHITECTURES",
    "CIFAR10_MEAN",
    "CIFAR10_STD",
    "abstaining",
    "build",
    "center_head",
    "ensemble",
    "ensemble_members",
    "linear",
    "madry_cnn",
    "mixup_inference",
    "mlp",
    "noisy",
    "perturbation_generator",
    "preact_resnet",
    "resnet_v1",
    "resnet_v2",
    "reversed_logits",
    "shaham_cnn",
    "small_cnn",
    "vgg16",
    "wide_resnet",
    "wong_large",
    "wong_resnet",
    "wong_small",
]
