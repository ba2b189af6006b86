"""The text that needles are planted in: blocks of real documents, round and round until a length is reached.

Blocks are kept once however often the text repeats them, so that a text of twenty million tokens takes little more
memory than its characters.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from longdoc.documents.document import Block, BlockKind, Document, SectionRole
from longdoc.documents.tokens import estimate_tokens
from longdoc.errors import ConfigError
from longdoc.evaluation.places import characters_of, place_near

PROSE = frozenset({BlockKind.PARAGRAPH, BlockKind.QUOTE, BlockKind.LIST_ITEM})
"""Blocks that a sentence may be added to."""

JOINT_TOKENS = 0.5
"""The blank line between two blocks."""

_WORD = re.compile(r"[^\W\d_]+")
_CUT_TOLERANCE = 0.01
"""How far from the length asked for a text may end, so that it ends with a sentence."""


@dataclass(frozen=True, slots=True)
class FillerBlock:
    """A block of the source; `tokens` by the estimate."""

    text: str
    kind: BlockKind
    level: int
    tokens: float


@dataclass(frozen=True)
class Filler:
    """What texts are made of; `identity` is a hash of the sources, `language` that of the first one ("en" if unsaid).

    `tokens` are those of all blocks, joined.
    """

    name: str
    identity: str
    language: str
    blocks: tuple[FillerBlock, ...]
    tokens: float

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word in it, in lower case."""
        return frozenset(word.casefold() for block in self.blocks for word in _WORD.findall(block.text))

    def stretch(self, tokens: float, *, first: int = 0) -> list[FillerBlock]:
        """Blocks from number `first` on, round and round, of so many tokens within a hundredth.

        The last block is cut at the end of a sentence where one is near enough.
        """
        a_round = self.tokens + JOINT_TOKENS
        rounds = int(tokens // a_round)
        turned = [*self.blocks[first:], *self.blocks[:first]]
        blocks = turned * rounds
        left = tokens - rounds * a_round
        for block in turned:
            if block.tokens + JOINT_TOKENS > left:
                blocks.extend(self._cut(block, left, tokens))
                break
            blocks.append(block)
            left -= block.tokens + JOINT_TOKENS
        return blocks

    def _cut(self, block: FillerBlock, left: float, whole: float) -> Iterator[FillerBlock]:
        wanted = characters_of(block.text, max(0.0, left))
        tolerance = int(_CUT_TOLERANCE * whole / block.tokens * len(block.text))
        end = place_near(block.text, wanted, tolerance=tolerance, language=self.language)
        text = block.text[:end].strip()
        if text:
            yield FillerBlock(text, block.kind, block.level, estimate_tokens(text))


def filler_of(documents: Sequence[Document]) -> Filler:
    """The work itself of some documents, in order, without their front and back matter and notes.

    A document all of which is such matter is taken whole. Raises `ConfigError` where there is no prose.
    """
    blocks = tuple(block for document in documents for block in _blocks(document))
    if not any(block.kind in PROSE for block in blocks):
        raise ConfigError("there is no running text to plant anything in; name a book")
    tokens = sum(block.tokens for block in blocks) + JOINT_TOKENS * (len(blocks) - 1)
    identity = hashlib.sha256("\n".join(document.id for document in documents).encode()).hexdigest()
    language = documents[0].metadata.language.split("-")[0].lower() or "en"
    return Filler(", ".join(document.title for document in documents), identity, language, blocks, tokens)


def body_blocks(document: Document) -> list[Block]:
    """The blocks of the work itself, all of them where the document has nothing else; no notes."""
    aside = sorted((s.start, s.end) for s in document.walk_sections() if s.role is not SectionRole.BODY)
    ends = _furthest_ends(aside)
    starts = [start for start, _ in aside]
    blocks = document.blocks or (Block(0, len(document.text)),)
    running = [block for block in blocks if block.kind is not BlockKind.NOTE]
    kept = [block for block in running if not _is_inside(block.start, starts, ends)]
    return kept or running or list(blocks)


def _blocks(document: Document) -> Iterator[FillerBlock]:
    for block in body_blocks(document):
        text = document.text[block.start : block.end]
        if text.strip():
            yield FillerBlock(text, block.kind, block.level, estimate_tokens(text))


def _furthest_ends(spans: Sequence[tuple[int, int]]) -> list[int]:
    ends: list[int] = []
    for _, end in spans:
        ends.append(max(end, ends[-1]) if ends else end)
    return ends


def _is_inside(offset: int, starts: Sequence[int], ends: Sequence[int]) -> bool:
    number = bisect_right(starts, offset) - 1
    return number >= 0 and offset < ends[number]
