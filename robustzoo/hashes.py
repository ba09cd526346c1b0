"""Which bytes, arrays and weights a number belongs to."""

import hashlib


def sha256(*parts) -> str:
    """Hex digest of bytes and of the values of arrays, one after the other."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes | bytearray) else part.tobytes())
    return digest.hexdigest()


def fingerprint(model) -> str:
    """sha256 of all weights of `model`, their shapes and their values as float32, in order."""
    weights = [weight.astype("float32") for weight in model.get_weights()]
    return sha256(*(part for weight in weights for part in (f"{weight.shape}".encode(), weight)))


def structure(model) -> str | None:
    """sha256 of how the layers of `model` are named, set and joined; None if it cannot tell."""
    try:
        return sha256(model.to_json().encode())
    except (NotImplementedError, TypeError, ValueError):
        return None
