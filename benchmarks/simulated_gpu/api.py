"""The OpenAI-compatible interface of the simulated GPU, as vLLM speaks it.

`/v1/models`, `/v1/chat/completions` (streamed too), `/tokenize`, `/health`; and `/record`, which tells what the
engine did. Sampling parameters do not change an answer. Log-probabilities are told of answers of one token; what is not
simulated (schemas, other log-probabilities) is refused.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from benchmarks.simulated_gpu.core import Finished, Job
from benchmarks.simulated_gpu.faults import Fault, FaultPlan, Refusals
from benchmarks.simulated_gpu.http_server import HttpConnection, HttpRequest
from benchmarks.simulated_gpu.pacing import PacedGpu
from benchmarks.simulated_gpu.texts import (
    Answer,
    AnswerRule,
    block_hashes,
    count_tokens,
    draw_answer,
    draw_share,
    first_tokens,
)

MODEL = "simulated-8b"
_STREAM_SECONDS = 0.02
_MARK, _MARK_TOKEN = "<|im_end|>", 2
"""One token by itself, as chat models have them."""
_DEFAULT_LIMIT = 256


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """What the server does besides computing; `window` is in tokens."""

    window: int = 8192
    answers: AnswerRule = field(default_factory=AnswerRule)
    faults: FaultPlan = field(default_factory=FaultPlan)
    refusals: Refusals = field(default_factory=Refusals)
    recorded: bool = False


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Message(_Body):
    role: str
    content: str


class _StreamOptions(_Body):
    include_usage: bool = False


class _ChatBody(_Body):
    model: str
    messages: tuple[_Message, ...]
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stream: bool = False
    stream_options: _StreamOptions = _StreamOptions()
    response_format: Mapping[str, object] | None = None
    logprobs: bool = False

    @property
    def prompt(self) -> str:
        return "".join(f"<|{message.role}|>\n{message.content}\n" for message in self.messages)

    @property
    def limit(self) -> int:
        return self.max_completion_tokens or self.max_tokens or _DEFAULT_LIMIT


class _TokenizeBody(_Body):
    prompt: str


@dataclass(frozen=True, slots=True)
class _Chat:
    """A request for a completion with the answer that it will get."""

    number: int
    body: _ChatBody
    prompt_tokens: int
    blocks: tuple[int, ...]
    answer: Answer

    @property
    def finish_reason(self) -> str:
        return "length" if self.answer.cut else "stop"


class Api:
    """Answers the requests of all connections."""

    def __init__(self, gpu: PacedGpu, settings: ApiSettings) -> None:
        self._gpu = gpu
        self._settings = settings
        self._requests = 0
        self._record: list[tuple[_Chat, Finished]] = []

    def handle(self, request: HttpRequest, connection: HttpConnection) -> asyncio.Task[None] | None:
        """See `http_server.Handler`."""
        try:
            match request.method, request.path:
                case "POST", "/v1/chat/completions":
                    return self._chat(_ChatBody.model_validate_json(request.body), connection)
                case "POST", "/tokenize":
                    text = _TokenizeBody.model_validate_json(request.body).prompt
                    _send(connection, 200, self._tokens(text))
                case "GET", "/v1/models":
                    row = {"id": MODEL, "object": "model", "owned_by": "vllm", "max_model_len": self._settings.window}
                    _send(connection, 200, {"object": "list", "data": [row]})
                case "GET", "/health":
                    connection.send(200, b"")
                case "GET", "/record":
                    _send(connection, 200, [_recorded(chat, done) for chat, done in self._record])
                case _:
                    _send(connection, 404, _error("Not Found", "NotFoundError"))
        except ValidationError as error:
            _send(connection, 400, _error(str(error), "BadRequestError"))
        return None

    def _tokens(self, text: str) -> object:
        first, *others = (count_tokens(part) for part in text.split(_MARK))
        tokens = [7] * first + [token for count in others for token in (_MARK_TOKEN, *[7] * count)]
        return {"count": len(tokens), "max_model_len": self._settings.window, "tokens": tokens}

    def _chat(self, body: _ChatBody, connection: HttpConnection) -> asyncio.Task[None] | None:
        self._requests += 1
        if (fault := self._settings.faults.draw(self._requests)) is not None:
            _misbehave(fault, connection)
        elif self._settings.refusals.apply(self._gpu.under_way):
            wait = self._settings.refusals.retry_after
            headers = {} if wait is None else {"retry-after": f"{wait:g}"}
            _send(connection, 429, _error("Too many requests", "RateLimitError"), headers)
        elif (refusal := self._refusal(body)) is not None:
            status, error = refusal
            _send(connection, status, error)
        else:
            return self._start(self._taken(body), connection)
        return None

    def _start(self, chat: _Chat, connection: HttpConnection) -> asyncio.Task[None]:
        """The job is queued before anything else is read; where its caller left at once, the task never begins."""
        number = self._gpu.submit(Job(chat.prompt_tokens, chat.answer.tokens, chat.blocks))
        task = asyncio.get_running_loop().create_task(self._complete(chat, number, connection))
        task.add_done_callback(lambda _: self._gpu.forget(number))
        return task

    def _taken(self, body: _ChatBody) -> _Chat:
        answer = draw_answer(body.prompt, limit=body.limit, rule=self._settings.answers)
        return _Chat(self._requests, body, count_tokens(body.prompt), block_hashes(body.prompt), answer)

    def _refusal(self, body: _ChatBody) -> tuple[int, object] | None:
        if body.model != MODEL:
            return 404, _error(f"The model `{body.model}` does not exist.", "NotFoundError")
        if body.response_format is not None or (body.logprobs and (body.limit != 1 or body.stream)):
            return 400, _error("This server simulates no schemas, and logprobs of one token only.", "BadRequestError")
        prompt, window = count_tokens(body.prompt), self._settings.window
        if prompt + body.limit > window:
            message = (
                f"This model's maximum context length is {window} tokens. However, you requested "
                f"{prompt + body.limit} tokens ({prompt} in the messages, {body.limit} in the completion). "
                "Please reduce the length of the messages or completion."
            )
            return 400, _error(message, "BadRequestError")
        return None

    async def _complete(self, chat: _Chat, number: int, connection: HttpConnection) -> None:
        if chat.body.stream:
            finished = await self._stream(chat, number, connection)
        else:
            finished = await self._gpu.result(number)
            _send(connection, 200, _whole(chat, finished))
        if self._settings.recorded:
            self._record.append((chat, finished))

    async def _stream(self, chat: _Chat, number: int, connection: HttpConnection) -> Finished:
        """Send what was written since the last look, every few milliseconds: a request for every token is dear."""
        connection.start_events()
        result = asyncio.ensure_future(self._gpu.result(number))
        sent = 0
        try:
            while not result.done():
                await asyncio.wait([result], timeout=_STREAM_SECONDS)
                text = chat.answer.text
                text = text if result.done() else first_tokens(text, self._gpu.written(number))
                if text[sent:]:
                    _send_event(connection, _piece(chat, {"content": text[sent:]}, None))
                    sent = len(text)
        finally:
            result.cancel()
        finished = result.result()
        _send_event(connection, _piece(chat, {}, chat.finish_reason))
        if chat.body.stream_options.include_usage:
            last: dict[str, object] = {"choices": [], "usage": _usage(finished)}
            _send_event(connection, _head(chat, "chat.completion.chunk") | last)
        connection.send_event(b"[DONE]")
        connection.end_events()
        return finished


def _misbehave(fault: Fault, connection: HttpConnection) -> None:
    match fault:
        case Fault.ERROR:
            _send(connection, 500, _error("made to fail", "InternalServerError"))
        case Fault.CLOSED:
            connection.close()
        case Fault.GARBAGE:
            connection.send(200, b"<html>\x00\xff this is no JSON")
        case Fault.HANG:
            pass  # and nothing ever comes


def _head(chat: _Chat, kind: str) -> dict[str, object]:
    return {"id": f"chatcmpl-{chat.number}", "object": kind, "model": MODEL}


def _whole(chat: _Chat, finished: Finished) -> object:
    message = {"role": "assistant", "content": chat.answer.text}
    logprobs = _logprobs(chat) if chat.body.logprobs else None
    choice = {"index": 0, "message": message, "finish_reason": chat.finish_reason, "logprobs": logprobs}
    return _head(chat, "chat.completion") | {"choices": [choice], "usage": _usage(finished)}


def _logprobs(chat: _Chat) -> object:
    """Of "yes" and "no", whatever the answer: which is likelier follows from the prompt."""
    share = draw_share(chat.body.prompt)
    top = [{"token": token, "logprob": math.log(p)} for token, p in (("yes", share), ("no", 1 - share))]
    return {"content": [max(top, key=lambda told: told["logprob"]) | {"top_logprobs": top}]}


def _piece(chat: _Chat, delta: object, finish_reason: str | None) -> object:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
    return _head(chat, "chat.completion.chunk") | {"choices": [choice]}


def _usage(finished: Finished) -> object:
    job = finished.job
    return {
        "prompt_tokens": job.prompt_tokens,
        "completion_tokens": job.answer_tokens,
        "total_tokens": job.prompt_tokens + job.answer_tokens,
        "prompt_tokens_details": {"cached_tokens": finished.cached_tokens},
    }


def _recorded(chat: _Chat, finished: Finished) -> dict[str, Any]:
    return {
        "answer": chat.answer.text,
        "prompt_tokens": finished.job.prompt_tokens,
        "answer_tokens": finished.job.answer_tokens,
        "cached_tokens": finished.cached_tokens,
        "blocks": finished.job.blocks,
        "submitted": finished.submitted,
        "started": finished.started,
        "finished": finished.finished,
    }


def _error(message: str, kind: str) -> object:
    return {"error": {"message": message, "type": kind, "code": None}}


def _send(connection: HttpConnection, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
    connection.send(status, json.dumps(body).encode(), headers)


def _send_event(connection: HttpConnection, data: object) -> None:
    connection.send_event(json.dumps(data).encode())
