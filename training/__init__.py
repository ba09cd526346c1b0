"""The training suite: one trainer, one recipe per released model."""

import robustzoo  # noqa: F401 - before keras: it sets what TensorFlow reads when it is imported
