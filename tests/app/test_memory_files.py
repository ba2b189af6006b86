"""Memories in files come back as they were, and what is no memory is named before anything is stored."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longdoc.app.bootstrap import Workspace
from longdoc.app.chat import ChatOptions, open_chat
from longdoc.app.memory_files import export_lines, import_memories, read_lines
from longdoc.errors import ConfigError
from longdoc.storage.memory_types import Memory, MemoryKind, MemoryStatus, NamespaceName, NewMemory
from tests.app.chatting import ALICE, scripted, with_workspace

BOB = NamespaceName("bob", "default", "main")
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def without_place(memory: Memory) -> Memory:
    """A memory without what depends on where and when it was stored."""
    return replace(memory, number=0, change=0, recorded_at=NOON)


NEW = st.builds(
    NewMemory,
    st.text(min_size=1, max_size=40).filter(str.strip),
    st.text(max_size=40),
    summary=st.none() | st.text(max_size=10),
    kind=st.sampled_from(MemoryKind),
    status=st.sampled_from([MemoryStatus.DONE, MemoryStatus.CUT]),
    source=st.dictionaries(st.sampled_from(["file", "page"]), st.none() | st.integers() | st.text(max_size=5)),
    at=st.datetimes(timezones=st.just(UTC)),
    expires_at=st.none() | st.datetimes(min_value=datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - aware by its zone
)


@settings(max_examples=15, deadline=None)
@given(new=st.lists(NEW, max_size=6))
def test_what_is_exported_comes_in_again_as_it_was(new: list[NewMemory]) -> None:
    async def work(workspace: Workspace) -> None:
        memories = workspace.records.memories
        here, there = await memories.open(ALICE), await memories.open(BOB)
        await memories.append_all(here.id, [replace(one, key=str(i)) for i, one in enumerate(new)])
        lines = await export_lines(workspace.records, here)
        assert all("\n" not in line and "\r" not in line for line in lines)
        assert await import_memories(workspace.records, there, read_lines(lines)) == len(new)
        before, after = await memories.newest(here.id), await memories.newest(there.id)
        assert list(map(without_place, before)) == list(map(without_place, after))
        assert await export_lines(workspace.records, there) == lines
        assert await import_memories(workspace.records, there, read_lines(lines)) == 0

    with tempfile.TemporaryDirectory() as folder:
        with_workspace(Path(folder), scripted(), work)


def test_a_conversation_is_exported_without_what_is_open_erased_or_of_this_record_alone(tmp_path: Path) -> None:
    async def work(workspace: Workspace) -> None:
        memories = workspace.records.memories
        async with open_chat(workspace, ALICE, ChatOptions()) as chat:
            for text in ("One.", "Two.", "Three."):
                await chat.send(text)
            await chat.forget(2)
            await memories.append(chat.namespace.id, NewMemory("Four?", status=MemoryStatus.OPEN))
            exported = [json.loads(line) for line in await export_lines(workspace.records, chat.namespace)]
        assert [(one["number"], one["observation"], one["response"]) for one in exported] == [
            (1, "One.", "Noted."),
            (3, "Three.", "Noted."),
        ]
        assert [one["source"] for one in exported] == [{}, {}]

    with_workspace(tmp_path, scripted(), work)


def test_a_line_needs_no_more_than_a_text(tmp_path: Path) -> None:
    lines = [
        '{"observation": "A note."}',
        "",
        '{"response": "Said only by the assistant.", "status": "open", "color": "red", "number": 17}',
        '{"observation": "Yesterday.", "at": "2026-01-30T12:00", "kind": "fact"}',
        '{"observation": "In Oslo.", "at": "2026-01-30T12:00+02:00", "expires_at": "2030-01-01T00:00Z"}',
    ]

    async def work(workspace: Workspace) -> None:
        namespace = await workspace.records.memories.open(ALICE)
        assert await import_memories(workspace.records, namespace, read_lines(lines)) == 4
        note, answer, yesterday, oslo = (await workspace.records.memories.newest(namespace.id))[::-1]
        assert (note.number, note.kind, note.status, note.at) == (1, "import", "done", note.recorded_at)
        assert (answer.number, answer.status, answer.observation) == (2, "done", "")
        assert (yesterday.kind, yesterday.at) == ("fact", NOON - timedelta(days=1))
        assert oslo.at == datetime(2026, 1, 30, 12, tzinfo=timezone(timedelta(hours=2)))
        assert oslo.expires_at == datetime(2030, 1, 1, tzinfo=UTC)

    with_workspace(tmp_path, scripted(), work)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("I am no JSON.", "Invalid JSON"),
        ("[]", "line 2 is no memory"),
        ("{}", "neither 'observation' nor 'response'"),
        ('{"observation": " ", "response": "\\n"}', "neither 'observation' nor 'response'"),
        ('{"observation": 7}', "observation: Input should be a valid string"),
        ('{"observation": "x", "kind": "dream"}', "kind: Input should be 'turn', 'document', 'import' or 'fact'"),
        ('{"observation": "x", "at": "yesterday"}', "at: "),
        ('{"observation": "x", "source": "a book"}', "source: "),
        ('{"observation": "cut o', "Invalid JSON"),
    ],
)
def test_a_line_that_is_no_memory_is_named_and_nothing_is_stored(tmp_path: Path, line: str, problem: str) -> None:
    async def work(workspace: Workspace) -> None:
        namespace = await workspace.records.memories.open(ALICE)
        with pytest.raises(ConfigError, match="line 2 is no memory: ") as raised:
            await import_memories(workspace.records, namespace, read_lines(['{"observation": "fine"}', line]))
        assert problem in str(raised.value)
        assert len(str(raised.value).splitlines()) == 1
        assert await workspace.records.memories.newest(namespace.id) == []

    with_workspace(tmp_path, scripted(), work)


def test_large_files_are_stored_in_order_and_once(tmp_path: Path) -> None:
    lines = [json.dumps({"observation": f"Note {i}.", "key": str(i)}) for i in range(2500)]

    async def work(workspace: Workspace) -> None:
        namespace = await workspace.records.memories.open(ALICE)
        assert await import_memories(workspace.records, namespace, read_lines(lines[:1200])) == 1200
        assert await import_memories(workspace.records, namespace, read_lines(lines)) == 1300
        stored = (await workspace.records.memories.newest(namespace.id))[::-1]
        assert [one.observation for one in stored] == [f"Note {i}." for i in range(2500)]

    with_workspace(tmp_path, scripted(), work)
