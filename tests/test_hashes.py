"""What a number belongs to: the saved hashes depend on these."""

import hashlib

import keras
import numpy as np

from robustzoo.hashes import fingerprint, sha256


def test_one_digest_of_bytes_and_values_in_their_order():
    values = np.arange(6, dtype="float32").reshape(2, 3)
    # The example of FIPS 180-2.
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(b"abc") == sha256(b"a", np.frombuffer(b"bc", "uint8")) == abc
    assert sha256(values.T) == sha256(np.float32([0, 3, 1, 4, 2, 5])) != sha256(values)


def test_a_model_is_its_shapes_and_its_values():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, dtype="bfloat16")])
    kernel, bias = np.float32([[1.5], [-2.0]]), np.float32([0.25])
    model.set_weights([kernel, bias])
    parts = b"(2, 1)" + kernel.tobytes() + b"(1,)" + bias.tobytes()
    assert fingerprint(model) == hashlib.sha256(parts).hexdigest()
