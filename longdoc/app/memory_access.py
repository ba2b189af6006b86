"""Reaching the memories of a namespace: its index, the policy over its stream, and its end."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from contextlib import aclosing
from importlib.util import find_spec
from pathlib import Path

from longdoc.agents.events import Emit, Warned
from longdoc.agents.memory_judge import MemoryJudge
from longdoc.app.bootstrap import Library, Records, Workspace
from longdoc.app.chat_facts import facts_name, forget_facts
from longdoc.engines.embedder import Embedder
from longdoc.errors import ConfigError, EngineError, LdaError, NotFoundError, StorageError
from longdoc.memory.index import VECTORS_FILE, MemoryIndex, MemoryRows
from longdoc.memory.indexes import IndexInUse, MemoryIndexes
from longdoc.memory.policies import (
    Automatic,
    FullHistory,
    MemoryPolicy,
    PolicyName,
    RecallOptions,
    Retrieval,
    SelfControlled,
)
from longdoc.memory.stream import MemoryStream
from longdoc.storage import memory_derived as derived
from longdoc.storage.memory_types import Namespace, NamespaceName

_HASHED = "hashed"


def policy_of(name: PolicyName, stream: MemoryStream, options: RecallOptions, judge: MemoryJudge) -> MemoryPolicy:
    """The policy of that name over a stream."""
    if name is PolicyName.FULL:
        return FullHistory(stream, options)
    if name is PolicyName.RETRIEVE:
        return Retrieval(stream, options)
    if name is PolicyName.SCM:
        return SelfControlled(stream, options, gate=judge, judge=judge)
    return Automatic(stream, options)


async def open_memory_index(workspace: Library | Workspace, namespace: Namespace, *, emit: Emit) -> MemoryIndex:
    """The index of a namespace; by words alone, with a warning, where there is no model for embeddings."""

    def lost(error: LdaError) -> None:
        emit(Warned(f"memories are found by their words alone, for the embedder fails: {error}"))

    embedder: Embedder | None = None
    try:
        embedder = await workspace.embedder.opened()
    except (ConfigError, EngineError) as error:
        lost(error)
    if embedder is not None and (embedder.info.engine == _HASHED or not find_spec("faiss")):
        lacking = "model for embeddings" if embedder.info.engine == _HASHED else "FAISS"
        emit(Warned(f"memories are found by their words alone: there is no {lacking}"))
        embedder = None
    records = workspace.records
    rows = MemoryRows(namespace, records.memories, records.memory_vectors)
    return await MemoryIndex.open(memory_folder(records, namespace), rows, embedder, lost=lost)


def memory_index(
    workspace: Library | Workspace, namespace: Namespace, indexes: MemoryIndexes, *, emit: Emit
) -> IndexInUse:
    """The index of a namespace among those that are open, opened again whenever it was closed meanwhile."""
    return lambda: indexes.using(namespace.id, lambda: open_memory_index(workspace, namespace, emit=emit))


def memory_folder(records: Records, namespace: Namespace) -> Path:
    """Where what is derived from a namespace lies."""
    return derived.memory_folder(records.indexes, namespace.id)


async def erase_memories(records: Records, namespace: Namespace, numbers: Sequence[int]) -> int:
    """Erase memories of a namespace that is not open, with all that was made from them; how many there were."""
    await forget_facts(records, namespace, numbers)
    erased = await records.memories.erase(namespace.id, numbers)
    await scrub_index(records, namespace)
    await scrub_facts(records, namespace)
    return erased


async def erase_expired(records: Records) -> int:
    """Erase what was to be remembered until now, in all namespaces, with all that was made from it; how many.

    Raises what the first namespace raises for which it fails, after all others.
    """
    erased, failures = 0, list[LdaError]()
    for number, some in (await records.memories.expired()).items():
        namespace = await records.memories.with_id(number)
        try:
            erased += 0 if namespace is None else await erase_memories(records, namespace, some)
        except NotFoundError:  # deleted meanwhile
            continue
        except LdaError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return erased


async def scrub_facts(records: Records, namespace: Namespace) -> None:
    """Take out of the index of the facts about a user what was erased of them."""
    about = await records.memories.find(facts_name(namespace.name))
    if about is not None and about.id != namespace.id:
        await scrub_index(records, about)


async def scrub_index(records: Records, namespace: Namespace) -> None:
    """Take out of the words that are searched what was erased, where there is an index; vectors are made again from
    the rows when they are needed. Raises `StorageError`."""
    folder = memory_folder(records, namespace)
    if await asyncio.to_thread(folder.exists):
        try:
            await asyncio.to_thread((folder / VECTORS_FILE).unlink, missing_ok=True)
        except OSError as error:
            raise StorageError(f"{folder / VECTORS_FILE} cannot be deleted: {error.strerror}; delete it") from error
        rows = MemoryRows(namespace, records.memories, records.memory_vectors)
        async with aclosing(await MemoryIndex.open(folder, rows, None, lost=lambda error: None)) as index:
            await index.catch_up()


async def delete_namespace(records: Records, name: NamespaceName) -> Namespace:
    """Delete a namespace with everything that was made from it, files first: what is stopped in between can be done
    once more. Raises `NotFoundError`."""
    found = await records.memories.find(name)
    if found is None:
        raise NotFoundError(f"there are no memories of {name}")
    await forget_facts(records, found, None)
    await asyncio.to_thread(shutil.rmtree, memory_folder(records, found), ignore_errors=True)
    await scrub_facts(records, found)
    deleted = await records.memories.delete(name)
    if await asyncio.to_thread(memory_folder(records, found).exists):
        await asyncio.to_thread(_removed, memory_folder(records, found))
    return deleted


def _removed(folder: Path) -> None:
    """Remove a folder for good. Raises `StorageError`."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"the memories are deleted, but not their index {folder}: {error}; delete it") from error
