"""What every summarization method takes and gives, whatever way it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from longdoc.agents.events import Emit
from longdoc.documents.document import Document
from longdoc.documents.segments import Segment


@dataclass(frozen=True, slots=True)
class SummaryTask:
    """What to summarize and how: `words` is the length wanted, of each chapter where `by_chapter` (None: the method's
    own), `language` the language to write in (None: the document's), `focus` what the reader wants to know above all
    (None: everything)."""

    document: Document
    segments: Sequence[Segment]
    words: int | None = None
    language: str | None = None
    focus: str | None = None
    by_chapter: bool = False


@dataclass(frozen=True, slots=True)
class SummaryEstimate:
    """What a summary takes at most, in calls and tokens, when each answer is good at the first attempt."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    levels: int


@dataclass(frozen=True, slots=True)
class SummaryPart:
    """A node that is part of the result: the whole, a chapter, or one stretch of a long summary."""

    node_id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Summary:
    """A finished summary. `parts` are what its text is made of, in order; `gaps` names what could not be summarized;
    `truncated` counts answers cut to fit."""

    node_id: str
    text: str
    parts: tuple[SummaryPart, ...]
    levels: int
    nodes: int
    gaps: tuple[str, ...]
    truncated: int


class Summarizer(Protocol):
    """A method of summarizing."""

    def segment_limit(self, window: int) -> int:
        """The most tokens a segment should have for this method, in a window of so many."""
        ...

    def estimate(self, task: SummaryTask) -> SummaryEstimate:
        """What the work will take, without a call. Raises `ConfigError` where it cannot be done."""
        ...

    async def summarize(self, task: SummaryTask, *, run_id: str, emit: Emit) -> Summary:
        """Do the work, storing each node as it is done.

        Raises `ConfigError`, `InvalidOutputError` when nothing came of it, `BudgetExceededError`, `EngineError`.
        """
        ...
