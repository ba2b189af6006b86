"""What the MCP server keeps and takes has bounds: summaries under way, memories in a reply, lines of its input."""

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from longdoc.app.bootstrap import Workspace
from longdoc.app.mcp import stdio
from longdoc.app.mcp.memory_tools import MemoryTools
from longdoc.app.mcp.parts import open_mcp_parts
from longdoc.app.mcp.reading_tools import ReadingTools
from longdoc.app.mcp.replies import MOST_CHARACTERS, Answered, shown_title
from longdoc.app.mcp.summary_jobs import SummaryJobs
from longdoc.app.results import Source
from longdoc.app.runs import RunUsage
from longdoc.app.summaries import SummaryOptions
from longdoc.app.work_call import CallResult
from longdoc.documents.document import Document
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import ConfigError
from longdoc.storage.documents import StoredDocument
from longdoc.storage.memory_types import NamespaceName, NewMemory
from tests.service.answering import careful_reader
from tests.service.running import settings_for

_STORED = StoredDocument("a" * 64, "md", "a.md", "A", 1, 1, datetime(2026, 1, 1, tzinfo=UTC))


def test_no_more_summaries_are_under_way_than_can_be() -> None:
    loaded: list[str] = []

    async def never() -> Workspace:
        return await asyncio.get_running_loop().create_future()

    async def load(document_id: str) -> Document:
        loaded.append(document_id)
        raise AssertionError

    async def work() -> None:
        jobs = SummaryJobs(never, load)
        started = [jobs.start(_STORED, SummaryOptions(focus=str(number))) for number in range(20)]
        await asyncio.sleep(0)
        with pytest.raises(ConfigError, match="20 summaries are under way"):
            jobs.start(_STORED, SummaryOptions(focus="one more"))
        assert jobs.start(_STORED, SummaryOptions(focus="3")) is started[3]
        lines = [job.line for job in started]
        assert lines.count("waiting for the engine") == 2
        await jobs.aclose()
        assert jobs.start(_STORED, SummaryOptions(focus="one more")).failure == ""
        await jobs.aclose()

    asyncio.run(work())
    assert loaded == []


def test_lines_of_input_are_put_together_and_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stdio, "_LONGEST_LINE", 10)
    monkeypatch.setattr(stdio, "_READ_AT_ONCE", 4)
    monkeypatch.setattr(stdio, "_MOST_WAITING", 2)

    async def work() -> list[str]:
        reading, writing = os.pipe()
        os.write(writing, b"one\n\ntwo and more than it may be\nlast")
        os.close(writing)
        return [line async for line in stdio._lines(reading)]  # pyright: ignore[reportPrivateUsage]

    assert asyncio.run(work()) == ["one", "", "two and mo", "last"]


def test_lists_and_memories_of_a_reply_have_a_bound(tmp_path: Path) -> None:
    async def work() -> None:
        async with open_mcp_parts(
            settings_for(tmp_path / "a.db"), ScriptedEngine(careful_reader), local=False
        ) as parts:
            memories = parts.records.memories
            namespace = await memories.open(NamespaceName("ann", "default", "main"))
            for number in range(40):
                await memories.append(namespace.id, NewMemory(f"{number} cats. " * 500, "Yes. " * 900))
            found = await MemoryTools(parts).search_memories("cats", "ann", count=50)
            assert len(found.memories) > 10
            assert sum(len(one.text) + len(one.response) for one in found.memories) <= MOST_CHARACTERS
            assert found.cut
            for name in ("a", "b", "c", "tenant:acme:d"):
                await parts.records.collections.add(name, [])
            reading = ReadingTools(parts)
            first = await reading.list_collections(count=2)
            assert ([one.name for one in first.collections], first.total, first.next) == (["a", "b"], 3, 2)
            last = await reading.list_collections(start=2)
            assert ([one.name for one in last.collections], last.next) == (["c"], None)

    asyncio.run(work())


def test_titles_and_warnings_of_a_reply_have_a_bound() -> None:
    source = Source("a", "T" * 9_000, 0, 1, "q")
    result = CallResult("text", "run")
    told = Answered.of(_Cited(replace(result), source), ["w" * 9_000] * 30)
    assert len(told.sources[0].title) == len(shown_title("x" * 301)) == 300
    assert [len(one) for one in told.warnings] == [300] * 20
    assert "10 warnings" in told.cut


class _Cited:
    def __init__(self, result: CallResult, source: Source) -> None:
        self.text, self.run_id, self.usage = result.text, result.run_id, RunUsage()
        self.sources = (source,)
