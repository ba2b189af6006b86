"""A model hub on this machine as the hub's own client sees one: repositories that are listed and fetched whole."""

import hashlib
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.servers.serving import serving

COMMIT = "c0ffee" + "0" * 34

Repositories = Mapping[str, Mapping[str, bytes]]
"""Files by path, by name of the repository."""


@contextmanager
def snapshot_hub(repositories: Repositories) -> Generator[str, None, None]:
    """Serve until the context ends; gives the address."""
    http = _Http(("127.0.0.1", 0), _Handler)
    http.repositories = repositories
    with serving(http) as url:
        yield url


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    repositories: Repositories


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has above
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        assert isinstance(self.server, _Http)
        path = self.path.partition("?")[0]
        for name, files in self.server.repositories.items():
            if path.startswith(f"/api/models/{name}/revision/"):
                self._send(json.dumps({"id": name, "sha": COMMIT, "siblings": []}).encode())
                return
            if path.startswith(f"/api/models/{name}/tree/"):
                self._send(json.dumps([_row(path, content) for path, content in files.items()]).encode())
                return
            if path.startswith(f"/{name}/resolve/") and (found := files.get(path.split("/", 5)[5])) is not None:
                self._send(found)
                return
        self.send_response(404)
        self.send_header("x-error-code", "RepoNotFound")
        self.send_header("content-length", "0")
        self.end_headers()

    def _send(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("x-repo-commit", COMMIT)
        self.send_header("etag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)


def _row(path: str, content: bytes) -> dict[str, object]:
    return {"type": "file", "path": path, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
