"""What the files of the tiny model folder say."""

CONFIG = {
    "architecture": "mlp",
    "arguments": {"input_shape": [4, 4, 1], "classes": 3, "widths": [5]},
    "dataset": "mnist",
    "threat": {"norm": "linf", "eps": "3/10"},
    "defense": "trades",
    "input_shape": [4, 4, 1],
    "labels": ["zero", "one", "two"],
    "recipe": "trades_mnist",
    "license": "apache-2.0",
}
RECORD = {
    "command": "python -m training.train trades_mnist",
    "commit": "0" * 40,
    "versions": {"keras": "3.15.1"},
    "backend": "jax",
    "device": "CPU, 2 cores",
}
TRAINING = {
    **RECORD,
    "recipe": "trades_mnist",
    "recipe_sha256": "1" * 64,
    "seed": 7,
    "seconds": 7200.0,
    "epochs": 2,
    "settings": {"beta": 6.0, "batch_size": 128},
    "curve": [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}],
}
EVALUATION = {
    **RECORD,
    "command": "robustzoo evaluate trades-mnist",
    "dataset": "mnist",
    "split": "test",
    "examples": 10000,
    "sample_seed": None,
    "threat": {"norm": "linf", "eps": "3/10"},
    "results": [
        {"attack": "none", "label": "clean", "arguments": {}, "seed": None, "accuracy": 0.9931,
         "seconds": 1.5},
        {"attack": "PGD", "label": "PGD-40 x 3", "arguments": {"steps": 40, "restarts": 3},
         "seed": 0, "accuracy": 0.9512, "seconds": 60.0},
    ],
    "worst_case_accuracy": 0.95,
}  # fmt: skip
