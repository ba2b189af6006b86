"""Memories and whose they are as tables and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from longdoc.app.memory_files import memories_json, memory_json
from longdoc.cli.chat_output import memory_rows
from longdoc.cli.output import envelope
from longdoc.cli.render import table
from longdoc.json_value import JsonValue
from longdoc.memory.index import Found
from longdoc.storage.memory_types import Memory, Namespace, NamespaceName, Revision

_EMPTY = '""'
"""How the name of a session that is empty is typed."""


def print_namespaces(rows: Sequence[Namespace]) -> None:
    """A table of namespaces."""
    table(
        ("user", "agent", "session", "memories", "made"),
        [
            (*(part or _EMPTY for part in _parts(row.name)), f"{row.memories:,}", f"{row.created_at:%Y-%m-%d %H:%M}")
            for row in rows
        ],
    )


def namespaces_json(rows: Sequence[Namespace]) -> str:
    """The envelope of namespaces."""
    listed: list[JsonValue] = [
        {**_name_json(row.name), "memories": row.memories, "created_at": row.created_at.isoformat()} for row in rows
    ]
    return envelope("memory list", "done", namespaces=listed)


def print_memories(memories: Sequence[Memory]) -> None:
    """A table of memories, long ones shortened."""
    rows = memory_rows([(memory, None) for memory in memories])
    table(("memory", "when", "kind", "said", "answered"), _with_kinds(memories, rows))


def shown_json(name: NamespaceName, memories: Sequence[Memory]) -> str:
    """The envelope of memories."""
    return envelope("memory show", "done", **_name_json(name), memories=memories_json(memories))


def print_found(found: Sequence[tuple[Memory, Found]]) -> None:
    """A table of what a search found, with how near it is."""
    rows = memory_rows([(memory, one.score) for memory, one in found])
    columns = ("memory", "when", "kind", "near", "said", "answered")
    table(columns, _with_kinds([memory for memory, _ in found], rows))


def found_json(name: NamespaceName, text: str, found: Sequence[tuple[Memory, Found]]) -> str:
    """The envelope of what a search found; `scores` are those of the rankings behind `score`."""
    rows: list[JsonValue] = [
        {
            **memory_json(memory),
            "score": round(one.score, 4),
            "scores": {ranking: round(score, 4) for ranking, score in one.scores.items()},
        }
        for memory, one in found
    ]
    return envelope("memory search", "done", **_name_json(name), text=text, memories=rows)


def edited_json(memory: Memory, *, changed: bool) -> str:
    """The envelope of a memory as it is after an edit."""
    return envelope("memory edit", "done", memory=memory_json(memory), changed=changed)


def print_revisions(revisions: Sequence[Revision]) -> None:
    """A table of what a memory said before, in full: two states may differ anywhere."""
    table(
        ("edit", "until", "said", "answered"),
        [
            (str(one.revision), f"{one.replaced_at:%Y-%m-%d %H:%M}", _line(one.observation), _line(one.response))
            for one in revisions
        ],
    )


def history_json(memory: Memory, revisions: Sequence[Revision]) -> str:
    """The envelope of a memory with what it said before."""
    rows: list[JsonValue] = [
        {
            "revision": one.revision,
            "observation": one.observation,
            "response": one.response,
            "at": one.at.isoformat(),
            "replaced_at": one.replaced_at.isoformat(),
        }
        for one in revisions
    ]
    return envelope("memory history", "done", memory=memory_json(memory), revisions=rows)


def forgotten_json(numbers: Sequence[int], erased: int) -> str:
    """The envelope of what was erased; fewer than were named where some were erased before."""
    return envelope("memory forget", "done", numbers=list(numbers), erased=erased)


def exported_json(lines: Sequence[str], file: str | None) -> str:
    """The envelope of an export: what it holds where no file was written."""
    if file is not None:
        return envelope("memory export", "done", file=file, count=len(lines))
    return envelope("memory export", "done", file=None, count=len(lines), memories=list(map(json.loads, lines)))


def imported_json(name: NamespaceName, *, given: int, stored: int) -> str:
    """The envelope of an import."""
    return envelope("memory import", "done", **_name_json(name), given=given, stored=stored)


def deleted_json(namespace: Namespace) -> str:
    """The envelope of what was deleted."""
    return envelope("memory delete", "done", **_name_json(namespace.name), memories=namespace.memories)


def _with_kinds(memories: Sequence[Memory], rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[number, when, memory.kind, *rest] for memory, (number, when, *rest) in zip(memories, rows, strict=True)]


def _line(text: str) -> str:
    return " ".join(text.split())


def _parts(name: NamespaceName) -> tuple[str, str, str]:
    return name.user, name.agent, name.session


def _name_json(name: NamespaceName) -> dict[str, JsonValue]:
    return {"user": name.user, "agent": name.agent, "session": name.session}
