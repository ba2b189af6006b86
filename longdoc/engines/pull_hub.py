"""Model files from a hub that speaks as huggingface.co does: resumable downloads over HTTPS."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from longdoc.engines.catalogue import HubSource, ModelEntry, ModelFile
from longdoc.engines.checksums import verify_file
from longdoc.errors import EngineError, EngineUnavailableError, ModelNotFoundError

_TIMEOUT = httpx.Timeout(30.0, connect=4.0)
_BREAKS = 5
_PARTIAL_CONTENT = 206
_RANGE_NOT_SATISFIABLE = 416
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FULL_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")


@dataclass(frozen=True, slots=True)
class _Expected:
    """What a file must be, by the catalogue or else by the hub's own word."""

    size: int | None
    sha256: str | None


def fetch_from_hub(
    source: HubSource,
    entry: ModelEntry,
    folder: Path,
    *,
    progress: Callable[[int, int | None], None],
    hub_url: str,
) -> None:
    """Bring the entry's files into `folder`, going on with what is there. Raises `EngineError`."""
    done_before = 0
    with httpx.Client(timeout=_TIMEOUT, follow_redirects=True) as client:
        for file in entry.files:
            url = f"{hub_url.rstrip('/')}/{source.repository}/resolve/{source.revision}/{file.path}"
            total = entry.size if len(entry.files) > 1 else None
            done_before += _Download(
                client, url, file, folder, progress=progress, done_before=done_before, total=total
            ).run()


class _Download:
    """One file: goes on after broken connections, and starts anew once when what was there does not check."""

    def __init__(
        self,
        client: httpx.Client,
        url: str,
        file: ModelFile,
        folder: Path,
        *,
        progress: Callable[[int, int | None], None],
        done_before: int,
        total: int | None,
    ) -> None:
        self._client = client
        self._url = url
        self._file = file
        self._target = folder / file.path
        self._part = folder / f"{file.path}.part"
        self._progress = progress
        self._done_before = done_before
        self._total = total

    def run(self) -> int:
        """Fetch the file; returns its size in bytes."""
        if not self._target.exists():
            self._part.parent.mkdir(parents=True, exist_ok=True)
            continued = self._part.exists()
            try:
                self._fetch_and_verify()
            except _CorruptError:
                if not continued:
                    raise
                self._fetch_and_verify()
        return self._target.stat().st_size

    def _fetch_and_verify(self) -> None:
        expected = self._fetch_through_breaks()
        try:
            verify_file(self._part, size=expected.size, sha256=expected.sha256)
        except EngineUnavailableError as error:
            self._part.unlink()
            raise _CorruptError(f"hub: {error}") from error
        self._part.rename(self._target)

    def _fetch_through_breaks(self) -> _Expected:
        breaks = 0
        while True:
            before = self._size()
            try:
                return self._fetch_rest(before)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                breaks += 1
                if self._size() == before or breaks > _BREAKS:
                    raise EngineUnavailableError(f"hub: cannot fetch {self._url} ({type(error).__name__})") from error

    def _fetch_rest(self, start: int) -> _Expected:
        headers = {"accept-encoding": "identity"} | ({"range": f"bytes={start}-"} if start else {})
        with self._client.stream("GET", self._url, headers=headers) as response:
            expected = self._expected(response)
            if response.status_code == _RANGE_NOT_SATISFIABLE:
                return expected  # all of it is there, or what is there is not it: the check tells
            if not response.is_success:
                raise _refused(response, self._url)
            resumed = response.status_code == _PARTIAL_CONTENT
            self._write(response, start if resumed else 0, expected.size)
            return expected

    def _write(self, response: httpx.Response, start: int, size: int | None) -> None:
        done = start
        with self._part.open("r+b" if start else "wb") as part:
            part.seek(start)
            for piece in response.iter_bytes():
                part.write(piece)
                done += len(piece)
                self._progress(self._done_before + done, self._total or size)

    def _expected(self, response: httpx.Response) -> _Expected:
        told = [*(step.headers for step in response.history), response.headers]
        tags = [headers.get("x-linked-etag", "").strip('"') for headers in told]
        tag = next((tag for tag in tags if _SHA256.fullmatch(tag)), None)
        size = next((int(headers["x-linked-size"]) for headers in told if "x-linked-size" in headers), None)
        return _Expected(self._file.size or size or _length(response.headers), self._file.sha256 or tag)

    def _size(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0


class _CorruptError(EngineUnavailableError):
    """The bytes are not those that were meant."""


def _length(headers: Mapping[str, str]) -> int | None:
    whole = _FULL_RANGE.fullmatch(headers.get("content-range", ""))
    if whole:
        return int(whole.group(2))
    return None if "content-range" in headers or "content-length" not in headers else int(headers["content-length"])


def _refused(response: httpx.Response, url: str) -> EngineError:
    if response.status_code in {401, 403, 404}:
        return ModelNotFoundError(f"hub: {url} is not there, or not for everyone (HTTP {response.status_code})")
    return EngineUnavailableError(f"hub: {url} answers HTTP {response.status_code}")
