"""Summarizing a document from end to end: read, segment, plan, work, store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from longdoc.agents.events import Emit
from longdoc.agents.hierarchical_plan import MergeContext
from longdoc.agents.summary import Summarizer, Summary, SummaryEstimate, SummaryTask
from longdoc.app.bootstrap import Workspace
from longdoc.app.methods import AUTO, METHODS, MethodChoice, Parts, choose_method
from longdoc.app.provenance import trace_sources
from longdoc.app.results import Shown, Source
from longdoc.app.runs import OpenRun, RunUsage, open_run
from longdoc.app.segmentation import segments_of
from longdoc.documents.document import Document
from longdoc.documents.places import place_of
from longdoc.engines.engine import Engine
from longdoc.errors import ConfigError
from longdoc.json_value import JsonValue
from longdoc.storage.evaluations import MethodScore
from longdoc.storage.runs import RunRequest, RunStatus
from longdoc.storage.supports import NodeSupport


@dataclass(frozen=True, slots=True)
class SummaryOptions:
    """What a user can ask of a summary; `sources`: whether its sentences are traced to the text.

    Raises `ConfigError` for values that cannot work.
    """

    method: str = AUTO
    words: int | None = None
    by_chapter: bool = False
    segment_tokens: int | None = None
    language: str | None = None
    focus: str | None = None
    merge_context: MergeContext = MergeContext.CHILD
    sources: bool = True

    def __post_init__(self) -> None:
        if self.method not in {AUTO, *METHODS}:
            raise ConfigError(f"there is no method {self.method!r}; choose one of: {', '.join([AUTO, *METHODS])}")
        if self.words is not None and self.words < 10:
            raise ConfigError(f"{self.words} words hold no summary; ask for at least 10")

    def parameters(self, method: str) -> dict[str, JsonValue]:
        """What was asked for, with the method that was taken: part of the identity of a run. What is left at its
        default is left out, so that later options leave older runs as they are."""
        asked = {
            "method": method,
            "words": self.words,
            "by": "chapter" if self.by_chapter else None,
            "segment_tokens": self.segment_tokens,
            "language": self.language,
            "focus": self.focus,
            "merge_context": None if self.merge_context is MergeContext.CHILD else str(self.merge_context),
        }
        return {name: value for name, value in asked.items() if value is not None}


@dataclass(frozen=True, slots=True)
class SummaryResult(Shown):
    """A summary with the run it came from, the method it was made by, and what that took this time.

    `supports` tells by the id of each node what its sentences rest on; empty where that was not asked for.
    """

    run_id: str
    document: Document
    method: MethodChoice
    summary: Summary
    usage: RunUsage
    supports: Mapping[str, NodeSupport] = field(default_factory=dict[str, NodeSupport])

    @property
    def text(self) -> str:
        """The summary."""
        return self.summary.text

    @property
    def sources(self) -> tuple[Source, ...]:
        """The best source of each sentence that has one."""
        found = self.supports.get(self.summary.node_id)
        return tuple(
            Source(
                self.document.id,
                self.document.title,
                start,
                end,
                self.document.text[start:end],
                place_of(self.document, start, end),
                at=sentence.end,
            )
            for sentence in (() if found is None else found.sentences)
            for start, end in sentence.spans[:1]
        )


async def summarize(
    workspace: Workspace,
    document: Document,
    options: SummaryOptions,
    *,
    fresh: bool,
    fresh_since: datetime | None = None,
    emit: Emit,
) -> SummaryResult:
    """Summarize a document, going on where an earlier run of the same request stopped.

    With `fresh_since` (aware) nothing older counts. Raises what `Summarizer.summarize` raises; the run is closed with
    the fitting status first.
    """
    await workspace.records.documents.save(document)
    choice = await _choice(workspace, document, options)
    asked = replace(options, merge_context=choice.context)
    request = RunRequest(
        kind="summarize",
        title=document.title,
        document_ids=(document.id,),
        parameters=asked.parameters(choice.name),
        model=workspace.engine.info.identity,
    )
    async with open_run(workspace, request, fresh=fresh, fresh_since=fresh_since, emit=emit) as run:
        method = _method(workspace, run.engine, choice)
        task = await _task(workspace, run, method, document, options)
        summary = await method.summarize(task, run_id=run.id, emit=run.emit)
        run.result_node = summary.node_id
        run.status = RunStatus.GAPS if summary.gaps else RunStatus.DONE
        supports: Mapping[str, NodeSupport] = {}
        if options.sources:
            supports = await trace_sources(workspace, run.id, document, emit=run.emit)
    return SummaryResult(run.id, document, choice, summary, run.usage, supports)


async def estimate(
    workspace: Workspace, document: Document, options: SummaryOptions
) -> tuple[MethodChoice, SummaryEstimate]:
    """The method that `summarize` will take, and what that takes at most.

    Spends nothing: token counts are estimated where no tokenizer is.
    """
    choice = await _choice(workspace, document, options)
    return choice, await _estimate(workspace, document, options, choice)


async def _estimate(
    workspace: Workspace, document: Document, options: SummaryOptions, choice: MethodChoice
) -> SummaryEstimate:
    method = _method(workspace, workspace.engine, choice)
    return method.estimate(await _task(workspace, None, method, document, options))


async def _choice(workspace: Workspace, document: Document, options: SummaryOptions) -> MethodChoice:
    """The method to take. One that measured best but cannot do this document as asked is passed over."""
    info = workspace.engine.info
    measured: Sequence[MethodScore] = ()
    if options.method == AUTO:
        measured = await workspace.records.scores.of_model(info.identity)
    while True:
        choice = choose_method(
            options.method,
            document,
            info,
            words=options.words,
            by_chapter=options.by_chapter,
            segmented=options.segment_tokens is not None,
            merge_context=options.merge_context,
            measured=measured,
        )
        if not choice.measured:
            return choice
        try:
            await _estimate(workspace, document, options, choice)
            return choice
        except ConfigError:
            measured = [score for score in measured if score.method != choice.label]


def _method(workspace: Workspace, engine: Engine, choice: MethodChoice) -> Summarizer:
    return METHODS[choice.name](Parts(engine, workspace.records.nodes, workspace.embedder, choice.context))


async def _task(
    workspace: Workspace, run: OpenRun | None, method: Summarizer, document: Document, options: SummaryOptions
) -> SummaryTask:
    limit = options.segment_tokens or method.segment_limit(workspace.engine.info.context_window)
    segments = await segments_of(workspace, document, limit=limit, run=run)
    return SummaryTask(
        document,
        segments,
        words=options.words,
        language=options.language,
        focus=options.focus,
        by_chapter=options.by_chapter,
    )
