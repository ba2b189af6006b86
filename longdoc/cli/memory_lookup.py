"""Finding what a command names in the record: a session, and memories in it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeVar

from longdoc.cli.memory_options import Place

if TYPE_CHECKING:
    from longdoc.app.bootstrap import Records
    from longdoc.storage.memory_types import Memory, Namespace, NamespaceName

T = TypeVar("T")

LISTED: Final = "'lda memory list' shows whose there are"
"""Where to look for a session that is not there."""
_NUMBERED = "'lda memory show' has their numbers"


def with_session(place: Place, session: str, work: Callable[[Records, Namespace], Awaitable[T]]) -> T:
    """Do something with the memories of a session. Raises `NotFoundError` where there is none of that name."""
    from longdoc.cli.record import with_records

    async def with_found(records: Records) -> T:
        return await work(records, await find_namespace(records, place.name(session)))

    return asyncio.run(with_records(place.database, with_found))


async def find_namespace(records: Records, name: NamespaceName) -> Namespace:
    """The namespace of that name, rid of memories whose time is over. Raises `NotFoundError`."""
    from longdoc.app.memory_access import erase_expired
    from longdoc.errors import NotFoundError

    await erase_expired(records)
    found = await records.memories.find(name)
    if found is None:
        raise NotFoundError(f"there are no memories of {name}; {LISTED}")
    return found


async def find_memory(records: Records, namespace: Namespace, number: int) -> Memory:
    """The memory of that number. Raises `NotFoundError` where it never was, or is erased."""
    from longdoc.errors import NotFoundError
    from longdoc.storage.memory_types import MemoryStatus

    check_number(namespace, number)
    found = await records.memories.get(namespace.id, [number])
    if not found or found[0].status is MemoryStatus.ERASED:
        raise NotFoundError(f"memory {number} of {namespace.name} was erased; {_NUMBERED}")
    return found[0]


def check_number(namespace: Namespace, number: int) -> None:
    """Raise `NotFoundError` for a number that no memory ever had."""
    from longdoc.errors import NotFoundError

    if number > namespace.memories:
        raise NotFoundError(f"there is no memory {number} of {namespace.name}; {_NUMBERED}")
