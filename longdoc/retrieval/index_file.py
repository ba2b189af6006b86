"""The file of an index: a payload, then a stamp that tells what it is for, whole or not there at all.

Layout: payload, the stamp as JSON, its length (8 bytes, big-endian), 8 bytes of magic. What the payload means is the
caller's business; it is read only when the stamp fits and the checksum is right.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, ValidationError

from longdoc.errors import IndexUnusableError, StorageError

_MAGIC = b"LDINDEX1"
_TAIL_BYTES = 8 + len(_MAGIC)
_MOST_STAMP_BYTES = 65_536
_BLOCK_BYTES = 1 << 20


class IndexStamp(BaseModel):
    """What an index was made for, and how far in the record it is; `sha256` is of payload and other fields.

    `record` is a digest of what the record held up to the watermark: two records may have come equally far.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    identity: str
    dimensions: int
    watermark: int
    kind: str
    record: str = ""
    payload_bytes: int = 0
    sha256: str = ""


def write_index_file(path: Path, stamp: IndexStamp, write_payload: Callable[[Path], None]) -> None:
    """Write a payload and its stamp under `path` in one step; `write_payload` gets the path of a temporary file.

    What was written of it is taken away where that fails. Raises `StorageError` where the folder cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock")), _removed_on_failure(part):
            write_payload(part)
            with part.open("r+b") as file:
                _append_stamp(file, stamp)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            _sync_folder(path.parent)
    except OSError as error:
        raise unwritable(path, error.strerror or str(error)) from error


def unwritable(path: Path, reason: str) -> StorageError:
    """An index that cannot be written, with what to do."""
    return StorageError(
        f"cannot write the index {path}: {reason}; make room there, or let indexes lie elsewhere (LDA_INDEXES_DIR)"
    )


def read_stamp(path: Path) -> IndexStamp:
    """The stamp alone, which is quick; the payload is not looked at. Raises `IndexUnusableError`."""
    try:
        with path.open("rb") as file:
            return _read_stamp(file, path)
    except FileNotFoundError as error:
        raise IndexUnusableError(str(path), "is not there") from error
    except OSError as error:
        raise IndexUnusableError(str(path), f"cannot be read ({error.strerror or error})") from error


def verify_index_file(path: Path, *, identity: str, dimensions: int) -> IndexStamp:
    """The stamp of a file whose payload is whole and was made for this. Raises `IndexUnusableError`."""
    stamp = read_stamp(path)
    if (stamp.identity, stamp.dimensions) != (identity, dimensions):
        raise IndexUnusableError(
            str(path),
            f"was made with {stamp.identity} ({stamp.dimensions} dimensions), not {identity} ({dimensions})",
        )
    try:
        with path.open("rb") as file:
            found = _sha256(file, stamp)
    except OSError as error:
        raise IndexUnusableError(str(path), f"cannot be read ({error.strerror or error})") from error
    if found != stamp.sha256:
        raise IndexUnusableError(str(path), "is damaged (its checksum is wrong)")
    return stamp


def verify_same(path: Path, stamp: IndexStamp) -> None:
    """That the file is still the one which was verified. Raises `IndexUnusableError`."""
    if read_stamp(path) != stamp:
        raise IndexUnusableError(str(path), "was replaced while it was read")


@contextmanager
def _removed_on_failure(part: Path) -> Generator[None]:
    """A part stays only where all goes well: on a full disk it would keep the disk full."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def _append_stamp(file: BinaryIO, stamp: IndexStamp) -> None:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    sized = stamp.model_copy(update={"payload_bytes": size})
    text = sized.model_copy(update={"sha256": _sha256(file, sized)}).model_dump_json().encode()
    file.seek(0, os.SEEK_END)
    file.write(text + len(text).to_bytes(8, "big") + _MAGIC)


def _read_stamp(file: BinaryIO, path: Path) -> IndexStamp:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL_BYTES))
    tail = file.read(_TAIL_BYTES)
    length = int.from_bytes(tail[:8], "big")
    if len(tail) < _TAIL_BYTES or tail[8:] != _MAGIC or length > min(_MOST_STAMP_BYTES, size - _TAIL_BYTES):
        raise IndexUnusableError(str(path), "is damaged or cut off (it has no stamp at its end)")
    file.seek(size - _TAIL_BYTES - length)
    try:
        stamp = IndexStamp.model_validate_json(file.read(length))
    except ValidationError as error:
        raise IndexUnusableError(str(path), "is damaged, or of another version (its stamp cannot be read)") from error
    if stamp.payload_bytes != size - _TAIL_BYTES - length:
        raise IndexUnusableError(str(path), "is damaged (its length is wrong)")
    return stamp


def _sha256(file: BinaryIO, stamp: IndexStamp) -> str:
    digest = hashlib.sha256(stamp.model_dump_json(exclude={"sha256"}).encode())
    left = stamp.payload_bytes
    while left > 0 and (block := file.read(min(left, _BLOCK_BYTES))):
        digest.update(block)
        left -= len(block)
    return digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # only POSIX systems can sync folders
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
