"""The methods of summarizing: what there is, and which one fits a document and an engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from longdoc.agents.full_text import FullTextSummarizer, most_text_tokens
from longdoc.agents.hierarchical import HierarchicalSummarizer
from longdoc.agents.hierarchical_plan import MergeContext
from longdoc.agents.incremental import IncrementalSummarizer
from longdoc.agents.scm import ScmSummarizer
from longdoc.agents.summary import Summarizer
from longdoc.agents.tree_plan import DEFAULT_FINAL_TOKENS, words_of
from longdoc.app.measured_choice import best_measured
from longdoc.documents.document import Document, SectionRole
from longdoc.documents.tokens import estimate_tokens
from longdoc.engines.embedder import Embedder
from longdoc.engines.engine import Engine, EngineInfo
from longdoc.errors import ConfigError
from longdoc.storage.evaluations import MethodScore
from longdoc.storage.nodes import Nodes

AUTO: Final = "auto"
_ONE_CALL = "full"
_MERGING = "hierarchical"
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
class MethodVariant:
    """A method by name, with the context that its merges are given where it has merges that take one."""

    name: str
    context: MergeContext = MergeContext.CHILD

    @property
    def label(self) -> str:
        """How it is written: `hierarchical`, `hierarchical:previous`."""
        return self.name if self.context is MergeContext.CHILD else f"{self.name}:{self.context}"


def parse_variant(label: str) -> MethodVariant:
    """A variant from how it is written. Raises `ConfigError`."""
    name, colon, context = label.partition(":")
    if name not in METHODS:
        raise ConfigError(f"there is no method {name!r}; choose among: {', '.join(METHODS)}")
    if colon and (name != _MERGING or context not in set(MergeContext)):
        known = ", ".join(f"{_MERGING}:{context}" for context in MergeContext)
        raise ConfigError(f"there is no method {label!r}; with a merge context there are: {known}")
    return MethodVariant(name, MergeContext(context) if colon else MergeContext.CHILD)


@dataclass(frozen=True, slots=True)
class MethodChoice:
    """A method, one clause on why it was taken, and whether that is because it measured best."""

    name: str
    reason: str
    context: MergeContext = MergeContext.CHILD
    measured: bool = False

    @property
    def label(self) -> str:
        """See `MethodVariant`."""
        return MethodVariant(self.name, self.context).label


def choose_method(
    asked: str,
    document: Document,
    info: EngineInfo,
    *,
    words: int | None,
    by_chapter: bool,
    segmented: bool = False,
    merge_context: MergeContext = MergeContext.CHILD,
    measured: Sequence[MethodScore] = (),
) -> MethodChoice:
    """The method asked for, or the best for this document and engine where that is left open (`auto`).

    `segmented` tells that segments of a size were asked for, which one call does not have.

    `measured` is what comparisons found for this model, newest first: where at least two methods that can be taken
    were judged on the same documents of comparable size, the more coherent one is taken. Otherwise one call where the
    text fits it; otherwise hierarchical merging, which gave the more coherent summaries for four of the five models
    that were measured with both methods, and nearly the same for the other (BooookScore, table 2).

    So a later comparison may change what `auto` takes, also for a run that was not finished: the parameters of a run
    hold the method that was taken, and asking for that method goes on with it.
    """
    if asked != AUTO:
        return MethodChoice(asked, "as asked for", merge_context)
    if by_chapter:
        return MethodChoice(_MERGING, "chapters are summarized one by one", merge_context)
    if words is not None and words > words_of(DEFAULT_FINAL_TOKENS):
        return MethodChoice(_MERGING, f"{words:,} words are written stretch by stretch", merge_context)
    tokens = body_tokens(document)
    fits = fits_one_call(tokens, info) and not segmented
    learned = best_measured(
        measured, tokens=tokens, methods=_candidates(merge_context, fits=fits), including=_ONE_CALL if fits else None
    )
    size = (
        "segments of a size of their own were asked for"
        if segmented
        else f"about {tokens:,.0f} tokens {'fit' if fits else 'do not fit'} one call in a window of "
        f"{info.context_window:,}"
    )
    if learned is not None:
        taken = parse_variant(learned.method)
        how = "and" if fits is (taken.name == _ONE_CALL) else "but"
        reason = f"{size}, {how} {taken.label} measured as the most coherent: {learned.figures}"
        return MethodChoice(taken.name, reason, taken.context, measured=True)
    if fits:
        return MethodChoice(_ONE_CALL, size, merge_context)
    return MethodChoice(
        _MERGING, f"{size}, and merging has measured as more coherent than updating one summary", merge_context
    )


def body_tokens(document: Document) -> float:
    """About how many tokens the work itself has."""
    return sum(estimate_tokens(text) for text in _body(document))


def fits_one_call(tokens: float, info: EngineInfo) -> bool:
    """Whether a text of about so many tokens surely fits one call of an engine."""
    return tokens * _ESTIMATE_MARGIN <= most_text_tokens(info.context_window)


def _candidates(merge_context: MergeContext, *, fits: bool) -> list[str]:
    """The methods that may be taken, preferred ones first; a context other than the default was asked for."""
    contexts = list(MergeContext) if merge_context is MergeContext.CHILD else [merge_context]
    merging = [MethodVariant(_MERGING, context).label for context in contexts]
    others = [name for name in METHODS if name not in {_ONE_CALL, _MERGING}]
    return [*([_ONE_CALL] if fits else []), *merging, *others]


def _body(document: Document) -> list[str]:
    """The text without sections that are not the work itself."""
    pieces: list[str] = []
    position = 0
    for section in document.sections:
        if section.role is not SectionRole.BODY and section.start >= position:
            pieces.append(document.text[position : section.start])
            position = section.end
    return [*pieces, document.text[position:]]
