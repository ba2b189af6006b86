"""An engine that answers from a function: for tests, dry runs and demonstrations without a model.

Owns a simple, exact token rule (a word or a mark is a token); what is answered is the function's business.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from longdoc.engines.engine import Completion, CompletionRequest, EngineInfo, FinishReason, TextSink, Usage
from longdoc.errors import ContextTooLongError
from longdoc.json_value import JsonValue

Answer: TypeAlias = Callable[[CompletionRequest], "str | Completion"]

_TOKEN = re.compile(r"\w+|[^\w\s]")
_WORDS_ASKED = re.compile(r"at most (\d[\d,]*) words")
_FENCED = re.compile(r"<(\w+)>\n(.*?)\n</\1>", re.DOTALL)
_SENTENCE = re.compile(r"[^.!?。！？]*[.!?。！？]+[\"'”’)\]]*\s*")
_DEFAULT_WORDS = 100


class ScriptedEngine:
    """Answers with `answer(request)`, after `delay` seconds; keeps the requests it got in `calls`."""

    def __init__(self, answer: Answer, *, context_window: int = 8192, delay: float = 0.0, slots: int = 64) -> None:
        self._answer = answer
        self._delay = delay
        self.calls: list[CompletionRequest] = []
        self.info = EngineInfo(
            engine="scripted",
            model="scripted",
            identity="scripted",
            context_window=context_window,
            slots=slots,
            json_schema=True,
            exact_tokens=True,
        )

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        """See `Engine`."""
        started = time.perf_counter()
        prompt_tokens = sum(_count(message.content) for message in request.messages)
        if prompt_tokens + request.max_tokens > self.info.context_window:
            raise ContextTooLongError(
                f"{prompt_tokens} tokens and an answer of {request.max_tokens} do not fit {self.info.context_window}",
                prompt_tokens=prompt_tokens,
                context_window=self.info.context_window,
            )
        self.calls.append(request)
        await asyncio.sleep(self._delay)
        answered = self._answer(request)
        if isinstance(answered, Completion):
            return answered
        text, reason = _cut(answered, request)
        if on_text is not None:
            for piece in re.findall(r"\s*\S+\s*", text):
                on_text(piece)
        usage = Usage(prompt_tokens, _count(text))
        return Completion(text, reason, usage, self.info.model, time.perf_counter() - started)

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Engine`."""
        return [_count(text) for text in texts]

    async def aclose(self) -> None:
        """Nothing to free."""


def extractive_answer(request: CompletionRequest) -> str:
    """Leading sentences of each fenced text, within the words asked for: the same for the same request.

    Where a schema is asked for, the smallest value that follows it.
    """
    if request.json_schema is not None:
        return json.dumps(smallest_instance(request.json_schema), ensure_ascii=False)
    prompt = request.messages[-1].content
    asked = _WORDS_ASKED.search(prompt)
    words = int(asked[1].replace(",", "")) if asked else _DEFAULT_WORDS
    words = min(words, request.max_tokens // 2)
    texts = [match[2] for match in _FENCED.finditer(prompt)] or [prompt]
    return " ".join(_lead(text, max(1, words // len(texts))) for text in texts)


def smallest_instance(schema: Mapping[str, JsonValue]) -> JsonValue:
    """A value that follows a JSON schema: required properties, first choices, as few items as allowed."""
    choices = schema.get("enum") or ([schema["const"]] if "const" in schema else None)
    if isinstance(choices, list):
        return choices[0]
    for union in ("anyOf", "oneOf"):
        options = schema.get(union)
        if isinstance(options, list) and isinstance(options[0], dict):
            return smallest_instance(options[0])
    return _smallest_of_type(schema)


def _smallest_of_type(schema: Mapping[str, JsonValue]) -> JsonValue:
    kind = schema.get("type")
    if kind == "object":
        properties, required = schema.get("properties"), schema.get("required")
        known = properties if isinstance(properties, dict) else {}
        names = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
        return {name: smallest_instance(part) for name in names if isinstance(part := known.get(name), dict)}
    if kind == "array":
        items, least = schema.get("items"), schema.get("minItems")
        count = least if isinstance(least, int) else 0
        return [smallest_instance(items) for _ in range(count)] if isinstance(items, dict) else []
    if kind in {"integer", "number"}:
        least = schema.get("minimum")
        return least if isinstance(least, int | float) else 0
    return False if kind == "boolean" else None if kind == "null" else ""


def _lead(text: str, words: int) -> str:
    kept: list[str] = []
    for match in _SENTENCE.finditer(text):
        sentence = " ".join(match[0].split())
        if kept and sum(len(s.split()) for s in kept) + len(sentence.split()) > words:
            break
        kept.append(sentence)
    return " ".join(kept) or f"{' '.join(text.split()[:words])}."


def _cut(text: str, request: CompletionRequest) -> tuple[str, FinishReason]:
    """The answer as a server gives it: ended before a stop text, or after the tokens allowed."""
    for stop in request.stop:
        text = text.partition(stop)[0]
    ends = [match.end() for match in _TOKEN.finditer(text)]
    if len(ends) <= request.max_tokens:
        return text, FinishReason.STOP
    return text[: ends[request.max_tokens - 1]], FinishReason.LENGTH


def _count(text: str) -> int:
    return sum(1 for _ in _TOKEN.finditer(text))
