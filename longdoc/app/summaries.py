"""Summarizing a document from end to end: read, segment, plan, work, store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from longdoc.agents.events import Emit
from longdoc.agents.hierarchical import HierarchicalSummarizer
from longdoc.agents.summary import Summarizer, Summary, SummaryEstimate, SummaryTask
from longdoc.app.bootstrap import Workspace
from longdoc.app.runs import OpenRun, RunUsage, open_run
from longdoc.app.segmentation import segments_of
from longdoc.documents.document import Document
from longdoc.engines.engine import Engine
from longdoc.errors import ConfigError
from longdoc.json_value import JsonValue
from longdoc.storage.nodes import Nodes
from longdoc.storage.runs import RunRequest, RunStatus

METHODS: Final[Mapping[str, Callable[[Engine, Nodes], Summarizer]]] = {"hierarchical": HierarchicalSummarizer}
"""Every summarization method by name; a new one is an agent and a line here."""


@dataclass(frozen=True, slots=True)
class SummaryOptions:
    """What a user can ask of a summary. Raises `ConfigError` for values that cannot work."""

    method: str = "hierarchical"
    words: int | None = None
    segment_tokens: int | None = None
    language: str | None = None
    focus: str | None = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ConfigError(f"there is no method {self.method!r}; choose one of: {', '.join(METHODS)}")
        if self.words is not None and self.words < 10:
            raise ConfigError(f"{self.words} words hold no summary; ask for at least 10")

    def parameters(self) -> dict[str, JsonValue]:
        """What was asked for: part of the identity of a run, so that later options leave older runs as they are."""
        asked = {
            "method": self.method,
            "words": self.words,
            "segment_tokens": self.segment_tokens,
            "language": self.language,
            "focus": self.focus,
        }
        return {name: value for name, value in asked.items() if value is not None}


@dataclass(frozen=True, slots=True)
class SummaryResult:
    """A summary with the run it came from, and what that took this time."""

    run_id: str
    document: Document
    summary: Summary
    usage: RunUsage


async def summarize(
    workspace: Workspace, document: Document, options: SummaryOptions, *, fresh: bool, emit: Emit
) -> SummaryResult:
    """Summarize a document, going on where an earlier run of the same request stopped.

    Raises what `Summarizer.summarize` raises; the run is closed with the fitting status first.
    """
    await workspace.records.documents.save(document)
    request = RunRequest(
        kind="summarize",
        title=document.title,
        document_ids=(document.id,),
        parameters=options.parameters(),
        model=workspace.engine.info.identity,
    )
    async with open_run(workspace, request, fresh=fresh, emit=emit) as run:
        method = METHODS[options.method](run.engine, workspace.records.nodes)
        task = await _task(workspace, run, method, document, options)
        summary = await method.summarize(task, run_id=run.id, emit=run.emit)
        run.result_node = summary.node_id
        run.status = RunStatus.GAPS if summary.gaps else RunStatus.DONE
    return SummaryResult(run.id, document, summary, run.usage)


async def estimate(workspace: Workspace, document: Document, options: SummaryOptions) -> SummaryEstimate:
    """What `summarize` will take at most. Spends nothing: token counts are estimated where no tokenizer is."""
    method = METHODS[options.method](workspace.engine, workspace.records.nodes)
    return method.estimate(await _task(workspace, None, method, document, options))


async def _task(
    workspace: Workspace, run: OpenRun | None, method: Summarizer, document: Document, options: SummaryOptions
) -> SummaryTask:
    limit = options.segment_tokens or method.segment_limit(workspace.engine.info.context_window)
    segments = await segments_of(workspace, document, limit=limit, run=run)
    return SummaryTask(document, segments, words=options.words, language=options.language, focus=options.focus)
