"""How likely a given text is as an answer, over what vLLM's server adds to `/v1/completions`."""

from __future__ import annotations

import time

from pydantic import BaseModel, ConfigDict, Field

from longdoc.engines.engine import Completion, CompletionRequest, FinishReason, TokenLogprob
from longdoc.engines.openai_tokens import VllmTokenizer
from longdoc.engines.openai_transport import Transport
from longdoc.engines.openai_wire import UsagePart
from longdoc.errors import EngineUnavailableError
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


class VllmScores:
    """Scores texts on one server."""

    def __init__(self, transport: Transport, api_url: str, model: str, tokenizer: VllmTokenizer) -> None:
        self._transport = transport
        self._url = f"{api_url}/completions"
        self._model = model
        self._tokenizer = tokenizer

    async def score(self, request: CompletionRequest, continuation: str) -> Completion:
        """`continuation` as the answer to the request, each token with its log-probability. Raises `EngineError`."""
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


def _token(token: int, place: dict[str, _Scored] | None) -> TokenLogprob:
    scored = (place or {}).get(str(token))
    if scored is None:
        raise EngineUnavailableError("the engine left out a probability of the text it was given")
    return TokenLogprob(scored.decoded_token or "", scored.logprob)
