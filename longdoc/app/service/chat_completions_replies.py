"""What a chat completion replies: OpenAI's fields, and beside them `longdoc`, which programs read."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, Self

from longdoc.app.orchestrator import DoResult, StepResult
from longdoc.app.results import Source, cited_text
from longdoc.app.runs import RunUsage
from longdoc.app.service.openai_errors import openai_error
from longdoc.documents.tokens import estimate_tokens
from longdoc.errors import ServiceError

Finish = Literal["stop", "length"]
DONE: Final = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class SourceView:
    """Words of a document that the answer rests on: `number` is that of the mark, `start` and `end` are characters of
    the document's text, `file` is the file it came from."""

    number: int
    document: str
    file: str | None
    title: str
    start: int
    end: int
    quote: str
    place: str


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of the work: what was done (`capability`), why, and who decided it."""

    number: int
    instruction: str
    capability: str
    reason: str
    decided_by: str

    @classmethod
    def of(cls, one: StepResult) -> Self:
        """The view of a step."""
        route = one.route
        return cls(one.number, one.instruction, str(route.capability), route.reason, str(route.decided_by))


@dataclass(frozen=True, slots=True)
class LongDocView:
    """How the answer came about: its run, the steps of the work, what it rests on, and what the reader should know.

    `calls` were made for it, `recorded_calls` answered from the record; `cost` is in dollars.
    """

    run_id: str
    route: list[StepView]
    sources: list[SourceView]
    warnings: list[str]
    calls: int
    recorded_calls: int
    cost: float

    @classmethod
    def of(cls, result: DoResult, files: Mapping[str, str], warnings: Sequence[str]) -> Self:
        """The view of a result; `files` are those that its documents came from, by document."""
        sources: dict[tuple[str, int, int], SourceView] = {}
        for one in result.sources:
            place, number = (one.document_id, one.start, one.end), len(sources) + 1
            file = files.get(one.document_id)
            view = SourceView(number, one.document_id, file, one.title, one.start, one.end, one.quote, str(one.place))
            sources.setdefault(place, view)
        usage = result.usage
        steps = list(map(StepView.of, result.steps))
        shown = list(dict.fromkeys([*warnings, *(lack for step in result.steps if (lack := _lack(step)))]))
        return cls(result.run_id, steps, [*sources.values()], shown, usage.calls, usage.recorded, usage.cost)


def _lack(step: StepResult) -> str:
    """What the reader should know is missing from a step; "" where nothing is."""
    if step.failure:
        return f"step {step.number} came to nothing: {step.failure}"
    if step.cut:
        return f"the text of step {step.number} ends early, for the model ran into its limit; name a length in words"
    return f"something is missing from the text of step {step.number}" if step.gaps else ""


@dataclass(frozen=True, slots=True)
class UsageView:
    """Tokens of the calls that were made; those that were answered from the record take none."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int

    @classmethod
    def of(cls, usage: RunUsage) -> Self:
        """The view of what a run took."""
        prompt, completion = usage.tokens.prompt_tokens, usage.tokens.completion_tokens
        return cls(prompt, completion, prompt + completion)


@dataclass(frozen=True, slots=True)
class AnswerMessageView:
    """The answer, with marks and the list of its sources."""

    content: str
    role: Literal["assistant"] = "assistant"
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class ChoiceView:
    """The one answer there is."""

    message: AnswerMessageView
    finish_reason: Finish
    index: int = 0
    logprobs: None = None


@dataclass(frozen=True, slots=True)
class CompletionView:
    """A chat completion."""

    id: str
    created: int
    model: str
    choices: list[ChoiceView]
    usage: UsageView
    longdoc: LongDocView
    object: Literal["chat.completion"] = "chat.completion"


@dataclass(frozen=True, slots=True)
class Chunks:
    """Writes the events of a streamed completion."""

    id: str
    created: int
    model: str

    def text(self, content: str) -> bytes:
        """A piece of the answer."""
        return self._event([_delta({"content": content})])

    def begin(self) -> bytes:
        """The first event."""
        return self._event([_delta({"role": "assistant", "content": ""})])

    def end(self, finish: Finish, view: LongDocView) -> bytes:
        """The last event of the answer, with how it came about."""
        return self._event([{**_delta({}), "finish_reason": finish}], longdoc=asdict(view))

    def usage(self, usage: RunUsage) -> bytes:
        """What it took."""
        return self._event([], usage=asdict(UsageView.of(usage)))

    def error(self, error: ServiceError) -> bytes:
        """What went wrong, where an answer had begun."""
        return _data(asdict(openai_error(error)))

    def _event(self, choices: list[dict[str, Any]], **more: object) -> bytes:
        head = {"id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model}
        return _data({**head, "choices": choices, **more})


def comment(text: str) -> bytes:
    """A line of a stream that clients pass over: it says how far the work is, and that somebody is there."""
    return b": " + " ".join(text.split()).encode("utf-8", "replace") + b"\n\n"


@dataclass(frozen=True, slots=True)
class Written:
    """An answer as it is sent, and why it ends; `listed` is the list of sources in it."""

    text: str
    finish: Finish
    listed: str = ""


def written(result: DoResult, *, stops: Sequence[str], most_tokens: int | None) -> Written:
    """The answer with its marks and sources, up to the first of the texts that end it and within so many tokens (by
    estimate)."""
    ends = [at for at in map(result.text.find, stops) if at >= 0]
    shown = result if not ends else _Beginning.of(result, min(ends))
    text = cited_text(shown)
    listed = text.rpartition("\n\n")[2] if shown.sources else ""
    if most_tokens is not None and (cut := beginning(text, most_tokens)) != text:
        return Written(cut, "length")
    is_cut = not ends and any(step.cut for step in result.shown)
    return Written(text, "length" if is_cut else "stop", listed)


def beginning(text: str, most_tokens: int) -> str:
    """The longest beginning of a text that has, by estimate, so many tokens."""
    if estimate_tokens(text) <= most_tokens:
        return text
    return _cut(text, lambda part: estimate_tokens(part) <= most_tokens)


@dataclass(frozen=True, slots=True)
class _Beginning:
    """The beginning of a result, with what it rests on."""

    text: str
    sources: tuple[Source, ...]
    run_id: str
    usage: RunUsage

    @classmethod
    def of(cls, result: DoResult, end: int) -> Self:
        kept = tuple(one for one in result.sources if one.at is None or one.at <= end)
        return cls(result.text[:end], kept, result.run_id, result.usage)


def _cut(text: str, fits: Callable[[str], bool]) -> str:
    """The longest beginning that fits."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(text[:middle]) else (low, middle - 1)
    return text[:low]


def token_pieces(text: str) -> Sequence[str]:
    """A text in pieces that a stream sends, a word or a few characters each."""
    found: list[str] = []
    for piece in text.splitlines(keepends=True):
        words = piece.split(" ")
        found += [f"{word} " for word in words[:-1]] + [words[-1]]
    return [piece for piece in found if piece]


def _delta(fields: Mapping[str, object]) -> dict[str, Any]:
    return {"index": 0, "delta": dict(fields), "logprobs": None, "finish_reason": None}


def _data(value: object) -> bytes:
    # ASCII, as text may hold what UTF-8 does not know.
    return b"data: " + json.dumps(value, default=math.trunc).encode("ascii") + b"\n\n"
