"""Folders of indexes: who may work in one, and which are removed."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from longdoc.retrieval.index_folders import KEPT, KEPT_SECONDS, IndexFolders
from longdoc.retrieval.index_lock import alone_in, if_nobody_is_in

NOW = 2_000_000_000.0
MADE = datetime(2026, 1, 1, tzinfo=UTC)


async def _nobody() -> set[Path]:
    return set()


def made(folder: Path, *, used: float = NOW) -> Path:
    folder.mkdir(parents=True)
    (folder / "lexical.index").write_bytes(b"words")
    os.utime(folder, (used, used))
    return folder


def prune(folders: IndexFolders, collections: Callable[[], Awaitable[set[Path]]] = _nobody) -> None:
    asyncio.run(folders.prune(collections))


def test_of_indexes_of_given_documents_those_used_lately_and_a_few_more_stay(tmp_path: Path) -> None:
    folders = IndexFolders(tmp_path, now=lambda: NOW)
    days = [made(folders.of_documents([f"{day}"]), used=NOW - day * 86400.0) for day in range(KEPT + 20)]
    prune(folders)
    assert KEPT_SECONDS == 30 * 86400
    assert [folder.exists() for folder in days] == [day <= 30 for day in range(KEPT + 20)]


def test_a_few_indexes_stay_however_long_they_are_not_used(tmp_path: Path) -> None:
    folders = IndexFolders(tmp_path, now=lambda: NOW)
    years = [made(folders.of_documents([f"{year}"]), used=NOW - year * 365 * 86400.0) for year in range(KEPT + 3)]
    asyncio.run(folders.touch(years[-1]))
    prune(folders)
    assert [number for number, folder in enumerate(years) if not folder.exists()] == [KEPT - 1, KEPT, KEPT + 1]


def test_indexes_of_unknown_collections_are_removed(tmp_path: Path) -> None:
    folders = IndexFolders(tmp_path)
    known, unknown = (made(folders.of_collection(name, MADE)) for name in ("known", "unknown"))
    (tmp_path / "notes.txt").write_text("mine")

    async def collections() -> set[Path]:
        made(folders.of_collection("made meanwhile", MADE))
        return {known}

    prune(folders, collections)
    assert (known.exists(), unknown.exists(), (tmp_path / "notes.txt").exists()) == (True, False, True)
    assert folders.of_collection("made meanwhile", MADE).exists()


def test_a_folder_that_somebody_works_in_stays(tmp_path: Path) -> None:
    folders = IndexFolders(tmp_path)
    unknown = made(folders.of_collection("unknown", MADE))

    async def work() -> None:
        async with alone_in(unknown, lambda: None):
            await folders.prune(_nobody)
            assert unknown.exists()
        await folders.prune(_nobody)
        assert not unknown.exists()

    asyncio.run(work())


def test_where_there_is_no_index_nothing_is_removed(tmp_path: Path) -> None:
    prune(IndexFolders(tmp_path / "none"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_removed_lets_nobody_in_beside_who_works_there(tmp_path: Path) -> None:
    folder = made(tmp_path / "collection-a")

    async def work() -> None:
        async with alone_in(folder, lambda: None):
            shutil.rmtree(folder)
            with if_nobody_is_in(folder) as nobody:
                assert not nobody
        with if_nobody_is_in(folder) as nobody:
            assert nobody

    asyncio.run(work())
