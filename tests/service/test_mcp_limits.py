"""What the MCP server keeps and takes has bounds: summaries under way, memories in a reply, lines of its input."""

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from longdoc.app.bootstrap import Workspace
from longdoc.app.mcp import stdio
from longdoc.app.mcp.replies import Answered, shown_title
from longdoc.app.mcp.summary_jobs import SummaryJobs
from longdoc.app.results import Source
from longdoc.app.runs import RunUsage
from longdoc.app.summaries import SummaryOptions
from longdoc.app.work_call import CallResult
from longdoc.documents.document import Document
from longdoc.errors import ConfigError
from longdoc.storage.documents import StoredDocument

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
