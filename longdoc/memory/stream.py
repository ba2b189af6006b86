"""The memory stream of one namespace as a conversation uses it: memories as they stand in a prompt, counted and found.

What is stored is `storage`'s, what is found `index.py`'s; which of it a prompt gets is decided by `policies.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from longdoc.documents.atoms import sentence_spans
from longdoc.documents.tokens import TokenCounter
from longdoc.memory.decision import Candidate
from longdoc.memory.index import MemoryIndex, MemoryRows
from longdoc.prompts.catalogue import Quoted
from longdoc.storage.clock import utc_now
from longdoc.storage.memory_types import Counted, Memory, MemoryFilter, MemoryKind

_PAGE = 64
_SAID, _ANSWERED = "User: ", "Assistant: "
_TAG = "memory"
"""Between such tags memories stand in prompts."""
_SHOWN = "fenced:1"
"""What the tokens of a memory depend on beside its text."""


class MemoryStream:
    """Memories of a namespace. `wrapper` is how many tokens a prompt takes for each of them beside its text."""

    def __init__(self, rows: MemoryRows, index: MemoryIndex, counter: TokenCounter, *, wrapper: int = 0) -> None:
        self.rows = rows
        self.index = index
        self._counter = counter
        self._wrapper = wrapper

    @property
    def namespace(self) -> int:
        """The namespace's id."""
        return self.rows.namespace.id

    async def newest(self, *, before: int, meant: MemoryFilter | None = None) -> AsyncIterator[Candidate]:
        """Memories before a number, the newest first, counted as they are asked for."""
        while True:
            page = await self.rows.memories.newest(self.namespace, _PAGE, before=before, meant=meant)
            for one in await self.counted(page):
                yield one
            if len(page) < _PAGE:
                return
            before = page[-1].number

    async def search(self, question: str, *, k: int, before: int, meant: MemoryFilter | None = None) -> list[Candidate]:
        """The `k` most relevant memories before a number, the best first."""
        found = await self.index.search(question, k=k, before=before, meant=meant)
        stored = await self.rows.memories.get(self.namespace, [one.number for one in found])
        now = utc_now()
        stored = [one for one in stored if one.expires_at is None or one.expires_at > now]
        counted = {one.number: one for one in await self.counted(stored)}
        there = [one for one in found if one.number in counted]  # others were erased a moment ago
        return [replace(counted[one.number], relevance=one.score) for one in there]

    async def counted(self, memories: Sequence[Memory]) -> list[Candidate]:
        """Memories as they stand in a prompt, with their tokens, which are stored where they were not known."""
        identity = f"{self._counter.identity}; {_SHOWN}"
        unknown = [one for one in memories if one.counter != identity or one.tokens is None]
        fresh: dict[int, Counted] = {}
        if unknown:
            texts = [shown(one) for one in unknown]
            summaries = [_fenced(one.summary or "") for one in unknown]
            counts = await self._counter.count_tokens([*texts, *summaries])
            for place, one in enumerate(unknown):
                short = counts[len(texts) + place] if one.summary else None
                fresh[one.number] = Counted(one.number, one.change, one.summary, counts[place], short)
            self.rows.memories.count(self.namespace, list(fresh.values()), counter=identity)
        return [self._candidate(one, fresh.get(one.number)) for one in memories]

    async def cut(self, text: str, tokens: int) -> tuple[str, int]:
        """See `fitting.Cut`; the wrapper counts."""
        ends = [end for _, end in sentence_spans(text)]
        low, high, best = 0, len(ends), 0
        while low < high:  # how many sentences fit
            middle = (low + high + 1) // 2
            count = (await self._counter.count_tokens([text[: ends[middle - 1]].rstrip()]))[0] + self._wrapper
            if count <= tokens:
                low, best = middle, count
            else:
                high = middle - 1
        return (text[: ends[low - 1]].rstrip(), best) if low else ("", 0)

    def _candidate(self, memory: Memory, counted: Counted | None) -> Candidate:
        tokens = (memory.tokens or 0) if counted is None else counted.tokens
        short = memory.summary_tokens if counted is None else counted.summary_tokens
        shorter = short is not None and short < tokens
        useful = memory.summary is not None and memory.summary != memory.text and shorter
        return Candidate(
            number=memory.number,
            full=shown(memory),
            full_tokens=tokens + self._wrapper,
            label=label(memory),
            summary=_fenced(memory.summary or "") if useful else None,
            summary_tokens=(short or 0) + self._wrapper if useful else 0,
        )


def shown(memory: Memory) -> str:
    """A memory as it stands in a prompt: who said what, or what it says; it cannot end the fence that it stands in."""
    if memory.kind is not MemoryKind.TURN:
        return _fenced(memory.text)
    said = ((_SAID, memory.observation), (_ANSWERED, memory.response))
    return _fenced("\n".join(f"{who}{words}" for who, words in said if words))


def _fenced(text: str) -> str:
    return Quoted(text, {}).fenced(_TAG)


def label(memory: Memory) -> str:
    """Which memory it is, and when it was said."""
    what = {MemoryKind.TURN: "Turn", MemoryKind.FACT: "Fact"}.get(memory.kind, "Note")
    return f"{what} {memory.number}, {memory.at:%Y-%m-%d}"
