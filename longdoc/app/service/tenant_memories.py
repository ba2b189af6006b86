"""Memories as a tenant reaches them: names and ids that lead to no other tenant's.

The agent's part of a namespace says whose it is. The tenant `local` has the namespaces of the command line, under the
names they have there; no agent of its can have a name that is another tenant's.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import shutil
import struct
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from longdoc.app.bootstrap import Records
from longdoc.app.memory_access import delete_namespace, memory_folder
from longdoc.errors import ConfigError, NotFoundError
from longdoc.memory.indexes import MemoryIndexes
from longdoc.storage.memories import Memories
from longdoc.storage.memory_types import Memory, MemoryStatus, Namespace, NamespaceName
from longdoc.storage.profile_types import LOCAL_TENANT, Tenant

_PREFIX: Final = "mem_"
_OF_TENANT: Final = "tenant:"
_LAYOUT = struct.Struct(">QQ")


def namespace_name(tenant: Tenant, user: str, agent: str, session: str) -> NamespaceName:
    """The namespace of a tenant's names. Raises `ConfigError` for an agent of a name that is kept for tenants."""
    if tenant.name != LOCAL_TENANT:
        return NamespaceName(user, f"{_own(tenant)}{agent}", session)
    if agent.startswith(_OF_TENANT):
        raise ConfigError(f"the name of an agent cannot begin with {_OF_TENANT!r}")
    return NamespaceName(user, agent, session)


def agent_of(tenant: Tenant, namespace: Namespace) -> str | None:
    """The agent's name as the tenant knows it; None for a namespace that is another tenant's."""
    agent = namespace.name.agent
    if tenant.name == LOCAL_TENANT:
        return None if agent.startswith(_OF_TENANT) else agent
    return agent.removeprefix(_own(tenant)) if agent.startswith(_own(tenant)) else None


def memory_id(namespace: Namespace, number: int) -> str:
    """What a memory is called outside."""
    packed = _LAYOUT.pack(namespace.id, number)
    return _PREFIX + base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")


async def find_namespace(memories: Memories, tenant: Tenant, user: str, agent: str, session: str) -> Namespace:
    """A namespace of a tenant. Raises `NotFoundError`."""
    found = await memories.find(namespace_name(tenant, user, agent, session))
    if found is None:
        raise NotFoundError("nothing is remembered there")
    return found


async def delete_memories(records: Records, tenant: Tenant, user: str, indexes: MemoryIndexes | None = None) -> int:
    """Delete all that is remembered of a tenant's user, with every agent and in every session, and close what is open
    of it; how many namespaces there were."""
    mine = [one for one in await records.memories.list(user=user) if agent_of(tenant, one) is not None]
    for namespace in mine:
        if indexes is not None:
            await indexes.drop(namespace.id)
        with suppress(NotFoundError):  # by another request, meanwhile
            await delete_namespace(records, namespace.name)
        if indexes is not None:  # one that was opened again just before
            await indexes.drop(namespace.id)
            await asyncio.to_thread(shutil.rmtree, memory_folder(records, namespace), ignore_errors=True)
    return len(mine)


async def find_memory(memories: Memories, tenant: Tenant, id_: str) -> tuple[Namespace, Memory]:
    """A memory of a tenant that was not erased. Raises `NotFoundError`."""
    namespace_id, number = _unpacked(id_)
    namespace = await memories.with_id(namespace_id)
    if namespace is None or agent_of(tenant, namespace) is None:
        raise _missing()
    found = await memories.get(namespace.id, [number])
    if not found or found[0].status is MemoryStatus.ERASED or _over(found[0]):
        raise _missing()
    return namespace, found[0]


def _over(memory: Memory) -> bool:
    return memory.expires_at is not None and memory.expires_at <= datetime.now(UTC)


def _own(tenant: Tenant) -> str:
    return f"{_OF_TENANT}{tenant.id}:"


def _unpacked(id_: str) -> tuple[int, int]:
    try:
        namespace, number = _LAYOUT.unpack(base64.urlsafe_b64decode(id_.removeprefix(_PREFIX) + "=="))
    except (binascii.Error, struct.error, ValueError) as error:
        raise _missing() from error
    if max(namespace, number) >= 2**63:  # more than a database counts to
        raise _missing()
    return namespace, number


def _missing() -> NotFoundError:
    return NotFoundError("there is no such memory")
