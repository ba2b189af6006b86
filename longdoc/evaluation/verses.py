"""Verses: a text of one numbered verse a line, in which what is looked up can be computed.

Owns the text as a document, a verse a block, and look-ups by reference and by words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import Document, Metadata
from longdoc.documents.tokens import estimate_tokens
from longdoc.errors import ConfigError, MalformedDocumentError
from longdoc.evaluation.gold import GoldCase, GoldText, Recipe, Span, nearest_step, seeded
from longdoc.evaluation.json_lines import read_file
from longdoc.evaluation.planted import DEPTHS

GENERATOR_VERSION: Final = 1
"""Raised when the same request would give other cases."""

BY_REFERENCE: Final = "reference"
BY_WORDS: Final = "words"

_LINE = re.compile(r"(?P<reference>\w+ ?\d+:\d+)\s+(?P<text>\S.*)")
_WORDS_ASKED = 6
_JOINT_TOKENS = 0.5
_EDGES = " .,;:!?()[]—-"


@dataclass(frozen=True, slots=True)
class Verse:
    """A verse: `document.text[start:end]` begins with its reference, such as Ge1:1, and a space."""

    reference: str
    text: str
    start: int
    end: int

    @property
    def span(self) -> Span:
        """Where it stands, its reference included."""
        return self.start, self.end


@dataclass(frozen=True, slots=True)
class VerseText:
    """A document and its verses, in order."""

    document: Document
    verses: tuple[Verse, ...]


def read_verses(path: Path, *, length: int | None = None) -> VerseText:
    """The verses of a file, as many from its beginning as `length` tokens hold (estimated).

    Raises `DocumentError` where it cannot be read, naming the line that is no verse.
    """
    lines = [line for line in read_file(path).splitlines() if line.strip()]
    builder = DocumentBuilder("verses", path.name)
    verses: list[Verse] = []
    left = float("inf") if length is None else float(length)
    for number, line in enumerate(lines, 1):
        left -= estimate_tokens(line) + _JOINT_TOKENS
        if left < 0:
            break
        verses.append(_add(builder, line, f"{path}, line {number}"))
    builder.metadata = Metadata(title=path.stem, language="en")
    return VerseText(builder.build(), tuple(verses))


def verse_cases(text: VerseText, *, each: int, seed: int, length: int | None = None) -> GoldText:
    """Look-ups of `each` verses by reference, and of as many by six words that stand in no other place.

    The answer to the first is the text of the verse, to the second its reference. `length` is what cases are put
    together by. Raises `ConfigError` where there are not as many verses.
    """
    if each > len(text.verses):
        raise ConfigError(f"{text.document.title} has {len(text.verses)} verses; ask for no more")
    random = seeded(seed, "verses")
    by_reference = random.sample(text.verses, each)
    shuffled = random.sample(text.verses, len(text.verses))
    quoted: list[tuple[Verse, str]] = []
    for verse in shuffled:
        if len(quoted) == each:
            break
        words = _only_here(verse, text.document.text, first=random.random())
        if words:
            quoted.append((verse, words))
    cases = [
        *(_case(text, verse, BY_REFERENCE, length) for verse in by_reference),
        *(_case(text, verse, BY_WORDS, length, words) for verse, words in quoted),
    ]
    return GoldText(text.document, tuple(cases), Recipe("verses", GENERATOR_VERSION, text.document.id, seed))


def _add(builder: DocumentBuilder, line: str, source: str) -> Verse:
    match = _LINE.fullmatch(line.strip())
    if match is None:
        raise MalformedDocumentError("is no verse: it has to begin with a reference such as Ge1:1", source=source)
    start = builder.position
    builder.add_block(line)
    text = " ".join(match["text"].split())
    return Verse(match["reference"], text, start, builder.position - len("\n\n"))


def _only_here(verse: Verse, text: str, *, first: float) -> str | None:
    """Six words of a verse that stand once in the text, looked for from a part of the verse on; None without any."""
    words = verse.text.split()
    starts = list(range(len(words) - _WORDS_ASKED + 1))
    turn = int(first * len(starts))
    runs = (" ".join(words[start : start + _WORDS_ASKED]) for start in starts[turn:] + starts[:turn])
    return next((run.strip(_EDGES) for run in runs if _stands_once(run.strip(_EDGES), text)), None)


def _stands_once(words: str, text: str) -> bool:
    first = text.find(words)
    return first >= 0 and text.find(words, first + 1) < 0


def _case(text: VerseText, verse: Verse, kind: str, length: int | None, words: str = "") -> GoldCase:
    if kind == BY_REFERENCE:
        question, answer = f"What does verse {verse.reference} say?", verse.text
    else:
        question, answer = f"Which verse says “{words}”?", verse.reference
    return GoldCase(
        id=f"{kind}-{verse.reference}",
        kind=kind,
        question=question,
        answers=(answer,),
        spans=(verse.span,),
        depth=nearest_step(verse.start / len(text.document.text), DEPTHS),
        length=length,
    )
