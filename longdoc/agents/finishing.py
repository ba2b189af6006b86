"""What makes an answer fit to be shown: no traces of how it was made, and the length that was asked for.

Rules first, calls only where rules cannot help, each a bounded number of times.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from longdoc.agents.attempts import FIRST_TEMPERATURE, RETRY_TEMPERATURE, Made, Writer
from longdoc.agents.cleanup import clean_text, has_traces, without_repeats
from longdoc.agents.events import Emit
from longdoc.agents.sentences import count_words, cut_to_sentence, cut_to_words, ends_in_sentence
from longdoc.agents.summary_prompts import SummaryPrompts
from longdoc.agents.tree_plan import WORDS_PER_TOKEN
from longdoc.engines.engine import Completion, Engine
from longdoc.errors import ContextTooLongError, InvalidOutputError, RequestRefusedError
from longdoc.prompts.catalogue import Quoted, RenderedPrompt
from longdoc.storage.nodes import NodeStatus

TOLERANCE = 0.1
"""How far a length may be from what was asked for, as a share of it."""
_MOST_TIGHTENINGS = 2
_MOST_FRUITLESS = 2
_MOST_ROUNDS = 10
_SPARE_TOKENS = 24
_LEAST_KEPT, _MOST_KEPT = 0.7, 1.1
_LEAST_SHARED_WORDS = 0.8
_PARAGRAPH_WORDS = 100


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
        self, made: Made, words: int, *, material: Sequence[Quoted], limit: int, purpose: str
    ) -> Made:
        """As close to so many words as bounded attempts bring it: gone on with while short, made tighter when long,
        cut at the end of a sentence as the last resort. A text that stays outside says so in its reason."""
        best, fruitless = made, 0
        tightenings = 0 if self._writer.toy else _MOST_TIGHTENINGS
        for attempt in range(1, _MOST_ROUNDS + 1):
            before = made
            if _fits(made, words) or fruitless == _MOST_FRUITLESS:
                break
            if count_words(made.text) < words:
                made = await self._go_on(made, words, material=material, limit=limit, attempt=attempt, purpose=purpose)
                fruitless += made.text == before.text
            elif attempt <= tightenings:
                made = await self._tighten(made, words, limit=limit, attempt=attempt, purpose=purpose)
            else:
                made = _cut(made, words)
                fruitless += _MOST_FRUITLESS * (made.text == before.text)  # one sentence that is too long
            best = min(best, made, key=lambda some: abs(count_words(some.text) - words))
        return _judged(replace(best, calls=made.calls), words)

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
        self, made: Made, words: int, *, material: Sequence[Quoted], limit: int, attempt: int, purpose: str
    ) -> Made:
        missing = words - count_words(made.text)
        prompt = self._prompts.go_on(material, made.quoted(), missing)
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


def _fits(made: Made, words: int) -> bool:
    return abs(count_words(made.text) - words) <= words * TOLERANCE


def _judged(made: Made, words: int) -> Made:
    """With a reason where the length was missed."""
    if _fits(made, words) or made.status is not NodeStatus.DONE:
        return made
    return replace(made, reason=f"{count_words(made.text)} words where {words} were asked for")


def _cut(made: Made, words: int) -> Made:
    text = cut_to_words(made.text, words)
    if text == made.text:
        return made
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
