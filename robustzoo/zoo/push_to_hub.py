"""Publish a model folder on the Hub."""

from pathlib import Path

from robustzoo.zoo.folder import MANIFEST, OPTIONAL, read_manifest
from robustzoo.zoo.verify import verify


def push_to_hub(
    folder: str | Path, repo_id: str, tag: str | None = None, private: bool = False
) -> str:
    """Uploads the files of a folder that verifies, as one commit; returns the commit's full sha.

    Args:
        folder: a model folder.
        repo_id: "org/name"; created if it is not there.
        tag: to give to that commit; one that exists already is not moved.
        private: of a repository that is created.

    The token is the client's own (HF_TOKEN or `hf auth login`). Raises what `verify` raises before
    the Hub is asked anything.
    """
    folder = Path(folder)
    verify(folder)
    from robustzoo.zoo.hub import client

    hub = client()
    hub.create_repo(repo_id, private=private, exist_ok=True)
    if tag in {ref.name for ref in hub.list_repo_refs(repo_id).tags}:
        raise ValueError(f"{repo_id} has a tag {tag!r} already, which is not moved; name another")
    commit = hub.upload_folder(
        repo_id=repo_id,
        folder_path=folder,
        allow_patterns=[*read_manifest(folder), MANIFEST],
        delete_patterns=list(OPTIONAL),  # a certificate of former weights, say
        commit_message=f"Upload {folder.resolve().name} with robustzoo",
    )
    if tag is not None:
        hub.create_tag(repo_id, tag=tag, revision=commit.oid)
    return commit.oid
