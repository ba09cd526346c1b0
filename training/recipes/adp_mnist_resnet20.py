"""ADP (Pang et al.), MNIST, an ensemble of three ResNet-20, as published.

Command:  python -m training.train adp_mnist_resnet20
Expect:   not run by us; published: 99.72 clean (recalled, low confidence; arXiv:1901.08846),
          82.8 after PGD-10 at Linf 0.1

Without their L2 of 1e-4 on the kernels: Keras' Adam has but a decoupled decay.
"""

from training.recipe import Recipe
from training.recipes import adp_cifar10_resnet20
from training.recipes._adp_published import on_mnist


def recipe() -> Recipe:
    return on_mnist(adp_cifar10_resnet20.recipe())
