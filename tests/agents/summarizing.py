"""Summarizing a made-up book by any method on a scripted engine and a real SQLite file."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from longdoc.agents.events import Event
from longdoc.agents.full_text import FullTextSummarizer
from longdoc.agents.hierarchical import HierarchicalSummarizer
from longdoc.agents.incremental import IncrementalSummarizer
from longdoc.agents.scm import ScmSummarizer
from longdoc.agents.summary import Summarizer, Summary, SummaryTask
from longdoc.documents.document import Block, Document, Metadata
from longdoc.documents.segments import segment_document
from longdoc.documents.tokens import EstimatedTokens
from longdoc.engines.embedder_hashed import HashedEmbedder
from longdoc.engines.engine import Completion, CompletionRequest, Engine
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import ConfigError, EngineAuthError, InvalidOutputError
from longdoc.storage.database import Database
from longdoc.storage.documents import Documents
from longdoc.storage.ledger import Ledger, LedgerEngine
from longdoc.storage.nodes import Node, Nodes
from longdoc.storage.runs import RunRequest, Runs

Answer = Callable[[CompletionRequest], "str | Completion"]
Method = Callable[[Engine, Nodes], Summarizer]

METHODS: dict[str, Method] = {
    "full": FullTextSummarizer,
    "hierarchical": HierarchicalSummarizer,
    "incremental": IncrementalSummarizer,
    "scm": lambda engine, nodes: ScmSummarizer(engine, nodes, HashedEmbedder()),
}


def book(paragraphs: int = 60) -> Document:
    """A book in which paragraph i tells that event i happened."""
    texts = [f"Paragraph {i} tells that event {i} happened because of event {i - 1}." for i in range(paragraphs)]
    blocks: list[Block] = []
    position = 0
    for text in texts:
        blocks.append(Block(position, position + len(text)))
        position += len(text) + 2
    return Document("book", "\n\n".join(texts), "text", Metadata(title="Events"), blocks=tuple(blocks))


@dataclass
class Outcome:
    """What came of it; an error is part of it."""

    summary: Summary | None
    nodes: tuple[Node, ...]
    requests: list[CompletionRequest]
    events: list[Event] = field(default_factory=list)
    error: Exception | None = None


def summarize(
    path: Path,
    answer: Answer,
    *,
    method: Method = HierarchicalSummarizer,
    document: Document | None = None,
    window: int = 2048,
    limit: int = 100,
    engine: type[ScriptedEngine] = ScriptedEngine,
    **options: object,
) -> Outcome:
    """Summarize a book over a database at `path`."""

    async def work() -> Outcome:
        text = document or book()
        database = await Database.open(path / "record.db")
        answering = engine(answer, context_window=window)
        recorded = LedgerEngine(answering, Ledger(database))
        await Documents(database).save(text)
        run = await Runs(database).start(RunRequest("summarize", "t", (text.id,), {}, "m"))
        segments = await segment_document(text, EstimatedTokens(), limit=limit)
        task = SummaryTask(text, segments, **options)  # pyright: ignore[reportArgumentType]
        outcome = Outcome(None, (), answering.calls)
        try:
            outcome.summary = await method(recorded, Nodes(database)).summarize(
                task, run_id=run.id, emit=outcome.events.append
            )
        except (ConfigError, InvalidOutputError, EngineAuthError) as error:
            outcome.error = error
        outcome.nodes = await Nodes(database).of_run(run.id)
        await database.aclose()
        return outcome

    return asyncio.run(work())


def good(request: CompletionRequest) -> str:
    """An answer that ends as it should."""
    return f"A summary of {len(request.messages[-1].content)} characters."
