"""Whether a fetched file is the one that was meant."""

from __future__ import annotations

import hashlib
from pathlib import Path

from longdoc.errors import EngineUnavailableError

WEIGHT_FILES = (".safetensors", ".bin")
_DESCRIPTIONS = (".json", ".txt", ".model", ".jinja")
_HEAD_BYTES = 16_000_000
_TAIL_BYTES = 1_000_000


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


def ends_sha256(path: Path) -> str:
    """The SHA-256 of a file's first 16 MB and last 1 MB, as hexadecimal digits; with the size it names weights.

    Reading all of a file of many gigabytes would hold up every start for minutes. The beginning has what the makers
    say of the model, its tokenizer and its first weights, the end has its last weights: models that differ, differ
    there, in their size or in their name. Who changes weights in the middle only must give the file another name.
    """
    with path.open("rb") as file:
        digest = hashlib.sha256(file.read(_HEAD_BYTES))
        file.seek(max(file.tell(), path.stat().st_size - _TAIL_BYTES))
        digest.update(file.read(_TAIL_BYTES))
    return digest.hexdigest()


def folder_identity(folder: Path) -> str:
    """Name, bytes of weights, and a checksum of what describes the model and of both ends of its weights."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in {*WEIGHT_FILES, *_DESCRIPTIONS})
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.relative_to(folder).as_posix()}:{path.stat().st_size}:".encode())
        digest.update(ends_sha256(path).encode())
    size = sum(path.stat().st_size for path in paths if path.suffix in WEIGHT_FILES)
    return f"{folder.name}:{size}:{digest.hexdigest()[:16]}"
