"""A model as the judge of written texts: the quality score S_q of LongBench-Write, whatever the length.

Source of the measure: "LongWriter" (2024), six dimensions from 1 to 5 and their scale, and temperature 0.5 as in the
code released with it; prompt and shape are our own. There, a judgement that lacks a dimension may count as 3: here it
is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, stdev
from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from longdoc.agents.calls import request_of
from longdoc.agents.events import Emit, Warned
from longdoc.agents.structured import call_structured
from longdoc.documents.atoms import sentence_spans
from longdoc.documents.tokens import TokenCounter
from longdoc.engines.engine import Engine
from longdoc.errors import ConfigError, ContextTooLongError, InvalidOutputError, RequestRefusedError
from longdoc.prompts.catalogue import Quoted, RenderedPrompt, render

PROMPT: Final = "judge/writing"
TEMPERATURE: Final = 0.5
_ANSWER_TOKENS: Final = 480
_ASIDE_TOKENS: Final = 128
"""For fences of tags, messages around the prompt, and what a count of pieces leaves out."""
_LEAST_SHOWN_TOKENS: Final = 600
_STRETCHES: Final = 3
_SHRINK: Final = 0.9


class Dimension(StrEnum):
    """What a text is marked for."""

    RELEVANCE = "relevance"
    ACCURACY = "accuracy"
    COHERENCE = "coherence"
    CLARITY = "clarity"
    BREADTH_AND_DEPTH = "breadth_and_depth"
    READING_EXPERIENCE = "reading_experience"


Marks: TypeAlias = Mapping[Dimension, int]
"""One judgement: a mark from 1 to 5 for each dimension."""


@dataclass(frozen=True, slots=True)
class WritingQuality:
    """The judgements of one text: their marks, why others could not be used, and whether the judge saw all of it."""

    marks: tuple[Marks, ...] = ()
    failed: tuple[str, ...] = ()
    in_excerpts: bool = False

    @property
    def score(self) -> float | None:
        """S_q, 0 to 100: the mean of the judgements that could be used; None where there is none."""
        return fmean(map(quality_score, self.marks)) if self.marks else None

    @property
    def spread(self) -> float | None:
        """The standard deviation of the scores of the judgements; None for fewer than two."""
        return stdev(map(quality_score, self.marks)) if len(self.marks) > 1 else None

    @property
    def dimensions(self) -> Mapping[Dimension, float]:
        """The score of each dimension, 0 to 100; empty without a judgement."""
        return {name: dimension_score(marks[name] for marks in self.marks) for name in Dimension if self.marks}


def dimension_score(marks: Iterable[int]) -> float:
    """The score of marks of one dimension, 0 to 100: 25 (mean - 1). Raises `ValueError` for none."""
    return 25 * (fmean(marks) - 1)


def quality_score(marks: Marks) -> float:
    """S_q of one judgement, 0 to 100: the mean of its six dimensions."""
    return dimension_score(marks[name] for name in Dimension)


_Mark = Annotated[int, Field(ge=1, le=5, strict=True)]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, json_schema_extra={"additionalProperties": False})

    analysis: Annotated[str, Field(json_schema_extra={"maxLength": 1000})]
    relevance: _Mark
    accuracy: _Mark
    coherence: _Mark
    clarity: _Mark
    breadth_and_depth: _Mark
    reading_experience: _Mark

    @model_validator(mode="before")
    @classmethod
    def _plain_names(cls, value: JsonValue) -> JsonValue:
        """Names of dimensions as they are spelled here, whatever their case and joints."""
        if not isinstance(value, dict):
            return value
        return {"_".join(name.casefold().replace("-", " ").split()): mark for name, mark in value.items()}

    def marks(self) -> Marks:
        return {
            Dimension.RELEVANCE: self.relevance,
            Dimension.ACCURACY: self.accuracy,
            Dimension.COHERENCE: self.coherence,
            Dimension.CLARITY: self.clarity,
            Dimension.BREADTH_AND_DEPTH: self.breadth_and_depth,
            Dimension.READING_EXPERIENCE: self.reading_experience,
        }


class WritingJudge:
    """Marks texts, on any engine.

    A text that does not fit the window beside its request is judged by its beginning, a stretch of its middle and its
    end, of about one size and of whole sentences; such judgements are told apart (`in_excerpts`).
    """

    def __init__(self, engine: Engine, counter: TokenCounter, *, emit: Emit) -> None:
        self._engine = engine
        self._counter = counter
        self._emit = emit

    async def judge(self, request: Quoted, text: Quoted, *, times: int = 1, seed: int = 0) -> WritingQuality:
        """The quality of what was written for a request, judged so many times, each with a seed of its own.

        An answer that cannot be used, also when asked for once more, is a failed judgement. Of an empty text nobody is
        asked. Raises `ConfigError` where the window holds too little of a text, and what `Engine.complete` raises
        but for refusals.
        """
        if not text.text.strip():
            return WritingQuality()
        stretches = await self._stretches(request, text)
        prompt = _prompt(request, stretches)
        answers = [await self._ask(prompt, seed + number) for number in range(times)]
        return WritingQuality(
            marks=tuple(answer for answer in answers if not isinstance(answer, str)),
            failed=tuple(answer for answer in answers if isinstance(answer, str)),
            in_excerpts=len(stretches) > 1,
        )

    async def _ask(self, prompt: RenderedPrompt, seed: int) -> Marks | str:
        """The marks of one judgement, or why there are none."""
        try:
            answer = await call_structured(
                self._engine,
                request_of(prompt, max_tokens=_ANSWER_TOKENS, temperature=TEMPERATURE, seed=seed),
                _Answer,
                purpose="judgement of a text",
                emit=self._emit,
            )
        except (ContextTooLongError, InvalidOutputError, RequestRefusedError) as error:
            self._emit(Warned(f"a text could not be judged: {error}"))
            return str(error)
        return answer.marks()

    async def _stretches(self, request: Quoted, text: Quoted) -> Sequence[Quoted]:
        """The text, or as much of it as fits."""
        window = self._engine.info.context_window
        bare = _prompt(request, [Quoted("", {})] * _STRETCHES)
        *around, tokens = await self._counter.count_tokens([bare.system, bare.user, text.text])
        room = window - sum(around) - 2 * _ANSWER_TOKENS - _ASIDE_TOKENS
        if tokens <= room:
            return [text]
        if room < _LEAST_SHOWN_TOKENS:
            raise ConfigError(
                f"a window of {window:,} tokens holds too little of a text to be judged; use a judge with a larger one"
            )
        characters = len(text.text) * room // tokens
        parts = _excerpts(text, characters)
        while sum(await self._counter.count_tokens([part.text for part in parts])) > room:
            characters = int(characters * _SHRINK)
            parts = _excerpts(text, characters)
        return parts


def excerpt_spans(text: str, characters: int) -> list[tuple[int, int]]:
    """Where beginning, middle and end of a text stand, a third of so many characters each at most, in whole sentences.

    A stretch that no sentence fits into ends where its characters do. The text has more characters than that.
    """
    third = max(1, characters // _STRETCHES)
    sentences = sentence_spans(text)
    spans: list[tuple[int, int]] = []
    for low in (0, (len(text) - third) // 2, len(text) - third):
        fitting = [(start, end) for start, end in sentences if low <= start and end <= low + third]
        spans.append((fitting[0][0], fitting[-1][1]) if fitting else (low, low + third))
    return spans


def _excerpts(text: Quoted, characters: int) -> list[Quoted]:
    return [
        Quoted(text.text[start:end].strip(), {**text.reference, "from": start, "characters": end - start})
        for start, end in excerpt_spans(text.text, characters)
    ]


def _prompt(request: Quoted, stretches: Sequence[Quoted]) -> RenderedPrompt:
    return render(PROMPT, {"request": request, "stretches": stretches})
