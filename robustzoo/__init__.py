"""A zoo of adversarially robust image classifiers for Keras 3.

    import robustzoo

    model = robustzoo.load("trades-mnist")         # a plain keras.Model, [0, 1] images to logits
    data = robustzoo.datasets.load("mnist").test
    print(model(data.images[:2]))

Importing the package imports no backend; its parts load when they are first used.
"""

import importlib
import os

# TensorFlow turns oneDNN on by itself only for CPUs with AVX-512; with AVX2 convolutions become two
# to five times faster as well. It is read when TensorFlow is imported: import robustzoo first.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

__version__ = "0.1.0"

_MODULES = (
    "architectures",
    "attacks",
    "certification",
    "checks",
    "datasets",
    "defenses",
    "detect",
    "evaluation",
    "layers",
    "losses",
    "smoothing",
    "theory",
    "threats",
    "zoo",
)
_FUNCTIONS = {
    "certify": "robustzoo.certification",
    "download": "robustzoo.zoo",
    "evaluate": "robustzoo.evaluation",
    "export": "robustzoo.zoo",
    "info": "robustzoo.zoo",
    "list_models": "robustzoo.zoo",
    "load": "robustzoo.zoo",
    "push_to_hub": "robustzoo.zoo",
    "save": "robustzoo.zoo",
    "verify": "robustzoo.zoo",
}

__all__ = [*_FUNCTIONS, *_MODULES]


def __getattr__(name):
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(_FUNCTIONS[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"robustzoo.{name}")
    raise AttributeError(f"module 'robustzoo' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
