"""Whether a fetched file is the one that was meant."""

from __future__ import annotations

import hashlib
from pathlib import Path

from longdoc.errors import EngineUnavailableError


def verify_file(path: Path, *, size: int | None, sha256: str | None) -> None:
    """Raise `EngineUnavailableError` unless the file has this size (bytes) and checksum; None is not checked."""
    found = path.stat().st_size
    if size is not None and found != size:
        raise EngineUnavailableError(f"{path.name} has {found} bytes instead of {size}")
    if sha256 is not None and file_sha256(path) != sha256:
        raise EngineUnavailableError(f"{path.name} has another checksum than expected; the source is not to be trusted")


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
