"""Model folders on disk: which files, how large, and what their hashes must be.

A folder is trusted only after every file has the size and sha256 that manifest.json lists, and,
for a released name, manifest.json has the sha256 that the registry in the package pins. The bytes
that were hashed are the bytes that are parsed: each file is read once.
"""

import json
import os
from pathlib import Path

from robustzoo.hashes import sha256
from robustzoo.whole_file import whole_file

REQUIRED = ("config.json", "model.safetensors")
OPTIONAL = ("training.json", "eval.json", "certificate.json", "smoothing.json", "README.md")
MANIFEST = "manifest.json"
MAX_FOLDER_BYTES = 256 * 2**20  # enough for a WideResNet-34-10
MAX_RELEASED_BYTES = 48 * 2**20  # of a folder that lies in the repository
MAX_MANIFEST_BYTES = 64 * 2**10


class MismatchError(ValueError):
    """A file of a model folder is not the one its manifest, or the registry, lists."""

    def __init__(self, message: str, path: Path):
        super().__init__(message)
        self.path = path


def write_json(path: Path, value: dict) -> None:
    """Writes strict JSON (no NaN), one fixed layout, so that equal facts give equal hashes."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    with whole_file(path) as work:
        work.write_text(text + "\n", encoding="utf-8")


def parse_json(data: bytes, file: str) -> dict:
    """One strict JSON object from bytes: no NaN, no repeated key, no endless nesting."""

    def unique(pairs):
        keys = [key for key, _ in pairs]
        if len(set(keys)) != len(keys):
            raise ValueError(f"a key is repeated among {keys!r:.200}")
        return dict(pairs)

    def refuse(constant):
        raise ValueError(f"{constant} is not a JSON number")

    try:
        value = json.loads(data, object_pairs_hook=unique, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is not valid JSON: {error}{looks_like(data)}") from None
    if not isinstance(value, dict):
        raise ValueError(f"{file} must hold a JSON object. Received: {type(value).__name__}")
    return value


def looks_like(data: bytes) -> str:
    """A hint for the commonest wrong content: a login or error page saved as the file."""
    if data[:200].lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return " (it begins like an HTML page, e.g. a proxy's login or error page)"
    return ""


def write_manifest(folder: str | Path) -> str:
    """Writes manifest.json: {file: {"sha256", "size"}} of every other file; returns its sha256.

    Raises ValueError if a required file is missing, one is not part of a model folder, or all
    together exceed MAX_FOLDER_BYTES.
    """
    folder = Path(folder)
    names = {entry.name for entry in os.scandir(folder) if not entry.name.startswith(".")}
    names -= {MANIFEST}
    _check_names(names, str(folder))
    contents = {name: (folder / name).read_bytes() for name in sorted(names)}
    _check_total(sum(map(len, contents.values())), str(folder))
    entries = {name: {"sha256": sha256(c), "size": len(c)} for name, c in contents.items()}
    write_json(folder / MANIFEST, entries)
    return sha256((folder / MANIFEST).read_bytes())


def read_manifest(folder: str | Path, expected_sha256: str | None = None) -> dict:
    """manifest.json as {file: {"sha256", "size"}}, names and sizes checked.

    Raises FileNotFoundError, or MismatchError if it is malformed or not the expected one.
    """
    data = _read(Path(folder), MANIFEST, MAX_MANIFEST_BYTES)
    actual = sha256(data)
    if expected_sha256 is not None and actual != expected_sha256:
        raise MismatchError(
            f"{MANIFEST} in {folder} is not the released one: expected sha256 {expected_sha256}, "
            f"actual {actual}{looks_like(data)}",
            Path(folder) / MANIFEST,
        )
    try:
        if len(data) > MAX_MANIFEST_BYTES:
            raise ValueError(f"{MANIFEST} has more than {MAX_MANIFEST_BYTES} bytes")
        manifest = parse_json(data, MANIFEST)
        _check_names(set(manifest), MANIFEST)
        for name, entry in manifest.items():
            _check_entry(name, entry)
        _check_total(sum(entry["size"] for entry in manifest.values()), MANIFEST)
    except ValueError as error:
        raise MismatchError(f"{folder}: {error}", Path(folder) / MANIFEST) from None
    return manifest


def read_folder(
    folder: str | Path,
    expected_sha256: str | None = None,
    skip: tuple = (),
    unlisted: bool = False,
) -> dict[str, bytes]:
    """Contents of every listed file, each of the listed size and sha256.

    Args:
        folder: the model folder.
        expected_sha256: of manifest.json, for a released name.
        skip: files that need not be there and are not read.
        unlisted: whether other files may lie beside the listed ones, unread.

    Raises:
        FileNotFoundError: a listed file is missing.
        MismatchError: a size or hash differs; `.path` names which.
        ValueError: an unlisted file lies in the folder.
    """
    folder = Path(folder)
    manifest = read_manifest(folder, expected_sha256)
    if not unlisted:
        present = {entry.name for entry in os.scandir(folder) if not entry.name.startswith(".")}
        extra = sorted(present - set(manifest) - {MANIFEST})
        if extra:
            raise ValueError(
                f"{folder} holds {extra!r:.200}, which {MANIFEST} does not list; remove it"
            )
    return {
        name: _read_listed(folder, name, entry)
        for name, entry in manifest.items()
        if name not in skip
    }


def _read_listed(folder: Path, name: str, entry: dict) -> bytes:
    size = entry["size"]
    data = _read(folder, name, size)
    if len(data) != size:
        raise MismatchError(
            f"{name} in {folder} has the wrong size: expected {size} bytes, "
            f"actual {(folder / name).stat().st_size}{looks_like(data)}",
            folder / name,
        )
    actual = sha256(data)
    if actual != entry["sha256"]:
        raise MismatchError(
            f"{name} in {folder} was changed or damaged: expected sha256 {entry['sha256']}, "
            f"actual {actual}{looks_like(data)}",
            folder / name,
        )
    return data


def _read(folder: Path, name: str, limit: int) -> bytes:
    """At most `limit` + 1 bytes of a regular file: its declared size bounds the memory taken."""
    path = folder / name
    if not path.is_file():  # also refuses a pipe, on which open() would wait for ever
        raise FileNotFoundError(
            f"{name} is missing in {folder}; a model folder holds {MANIFEST}, "
            f"{', '.join(REQUIRED)} and may hold {', '.join(OPTIONAL)}"
        )
    data = bytearray(limit + 1)
    filled = 0
    with open(path, "rb", buffering=0) as stream:
        while chunk := stream.readinto(memoryview(data)[filled:]):
            filled += chunk
    del data[filled:]
    return data


def _check_names(names: set, where: str) -> None:
    # An allow-list of plain names leaves no room for "../x", "/x", a symlinked folder or a pickle.
    unknown = sorted(names - set(REQUIRED) - set(OPTIONAL))
    if unknown:
        raise ValueError(
            f"{where} lists {unknown!r:.200}; a model folder holds only "
            f"{', '.join(REQUIRED + OPTIONAL)}"
        )
    missing = sorted(set(REQUIRED) - names)
    if missing:
        raise ValueError(f"{where} lacks {', '.join(missing)}")


def _check_entry(name: str, entry) -> None:
    if not isinstance(entry, dict) or set(entry) != {"sha256", "size"}:
        raise ValueError(f"{MANIFEST}: {name} must have sha256 and size. Received: {entry!r:.99}")
    digest, size = entry["sha256"], entry["size"]
    if not isinstance(digest, str) or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise ValueError(
            f"{MANIFEST}: sha256 of {name} must be 64 hex digits. Received: {digest!r:.99}"
        )
    if type(size) is not int or size < 0:
        raise ValueError(f"{MANIFEST}: size of {name} must be a whole number, not {size!r:.99}")


def _check_total(size: int, where: str) -> None:
    if size > MAX_FOLDER_BYTES:
        raise ValueError(
            f"{where}: the files have {size} bytes; a model folder may have {MAX_FOLDER_BYTES}"
        )
