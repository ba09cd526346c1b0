"""A model by released name, from a folder, or from the Hub."""

from pathlib import Path

from robustzoo.zoo.config import check_config
from robustzoo.zoo.folder import parse_json
from robustzoo.zoo.obtain import obtain


def load(
    name: str | Path,
    weights: bool = True,
    dtype: str | None = None,
    revision: str | None = None,
    cache_dir: str | Path | None = None,
    local_files_only: bool = False,
):
    """Returns a `keras.Model` from images (B, H, W, C) in [0, 1] to float32 logits (B, classes).

    Nothing is trusted: the sizes, then the sha256 of every file against manifest.json and, for a
    released name, that of manifest.json against the registry in this package, then config.json,
    then names, shapes, dtypes and finiteness of all weights. Only then is any assigned. No code
    and no serialised layer is ever read.

    Args:
        name: a released name, a model folder, or "hf://org/repo@revision".
        weights: False for the architecture with fresh weights; the weight file is not fetched.
        dtype: Keras dtype policy to build with, e.g. "mixed_bfloat16"; by default the current one.
        revision: branch, tag or commit on the Hub, in place of the pinned release; then only the
            folder's own manifest vouches for it.
        cache_dir: in place of the Hub client's cache.
        local_files_only: never ask the Hub.

    Raises:
        ValueError: an unknown name, or anything wrong with the folder (`MismatchError`, with
            expected and actual, where a size or hash differs).
        OSError: the folder or the Hub cannot be reached.
    """
    skip = () if weights else ("model.safetensors",)
    _, files = obtain(name, skip, revision, cache_dir, local_files_only)
    config = check_config(parse_json(files["config.json"], "config.json"))

    from robustzoo.zoo.build import build
    from robustzoo.zoo.weights import assign

    model = build(config, dtype)
    if weights:
        assign(model, files["model.safetensors"])
    return model
