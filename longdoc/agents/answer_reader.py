"""Answering a question from excerpts, with citations that are checked before anybody sees them."""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from longdoc.agents.aligned_citations import aligned_citations
from longdoc.agents.answer_shapes import AnswerShape
from longdoc.agents.calls import call, request_of
from longdoc.agents.citations import Citation, CitationChecker, Claim, Said
from longdoc.agents.events import Emit
from longdoc.agents.follow_up import Turn
from longdoc.agents.sentences import cut_to_sentence
from longdoc.agents.structured import call_structured
from longdoc.documents.atoms import sentence_spans
from longdoc.documents.places import place_of
from longdoc.documents.tokens import estimate_tokens
from longdoc.engines.engine import Engine, TextSink
from longdoc.prompts.catalogue import Quoted, Variable, render
from longdoc.retrieval.alignment import Aligner
from longdoc.retrieval.excerpts import Excerpt

NOT_IN_TEXT: Final = "Not in the text."
"""What an answer says where the excerpts do not hold one."""
EXCERPT_TOKENS: Final = 48
"""What the number, the place and the tags of one excerpt take, at most."""

_PURPOSE = "answer"
_ESTIMATE_MARGIN = 1.3
_MESSAGE_TOKENS = 32
_WORDS_PER_TOKEN = 0.5
_MOST_PLAIN_CLAIMS = 12
_NOTHING = re.compile(r"\W*not (?:(?:be )?found |stated |said |mentioned )?in the (?:text|excerpts?)\b", re.IGNORECASE)
_IN_QUOTATION_MARKS = re.compile(r"[\"“”„«»「」『』]([^\"“”„«»「」『』]{4,600})[\"“”„«»「」『』]")
_NOT_FOUND = re.compile(r'\A[^\[]*"found"\s*:\s*false\b')
_CLAIM_TEXT = re.compile(r'"text"\s*:\s*("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: `text` is its claims, one after the other, or `NOT_IN_TEXT`, which has no claims and is not `found`.

    `dropped` counts citations that did not verify and are nowhere in it. `listed`: each claim is a thing of a list.
    """

    text: str
    found: bool
    claims: tuple[Claim, ...]
    dropped: int
    listed: bool = False

    @property
    def citations(self) -> tuple[Citation, ...]:
        """All citations of its claims, in order, each once."""
        return tuple(dict.fromkeys(citation for claim in self.claims for citation in claim.citations))


class AnswerReader:
    """Answers questions from excerpts on any engine. `aligner` finds sources for plain answers: by wording, if none."""

    def __init__(self, engine: Engine, *, aligner: Aligner | None = None) -> None:
        self._engine = engine
        self._aligner = aligner or Aligner(None)

    async def answer(
        self,
        question: str,
        excerpts: Sequence[Excerpt],
        *,
        max_tokens: int,
        emit: Emit,
        history: Sequence[Turn] = (),
        on_text: TextSink | None = None,
    ) -> Answer:
        """The answer, whose citations all stand in the excerpts.

        A claim none of whose quotes verifies stays, without citations. `on_text` gets the text of each claim as soon
        as it is written, before its quotes are checked. Raises `InvalidOutputError` where the model's answer cannot
        be used, also when asked for once more, and what `Engine.complete` raises.
        """
        if not excerpts:
            return not_in_text()
        prompt = render("ask/answer", _variables(question, excerpts, history))
        said = await call_structured(
            self._engine,
            request_of(prompt, max_tokens=max_tokens),
            AnswerShape,
            purpose=_PURPOSE,
            emit=emit,
            on_text=None if on_text is None else _ClaimTexts(on_text),
        )
        return await asyncio.to_thread(checked_answer, said, excerpts)

    async def answer_plainly(
        self,
        question: str,
        excerpts: Sequence[Excerpt],
        *,
        max_tokens: int,
        emit: Emit,
        history: Sequence[Turn] = (),
        on_text: TextSink | None = None,
    ) -> Answer:
        """The answer of a model that cannot keep to a structure: each sentence is a claim.

        It rests on the words in quotation marks that verify, else on sentences of the excerpts that it is aligned
        with. Raises what `Engine.complete` raises.
        """
        if not excerpts:
            return not_in_text()
        limits = {"words": max(1, int(max_tokens * _WORDS_PER_TOKEN)), "nothing": NOT_IN_TEXT}
        prompt = render("ask/plain", {**_variables(question, excerpts, history), **limits})
        request = request_of(prompt, max_tokens=max_tokens)
        said = await call(self._engine, request, purpose=f"{_PURPOSE}, plainly", emit=emit, on_text=on_text)
        return await self._plain_answer(cut_to_sentence(said.text.strip()), excerpts)

    async def _plain_answer(self, text: str, excerpts: Sequence[Excerpt]) -> Answer:
        spans = sentence_spans(text)
        said = dict.fromkeys(" ".join(text[start:end].split()) for start, end in spans)
        sentences = list(filter(None, said))[:_MOST_PLAIN_CLAIMS]
        if not sentences or _NOTHING.match(text):
            return not_in_text()
        aligned = await aligned_citations(self._aligner, sentences, excerpts)
        checker = CitationChecker(excerpts)
        claims: list[Claim] = []
        dropped = 0
        for sentence, sources in zip(sentences, aligned, strict=True):
            cited, lost = checker.check([Said(0, quote) for quote in _IN_QUOTATION_MARKS.findall(sentence)])
            claims.append(Claim(sentence, cited or sources))
            dropped += lost
        return answer_of(claims, dropped=dropped)


def answer_overhead(question: str, history: Sequence[Turn] = ()) -> int:
    """Tokens of a prompt besides its excerpts, estimated with a margin so that no tokenizer need be asked.

    Each excerpt takes `EXCERPT_TOKENS` more than its text.
    """
    prompt = render("ask/answer", _variables(question, (), history))
    return math.ceil(estimate_tokens(prompt.system + prompt.user) * _ESTIMATE_MARGIN) + _MESSAGE_TOKENS


def checked_answer(said: AnswerShape, excerpts: Sequence[Excerpt]) -> Answer:
    """What a model answered, with the citations of it that stand in the excerpts."""
    if not said.found:
        return not_in_text()
    checker = CitationChecker(excerpts)
    claims: list[Claim] = []
    dropped = 0
    for claim in said.claims:
        cited, lost = checker.check(claim.said())
        dropped += lost
        if claim.text.strip():
            claims.append(Claim(" ".join(claim.text.split()), cited))
    return answer_of(claims, dropped=dropped)


def answer_of(claims: Sequence[Claim], *, dropped: int) -> Answer:
    """The answer that makes these claims; without any, that nothing was found."""
    if not claims:
        return not_in_text(dropped=dropped)
    return Answer(" ".join(claim.text for claim in claims), found=True, claims=tuple(claims), dropped=dropped)


def not_in_text(*, dropped: int = 0) -> Answer:
    """The answer that the text does not hold one."""
    return Answer(NOT_IN_TEXT, found=False, claims=(), dropped=dropped)


def shown_excerpts(excerpts: Sequence[Excerpt]) -> Mapping[str, Sequence[Quoted]]:
    """The variables of a prompt that shows excerpts: their texts, and where each stands."""
    several = len({excerpt.document.id for excerpt in excerpts}) > 1
    return {
        "excerpts": [quoted_excerpt(excerpt) for excerpt in excerpts],
        "places": [_place(excerpt, with_title=several) for excerpt in excerpts],
    }


def _variables(question: str, excerpts: Sequence[Excerpt], history: Sequence[Turn]) -> Mapping[str, Variable]:
    return {
        **shown_excerpts(excerpts),
        "turns": [Quoted(f"{turn.question}\n{turn.answer}", {"question": turn.question}) for turn in history],
        "question": Quoted(question, {"question": question}),
    }


def quoted_excerpt(excerpt: Excerpt) -> Quoted:
    """The text of an excerpt, with where it stands."""
    reference = {"document": excerpt.document.id, "start": excerpt.start, "end": excerpt.end}
    return Quoted(excerpt.text.strip(), reference)


def _place(excerpt: Excerpt, *, with_title: bool) -> Quoted:
    place = str(place_of(excerpt.document, excerpt.start, excerpt.start))
    shown = ", ".join(filter(None, (excerpt.document.title[:80] if with_title else "", place)))
    return Quoted(shown, {"document": excerpt.document.id, "place": shown})


class _ClaimTexts:
    """A sink for an answer in JSON that passes on the text of each claim when it is whole."""

    def __init__(self, sink: TextSink) -> None:
        self._sink = sink
        self._text = ""
        self._read = 0

    def __call__(self, piece: str) -> None:
        self._text += piece
        if _NOT_FOUND.match(self._text):
            return
        for match in _CLAIM_TEXT.finditer(self._text, self._read):
            self._read = match.end()
            try:
                claim = str(json.loads(match[1], strict=False))
            except ValueError:
                continue
            self._sink(f"{' '.join(claim.split())} ")
