"""The methods of summarizing: what there is, and which one fits a document and an engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from longdoc.agents.full_text import FullTextSummarizer, most_text_tokens
from longdoc.agents.hierarchical import HierarchicalSummarizer
from longdoc.agents.hierarchical_plan import MergeContext
from longdoc.agents.incremental import IncrementalSummarizer
from longdoc.agents.scm import ScmSummarizer
from longdoc.agents.summary import Summarizer
from longdoc.agents.tree_plan import DEFAULT_FINAL_TOKENS, words_of
from longdoc.documents.document import Document, SectionRole
from longdoc.documents.tokens import estimate_tokens
from longdoc.engines.embedder import Embedder
from longdoc.engines.engine import Engine, EngineInfo
from longdoc.storage.nodes import Nodes

AUTO: Final = "auto"
_ESTIMATE_MARGIN = 1.25
"""How far an estimate of tokens is trusted before a text counts as too long for one call."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What methods are made of. `embedder` may be loaded at its first use only."""

    engine: Engine
    nodes: Nodes
    embedder: Embedder
    context: MergeContext = MergeContext.CHILD


METHODS: Final[Mapping[str, Callable[[Parts], Summarizer]]] = {
    "full": lambda parts: FullTextSummarizer(parts.engine, parts.nodes),
    "hierarchical": lambda parts: HierarchicalSummarizer(parts.engine, parts.nodes, context=parts.context),
    "incremental": lambda parts: IncrementalSummarizer(parts.engine, parts.nodes),
    "scm": lambda parts: ScmSummarizer(parts.engine, parts.nodes, parts.embedder),
}
"""Every summarization method by name; a new one is an agent and a line here."""


@dataclass(frozen=True, slots=True)
class MethodChoice:
    """A method by name, and one clause on why it was taken."""

    name: str
    reason: str


def choose_method(
    asked: str, document: Document, info: EngineInfo, *, words: int | None, by_chapter: bool
) -> MethodChoice:
    """The method asked for, or the best for this document and engine where that is left open (`auto`).

    One call where the text fits it; otherwise hierarchical merging, which gave the more coherent summaries for four
    of the five models that were measured with both methods, and nearly the same for the other (BooookScore, table 2).
    """
    if asked != AUTO:
        return MethodChoice(asked, "as asked for")
    if by_chapter:
        return MethodChoice("hierarchical", "chapters are summarized one by one")
    tokens = sum(estimate_tokens(text) for text in _body(document))
    about = f"about {tokens:,.0f} tokens"
    if words is not None and words > words_of(DEFAULT_FINAL_TOKENS):
        return MethodChoice("hierarchical", f"{words:,} words are written stretch by stretch")
    if tokens * _ESTIMATE_MARGIN <= most_text_tokens(info.context_window):
        return MethodChoice("full", f"{about} fit one call in a window of {info.context_window:,}")
    return MethodChoice(
        "hierarchical",
        f"{about} do not fit one call in a window of {info.context_window:,}, and merging has measured as more "
        "coherent than updating one summary",
    )


def _body(document: Document) -> list[str]:
    """The text without sections that are not the work itself."""
    pieces: list[str] = []
    position = 0
    for section in document.sections:
        if section.role is not SectionRole.BODY and section.start >= position:
            pieces.append(document.text[position : section.start])
            position = section.end
    return [*pieces, document.text[position:]]
