"""Ratios of robustzoo's times to those of the same work without it. TensorFlow only."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"

# Before anything imports TensorFlow: this sets TF_ENABLE_ONEDNN_OPTS, and the floor and the peers
# must run under the same setting.
import robustzoo  # noqa: E402, F401
