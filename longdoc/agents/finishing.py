"""What makes an answer fit to be shown: no traces of how it was made, and the length that was asked for.

Rules first, calls only where rules cannot help, each a bounded number of times.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from longdoc.agents.attempts import FIRST_TEMPERATURE, RETRY_TEMPERATURE, Made, Writer
from longdoc.agents.cleanup import clean_text, has_traces, without_repeats
from longdoc.agents.events import Emit
from longdoc.agents.sentences import count_words, cut_to_sentence, cut_to_words, ends_in_sentence
from longdoc.agents.summary_prompts import SummaryPrompts
from longdoc.agents.tree_plan import WORDS_PER_TOKEN
from longdoc.documents.atoms import sentence_spans
from longdoc.engines.engine import Completion, Engine
from longdoc.errors import ContextTooLongError, InvalidOutputError, RequestRefusedError
from longdoc.prompts.catalogue import Quoted, RenderedPrompt
from longdoc.storage.nodes import NodeStatus

TOLERANCE = 0.1
"""How far a length may be from what was asked for, as a share of it."""
_MOST_TIGHTENINGS = 2
_MOST_FRUITLESS = 3
_MOST_ROUNDS = 10
_SPARE_TOKENS = 24
_LEAST_KEPT, _MOST_KEPT = 0.7, 1.1
_LEAST_SHARED_WORDS = 0.8
_PARAGRAPH_WORDS = 100
_DOCUMENT_PIECES = 4
_LONG_WORD = 5


class Finisher:
    """Finishes the texts of one run."""

    def __init__(self, engine: Engine, prompts: SummaryPrompts, *, emit: Emit) -> None:
        self._writer = Writer(engine, emit=emit)
        self._prompts = prompts

    async def clean(self, made: Made, *, limit: int, purpose: str) -> Made:
        """Without traces of piecewise reading: by rule, and by one call where a rule leaves some. A call that
        changes more than that is not used."""
        text = clean_text(made.text)
        made = made if text == made.text else replace(made, text=text, edited=True)
        if not has_traces(made.text):
            return made
        answer = await self._ask(self._prompts.clean(made.quoted()), limit, attempt=0, purpose=f"wording of {purpose}")
        if answer is None:
            return made
        cleaned = clean_text(answer.text)
        taken = not has_traces(cleaned) and ends_in_sentence(cleaned) and _says_the_same(cleaned, made.text)
        return _with(made, answer, text=cleaned) if taken else _with(made, answer)

    async def hold_length(
        self,
        made: Made,
        words: int,
        *,
        material: Sequence[Quoted],
        below: Iterable[Sequence[str]],
        limit: int,
        purpose: str,
    ) -> Made:
        """As close to so many words as bounded attempts bring it.

        A short text is gone on with: first from all of the `material` (not by a toy, which gets lost in it), then from
        the piece of it that is told least.
        A long one is tightened, then cut at the end of a sentence. What stays short is filled up with sentences of
        the summaries `below` it: of those that it is made from, then of those that they are made from, and so on. A
        text that is still outside says so in its reason.
        """
        best, fruitless = made, 0
        tightenings = 0 if self._writer.toy else _MOST_TIGHTENINGS
        pieces = _Pieces(material)
        for attempt in range(1, _MOST_ROUNDS + 1):
            before = made
            if fits(made, words) or fruitless >= _MOST_FRUITLESS:
                break
            if count_words(made.text) < words:
                whole = attempt == 1 and not self._writer.toy
                parts = material if whole else pieces.next(made.text) or material
                made = await self._go_on(made, words, parts=parts, limit=limit, attempt=attempt, purpose=purpose)
                fruitless += made.text == before.text
            elif attempt <= tightenings:
                made = await self._tighten(made, words, limit=limit, attempt=attempt, purpose=purpose)
            else:
                made = _cut(made, words)
                fruitless += _MOST_FRUITLESS * (made.text == before.text)  # one sentence that is too long
            best = min(best, made, key=lambda some: abs(count_words(some.text) - words))
        best = replace(best, calls=made.calls)
        if best.status is not NodeStatus.GAP:
            best = _filled(best, words, below)
        return _judged(best, words)

    async def _tighten(self, made: Made, words: int, *, limit: int, attempt: int, purpose: str) -> Made:
        prompt = self._prompts.compress(made.quoted(), words)
        answer = await self._ask(prompt, limit, attempt=attempt, purpose=f"tightening of {purpose}")
        if answer is None:
            return made
        text = clean_text(cut_to_sentence(answer.text))
        closer = abs(count_words(text) - words) < abs(count_words(made.text) - words)
        good = closer and ends_in_sentence(text)
        return _with(made, answer, text=text) if good else _with(made, answer)

    async def _go_on(
        self, made: Made, words: int, *, parts: Sequence[Quoted], limit: int, attempt: int, purpose: str
    ) -> Made:
        missing = words - count_words(made.text)
        prompt = self._prompts.go_on(parts, made.quoted(), missing)
        tokens = min(limit, math.ceil(missing / WORDS_PER_TOKEN) + _SPARE_TOKENS)
        answer = await self._ask(prompt, tokens, attempt=attempt, purpose=f"continuation of {purpose}")
        if answer is None:
            return made
        new = without_repeats(clean_text(cut_to_sentence(answer.text)), made.text)
        new = cut_to_words(new, missing) if new else ""
        if not new or not ends_in_sentence(new) or not count_words(new):
            return _with(made, answer)
        joint = "\n\n" if count_words(new) >= _PARAGRAPH_WORDS else " "
        text = f"{made.text}{joint}{new}" if made.text else new
        sources = answer.call_id
        added = made.sources if sources is None else (*made.sources, sources)
        return replace(_with(made, answer), text=text, sources=added, edited=True)

    async def _ask(self, prompt: RenderedPrompt, max_tokens: int, *, attempt: int, purpose: str) -> Completion | None:
        """The answer; None where this one request is refused, which a text that is there already can bear."""
        temperature = 0.0 if attempt == 0 else FIRST_TEMPERATURE if attempt == 1 else RETRY_TEMPERATURE
        try:
            return await self._writer.ask(
                prompt, limit=max_tokens, purpose=purpose, attempt=attempt, temperature=temperature
            )
        except (ContextTooLongError, RequestRefusedError, InvalidOutputError):
            return None


class _Pieces:
    """The material in pieces, each offered once, the one told least by the text so far first."""

    def __init__(self, material: Sequence[Quoted]) -> None:
        self._left = [piece for part in material for piece in _cut_up(part)]

    def next(self, so_far: str) -> Sequence[Quoted]:
        if not self._left:
            return []
        told = _long_words(so_far)
        piece = min(self._left, key=lambda piece: _share_told(piece.text, told))
        self._left.remove(piece)
        return [piece]


def _cut_up(part: Quoted) -> list[Quoted]:
    """Text of the document in four pieces, a summary in one."""
    if "document" not in part.reference:
        return [part]
    spans = sentence_spans(part.text)
    size = max(1, -(-len(spans) // _DOCUMENT_PIECES))
    bounds = [(spans[i][0], spans[min(i + size, len(spans)) - 1][1]) for i in range(0, len(spans), size)]
    return [Quoted(part.text[a:b], {**part.reference, "from": a, "characters": b - a}) for a, b in bounds]


def _long_words(text: str) -> set[str]:
    return {word for word in text.casefold().split() if len(word) >= _LONG_WORD}


def _share_told(text: str, told: set[str]) -> float:
    words = _long_words(text)
    return len(words & told) / len(words) if words else 1.0


def _filled(made: Made, words: int, below: Iterable[Sequence[str]]) -> Made:
    """A short text with sentences of the summaries below it, of the nearest ones that have some to add.

    What has no sentence at all (small models write lists of tags, or round in circles) gives way to them.
    """
    text = kept = made.text if ends_in_sentence(made.text) else ""
    for summaries in below:
        if words - count_words(text) <= words * TOLERANCE:
            break
        text = f"{text} {_added(text, words, summaries)}".strip()
    if text == kept or count_words(text) < count_words(made.text) <= words:
        return made
    added = count_words(text) - count_words(kept)
    reason = f"{added} words are sentences of the summaries below"
    return replace(made, text=text, edited=True, reason="; ".join(filter(None, (made.reason, reason))))


def _added(text: str, words: int, summaries: Sequence[str]) -> str:
    """Sentences of summaries that a text lacks, in their order, some of each in turn, as many as there is room for."""
    missing = words - count_words(text)
    unsaid = _unsaid(summaries, text)
    taken: set[tuple[int, int]] = set()
    for place, number in sorted((place, number) for number, row in enumerate(unsaid) for place in range(len(row))):
        length = count_words(unsaid[number][place])
        if length <= missing + words * TOLERANCE / 2:
            taken.add((number, place))
            missing -= length
    return " ".join(unsaid[number][place] for number, place in sorted(taken))


def _unsaid(summaries: Sequence[str], text: str) -> list[list[str]]:
    """The sentences of each summary that stand neither in the text nor in a summary before it."""
    rows: list[list[str]] = []
    for summary in summaries:
        new = without_repeats(clean_text(cut_to_sentence(summary)), text)
        text = f"{text} {new}"
        rows.append([new[a:b].strip() for a, b in sentence_spans(new) if ends_in_sentence(new[a:b])])
    return rows


def fits(made: Made, words: int) -> bool:
    """Whether a text has about so many words."""
    return abs(count_words(made.text) - words) <= words * TOLERANCE


def _judged(made: Made, words: int) -> Made:
    """With a reason where the length was missed, beside what else there is to say."""
    if fits(made, words):
        return made
    missed = f"{count_words(made.text)} words where {words} were asked for"
    return replace(made, reason="; ".join(filter(None, (made.reason, missed))))


def _cut(made: Made, words: int) -> Made:
    text = cut_to_words(made.text, words)
    if text == made.text:
        return made
    if made.status is NodeStatus.GAP:
        return replace(made, text=text, edited=True)
    return replace(
        made, text=text, status=NodeStatus.TRUNCATED, reason=f"cut at a sentence to keep {words} words", edited=True
    )


def _with(made: Made, answer: Completion, *, text: str | None = None) -> Made:
    """With a call more; with a text, that is what it is from now on."""
    calls = made.calls if answer.call_id is None else (*made.calls, answer.call_id)
    if text is None:
        return replace(made, calls=calls)
    sources = () if answer.call_id is None else (answer.call_id,)
    return replace(made, text=text, calls=calls, sources=sources, tokens=answer.usage.completion_tokens, edited=True)


def _says_the_same(text: str, before: str) -> bool:
    """Whether hardly anything but wording was changed: about as long, and of the same words."""
    words, known = text.casefold().split(), set(before.casefold().split())
    if not _LEAST_KEPT * count_words(before) <= count_words(text) <= _MOST_KEPT * count_words(before):
        return False
    return sum(word in known for word in words) >= _LEAST_SHARED_WORDS * len(words)
