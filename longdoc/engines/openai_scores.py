"""How likely a given text is as an answer, over what the servers of vLLM and llama.cpp add to the usual protocol."""

from __future__ import annotations

import time
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from longdoc.engines.engine import Completion, CompletionRequest, FinishReason, TokenLogprob, Usage
from longdoc.engines.openai_tokens import LlamaTokenizer, VllmTokenizer
from longdoc.engines.openai_transport import Transport
from longdoc.engines.openai_wire import TimingsPart, UsagePart
from longdoc.errors import ContextTooLongError, EngineUnavailableError, RequestRefusedError
from longdoc.json_value import JsonValue


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Scored(_Part):
    logprob: float
    decoded_token: str | None = None


class _Choice(_Part):
    prompt_logprobs: tuple[dict[str, _Scored] | None, ...] | None = None


class _Reply(_Part):
    choices: tuple[_Choice, ...] = Field(min_length=1)
    usage: UsagePart


class _Prompt(_Part):
    prompt: str


class _Chosen(_Part):
    id: int
    token: str
    logprob: float


class _Written(_Part):
    completion_probabilities: tuple[_Chosen, ...] = ()
    truncated: bool = False
    timings: TimingsPart


_LEAST_LOGPROB = -100.0
"""For what has no probability at all as far as the server's numbers go: their logarithm is told as -3e38."""


class Scores(Protocol):
    """Scores texts on one server."""

    async def score(self, request: CompletionRequest, continuation: str) -> Completion:
        """`continuation` as the answer to the request, each token with its log-probability. Raises `EngineError`."""
        ...


class VllmScores:
    """By the probabilities of a prompt that ends with the text."""

    def __init__(self, transport: Transport, api_url: str, model: str, tokenizer: VllmTokenizer) -> None:
        self._transport = transport
        self._url = f"{api_url}/completions"
        self._model = model
        self._tokenizer = tokenizer

    async def score(self, request: CompletionRequest, continuation: str) -> Completion:
        """See `Scores`."""
        started = time.perf_counter()
        prompt = await self._tokenizer.chat_tokens(request.messages)
        given = await self._tokenizer.tokens(continuation) if continuation else []
        tokens: list[JsonValue] = [*prompt, *given]
        body: dict[str, JsonValue] = {
            "model": self._model,
            "prompt": tokens,
            "max_tokens": 1,
            "temperature": 0.0,
            "prompt_logprobs": 0,
        }
        reply = self._transport.read(await self._transport.post(self._url, body, model=self._model), _Reply)
        places = reply.choices[0].prompt_logprobs or ()
        if len(places) != len(tokens):
            raise EngineUnavailableError("the engine told no probabilities of the text it was given")
        scored = tuple(_token(token, place) for token, place in zip(given, places[len(prompt) :], strict=True))
        usage = reply.usage.read()
        seconds = time.perf_counter() - started
        return Completion(continuation, FinishReason.STOP, usage, self._model, seconds, scored)


class LlamaScores:
    """By an answer that a grammar of token ids leaves no choice in.

    llama.cpp tells no probabilities of a prompt. It does tell those of what it writes, as they are before samplers and
    grammar have changed them; a server that drafts tokens does not. Needs a version whose grammars know token ids.
    Nothing is told of tokens that are parts of a character, so a text that has any is refused (`RequestRefusedError`):
    Chinese, say, for a model whose tokens are those of English.
    """

    def __init__(self, transport: Transport, root_url: str, model: str, *, window: int) -> None:
        self._transport = transport
        self._url = root_url
        self._model = model
        self._window = window
        self._tokenizer = LlamaTokenizer(transport, root_url)

    async def score(self, request: CompletionRequest, continuation: str) -> Completion:
        """See `Scores`."""
        started = time.perf_counter()
        pieces = await self._tokenizer.pieces(continuation) if continuation else []
        if any(text is None for _, text in pieces):
            raise RequestRefusedError(f"{self._model} has no whole tokens for some characters of {continuation[:50]!r}")
        messages: list[JsonValue] = [{"role": one.role, "content": one.content} for one in request.messages]
        asked = await self._transport.post(f"{self._url}/apply-template", {"messages": messages}, model=self._model)
        given = [token for token, _ in pieces]
        body: dict[str, JsonValue] = {
            "prompt": self._transport.read(asked, _Prompt).prompt,
            "n_predict": len(given) or 1,
            "n_probs": 1,
            "temperature": 0.0,
            "cache_prompt": True,
        }
        if given:
            body["grammar"] = "root ::= " + " ".join(f"<[{token}]>" for token in given)
        reply = await self._transport.post(f"{self._url}/completion", body, model=self._model)
        written = self._transport.read(reply, _Written)
        told = written.completion_probabilities[: len(given)]
        read = written.timings.read()
        if written.truncated and len(told) < len(given):  # it goes on until its window is full
            raise ContextTooLongError(
                f"{read.prompt_tokens} tokens and a text of {len(given)} do not fit the window of {self._window}",
                prompt_tokens=read.prompt_tokens,
                context_window=self._window,
            )
        if [one.id for one in told] != given:
            raise EngineUnavailableError("the engine told no probabilities of the text it was given")
        usage = Usage(read.prompt_tokens + len(given), 0, read.cached_tokens)
        scored = tuple(TokenLogprob(one.token, max(one.logprob, _LEAST_LOGPROB)) for one in told)
        seconds = time.perf_counter() - started
        return Completion(continuation, FinishReason.STOP, usage, self._model, seconds, scored)


def _token(token: int, place: dict[str, _Scored] | None) -> TokenLogprob:
    scored = (place or {}).get(str(token))
    if scored is None:
        raise EngineUnavailableError("the engine left out a probability of the text it was given")
    return TokenLogprob(scored.decoded_token or "", scored.logprob)
