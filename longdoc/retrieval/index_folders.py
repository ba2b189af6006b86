"""The folders of the indexes of one record: what they are called, and which of them are not needed any more.

What is in a folder is `index_files.py`'s. Each can be deleted at any time, so all that must hold is that nobody is at
work in it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from longdoc.errors import StorageError
from longdoc.retrieval.index_lock import if_nobody_is_in

KEPT: Final = 20
"""So many indexes of given documents are kept however long they are not used."""
KEPT_SECONDS: Final = 30 * 24 * 3600.0

_COLLECTION, _DOCUMENTS = "collection-", "documents-"
_KEY_LENGTH = 32


class IndexFolders:
    """The folders in `root`, which holds those of this record alone."""

    def __init__(self, root: Path, *, now: Callable[[], float] = time.time) -> None:
        self._root = root
        self._now = now

    def of_collection(self, name: str, created_at: datetime) -> Path:
        """The folder of a collection, which no other one ever has, were it of the same name."""
        return self._root / f"{_COLLECTION}{_key(name, created_at.isoformat())}"

    def of_documents(self, ids: Sequence[str]) -> Path:
        """The folder of given documents."""
        return self._root / f"{_DOCUMENTS}{_key(*ids)}"

    async def touch(self, folder: Path) -> None:
        """Note that a folder is used, if it is there: its time of change tells when it was used last."""
        with suppress(OSError):
            now = self._now()
            await asyncio.to_thread(os.utime, folder, (now, now))

    async def remove(self, folder: Path) -> None:
        """Remove a folder; whoever asks is alone in it."""
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def prune(self, collections: Callable[[], Awaitable[Collection[Path]]]) -> None:
        """Remove what nobody needs: folders of given documents that were not used for long, beyond a number of them,
        and those of no collection. A folder that somebody works in stays.

        `collections` tells the folders that collections have. It is asked after the folders were listed, so that one
        which is made meanwhile is not taken for one of nobody.
        """
        there = await asyncio.to_thread(_listed, self._root)
        if there:
            await asyncio.to_thread(self._remove_unneeded, there, await collections())

    def _remove_unneeded(self, there: Sequence[Path], collections: Collection[Path]) -> None:
        before = self._now() - KEPT_SECONDS
        for folder in there:
            if folder.name.startswith(_COLLECTION) and folder not in collections:
                _remove_if(folder, lambda _: True)
        ad_hoc = sorted((one for one in there if one.name.startswith(_DOCUMENTS)), key=_used, reverse=True)
        for folder in ad_hoc[KEPT:]:
            if _used(folder) < before:
                _remove_if(folder, lambda one: _used(one) < before)


def _remove_if(folder: Path, unneeded: Callable[[Path], bool]) -> None:
    """Remove a folder that nobody works in, if it still is not needed then."""
    with suppress(StorageError), if_nobody_is_in(folder) as nobody:
        if nobody and unneeded(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _listed(root: Path) -> list[Path]:
    try:
        return [entry for entry in root.iterdir() if not entry.name.startswith(".")]
    except OSError:
        return []


def _used(folder: Path) -> float:
    """When a folder was used last; one that is gone counts as used now."""
    try:
        return folder.stat().st_mtime
    except OSError:
        return float("inf")


def _key(*named: str) -> str:
    return hashlib.sha256("\0".join(named).encode("utf-8", "surrogatepass")).hexdigest()[:_KEY_LENGTH]
