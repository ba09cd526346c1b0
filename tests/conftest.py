"""Quiet, exact and seeded tests; the environment is read when the backend is first imported."""

import atexit
import os
import shutil
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as robustzoo does where it comes first
# On an accelerator TF32 keeps 10 bits of a float32; numbers are compared to more than that here.
os.environ["NVIDIA_TF32_OVERRIDE"] = "0"
os.environ["JAX_DEFAULT_MATMUL_PRECISION"] = "highest"
# Tests compile much and run little: without XLA's slow passes they take half the time.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    # Tests build the same few nets again and again; each is compiled once, for all workers.
    os.environ["JAX_COMPILATION_CACHE_DIR"] = tempfile.mkdtemp(prefix="robustzoo-tests-")
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
    atexit.register(shutil.rmtree, os.environ["JAX_COMPILATION_CACHE_DIR"], ignore_errors=True)

import keras  # noqa: E402
import pytest  # noqa: E402

if keras.backend.backend() != "tensorflow":
    # No backend does anything of its own in these, they start every backend, or they put together
    # what is tested on each: once is enough.
    collect_ignore = [
        "certification/test_cascade.py",
        "certification/test_certified_and_broken.py",
        "certification/test_certify.py",
        "certification/test_export.py",
        "readme",
        "smoothing/test_radius_figure.py",
        "test_adp_tables.py",
        "test_checks.py",
        "test_cli.py",
        "test_datasets.py",
        "test_evaluation.py",
        "test_family.py",
        "test_hashes.py",
        "test_header.py",
        "test_imports.py",
        "test_mmc_tables.py",
        "test_mnist_family.py",
        "test_provenance.py",
        "test_recipes.py",
        "test_report.py",
        "test_tables.py",
        "test_three_backends.py",
        "test_wheel.py",
        "trainer/test_commands.py",
        "zoo/test_certified.py",
        "zoo/test_folders.py",
        "zoo/test_hub.py",
    ]


@pytest.fixture(autouse=True)
def seeded():
    """Every test starts from the same random numbers, whatever ran before it."""
    keras.utils.set_random_seed(0)


@pytest.fixture
def float64_by_default():
    """Also of layers: their policy is fixed when the first is made, and stays."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")
