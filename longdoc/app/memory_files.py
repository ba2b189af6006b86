"""Memories in files: one JSON object a line, out and in again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pydantic
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from longdoc.app.bootstrap import Records
from longdoc.errors import ConfigError
from longdoc.json_value import JsonValue
from longdoc.storage.memory_types import CALLS, Memory, MemoryKind, MemoryStatus, Namespace, NewMemory

_AT_ONCE = 1000


class _Line(BaseModel):
    """A memory as it stands in a file; more may stand there."""

    model_config = ConfigDict(extra="ignore")

    observation: str = ""
    response: str = ""
    summary: str | None = None
    kind: MemoryKind = MemoryKind.IMPORT
    status: MemoryStatus = MemoryStatus.DONE
    key: str | None = None
    source: dict[str, pydantic.JsonValue] = Field(default_factory=dict[str, pydantic.JsonValue])
    at: datetime | None = None
    expires_at: datetime | None = None


async def export_lines(records: Records, namespace: Namespace) -> list[str]:
    """All that can be recalled of a namespace, in order, one JSON object a line."""
    memories = (await records.memories.newest(namespace.id))[::-1]
    return [json.dumps(memory_json(memory), ensure_ascii=False) for memory in memories]


def read_lines(lines: Iterable[str], *, expires_at: datetime | None = None) -> list[NewMemory]:
    """The memories of a file, each to be erased at `expires_at` where that is given.

    Raises `ConfigError` naming the line that cannot be used.
    """
    read = [_read(line, number) for number, line in enumerate(lines, 1) if line.strip()]
    return read if expires_at is None else [replace(one, expires_at=expires_at) for one in read]


async def import_memories(records: Records, namespace: Namespace, new: Sequence[NewMemory]) -> int:
    """Store memories, those with a key that is there not again; how many were stored."""
    stored: set[int] = set()
    before = (await records.memories.open(namespace.name)).memories
    for start in range(0, len(new), _AT_ONCE):
        some = await records.memories.append_all(namespace.id, new[start : start + _AT_ONCE])
        stored.update(memory.number for memory in some)
    return sum(number > before for number in stored)


def memory_json(memory: Memory) -> dict[str, JsonValue]:
    """A memory as a value for programs."""
    return {
        "number": memory.number,
        "kind": memory.kind,
        "status": memory.status,
        "key": memory.key,
        "at": memory.at.isoformat(),
        "expires_at": None if memory.expires_at is None else memory.expires_at.isoformat(),
        "observation": memory.observation,
        "response": memory.response,
        "summary": memory.summary,
        "source": {name: value for name, value in memory.source.items() if name != CALLS},
    }


def memories_json(memories: Sequence[Memory]) -> list[JsonValue]:
    """Memories as values for programs."""
    return [memory_json(memory) for memory in memories]


def _read(line: str, number: int) -> NewMemory:
    try:
        read = _Line.model_validate_json(line)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, problem["loc"]))
        raise ConfigError(f"line {number} is no memory: {where}{': ' if where else ''}{problem['msg']}") from error
    if not (read.observation.strip() or read.response.strip()):
        raise ConfigError(f"line {number} is no memory: it has neither 'observation' nor 'response'")
    status = read.status if read.status.remembered else MemoryStatus.DONE
    return NewMemory(
        read.observation,
        read.response,
        summary=read.summary,
        kind=read.kind,
        status=status,
        key=read.key,
        source={name: value for name, value in read.source.items() if name != CALLS},
        at=_aware(read.at),
        expires_at=_aware(read.expires_at),
    )


def _aware(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo is not None else moment.replace(tzinfo=UTC)
