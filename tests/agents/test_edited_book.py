"""An edited book: what a changed paragraph does not reach is found in the record."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from longdoc.agents.hierarchical import HierarchicalSummarizer
from longdoc.agents.hierarchical_plan import MergeContext
from longdoc.agents.summary import SummaryTask
from longdoc.documents.document import Document, Section
from longdoc.documents.readers import read_document
from longdoc.documents.segments import segment_document
from longdoc.engines.engine import CompletionRequest
from longdoc.engines.scripted import ScriptedEngine
from longdoc.storage.database import Database
from longdoc.storage.documents import Documents
from longdoc.storage.ledger import Ledger, LedgerEngine
from longdoc.storage.nodes import Nodes
from longdoc.storage.runs import RunRequest, Runs

BOOK = Path("../shared/data/books/standardebooks/war-and-peace.epub")
NOVELLA = Path("examples/novella.epub")
NEW = "A paragraph that was not there before tells of a comet, a wager and a lost glove. "


def whole_prompt_matters(request: CompletionRequest) -> str:
    """An answer that changes with any change of what it was asked from."""
    digest = hashlib.sha256(request.messages[-1].content.encode()).hexdigest()
    return f"What happens here is {digest}. " * 20


def with_paragraph(document: Document, at: int) -> Document:
    """The document with a paragraph more, before the block that begins at or after `at`."""
    place = next(block.start for block in document.blocks if block.start >= at)
    added = NEW * 3 + "\n\n"
    text = document.text[:place] + added + document.text[place:]

    def moved(offset: int) -> int:
        return offset + len(added) if offset >= place else offset

    def moved_section(section: Section) -> Section:
        start = section.start if section.start == place else moved(section.start)
        inner = tuple(moved_section(child) for child in section.children)
        return replace(section, start=start, end=moved(section.end), children=inner)

    blocks = [replace(b, start=moved(b.start), end=moved(b.end)) for b in document.blocks]
    own = replace(document.blocks[0], start=place, end=place + len(added) - 2, level=0)
    return replace(
        document,
        id=f"{document.id}-edited",
        text=text,
        blocks=tuple(sorted([*blocks, own], key=lambda block: block.start)),
        sections=tuple(map(moved_section, document.sections)),
        notes=(),
    )


def calls_made(path: Path, documents: list[Document], context: MergeContext) -> list[int]:
    """Summarize one after the other over one record; the calls that each took."""

    async def work() -> list[int]:
        database = await Database.open(path / "record.db")
        engine = ScriptedEngine(whole_prompt_matters)
        counts: list[int] = []
        for document in documents:
            await Documents(database).save(document)
            run = await Runs(database).start(RunRequest("summarize", "t", (document.id,), {}, "m"))
            before = len(engine.calls)
            recorded = LedgerEngine(engine, Ledger(database), run_id=run.id)
            segments = await segment_document(document, Tokens(engine), limit=2048)
            summarizer = HierarchicalSummarizer(recorded, Nodes(database), context=context)
            await summarizer.summarize(SummaryTask(document, segments), run_id=run.id, emit=lambda _: None)
            counts.append(len(engine.calls) - before)
        await database.aclose()
        return counts

    return asyncio.run(work())


class Tokens:
    """The engine's own count."""

    identity = "scripted"

    def __init__(self, engine: ScriptedEngine) -> None:
        self.count_tokens: Callable[..., object] = engine.count_tokens


def third_chapter(document: Document) -> int:
    """An offset in the middle of the third chapter of the first book that has chapters."""
    parts = [section for section in document.sections if len(section.children) >= 3]
    chapter = parts[0].children[2] if parts else [s for s in document.sections if s.title][3]
    return (chapter.start + chapter.end) // 2


@pytest.mark.skipif(not BOOK.exists(), reason="the folder of shared data is absent")
def test_a_paragraph_in_the_third_chapter_of_war_and_peace_redoes_under_3_percent(tmp_path: Path) -> None:
    document = read_document(BOOK)
    edited = with_paragraph(document, third_chapter(document))
    whole, redone = calls_made(tmp_path, [document, edited], MergeContext.CHILD)
    print(f"{redone} of {whole} calls redone")
    assert 0 < redone < 0.03 * whole


def test_with_the_previous_merge_as_context_all_later_merges_are_redone(tmp_path: Path) -> None:
    document = read_document(NOVELLA)
    edited = with_paragraph(document, third_chapter(document))
    (tmp_path / "child").mkdir()
    (tmp_path / "previous").mkdir()
    whole, child = calls_made(tmp_path / "child", [document, edited], MergeContext.CHILD)
    _, previous = calls_made(tmp_path / "previous", [document, edited], MergeContext.PREVIOUS)
    assert child <= previous < whole
