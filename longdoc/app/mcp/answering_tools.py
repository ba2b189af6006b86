"""Tools that have something worked out: answers, checks, summaries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, closing
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from pydantic import Field

from longdoc.app.ask import ask
from longdoc.app.bootstrap import Workspace
from longdoc.app.check import check_claims
from longdoc.app.finding import AskOptions
from longdoc.app.mcp.parts import McpParts
from longdoc.app.mcp.permission import check_scope
from longdoc.app.mcp.reading_tools import DocumentId, Start
from longdoc.app.mcp.replies import MOST_CHARACTERS, Answered, SummaryState, shown_title
from longdoc.app.mcp.summary_jobs import SummaryJob
from longdoc.app.mcp.telling import Telling, telling
from longdoc.app.shelf import Shelf
from longdoc.app.strategies import AUTO
from longdoc.app.summaries import SummaryOptions
from longdoc.storage.api_keys import Scope

Documents = Annotated[
    list[DocumentId], Field(max_length=100, description="Ids of documents; empty where a collection is named.")
]
Collection = Annotated[str, Field(max_length=200, description="Name of a collection; empty where documents are named.")]
Strategy = Annotated[
    str,
    Field(description="How to find what is read: auto, full, retrieve, cascade, xl3m or map (all of it; slow)."),
]
_Claim = Annotated[str, Field(min_length=1, max_length=2_000)]
_POLL_SECONDS = 60


class AnsweringTools:
    """The tools, over the parts of a server."""

    def __init__(self, parts: McpParts) -> None:
        self._parts = parts

    async def ask(
        self,
        question: Annotated[str, Field(min_length=1, max_length=20_000, description="The question, in any language.")],
        context: Context[Any, Any],
        documents: Documents | None = None,
        collection: Collection = "",
        strategy: Strategy = AUTO,
    ) -> Answered:
        """Answer a question from documents of any length, with quotations that are checked against the text."""
        async with self._reading(context, documents or [], collection) as (workspace, shelf, told):
            result = await ask(workspace, shelf, question, AskOptions(strategy=strategy), emit=told.emit)
        return Answered.of(result, told.warnings)

    async def check(
        self,
        claims: Annotated[list[_Claim], Field(min_length=1, max_length=20, description="Sentences to check.")],
        context: Context[Any, Any],
        documents: Documents | None = None,
        collection: Collection = "",
        strategy: Strategy = AUTO,
    ) -> Answered:
        """Check claims against documents: each is supported, contradicted or not stated, with the words that tell."""
        async with self._reading(context, documents or [], collection) as (workspace, shelf, told):
            result = await check_claims(workspace, shelf, claims, AskOptions(strategy=strategy), emit=told.emit)
        return Answered.of(result, told.warnings)

    async def start_summary(
        self,
        document: DocumentId,
        context: Context[Any, Any],
        *,
        words: Annotated[int | None, Field(ge=10, le=100_000, description="About how many words it may have.")] = None,
        focus: Annotated[str, Field(max_length=1_000, description="What to look at; empty: everything.")] = "",
        language: Annotated[str, Field(max_length=100, description="Language of the summary; empty: the text's.")] = "",
        by_chapter: Annotated[bool, Field(description="Whether every chapter is summarized by itself.")] = False,
    ) -> SummaryState:
        """Start a summary of a document and return at once; follow_summary tells how far it is, and its text.

        The same summary started again is the same job; one that was stopped goes on from where it was."""
        check_scope(context, Scope.WRITE)
        options = SummaryOptions(words=words, focus=focus or None, language=language or None, by_chapter=by_chapter)
        return _state(self._parts.summaries.start(await self._parts.sight.find(document), options), 0)

    async def follow_summary(
        self,
        job: Annotated[str, Field(min_length=1, max_length=100, description="The job that start_summary told.")],
        context: Context[Any, Any],
        wait_seconds: Annotated[
            int, Field(ge=0, le=_POLL_SECONDS, description="How long to wait for its end before telling how far it is.")
        ] = 0,
        start: Start = 0,
    ) -> SummaryState:
        """Tell how far a summary is, and its text once it is done; a long text comes in pieces ('next')."""
        found = self._parts.summaries.get(job)
        seen = ""
        for waited in range(2 * wait_seconds):
            if found.ended.is_set():
                break
            if found.line != seen:
                seen = found.line
                await context.report_progress(waited + 1, message=seen)
            await _wait(found, 0.5)
        return _state(found, start)

    @asynccontextmanager
    async def _reading(
        self, context: Context[Any, Any], documents: Sequence[str], collection: str
    ) -> AsyncGenerator[tuple[Workspace, Shelf, Telling], None]:
        """What an answer from documents needs: an engine, the documents, and who hears how far it is."""
        check_scope(context, Scope.WRITE)
        async with telling(context) as told:
            with closing(await self._parts.shelf(documents, collection)) as shelf:
                yield await self._parts.workspace.opened(), shelf, told


async def _wait(job: SummaryJob, seconds: float) -> None:
    try:
        await asyncio.wait_for(job.ended.wait(), seconds)
    except TimeoutError:
        return


def _state(job: SummaryJob, start: int) -> SummaryState:
    status = "failed" if job.failure else "done" if job.text is not None else "running"
    text = job.text or ""
    end = start + MOST_CHARACTERS
    message = job.failure or ("" if job.text is not None else job.line)
    return SummaryState(
        job.id,
        status,
        message,
        job.done,
        max(job.planned, job.done),
        job.run_id,
        shown_title(job.title),
        start,
        text[start:end],
        end if end < len(text) else None,
    )
