"""A Hub on loopback, of the standard library, for the real client; faults are played on demand.

    with HubServer() as hub:
        hub.endpoint                     # "http://127.0.0.1:port"
        hub.bodies["model.safetensors"] = b"..."  # what GET sends instead, headers unchanged

Repositories are commits {sha: {file: bytes}} with branches and tags that point to one. Files that
end in .safetensors go through LFS, as on the Hub.
"""

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from huggingface_hub import constants


class Repository:
    """Commits, newest last, and what branches and tags point to."""

    def __init__(self, private=False):
        self.private = private
        self.commits, self.branches, self.tags = {}, {}, {}
        self.commit({".gitattributes": b"*.safetensors filter=lfs\n"})

    def commit(self, files):
        sha = hashlib.sha1(f"{len(self.commits)}{sorted(files)}".encode()).hexdigest()
        self.commits[sha] = files
        self.branches["main"] = sha
        return sha

    def resolve(self, revision):
        if revision in self.commits:
            return revision
        return self.branches.get(revision) or self.tags.get(revision)


class HubServer(ThreadingHTTPServer):
    """Serves from a thread; everything in it may be changed by a test while it runs."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories: dict[str, Repository] = {}
        self.lfs: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.bodies: dict[str, bytes] = {}  # file -> what GET sends in place of its content
        self.sizes: dict[str, int] = {}  # file -> size that is claimed
        self.statuses: list[
            int | None
        ] = []  # of the next answers, the last for ever; None is normal
        self.page: bytes | None = None  # an HTML page that answers every request

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.requests.append(f"{self.command} {self.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.server.statuses:
            statuses = self.server.statuses
            status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
            if status is not None:
                return self.send(status)
        if self.server.page is not None:
            return self.send(200, self.server.page, {"Content-Type": "text/html"})
        path = unquote(urlsplit(self.path).path)
        for method, pattern, handle in ROUTES:
            match = re.fullmatch(pattern, path)
            if match and self.command in method:
                return handle(self, body, **match.groupdict())
        self.send(404)

    do_HEAD = do_POST = do_PUT = do_GET

    def log_message(self, *_):
        pass

    def send(self, status, content=b"", headers=()):
        if not isinstance(content, bytes):
            content = json.dumps(content).encode()
        headers = {"Content-Length": len(content), **dict(headers)}
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def error(self, status, code):
        self.send(status, {"error": code}, {"X-Error-Code": code, "X-Error-Message": code})

    def find(self, repo, revision):
        """(repository, sha), or (None, None) after the Hub's error for what is missing."""
        repository = self.server.repositories.get(repo)
        if repository is None:
            self.error(404, "RepoNotFound")
        elif repository.resolve(revision) is None:
            self.error(404, "RevisionNotFound")
        else:
            return repository, repository.resolve(revision)
        return None, None

    def resolve(self, _, repo, revision, file):
        repository, sha = self.find(repo, revision)
        if repository is None:
            return
        if file not in repository.commits[sha]:
            return self.error(404, "EntryNotFound")
        content = repository.commits[sha][file]
        size = self.server.sizes.get(file, len(content))
        headers = {"X-Repo-Commit": sha, "ETag": f'"{etag(file, content)}"'}
        if self.command == "HEAD":
            return self.send(200, b"", {**headers, "Content-Length": size})
        content = self.server.bodies.get(file, content)
        self.send(200, content, headers)

    def create(self, body):
        request = json.loads(body)
        repo = f"{request['organization']}/{request['name']}"
        if repo in self.server.repositories:
            return self.send(409, {"error": "exists", "url": f"{self.server.endpoint}/{repo}"})
        self.server.repositories[repo] = Repository(request.get("visibility") == "private")
        self.send(200, {"url": f"{self.server.endpoint}/{repo}", "id": repo})

    def validate_yaml(self, _):
        self.send(200, {"errors": [], "warnings": []})

    def preupload(self, body, repo, revision):
        modes = [
            {"path": f["path"], "uploadMode": mode(f["path"]), "shouldIgnore": False, "oid": None}
            for f in json.loads(body)["files"]
        ]
        self.send(200, {"files": modes})

    def lfs_batch(self, body, repo):
        objects = [
            {**o, "actions": {"upload": {"href": f"{self.server.endpoint}/lfs/{o['oid']}"}}}
            for o in json.loads(body)["objects"]
        ]
        self.send(200, {"transfer": "basic", "objects": objects})

    def lfs_put(self, body, oid):
        if hashlib.sha256(body).hexdigest() != oid:
            return self.send(400)
        self.server.lfs[oid] = body
        self.send(200)

    def commit(self, body, repo, revision):
        repository, sha = self.find(repo, revision)
        if repository is None:
            return
        files = dict(repository.commits[sha])
        for line in body.splitlines():
            key, value = (entry := json.loads(line))["key"], entry["value"]
            if key == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif key == "lfsFile":
                files[value["path"]] = self.server.lfs[value["oid"]]
            elif key == "deletedFile":
                del files[value["path"]]
        oid = repository.commit(files)
        url = f"{self.server.endpoint}/{repo}/commit/{oid}"
        self.send(200, {"success": True, "commitOid": oid, "commitUrl": url})

    def tag(self, body, repo, revision):
        repository, sha = self.find(repo, revision)
        if repository is None:
            return
        name = json.loads(body)["tag"]
        if name in repository.tags:
            return self.send(409, {"error": "exists"})
        repository.tags[name] = sha
        self.send(200, {})

    def refs(self, _, repo):
        repository, _ = self.find(repo, "main")
        if repository is None:
            return
        kinds = {"branches": repository.branches, "tags": repository.tags}
        listed = {
            kind: [{"name": n, "ref": f"refs/{n}", "targetCommit": sha} for n, sha in refs.items()]
            for kind, refs in kinds.items()
        }
        self.send(200, {**listed, "converts": []})

    def model(self, _, repo, revision="main"):
        repository, sha = self.find(repo, revision)
        if repository is None:
            return
        siblings = [{"rfilename": file} for file in repository.commits[sha]]
        self.send(200, {"id": repo, "sha": sha, "private": False, "siblings": siblings, "tags": []})

    def tree(self, _, repo, revision):
        repository, sha = self.find(repo, revision)
        if repository is None:
            return
        files = repository.commits[sha].items()
        listed = [{"type": "file", "path": f, "size": len(c), "oid": etag(f, c)} for f, c in files]
        self.send(200, listed)


def mode(file):
    return "lfs" if file.endswith(".safetensors") else "regular"


def etag(file, content):
    """sha256 of a file in LFS, git's blob hash of any other, as the Hub has it."""
    if mode(file) == "lfs":
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


REPO, REVISION = r"(?P<repo>[^/]+/[^/]+)", r"(?P<revision>[^/]+)"
ROUTES = [
    (("HEAD", "GET"), rf"/{REPO}/resolve/{REVISION}/(?P<file>.+)", Handler.resolve),
    (("POST",), "/api/repos/create", Handler.create),
    (("POST",), "/api/validate-yaml", Handler.validate_yaml),
    (("POST",), f"/api/models/{REPO}/preupload/{REVISION}", Handler.preupload),
    (("POST",), rf"/{REPO}\.git/info/lfs/objects/batch", Handler.lfs_batch),
    (("PUT",), "/lfs/(?P<oid>[0-9a-f]{64})", Handler.lfs_put),
    (("POST",), f"/api/models/{REPO}/commit/{REVISION}", Handler.commit),
    (("POST",), f"/api/models/{REPO}/tag/{REVISION}", Handler.tag),
    (("GET",), f"/api/models/{REPO}/refs", Handler.refs),
    (("GET",), f"/api/models/{REPO}/tree/{REVISION}", Handler.tree),
    (("GET",), f"/api/models/{REPO}/revision/{REVISION}", Handler.model),
    (("GET",), f"/api/models/{REPO}", Handler.model),
]


def point_client(monkeypatch, endpoint):
    """What HF_ENDPOINT would do, had it been set before the client was imported."""
    template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
