"""The key context: the best segments, spliced in document order, within a budget of tokens.

Source: XL3M (2024, arXiv 2405.17755): relevant segments in their original order. The budget, the merging of overlaps
and the skipping of what does not fit are our own.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from longdoc.documents.atoms import sentence_spans
from longdoc.documents.document import Document
from longdoc.documents.tokens import TokenCounter
from longdoc.retrieval.excerpts import Excerpt
from longdoc.retrieval.hits import Hit

_MOST_MISSES = 32
"""How many segments in a row may be counted and found too long before the budget counts as spent."""
_SHORTENING = 0.9
_SURE = 0.5
"""An estimate of tokens by this share of it is never above the true count."""


@dataclass(frozen=True, slots=True)
class KeyContext:
    """What a question is answered from: excerpts in document order; `used` are the hits that went into them."""

    excerpts: tuple[Excerpt, ...]
    used: tuple[Hit, ...]

    @property
    def tokens(self) -> int:
        """Tokens of all excerpts, what surrounds them included."""
        return sum(excerpt.tokens for excerpt in self.excerpts)


async def build_key_context(
    ranking: Sequence[Hit],
    documents: Mapping[str, Document],
    *,
    budget: int,
    counter: TokenCounter,
    fence: int = 0,
    most: int | None = None,
) -> KeyContext:
    """Take hits from the best downwards while they fit, and splice them; what stands in two of them is taken once.

    `documents` are those of the hits by their ids, in the order in which they are shown; `fence` are the tokens that an
    excerpt takes beside its text; at most `most` hits are taken. The first hit is cut at the end of a sentence where it
    alone is too long. Sums of tokens of pieces are at or above those of the joined text.
    """
    splice = _Splice(documents, budget=budget, counter=counter, fence=fence)
    misses = 0
    used: list[Hit] = []
    for hit in ranking:
        if misses >= _MOST_MISSES or (most is not None and len(used) >= most):
            break
        if splice.surely_too_long(hit):
            continue
        if await splice.take(hit):
            used.append(hit)
            misses = 0
        else:
            misses += 1
    if not used and ranking:
        await splice.take_beginning(ranking[0])
        used.append(ranking[0])
    return KeyContext(splice.excerpts(), tuple(used))


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    end: int
    tokens: int


class _Splice:
    """Pieces of documents that do not overlap, and the tokens that are left."""

    def __init__(self, documents: Mapping[str, Document], *, budget: int, counter: TokenCounter, fence: int) -> None:
        self._documents = documents
        self._left = budget
        self._counter = counter
        self._fence = fence
        self._pieces: dict[str, list[_Piece]] = {}

    def surely_too_long(self, hit: Hit) -> bool:
        segment = hit.segment
        new = sum(end - start for start, end in self._new(hit))
        estimate = segment.tokens * new / max(1, segment.end - segment.start)
        return estimate * _SURE > self._left

    async def take(self, hit: Hit) -> bool:
        """Take what is new of a hit; False, and nothing taken, where it does not fit."""
        new = self._new(hit)
        pieces = await self._counted(hit.document_id, new)
        cost = sum(piece.tokens for piece in pieces) + self._fence * (not self._touches(hit))
        if cost > self._left:
            return False
        self._add(hit.document_id, pieces, cost)
        return True

    async def take_beginning(self, hit: Hit) -> None:
        """Take as many whole sentences from the beginning of a hit as fit, of a single long one as much as fits."""
        text = self._documents[hit.document_id].text
        start, end = hit.segment.start, hit.segment.end
        spans = [(start + a, start + b) for a, b in sentence_spans(text[start:end])]
        pieces = await self._counted(hit.document_id, spans)
        room = self._left - self._fence
        totals = accumulate(piece.tokens for piece in pieces)
        fitting = [piece for piece, total in zip(pieces, totals, strict=True) if total <= room]
        if not fitting and pieces:
            fitting = await self._shortened(hit.document_id, pieces[0], room)
        if fitting:
            self._add(hit.document_id, fitting, sum(piece.tokens for piece in fitting) + self._fence)

    async def _shortened(self, document_id: str, piece: _Piece, room: int) -> list[_Piece]:
        """The beginning of a piece, up to a white space where there is one; nothing where no character fits."""
        text = self._documents[document_id].text
        while piece.tokens > room:
            size = int((piece.end - piece.start) * max(0, room) / piece.tokens * _SHORTENING)
            if size == 0:
                return []
            space = text.rfind(" ", piece.start + 1, piece.start + size)
            (piece,) = await self._counted(document_id, [(piece.start, space if space > 0 else piece.start + size)])
        return [piece]

    def excerpts(self) -> tuple[Excerpt, ...]:
        """The pieces joined where they touch, in document order."""
        found: list[Excerpt] = []
        for document_id, document in self._documents.items():
            for start, end, tokens in _joined(document.text, self._pieces.get(document_id, [])):
                found.append(Excerpt(len(found) + 1, document, start, end, tokens + self._fence))
        return tuple(found)

    def _add(self, document_id: str, pieces: Sequence[_Piece], cost: int) -> None:
        there = self._pieces.setdefault(document_id, [])
        there.extend(pieces)
        there.sort(key=lambda piece: piece.start)
        self._left -= cost

    async def _counted(self, document_id: str, spans: Sequence[tuple[int, int]]) -> list[_Piece]:
        text = self._documents[document_id].text
        counts = await self._counter.count_tokens([text[a:b] for a, b in spans]) if spans else []
        return [_Piece(a, b, count) for (a, b), count in zip(spans, counts, strict=True)]

    def _new(self, hit: Hit) -> list[tuple[int, int]]:
        """The parts of a hit that are not taken yet."""
        position, end = hit.segment.start, hit.segment.end
        new: list[tuple[int, int]] = []
        for piece in self._around(hit):
            if piece.start > position:
                new.append((position, min(piece.start, end)))
            position = max(position, piece.end)
        if position < end:
            new.append((position, end))
        return new

    def _touches(self, hit: Hit) -> bool:
        return bool(self._around(hit))

    def _around(self, hit: Hit) -> list[_Piece]:
        """The pieces that overlap a hit or touch it."""
        there = self._pieces.get(hit.document_id, [])
        low = bisect_left(there, hit.segment.start, key=lambda piece: piece.end)
        high = bisect_right(there, hit.segment.end, key=lambda piece: piece.start)
        return there[low:high]


def _joined(text: str, pieces: Sequence[_Piece]) -> list[tuple[int, int, int]]:
    """Pieces as (start, end, tokens), those with nothing but white space between them as one."""
    joined: list[tuple[int, int, int]] = []
    for piece in pieces:
        if joined and not text[joined[-1][1] : piece.start].strip():
            start, _, tokens = joined[-1]
            joined[-1] = (start, piece.end, tokens + piece.tokens)
        else:
            joined.append((piece.start, piece.end, piece.tokens))
    return joined
