"""The prompts of summaries: what stands in them besides the text, and how much room they take."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from longdoc.agents.sentences import count_words
from longdoc.agents.summary import SummaryTask
from longdoc.documents.document import Document
from longdoc.documents.segments import Segment
from longdoc.documents.tokens import estimate_tokens
from longdoc.prompts.catalogue import Quoted, RenderedPrompt, Variable, render

_MOST_TITLE_CHARACTERS = 200
_ESTIMATE_MARGIN = 1.3
_MESSAGE_TOKENS = 32
_MANY_WORDS = 100_000
_EMPTY = Quoted("", {})


@dataclass(frozen=True, slots=True)
class Length:
    """How long an answer should be: about so many words when `exact`, else at most so many."""

    words: int
    exact: bool = False

    def shrunk(self, factor: float) -> Length:
        """The same kind of length, shorter."""
        return Length(round(self.words * factor), self.exact)


class SummaryPrompts:
    """The prompts of one task. `place` is the title of the chapter that a text stands in."""

    def __init__(self, task: SummaryTask) -> None:
        self._task = task

    def leaf(self, segment: Quoted, length: Length, *, place: str) -> RenderedPrompt:
        """Summarize a segment."""
        return self._render("summarize/leaf", place, length, {"segment": segment})

    def merge(self, parts: Sequence[Quoted], length: Length, *, before: Quoted | None, place: str) -> RenderedPrompt:
        """Make one summary of several, which goes on from what came before."""
        return self._render("summarize/merge", place, length, {"parts": parts, "before": before})

    def update(self, running: Quoted, segment: Quoted, length: Length, *, place: str) -> RenderedPrompt:
        """Work a segment into a running summary."""
        return self._render("summarize/update", place, length, {"running": running, "segment": segment})

    def block(
        self, segment: Quoted, length: Length, *, memories: Sequence[Quoted], before: Quoted | None, place: str
    ) -> RenderedPrompt:
        """Summarize a segment with memories of earlier ones as background."""
        return self._render("scm/block", place, length, {"segment": segment, "memories": memories, "before": before})

    def compress(self, summary: Quoted, words: int) -> RenderedPrompt:
        """Say the same in fewer words."""
        wanted = {"summary": summary, "have": count_words(summary.text), "words": words}
        return render("summarize/compress", self._reader() | wanted)

    def go_on(self, parts: Sequence[Quoted], summary: Quoted, words: int) -> RenderedPrompt:
        """Go on with a summary that is too short."""
        title = title_of(self._task.document, self._task.document.metadata.title)
        return render(
            "summarize/continue",
            self._reader() | {"title": title, "parts": parts, "summary": summary, "words": words},
        )

    def clean(self, summary: Quoted) -> RenderedPrompt:
        """Take out traces of piecewise reading."""
        return render("summarize/clean", {"summary": summary})

    def segment(self, segment: Segment) -> Quoted:
        """The text of a segment."""
        document = self._task.document
        reference = {"document": document.id, "start": segment.start, "end": segment.end}
        return Quoted(document.text[segment.start : segment.end].strip(), reference)

    def overhead(self) -> int:
        """Tokens of the longest empty prompt, estimated with a margin so that no tokenizer need be asked."""
        place = max((section.title for section in self._task.document.walk_sections()), key=len, default="")
        length = Length(_MANY_WORDS, exact=True)
        prompts = (
            self.leaf(_EMPTY, length, place=place),
            self.merge([_EMPTY], length, before=_EMPTY, place=place),
            self.update(_EMPTY, _EMPTY, length, place=place),
            self.block(_EMPTY, length, memories=[_EMPTY, _EMPTY], before=_EMPTY, place=place),
            self.go_on([_EMPTY], _EMPTY, _MANY_WORDS),
        )
        longest = max(estimate_tokens(prompt.system + prompt.user) for prompt in prompts)
        return math.ceil(longest * _ESTIMATE_MARGIN) + _MESSAGE_TOKENS

    def _render(self, name: str, place: str, length: Length, variables: Mapping[str, Variable]) -> RenderedPrompt:
        document = self._task.document
        titles = {"title": title_of(document, document.metadata.title), "place": title_of(document, place)}
        return render(name, {**self._reader(), **titles, "words": length.words, "exact": length.exact, **variables})

    def _reader(self) -> dict[str, Variable]:
        return {"language": self._task.language, "focus": self._task.focus}


def title_of(document: Document, title: str) -> Quoted | None:
    """A title as text of the document; what is longer than a title is cut."""
    cut = title[:_MOST_TITLE_CHARACTERS]
    return Quoted(cut, {"document": document.id, "title": cut}) if cut else None
