"""Writing one section: asked for, measured, gone on with while it is short, cut where it is long.

Source: AgentWrite ("LongWriter", 2024, arXiv 2408.07055), whose prompt holds the whole plan and the whole text so far
and whose lengths are only asked for. Here the prompt is bounded, and a length is held by bounded attempts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from longdoc.agents.answer_reader import shown_excerpts
from longdoc.agents.calls import call, request_of
from longdoc.agents.draft_budget import TOLERANCE
from longdoc.agents.draft_context import ContextSizes, DraftContext, last_words
from longdoc.agents.earlier_text import EarlierText, without_loops
from longdoc.agents.events import Emit
from longdoc.agents.section_text import clean_section, cut_to_length, finished, is_refusal, without_conclusion
from longdoc.agents.sentences import count_signs, count_words
from longdoc.engines.engine import Completion, Engine, FinishReason, TextSink
from longdoc.errors import ContextTooLongError, InvalidOutputError, RequestRefusedError
from longdoc.prompts.catalogue import Quoted, RenderedPrompt, Variable, render
from longdoc.storage.draft_types import PlannedSection

WRITE_TEMPERATURE: Final = 0.8
_TOY_PENALTY = 0.2
"""On tokens written before. Without it a toy went round in circles in 17 of 48 answers, and 35% of its tokens became
words that it had not said already; with it in none, and 86%."""
MOST_REPEATED: Final = 0.25
"""The share of a section's runs of four words that may stand in the earlier text; with more it is written once more."""
_LAST_TOLERANCE = 0.04
"""Of the last section, which makes up for all before it, and of a text in one go."""
_MOST_CONTINUATIONS = 8
_MOST_FRUITLESS = 4
_TOY_TAIL = 30
"""Tokens of a text that a toy is shown to go on from: of more it says the beginning again."""
_LEAST_PROGRESS = 0.1
_TOKENS_PER_WORD = 1.5
_TOKENS_PER_SIGN = 2.0
_SPARE = 1.25
_SPARE_TOKENS = 64
_SIGN_SHARE = 0.5
"""A text of whose words more are single signs is written in signs, as Chinese is."""
_LEAST_OF_TIGHTENED = 0.85
"""Of the words asked for: what a text that is made shorter must have, since nothing is added after that."""
_MOST_SAID_AGAIN = 0.5
"""Of what goes on with a section: with more of it that the section has said, it begins again rather than goes on."""
_SEEDS = 1_000
"""Attempts that the seed of a version has room for: the first two, continuations, and making it shorter."""
_CONTINUATION, _TIGHTENING = 10, 30


@dataclass(frozen=True, slots=True)
class SectionTask:
    """A section to write: the `number` of `count` (from 1), with so many words now. `last` ends the text; `alone` is a
    short text that is written in one go; `comment` is what a person wants otherwise; `seed` is that of its version."""

    section: PlannedSection
    number: int
    count: int
    words: int
    context: DraftContext
    earlier: EarlierText
    comment: str | None = None
    seed: int = 0

    @property
    def last(self) -> bool:
        """Whether the text ends with it."""
        return self.number == self.count

    @property
    def tolerance(self) -> float:
        """How far its length may be off, as a share."""
        return _LAST_TOLERANCE if self.last else TOLERANCE

    @property
    def title(self) -> str:
        """What calls are told to be for."""
        return f"section {self.number}, {self.section.heading!r}" if self.count > 1 else "the text"


@dataclass(frozen=True, slots=True)
class WrittenSection:
    """A section as it was written; `reason` says what is not as asked, `repeated` how much of it was said before.

    `unfiltered` is what was answered where much of that was said before: the last resort where nothing is new.
    """

    text: str
    words: int
    repeated: float = 0.0
    reason: str = ""
    calls: tuple[int, ...] = ()
    unfiltered: str = ""


class SectionWriter:
    """Writes sections on any engine."""

    def __init__(self, engine: Engine, *, emit: Emit) -> None:
        self._engine = engine
        self._emit = emit
        self._tail = _TOY_TAIL if engine.info.toy else ContextSizes.of(engine.info.context_window).tail

    async def write(self, task: SectionTask, *, on_text: TextSink | None = None) -> WrittenSection:
        """The section, as close to its words as eleven calls at most bring it.

        `on_text` gets the first answer as it comes. Raises `InvalidOutputError` where nothing is written, and what
        `Engine.complete` raises; a refusal of a later call leaves what there is.
        """
        written = await self._first(task, on_text)
        fruitless = 0
        for attempt in range(1, _MOST_CONTINUATIONS + 1):
            missing = task.words - written.words
            if missing <= task.words * task.tolerance or fruitless >= _MOST_FRUITLESS:
                break
            longer = await self._longer(task, written, missing, attempt, stuck=fruitless % 2 == 1)
            fruitless += longer.words - written.words < _LEAST_PROGRESS * missing
            written = longer
        if not written.words and written.unfiltered:
            text = task.earlier.without_repeats(written.unfiltered)
            written = replace(written, text=text, words=count_words(text))
        if not written.words:
            raise InvalidOutputError(f"nothing was written for {task.title}; try again, or another model")
        written = await self._shorter(task, written)
        written = replace(written, repeated=task.earlier.repeated_share(written.text))
        return replace(written, reason=_reason(task, written))

    async def _first(self, task: SectionTask, on_text: TextSink | None) -> WrittenSection:
        """The first answer; where it says again what was said, a second one if that does so less."""
        first = await self._asked(task, _section_prompt(task, repeated=False), task.words, 0, on_text)
        share = task.earlier.repeated_share(first.text)
        if share <= MOST_REPEATED:
            return _fresh(task, first)
        second = await self._asked_again(task, _section_prompt(task, repeated=True), task.words, 1)
        better = bool(second.words) and task.earlier.repeated_share(second.text) < share
        return _fresh(task, replace(second if better else first, calls=(*first.calls, *second.calls)))

    async def _longer(
        self, task: SectionTask, written: WrittenSection, missing: int, attempt: int, *, stuck: bool
    ) -> WrittenSection:
        """A section that is gone on with; the same where that says nothing new. Where there is nothing, or a model is
        `stuck` in what it wrote, the section is asked for again, and what is new in that is added."""
        begun = bool(written.words)
        prompt = (
            _continue_prompt(task, last_words(written.text, self._tail), missing)
            if begun and not stuck
            else _section_prompt(task, repeated=begun or bool(written.repeated))
        )
        more = await self._asked_again(task, prompt, missing, _CONTINUATION + attempt)
        said = EarlierText([written.text])
        again = said.repeated_share(more.text) > _MOST_SAID_AGAIN
        new = "" if again else said.without_repeats(_fresh(task, more).text)
        text = "\n\n".join(filter(None, (written.text if begun else "", new)))
        return replace(written, text=text, words=count_words(text), calls=(*written.calls, *more.calls))

    async def _shorter(self, task: SectionTask, written: WrittenSection) -> WrittenSection:
        """A section that is not too long. The end of the text is asked for again before it is cut."""
        most = task.words * (1 + task.tolerance)
        if written.words <= most:
            return written
        if task.last and not self._engine.info.toy:
            again = await self._asked_again(task, _tighten_prompt(task, written.text), task.words, _TIGHTENING)
            calls = (*written.calls, *again.calls)
            good = task.words * _LEAST_OF_TIGHTENED <= again.words < written.words
            written = replace(again if good else written, calls=calls)
        if written.words > most:
            text = cut_to_length(written.text, task.words)
            written = replace(written, text=text, words=count_words(text))
        return written

    async def _asked_again(self, task: SectionTask, prompt: RenderedPrompt, words: int, attempt: int) -> WrittenSection:
        """A later answer; nothing where it is refused."""
        try:
            return await self._asked(task, prompt, words, attempt)
        except (ContextTooLongError, RequestRefusedError, InvalidOutputError):
            return WrittenSection("", 0)

    async def _asked(
        self,
        task: SectionTask,
        prompt: RenderedPrompt,
        words: int,
        attempt: int,
        on_text: TextSink | None = None,
    ) -> WrittenSection:
        request = request_of(
            prompt,
            max_tokens=self._tokens(task, words),
            temperature=WRITE_TEMPERATURE,
            seed=task.seed * _SEEDS + attempt,
        )
        if self._engine.info.toy:
            request = replace(request, frequency_penalty=_TOY_PENALTY)
        answer = await call(self._engine, request, purpose=task.title, emit=self._emit, on_text=on_text)
        if answer.finish_reason is FinishReason.CONTENT_FILTER:
            raise RequestRefusedError(f"the engine's filter stopped {task.title}; change the instruction")
        text = _text_of(answer, task)
        return WrittenSection(text, count_words(text), calls=() if answer.call_id is None else (answer.call_id,))

    def _tokens(self, task: SectionTask, words: int) -> int:
        """The most tokens of an answer of so many words."""
        info = self._engine.info
        each = _TOKENS_PER_SIGN if in_signs(task.context.instruction.text) else _TOKENS_PER_WORD
        wanted = math.ceil(words * each * _SPARE) + _SPARE_TOKENS
        return min(wanted, info.context_window // 2, info.max_output or wanted)


def in_signs(text: str) -> bool:
    """Whether a text is written in signs that each count as a word."""
    return count_signs(text) > _SIGN_SHARE * count_words(text)


def _fresh(task: SectionTask, written: WrittenSection) -> WrittenSection:
    """Without sentences that earlier sections say; `repeated` tells how much these had of it. Of a text that says much
    of it again what is new is left."""
    repeated = task.earlier.repeated_share(written.text)
    much = repeated > MOST_REPEATED
    text = task.earlier.only_new(written.text) if much else task.earlier.without_repeats(written.text)
    unfiltered = written.text if much else ""
    return replace(written, text=text, words=count_words(text), repeated=repeated, unfiltered=unfiltered)


def _text_of(answer: Completion, task: SectionTask) -> str:
    """What an answer has of a section; nothing where it is a refusal in words."""
    text = clean_section(answer.text, task.section.heading)
    if is_refusal(text):
        return ""
    if answer.finish_reason is FinishReason.LOOP:
        text = without_loops(text)
    text = finished(text, cut=answer.cut)
    return text if task.last else without_conclusion(text)


def _reason(task: SectionTask, written: WrittenSection) -> str:
    said: list[str] = []
    if abs(written.words - task.words) > TOLERANCE * task.words:
        said.append(f"{written.words:,} words where {task.words:,} were asked for")
    if written.repeated > MOST_REPEATED:
        said.append(f"{written.repeated:.0%} was said before")
    return "; ".join(said)


def _common(task: SectionTask) -> dict[str, Variable]:
    section = task.section
    return {
        "instruction": task.context.instruction,
        "style": task.context.style,
        "heading": Quoted(section.heading, {"section": section.id}),
        "point": Quoted(section.main_point, {"section": section.id}),
        "last": task.last,
    }


def _section_prompt(task: SectionTask, *, repeated: bool) -> RenderedPrompt:
    context = task.context
    shared: Mapping[str, Variable] = {
        "words": task.words,
        "comment": None if task.comment is None else Quoted(task.comment, {"comment": task.comment}),
        **shown_excerpts(context.excerpts),
    }
    if task.count == 1:
        return render("write/short", {"instruction": context.instruction, "style": context.style, **shared})
    return render(
        "write/section",
        {
            **_common(task),
            **shared,
            "plan": context.plan or Quoted("", {}),
            "memory": context.memory,
            "facts": context.facts,
            "tail": context.tail,
            "number": task.number,
            "count": task.count,
            "repeated": repeated,
        },
    )


def _continue_prompt(task: SectionTask, tail: Quoted | None, missing: int) -> RenderedPrompt:
    return render("write/continue", {**_common(task), "tail": tail or Quoted("", {}), "words": missing})


def _tighten_prompt(task: SectionTask, text: str) -> RenderedPrompt:
    heading = Quoted(task.section.heading, {"section": task.section.id})
    return render(
        "write/tighten", {"section": Quoted(text, {"section": "text"}), "heading": heading, "words": task.words}
    )
