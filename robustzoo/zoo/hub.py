"""Model folders on the Hugging Face Hub, through its own client, and trusting neither.

The client compares sizes only and serves a damaged cache file in silence, so every file is hashed
on every load; one that differs is deleted from the cache and fetched once more. The client's
environment (HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE) is honoured.
"""

import contextlib
import dataclasses
import errno
import logging
import re
import time
import warnings
from pathlib import Path

from huggingface_hub import (
    HfApi,
    constants,
    hf_hub_download,
    hf_hub_url,
    parse_hf_uri,
    try_to_load_from_cache,
)

# HTTPError is the base of whatever the client's HTTP library raises.
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

import robustzoo
from robustzoo.zoo.folder import (
    MANIFEST,
    MAX_MANIFEST_BYTES,
    MismatchError,
    read_folder,
    read_manifest,
)
from robustzoo.zoo.registry import released_entry

LOG = logging.getLogger(__name__)
ORGANISATION = "robustzoo"
FULL_COMMIT = re.compile("[0-9a-f]{40}")
RETRY_SECONDS = 1.0
CACHE_TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


@dataclasses.dataclass(frozen=True)
class Source:
    """One revision of one repository, and the cache that it is kept in."""

    repo: str
    revision: str
    cache: Path
    offline: bool

    def __str__(self):
        return f"hf://{self.repo}@{self.revision}"


def client() -> HfApi:
    """The Hub's client, saying who calls."""
    return HfApi(**caller())


def caller() -> dict:
    """Arguments by which every call names this library."""
    return {"library_name": "robustzoo", "library_version": robustzoo.__version__}


def obtain_release(name, skip, revision, cache_dir, local_files_only):
    """(folder, {file: contents}) of a released name; arguments are those of `zoo.load`.

    Without `revision` it is the registered commit, and the registry vouches for the manifest.
    """
    entry = released_entry(name)
    pinned = None if revision else entry["manifest_sha256"]
    revision = revision or entry["revision"] or constants.DEFAULT_REVISION
    source = _source(f"{ORGANISATION}/{name}", revision, cache_dir, local_files_only)
    return _obtain(source, skip, pinned)


def obtain_uri(uri, skip, revision, cache_dir, local_files_only):
    """(folder, {file: contents}) of "hf://org/repo@revision"; warns unless a full commit is named.

    Raises ValueError if the address is malformed or names two revisions.
    """
    parsed = parse_hf_uri(uri)
    if parsed.type != "model" or parsed.path_in_repo:
        raise ValueError(f"must be hf://org/repo or hf://org/repo@revision. Received: {uri}")
    if revision and parsed.revision:
        raise ValueError(f"{uri} names a revision already. Received: revision={revision!r}")
    revision = revision or parsed.revision or constants.DEFAULT_REVISION
    source = _source(parsed.id, revision, cache_dir, local_files_only)
    return _obtain(source, skip, None)


def _source(repo, revision, cache_dir, local_files_only):
    cache = Path(cache_dir or constants.HF_HUB_CACHE).expanduser().resolve()
    return Source(repo, revision, cache, local_files_only or constants.is_offline_mode())


def _obtain(source, skip, manifest_sha256):
    refetched = set()
    while True:
        try:
            folder = _fetch(source, skip, manifest_sha256)
            return folder, read_folder(folder, manifest_sha256, skip, unlisted=True)
        except MismatchError as error:
            if source.offline:
                raise MismatchError(f"{error}; go online to fetch it again", error.path) from None
            if error.path in refetched:
                raise MismatchError(f"{error} (fetched twice from {source})", error.path) from None
            LOG.warning("%s; fetching it again", error)
            # Where no registry vouches for the manifest, it may itself be what is damaged.
            for path in (error.path, error.path.with_name(MANIFEST)):
                _discard(path, source)
                refetched.add(path)


def _fetch(source, skip, manifest_sha256) -> Path:
    """The snapshot folder in the cache with manifest and all files it lists, not yet verified."""
    folder = _fetch_manifest(source, warn=manifest_sha256 is None)
    manifest = read_manifest(folder, manifest_sha256)
    for file, entry in manifest.items():
        if file in skip or (folder / file).is_file():
            continue
        if source.offline:
            raise _offline(source, file)
        # Asked before the download: what is said to have another size is not fetched. A server that
        # then sends more fills the disk all the same; `read_folder` refuses what it sent.
        size = _head(source, folder.name, file).size
        if size != entry["size"]:
            raise MismatchError(
                f"{file} at {source} has the wrong size: expected {entry['size']} bytes, "
                f"actual {size}",
                folder / file,
            )
        _download(source, folder.name, file)
    return folder


def _fetch_manifest(source, warn) -> Path:
    """The snapshot folder that holds manifest.json, named after its full commit."""
    pinned = FULL_COMMIT.fullmatch(source.revision)
    cached = try_to_load_from_cache(
        source.repo, MANIFEST, cache_dir=source.cache, revision=source.revision
    )
    cached = Path(cached).parent if isinstance(cached, str) else None
    if cached and (pinned or source.offline):
        if warn and not pinned:
            _warn_unpinned(source, f"was {cached.name} when it was fetched", cached.name)
        return cached
    if source.offline:
        raise _offline(source, MANIFEST)
    try:
        metadata = _head(source, source.revision, MANIFEST)
    except ConnectionError as error:
        if cached is None:
            raise
        warnings.warn(f"{error}; using the cached commit {cached.name}", stacklevel=2)
        return cached
    if metadata.size > MAX_MANIFEST_BYTES:
        raise ValueError(
            f"{MANIFEST} at {source} has {metadata.size} bytes: more than {MAX_MANIFEST_BYTES}"
        )
    commit = metadata.commit_hash
    if pinned and commit != source.revision:
        raise ValueError(f"asked for {source}, but {constants.ENDPOINT} answered with {commit}")
    if warn and not pinned:
        moved = f", and was {cached.name} before" if cached and cached.name != commit else ""
        _warn_unpinned(source, f"is {commit} now{moved}", commit)
    return _download(source, source.revision, MANIFEST).parent


def _warn_unpinned(source, what, commit):
    warnings.warn(
        f"{source} is not pinned: {source.revision} {what}; write hf://{source.repo}@{commit}",
        stacklevel=3,
    )


def _offline(source, file):
    return FileNotFoundError(
        f"{file} of {source} is not in the cache {source.cache}, and asking the Hub is switched "
        "off (local_files_only or HF_HUB_OFFLINE)"
    )


def _head(source, revision, file):
    """Size and commit of a file, with one retry if the server is in trouble.

    A request of our own: the client's would retry a refused connection for 23 seconds.
    """
    url = hf_hub_url(source.repo, file, revision=revision)
    LOG.info("asking %s", url)
    with _explained(source, file):
        try:
            metadata = client().get_hf_file_metadata(url=url)
        except HfHubHTTPError as error:
            if error.response.status_code < 500:
                raise
            LOG.warning("%s answered %s, trying again", url, error.response.status_code)
            time.sleep(RETRY_SECONDS)
            metadata = client().get_hf_file_metadata(url=url)
    if metadata.size is None or not FULL_COMMIT.fullmatch(metadata.commit_hash or ""):
        raise ConnectionError(
            f"the answer from {url} is not a Hub's: it names no commit or no size (is there a "
            "proxy with a login page in between?)"
        )
    return metadata


def _download(source, revision, file) -> Path:
    with _explained(source, file):
        path = hf_hub_download(
            source.repo, file, revision=revision, cache_dir=source.cache, **caller()
        )
    return Path(path)


def _discard(path, source):
    """Deletes a file from the cache: the snapshot's link and the blob that it points to."""
    for target in (path.resolve(), path):
        if target.is_relative_to(source.cache):  # a link may lead anywhere
            with _explained(source, path.name):
                target.unlink(missing_ok=True)


@contextlib.contextmanager
def _explained(source, file):
    """Turns the client's errors into ones that say what to do; all are OSErrors."""
    try:
        yield
    except GatedRepoError as error:
        raise PermissionError(
            f"{source.repo} is gated: ask for access on {constants.ENDPOINT} and set HF_TOKEN"
        ) from error
    except RepositoryNotFoundError as error:
        raise FileNotFoundError(
            f"there is no repository {source.repo} on {constants.ENDPOINT} (deleted, not published "
            "yet, or private: then set HF_TOKEN)"
        ) from error
    except RevisionNotFoundError as error:
        raise FileNotFoundError(
            f"{source.repo} on {constants.ENDPOINT} has no branch, tag or commit "
            f"{source.revision!r}"
        ) from error
    except RemoteEntryNotFoundError as error:
        raise FileNotFoundError(f"{source} has no {file}, so it is no model folder") from error
    except HFValidationError as error:
        raise ValueError(f"{source} is not a valid address: {error}") from error
    except HfHubHTTPError as error:
        raise ConnectionError(
            f"{constants.ENDPOINT} answered {error.response.status_code} when asked for {file} of "
            f"{source}"
        ) from error
    except (HTTPError, LocalEntryNotFoundError) as error:
        raise ConnectionError(
            f"cannot reach {constants.ENDPOINT} for {file} of {source}: {error}"
        ) from error
    except OSError as error:
        if error.errno in CACHE_TROUBLE:
            raise OSError(
                error.errno,
                f"cannot write {file} of {source} to the cache {source.cache}: {error.strerror}; "
                "choose another by cache_dir or HF_HUB_CACHE",
            ) from error
        raise ConnectionError(f"fetching {file} of {source} failed: {error}") from error
