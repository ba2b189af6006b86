"""An engine that answers from a function: for tests, dry runs and demonstrations without a model.

Owns a simple, exact token rule; what is answered is the function's business (`extractive` has one).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

from longdoc.engines.engine import Completion, CompletionRequest, EngineInfo, FinishReason, TextSink, Usage
from longdoc.engines.extractive import extractive_answer
from longdoc.errors import ContextTooLongError

Answer: TypeAlias = Callable[[CompletionRequest], "str | Completion"]

_TOKEN = re.compile(r"\w{1,12}|[^\w\s]")


class ScriptedEngine:
    """Answers with `answer(request)`, after `delay` seconds; keeps the requests it got in `calls`, unless told not to.

    A token is a mark or a word (twelve letters of it, where it is longer). The window holds prompt and answer.
    A `Completion` from the function is passed on as it is.
    """

    def __init__(
        self,
        answer: Answer = extractive_answer,
        *,
        context_window: int = 8192,
        delay: float = 0.0,
        slots: int = 64,
        logprobs: int = 0,
        keep_calls: bool = True,
    ) -> None:
        self._answer = answer
        self._keep_calls = keep_calls
        self._delay = delay
        self.calls: list[CompletionRequest] = []
        self._info = EngineInfo(
            engine="scripted",
            model="scripted",
            identity="scripted",
            context_window=context_window,
            slots=slots,
            logprobs=logprobs,
            json_schema=True,
            exact_tokens=True,
        )

    @property
    def info(self) -> EngineInfo:
        """See `Engine`."""
        return self._info

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        """See `Engine`."""
        started = time.perf_counter()
        prompt_tokens = self._checked_prompt(request)
        if self._keep_calls:
            self.calls.append(request)
        await asyncio.sleep(self._delay)
        answered = self._answer(request)
        if isinstance(answered, Completion):
            completion = answered
        else:
            text, reason = _cut(answered, request)
            usage = Usage(prompt_tokens, _count(text))
            completion = Completion(text, reason, usage, self._info.model, time.perf_counter() - started)
        if on_text is not None:
            for piece in re.findall(r"\s*\S+|\s+\Z", completion.text):
                on_text(piece)
        return completion

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Engine`."""
        return [_count(text) for text in texts]

    async def aclose(self) -> None:
        """Nothing to free."""

    def _checked_prompt(self, request: CompletionRequest) -> int:
        prompt_tokens = sum(_count(message.content) for message in request.messages)
        if prompt_tokens + request.max_tokens > self._info.context_window:
            raise ContextTooLongError(
                f"{prompt_tokens} tokens and an answer of {request.max_tokens} do not fit the window of "
                f"{self._info.context_window}",
                prompt_tokens=prompt_tokens,
                context_window=self._info.context_window,
            )
        return prompt_tokens


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
