"""Any OpenAI-compatible server as an engine.

Owns the chat completion; connections are `openai_transport`'s, what the server is `openai_probe`'s, token counts
`openai_tokens`', the meaning of failures `openai_errors`'. Nothing here retries.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from longdoc.engines.engine import (
    Completion,
    CompletionRequest,
    EngineInfo,
    FinishReason,
    TextSink,
    TokenLogprob,
    Usage,
)
from longdoc.engines.loops import LoopWatch
from longdoc.engines.openai_probe import ServerFacts, probe_server
from longdoc.engines.openai_scores import LlamaScores, Scores
from longdoc.engines.openai_transport import Transport, WireSettings
from longdoc.engines.openai_wire import ChatPiece, ChatReply, TimingsPart, UsagePart, request_body
from longdoc.errors import ConfigError, ContextTooLongError, EngineUnavailableError, RequestRefusedError
from longdoc.json_value import JsonValue

_FIRST = -1
"""A priority before the usual one, which is 0: lower is earlier."""
_FINISH = {
    "stop": FinishReason.STOP,
    "eos": FinishReason.STOP,
    "eos_token": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "loop": FinishReason.LOOP,
    "content_filter": FinishReason.CONTENT_FILTER,
}


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer as read from the wire, whole or put together from its pieces."""

    text: str
    finish: str | None
    usage: Usage
    model: str | None
    logprobs: tuple[TokenLogprob, ...]


class OpenAIEngine:
    """An engine over HTTP. Made by `connect`, which asks the server what it is."""

    def __init__(
        self,
        transport: Transport,
        facts: ServerFacts,
        info: EngineInfo,
        *,
        stream_always: bool = False,
        own_llama: bool = False,
    ) -> None:
        self._transport = transport
        self._facts = facts
        self._info = info
        self._stream_always = stream_always
        self._own_llama = own_llama
        self._priorities = facts.priorities

    @classmethod
    async def connect(
        cls,
        base_url: str,
        *,
        model: str | None = None,
        api_key: str | None = None,
        timeout: float | None = 600.0,  # noqa: ASYNC109 - of later calls, not of this one
        connect_timeout: float = 10.0,
        context_window: int | None = None,
        identity: str | None = None,
        prompt_price: float = 0.0,
        completion_price: float = 0.0,
        stream_always: bool = False,
        keep_connections: bool = True,
        own_llama: bool = False,
    ) -> OpenAIEngine:
        """Connect to a server at `base_url` (with or without `/v1`) and ask what it is.

        `timeout` is in seconds, for one whole answer (None: no limit). `context_window` (tokens) serves where the
        server does not tell, and may lower what it tells. With `stream_always` every answer is streamed on the
        wire: some servers notice only then that a caller left. Without `keep_connections` every request has a
        connection of its own. `own_llama` tells that the server is the llama.cpp of this process, of a known version:
        streamed answers without a schema that go round in circles are left, and given texts can be scored. Nothing is
        spent: what a server does not tell of its capabilities counts as absent until
        `capabilities.probe_capabilities` has tried it.
        Raises `ConfigError`, `EngineAuthError`, `ModelNotFoundError`, `EngineUnavailableError`,
        `EngineTimeoutError`.
        """
        settings = WireSettings(connect_timeout, timeout, keep_connections)
        transport = Transport(base_url, api_key=api_key, settings=settings)
        try:
            facts = await probe_server(transport, base_url, model=model)
            window = _window(facts, context_window)
            if own_llama:
                facts = replace(facts, scores=LlamaScores(transport, base_url, facts.model, window=window))
            info = EngineInfo(
                engine="openai",
                model=facts.model,
                identity=identity or facts.fingerprint,
                context_window=window,
                max_output=facts.max_output,
                slots=facts.slots,
                logprobs=facts.logprobs or 0,
                scores=facts.scores is not None,
                json_schema=facts.json_schema or False,
                exact_tokens=facts.tokenizer is not None,
                prompt_price=prompt_price,
                completion_price=completion_price,
            )
            return cls(transport, facts, info, stream_always=stream_always, own_llama=own_llama)
        except BaseException:
            await transport.aclose()
            raise

    @property
    def info(self) -> EngineInfo:
        """See `Engine`."""
        return self._info

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        """See `Engine`."""
        if request.continuation is not None:
            return await self._scorer().score(request, request.continuation)
        started = time.perf_counter()
        streamed = on_text is not None or self._stream_always
        answer = await self._answer(request, (on_text or _drop) if streamed else None)
        return Completion(
            text=answer.text,
            finish_reason=self._finish(answer, request),
            usage=answer.usage,
            model=answer.model or self._info.model,
            seconds=time.perf_counter() - started,
            logprobs=answer.logprobs,
        )

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Engine`."""
        if self._facts.tokenizer is None:
            raise ConfigError(f"the server of {self._info.model} has no tokenizer to ask")
        return await self._facts.tokenizer.count(texts)

    async def aclose(self) -> None:
        """See `Engine`."""
        await self._transport.aclose()

    async def _answer(self, request: CompletionRequest, on_text: TextSink | None) -> _Answer:
        """The answer, streamed to `on_text` where that is given; interactive requests first where the server can."""
        if request.interactive and self._priorities:
            try:
                return await self._answer_to(self._body(request, first=True), on_text)
            except RequestRefusedError as error:
                if "priority" not in str(error).lower():
                    raise
                self._priorities = False
        return await self._answer_to(self._body(request), on_text)

    async def _answer_to(self, body: dict[str, JsonValue], on_text: TextSink | None) -> _Answer:
        return await (self._whole(body) if on_text is None else self._stream(body, on_text))

    def _scorer(self) -> Scores:
        if self._facts.scores is None:
            raise ConfigError(f"the server of {self._info.model} cannot tell how likely a given text is")
        return self._facts.scores

    def _body(self, request: CompletionRequest, *, first: bool = False) -> dict[str, JsonValue]:
        body = request_body(request, model=self._facts.model, limit_field=self._facts.limit_field)
        if self._own_llama and request.frequency_penalty is not None:
            # Of itself llama.cpp counts in the last 64 tokens only; the field means all of the text.
            body["repeat_last_n"] = self._info.context_window
        return body | ({"priority": _FIRST} if first else {})

    async def _whole(self, body: Mapping[str, JsonValue]) -> _Answer:
        reply = await self._transport.post(f"{self._facts.api_url}/chat/completions", body, model=self._facts.model)
        read = self._transport.read(reply, ChatReply, model=self._facts.model)
        choice = read.choices[0]
        _refuse(choice.message.refusal)
        usage = read.usage.read() if read.usage else Usage()
        return _Answer(choice.message.content or "", choice.finish_reason, usage, read.model, choice.read_logprobs())

    async def _stream(self, body: Mapping[str, JsonValue], on_text: TextSink) -> _Answer:
        watch = LoopWatch() if self._own_llama and "response_format" not in body else None
        pieces = _Pieces(on_text, lambda data: self._transport.read(data, ChatPiece, model=self._facts.model), watch)
        told: dict[str, JsonValue] = {"stream": True, "stream_options": {"include_usage": True}}
        await self._transport.post_for_events(
            f"{self._facts.api_url}/chat/completions",
            {**body, **told, **({} if watch is None else {"timings_per_token": True})},
            on_event=pieces.take,
            model=self._facts.model,
        )
        return pieces.joined()

    def _finish(self, answer: _Answer, request: CompletionRequest) -> FinishReason:
        reason = _FINISH.get(answer.finish or "")
        if reason is None:
            raise EngineUnavailableError(f"the engine broke off its answer (finish reason {answer.finish!r})")
        used = answer.usage
        full = used.total_tokens >= self._info.context_window and used.completion_tokens < request.max_tokens
        if reason is FinishReason.LENGTH and full:  # llama.cpp takes a prompt that leaves no room for the answer
            raise ContextTooLongError(
                f"the answer did not fit the window of {self._info.context_window} tokens beside its prompt",
                prompt_tokens=used.prompt_tokens,
                context_window=self._info.context_window,
            )
        return reason


class _Pieces:
    """Puts a streamed answer together while passing its text on; leaves it where `watch` hears that it loops."""

    def __init__(self, on_text: TextSink, read: Callable[[bytes], ChatPiece], watch: LoopWatch | None) -> None:
        self._on_text = on_text
        self._read = read
        self._watch = watch
        self._texts: list[str] = []
        self._logprobs: list[TokenLogprob] = []
        self._refusals: list[str] = []
        self._finish: str | None = None
        self._usage: UsagePart | None = None
        self._timings: TimingsPart | None = None
        self._model: str | None = None

    def take(self, data: bytes) -> bool:
        """Read one event; whether another one is wanted."""
        piece = self._read(data)
        self._usage = piece.usage or self._usage
        if self._watch is not None and piece.timings is not None:
            self._timings = TimingsPart.model_validate(piece.timings)
        self._model = piece.model or self._model
        for choice in piece.choices[:1]:
            self._finish = choice.finish_reason or self._finish
            self._logprobs.extend(choice.read_logprobs())
            self._refusals.append(choice.delta.refusal or "")
            if choice.delta.content:
                self._texts.append(choice.delta.content)
                self._on_text(choice.delta.content)
                if self._watch is not None and self._finish is None and self._watch.loops(choice.delta.content):
                    self._finish = FinishReason.LOOP
                    return False
        return True

    def joined(self) -> _Answer:
        """The whole answer. Raises `EngineUnavailableError` when the stream ended before it."""
        _refuse("".join(self._refusals))
        if self._finish is None:
            raise EngineUnavailableError("the engine closed the connection before its answer was whole")
        told = self._usage or self._timings
        usage = told.read() if told else Usage()
        return _Answer("".join(self._texts), self._finish, usage, self._model, tuple(self._logprobs))


def _window(facts: ServerFacts, wished: int | None) -> int:
    known = [size for size in (facts.context_window, wished) if size is not None]
    if not known:
        raise ConfigError(
            f"the server does not tell the window of {facts.model}; set context_window (LDA_CONTEXT_WINDOW)"
        )
    return min(known)


def _refuse(refusal: str | None) -> None:
    if refusal:
        raise RequestRefusedError(f"the model refuses to answer: {' '.join(refusal.split())[:200]}")


def _drop(text: str) -> None:
    """Nobody listens."""
