"""A model hub on this machine: serves files with ranges and checksums, and breaks off as told."""

import contextlib
import hashlib
import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.servers.serving import serving


@dataclass
class Hub:
    """A running hub. `files` by path; `breaks` are lengths after which the next answers break off."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    breaks: list[int] = field(default_factory=list[int])
    told_checksums: bool = True
    takes_ranges: bool = True
    status: int = 200
    ranges: list[str] = field(default_factory=list[str])


@contextmanager
def model_hub() -> Generator[Hub, None, None]:
    """Serve until the context ends."""
    http = _Http(("127.0.0.1", 0), _Handler)
    http.hub = Hub(f"http://127.0.0.1:{http.server_address[1]}")
    with serving(http):
        yield http.hub


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    hub: Hub


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has above
        """Say nothing."""

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # the client left
            super().handle()

    def do_GET(self) -> None:
        assert isinstance(self.server, _Http)
        hub = self.server.hub
        redirected = self.path.startswith("/cdn/")
        content = hub.files.get(self.path.removeprefix("/cdn"))
        if content is None or hub.status != 200:
            self.send_error(hub.status if hub.status != 200 else 404)
        elif not redirected:
            self._redirect(content, hub)
        else:
            self._send(content, hub)

    def _redirect(self, content: bytes, hub: Hub) -> None:
        self.send_response(302)
        self.send_header("location", f"/cdn{self.path}")
        if hub.told_checksums:
            self.send_header("x-linked-etag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("x-linked-size", str(len(content)))
        self.send_header("content-length", "0")
        self.end_headers()

    def _send(self, content: bytes, hub: Hub) -> None:
        asked = self.headers.get("range", "")
        hub.ranges.append(asked)
        start = int(match[1]) if hub.takes_ranges and (match := re.match(r"bytes=(\d+)-", asked)) else 0
        if start >= len(content) and asked:
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("content-range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("content-length", str(len(content) - start))
        self.end_headers()
        rest = content[start:]
        self.wfile.write(rest[: hub.breaks.pop(0)] if hub.breaks else rest)
