"""What a draft rests on: excerpts of its sources for each section, and citations that stand there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import chain, zip_longest

from longdoc.agents.aligned_citations import aligned_citations
from longdoc.agents.answer_reader import EXCERPT_TOKENS
from longdoc.agents.citations import Citation
from longdoc.agents.events import Emit, Warned
from longdoc.app.bootstrap import Workspace
from longdoc.app.segmentation import counter_of
from longdoc.app.shelf import Shelf
from longdoc.documents.atoms import sentence_spans
from longdoc.engines.embedder import Embedder
from longdoc.errors import ConfigError, EngineError
from longdoc.json_value import JsonValue
from longdoc.retrieval.alignment import Aligner
from longdoc.retrieval.excerpts import Excerpt
from longdoc.retrieval.hits import Hit
from longdoc.retrieval.key_context import build_key_context
from longdoc.storage.draft_types import PlannedSection

_HASHED = "hashed"
_FOUND = 12


class DraftSources:
    """The sources of a draft. Close the shelf when it is not needed any more."""

    def __init__(self, workspace: Workspace, shelf: Shelf, *, emit: Emit) -> None:
        self._workspace = workspace
        self._shelf = shelf
        self._emit = emit
        self._aligner: Aligner | None = None

    async def excerpts(self, section: PlannedSection, instruction: str, tokens: int) -> tuple[Excerpt, ...]:
        """What the sources say to a section, in their order, with at most so many tokens."""
        index = await self._shelf.index(self._workspace, emit=self._emit)
        line = f"{section.heading}. {section.main_point}".strip(" .") or instruction
        rankings = [await index.search(query, k=_FOUND) for query in (line, *section.sources)]
        if not any(rankings):
            rankings = [await index.search(instruction, k=_FOUND)]
        documents = await self._shelf.load({hit.document_id for ranking in rankings for hit in ranking})
        counter = counter_of(self._workspace.engine)
        context = await build_key_context(
            _in_turn(rankings), documents, budget=tokens, counter=counter, fence=EXCERPT_TOKENS
        )
        return context.excerpts

    async def notes(self, text: str, excerpts: Sequence[Excerpt]) -> JsonValue:
        """The citations of a section: for each sentence that an excerpt supports that excerpt's own words, at the end
        of the sentence. A sentence of a source is cited once in a section, where it first supports something."""
        spans = [(start, end) for start, end in sentence_spans(text) if text[start:end].strip()]
        if not excerpts or not spans:
            return []
        sentences = [" ".join(text[start:end].split()) for start, end in spans]
        try:
            found = await aligned_citations(await self._opened_aligner(), sentences, excerpts)
        except (ConfigError, EngineError) as error:
            self._emit(Warned(f"citations are found by wording alone: {error}"))
            self._aligner = Aligner(None)
            found = await aligned_citations(self._aligner, sentences, excerpts)
        notes: list[JsonValue] = []
        known: set[tuple[str, int, int]] = set()
        for (start, end), citations in zip(spans, found, strict=True):
            for cited in citations:
                place = (cited.document_id, cited.start, cited.end)
                if place not in known:
                    notes.append({"at": start + len(text[start:end].rstrip()), **_stored(cited)})
                known.add(place)
        return notes

    async def _opened_aligner(self) -> Aligner:
        if self._aligner is None:
            embedder: Embedder | None = None
            try:
                embedder = await self._workspace.embedder.opened()
            except (ConfigError, EngineError) as error:
                self._emit(Warned(f"citations are found by wording alone: {error}"))
            hashed = embedder is None or embedder.info.engine == _HASHED
            self._aligner = Aligner(None if hashed else embedder)
        return self._aligner


def _stored(citation: Citation) -> dict[str, JsonValue]:
    kept = asdict(citation)
    place = str(citation.place)
    return {name: kept[name] for name in ("document_id", "title", "start", "end", "quote", "score")} | {"place": place}


def _in_turn(rankings: Sequence[Sequence[Hit]]) -> list[Hit]:
    """The first of each, the second of each, …; each segment once."""
    merged = (hit for hit in chain.from_iterable(zip_longest(*rankings)) if hit is not None)
    return list({hit.place: hit for hit in reversed(list(merged))}.values())[::-1]
