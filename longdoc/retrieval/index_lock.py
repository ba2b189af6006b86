"""Who may work in the folder of an index: one task of one process at a time.

A lock is a file beside the folders, one of a few thousand that the name of a folder chooses among, and is never
deleted: who waits for a deleted file would come in together with who makes it anew.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from weakref import WeakKeyDictionary, WeakValueDictionary

from filelock import FileLock, Timeout

from longdoc.errors import StorageError

_FOLDER = ".locks"
_DIGITS = 3
_PAUSE_SECONDS = 0.1

_here: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[Path, asyncio.Lock]] = WeakKeyDictionary()
"""The locks of this process, so that its tasks wait for each other without asking again and again."""


@asynccontextmanager
async def alone_in(folder: Path, waiting: Callable[[], None]) -> AsyncGenerator[None]:
    """Work in a folder alone; `waiting` is called once where another process is at work there.

    Raises `StorageError` where the place of the folder cannot be written.
    """
    path = lock_of(folder)
    here = _here.setdefault(asyncio.get_running_loop(), WeakValueDictionary()).setdefault(path, asyncio.Lock())
    async with here:
        lock = FileLock(path, thread_local=False)
        told = False
        while not await asyncio.to_thread(_acquired, lock, folder):
            if not told:
                waiting()
            told = True
            await asyncio.sleep(_PAUSE_SECONDS)
        try:
            yield
        finally:
            lock.release()


@contextmanager
def if_nobody_is_in(folder: Path) -> Generator[bool]:
    """Whether nobody was at work in a folder: then nobody can begin before this ends. Blocks for a moment only."""
    lock = FileLock(lock_of(folder), thread_local=False)
    acquired = _acquired(lock, folder)
    try:
        yield acquired
    finally:
        if acquired:
            lock.release()


def lock_of(folder: Path) -> Path:
    """The file that is locked by who works in a folder."""
    return folder.parent / _FOLDER / hashlib.sha256(folder.name.encode()).hexdigest()[:_DIGITS]


def _acquired(lock: FileLock, folder: Path) -> bool:
    try:
        lock_of(folder).parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout:
        return False
    except OSError as error:
        raise StorageError(f"the indexes in {folder} cannot be written: {error.strerror or error}") from error
    return True
