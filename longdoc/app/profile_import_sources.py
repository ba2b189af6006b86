"""Where items of users come from: a file, a folder of documents, a session of `lda chat`; each read a batch at a time.

Owns which reader a file gets, and how much is held at once.
"""

from __future__ import annotations

import asyncio
import codecs
import os
import stat
import sys
from collections.abc import AsyncGenerator, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from longdoc.app.bootstrap import Records
from longdoc.app.profile_import_entries import Entry, ItemEntry, Owner, fitting_key
from longdoc.app.profile_import_files import Bad, CountedFile, read_csv, read_jsonl, read_lamp
from longdoc.documents.readers import read_document
from longdoc.errors import ConfigError, DocumentError, NotFoundError
from longdoc.storage.memory_types import Memory, MemoryKind, NamespaceName
from longdoc.storage.profile_rows import check_name
from longdoc.storage.profile_types import NewItem

AT_ONCE: Final = 1_000
"""Entries of a batch."""
_MOST_CHARACTERS = 8_000_000
"""Of a batch: one of long texts has fewer entries."""
_FOLDER_TASK, _CHAT_TASK = "rewrite", "answer"
_BOM = codecs.BOM_UTF8
_STANDARD_INPUT = "-"
_SNIFFED = 1024


class ImportFormat(StrEnum):
    """What is read."""

    AUTO = "auto"
    LAMP = "lamp"
    JSONL = "jsonl"
    CSV = "csv"
    FOLDER = "folder"
    CHAT = "chat"


_READERS = {ImportFormat.LAMP: read_lamp, ImportFormat.JSONL: read_jsonl, ImportFormat.CSV: read_csv}


class ImportSource(Protocol):
    """Something that items come from; `done` of `total` bytes (or files, or messages) are read, None: not known."""

    @property
    def done(self) -> int:
        """How much of it is read."""
        ...

    @property
    def total(self) -> int | None:
        """How much there is."""
        ...

    def batches(self, bad: Bad) -> AsyncGenerator[list[Entry], None]:
        """Its entries in order, some at a time; `bad` is told of what cannot be used.

        Raises `ConfigError` where it cannot be read on, and what `bad` raises.
        """
        ...


class FileSource:
    """A file, or a stream; `total` is its size in bytes."""

    def __init__(self, file: BinaryIO, form: ImportFormat, owner: Owner, *, total: int | None) -> None:
        self._file = CountedFile(file)
        self._read = _READERS[form]
        self._owner = owner
        self.total = total

    @property
    def done(self) -> int:
        """See `ImportSource`."""
        return self._file.done

    def batches(self, bad: Bad) -> AsyncGenerator[list[Entry], None]:
        """See `ImportSource`."""
        return _in_batches(self._read(self._file, self._owner, bad))


class FolderSource:
    """Documents in a folder, each an item of one user, for `rewrite` where no task is named. Raises `ConfigError`."""

    def __init__(self, root: Path, files: Sequence[Path], owner: Owner) -> None:
        if owner.user is None:
            raise ConfigError("whose documents are these? Add --user NAME")
        check_name(owner.user, "a user")
        self._root = root
        self._files = files
        self._user = owner.user
        self._task = owner.task or _FOLDER_TASK
        self.done = 0
        self.total = len(files)

    def batches(self, bad: Bad) -> AsyncGenerator[list[Entry], None]:
        """See `ImportSource`."""
        return _in_batches(self._entries(bad))

    def _entries(self, bad: Bad) -> Iterator[Entry]:
        for file in self._files:
            self.done += 1
            name = file.relative_to(self._root).as_posix()
            try:
                text = read_document(file).text
            except DocumentError as error:
                bad(f"{name}: {error.reason}")
                continue
            # A day's fraction of a second is nothing that a copy of a file keeps.
            at = datetime.fromtimestamp(int(file.stat().st_mtime), UTC)
            yield ItemEntry(self._user, NewItem(self._task, fitting_key(name), text, None, at, name))


class ChatSource:
    """What a user said in a session of `lda chat`, each message an item, for `answer` where no task is named.

    What is erased from the session later stays an item, until it is forgotten as one.
    """

    def __init__(self, records: Records, name: NamespaceName, owner: Owner) -> None:
        check_name(owner.user or name.user, "a user")
        self._records = records
        self._name = name
        self._user = owner.user or name.user
        self._task = owner.task or _CHAT_TASK
        self.done = 0
        self.total: int | None = None

    async def batches(self, bad: Bad) -> AsyncGenerator[list[Entry], None]:
        """See `ImportSource`. Raises `NotFoundError`."""
        found = await self._records.memories.find(self._name)
        if found is None:
            raise NotFoundError(f"there are no memories of {self._name}; 'lda memory list' shows whose there are")
        self.total = found.memories
        while page := await self._records.memories.after(found.id, self.done, AT_ONCE):
            self.done = page[-1].number
            yield [self._entry(memory) for memory in page if _said(memory)]

    def _entry(self, memory: Memory) -> Entry:
        place = f"{self._name.agent}/{self._name.session}/{memory.number}"
        return ItemEntry(
            self._user, NewItem(self._task, fitting_key(place), memory.observation, None, memory.at, f"chat {place}")
        )


@contextmanager
def open_file(path: str, form: ImportFormat, owner: Owner) -> Generator[FileSource, None, None]:
    """A file as a source, or standard input (`-`), for as long as the context lasts. Raises `ConfigError`."""
    with _stream(path) as file:
        if form is ImportFormat.AUTO:
            form = _detected(Path(path), file.peek(_SNIFFED))
        if form not in _READERS:
            raise ConfigError(f"{path} is a file; --format {form} reads none")
        status = os.fstat(file.fileno())
        yield FileSource(file, form, owner, total=status.st_size if stat.S_ISREG(status.st_mode) else None)


@contextmanager
def _stream(path: str) -> Generator[BufferedReader, None, None]:
    try:
        # Standard input is duplicated, so that it is read through a buffer of its own, and stays open.
        file = os.fdopen(os.dup(sys.stdin.fileno()), "rb") if path == _STANDARD_INPUT else Path(path).open("rb")  # noqa: SIM115 - the next statement
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no file can have such a name"
        raise ConfigError(f"{path!r} cannot be read: {reason}; name another file") from error
    with file:
        yield file


def _detected(path: Path, beginning: bytes) -> ImportFormat:
    """What a file holds, by its name, and by how it begins. Raises `ConfigError` where that does not tell."""
    first = beginning.removeprefix(_BOM).lstrip()[:1]
    if path.suffix.lower() == ".csv":
        return ImportFormat.CSV
    if first == b"[":
        return ImportFormat.LAMP
    if first == b"{" or path.suffix.lower() in {".jsonl", ".ndjson"}:
        return ImportFormat.JSONL
    raise ConfigError(f"{path} does not tell what it is; add --format lamp, jsonl or csv")


def _said(memory: Memory) -> bool:
    """Whether a user said it, and it can be recalled."""
    lasting = memory.expires_at is None or memory.expires_at > datetime.now(UTC)
    of_turn = memory.kind is MemoryKind.TURN and memory.status.remembered
    return of_turn and lasting and bool(memory.observation.strip())


async def _in_batches(entries: Iterator[Entry]) -> AsyncGenerator[list[Entry], None]:
    while batch := await asyncio.to_thread(_take, entries):
        yield batch


def _take(entries: Iterator[Entry]) -> list[Entry]:
    batch: list[Entry] = []
    characters = 0
    for entry in entries:
        batch.append(entry)
        characters += entry.size
        if len(batch) >= AT_ONCE or characters >= _MOST_CHARACTERS:
            break
    return batch
