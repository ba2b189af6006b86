"""An OpenAI-compatible server for tests: answers with sentences of its prompts, and misbehaves as told.

In a test: `with OpenAIServer(faults=at_requests({3: Fault.ERROR_500})) as server: … server.base_url … server.log`.
By hand: `python -m tests.servers.openai_server --port 8000 --fault 500 --probability 0.1 --seed 7`.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import math
import random
import re
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self

from longdoc.engines.embedder_hashed import HashedEmbedder
from longdoc.engines.engine import Completion, CompletionRequest, Message
from longdoc.engines.scripted import Answer, ScriptedEngine, extractive_answer
from longdoc.errors import ContextTooLongError

MARK, MARK_ID = "<|eot_id|>", 128_009
"""One token by itself, to the tokenizer of the vLLM flavour."""
MODEL = "test-model"
_HANG_SECONDS = 60.0


class Fault(StrEnum):
    """What can go wrong with an answer."""

    NONE = ""
    RATE_LIMIT = "429"
    RATE_LIMIT_WITH_WAIT = "429-retry-after"
    ERROR_500 = "500"
    UNAVAILABLE_503 = "503"
    GARBAGE = "garbage"
    WRONG_SHAPE = "wrong-shape"
    HALF = "half"
    CLOSED = "closed"
    HANG = "hang"
    EMPTY = "empty"
    DRIP = "drip"
    CONTENT_FILTER = "content-filter"


FaultPlan = Callable[[int], Fault]
"""The fault of the n-th completion request, counted from 0."""

Flavour = Literal["plain", "vllm", "llama.cpp"]


def no_faults(_: int) -> Fault:
    """All goes well."""
    return Fault.NONE


def at_requests(faults: Mapping[int, Fault]) -> FaultPlan:
    """Faults at these requests."""
    return lambda number: faults.get(number, Fault.NONE)


def at_random(faults: tuple[Fault, ...], *, probability: float, seed: int) -> FaultPlan:
    """One of these faults with this probability; the same for the same seed and request number."""

    def fault(number: int) -> Fault:
        chance = random.Random(f"{seed}:{number}")
        return chance.choice(faults) if chance.random() < probability else Fault.NONE

    return fault


@dataclass(frozen=True)
class LoggedRequest:
    """A completion request as it came: its number, the hash of its body, its body and headers, and what it got."""

    number: int
    content_hash: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    fault: Fault


@dataclass
class OpenAIServer:
    """A server on a free port of the loopback interface, running inside `with`.

    `flavour` decides how models, windows, tokenizer and refusals look on the wire. `slots` bounds how many answers
    are made at once; `delay` is in seconds for an answer, or between two pieces of a streamed one where it drips.
    """

    faults: FaultPlan = no_faults
    flavour: Flavour = "vllm"
    answer: Answer = extractive_answer
    context_window: int = 4096
    delay: float = 0.0
    slots: int = 64
    retry_after: str = "1"
    api_key: str | None = None
    port: int = 0
    log: list[LoggedRequest] = field(default_factory=list[LoggedRequest])
    answered: list[str] = field(default_factory=list[str])
    busy: int = 0
    most_busy: int = 0

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        self._places = threading.Semaphore(self.slots)
        self._stopping = threading.Event()
        self._http = _Http(("127.0.0.1", self.port), self)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def root_url(self) -> str:
        """The address without a version."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def base_url(self) -> str:
        """The address clients are given."""
        return f"{self.root_url}/v1"

    @property
    def engine(self) -> ScriptedEngine:
        """What answers, and counts tokens."""
        return ScriptedEngine(self.answer, context_window=self.context_window)

    def take(self, body: Mapping[str, Any], headers: Mapping[str, str]) -> LoggedRequest:
        """Number and log a request."""
        content = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        with self._lock:
            number = len(self.log)
            request = LoggedRequest(number, content, body, headers, self.faults(number))
            self.log.append(request)
            return request

    def finished(self, request: LoggedRequest) -> None:
        """Note that a good answer went out whole."""
        with self._lock:
            self.answered.append(request.content_hash)

    @contextmanager
    def place(self) -> Generator[None, None, None]:
        """Hold one of the slots."""
        with self._places:
            with self._lock:
                self.busy += 1
                self.most_busy = max(self.most_busy, self.busy)
            try:
                yield
            finally:
                with self._lock:
                    self.busy -= 1

    def wait(self, seconds: float) -> None:
        """Let time pass, unless the server is stopping."""
        if seconds:
            self._stopping.wait(seconds)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, address: tuple[str, int], owner: OpenAIServer) -> None:
        self.owner = owner
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def owner(self) -> OpenAIServer:
        assert isinstance(self.server, _Http)
        return self.server.owner

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has above
        """Say nothing."""

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:  # the client left
            self.close_connection = True

    def do_GET(self) -> None:
        if not self._allowed():
            return
        body = _resource(self.path, self.owner)
        self._send(404, _error("no such path")) if body is None else self._send(200, body)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if not self._allowed():
            return
        if self.path.endswith("/chat/completions"):
            self._complete(body)
        elif self.path == "/v1/embeddings":
            self._embed(body)
        elif self.path == "/tokenize" and (tokens := _tokens(body, self.owner)) is not None:
            self._send(200, tokens)
        else:
            self._send(404, _error("no such path"))

    def _allowed(self) -> bool:
        key = self.owner.api_key
        if key is None or self.headers.get("authorization") == f"Bearer {key}":
            return True
        self._send(401, _error(f"Incorrect API key provided: {self.headers.get('authorization')}"))
        return False

    def _complete(self, body: Mapping[str, Any]) -> None:
        request = self.owner.take(body, dict(self.headers))
        if body["model"] != MODEL and self.owner.flavour != "llama.cpp":
            self._send(404, _error(f"The model `{body['model']}` does not exist.", "NotFoundError"))
            return
        with self.owner.place():
            self._respond(request)

    def _embed(self, body: Mapping[str, Any]) -> None:
        request = self.owner.take(body, dict(self.headers))
        with self.owner.place():
            if request.fault is not Fault.NONE:
                self._misbehave(request)
            elif body["model"] != MODEL:
                self._send(404, _error(f"The model `{body['model']}` does not exist.", "NotFoundError"))
            elif "" in body["input"]:
                self._send(400, _error("'$.input' is invalid. Please check the API reference."))
            else:
                self.owner.wait(self.owner.delay)
                self._send(200, _embeddings(body["input"]))
                self.owner.finished(request)

    def _respond(self, request: LoggedRequest) -> None:
        body = request.body
        if request.fault not in {Fault.NONE, Fault.DRIP, Fault.CONTENT_FILTER, Fault.EMPTY}:
            self._misbehave(request)
            return
        try:
            completion = asyncio.run(self.owner.engine.complete(_request(body)))
        except ContextTooLongError as error:
            self._send(400, _too_long(error, body, self.owner))
            return
        finish = "content_filter" if request.fault is Fault.CONTENT_FILTER else str(completion.finish_reason)
        text = "" if request.fault in {Fault.EMPTY, Fault.CONTENT_FILTER} else completion.text
        if body.get("stream"):
            self._stream(body, text, finish, completion, drip=request.fault is Fault.DRIP)
        else:
            self.owner.wait(self.owner.delay)
            self._send(200, _whole(body, text, finish, completion))
        self.owner.finished(request)

    def _stream(self, body: Mapping[str, Any], text: str, finish: str, completion: Completion, *, drip: bool) -> None:
        if not drip:
            self.owner.wait(self.owner.delay)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self._event(_piece(body, {"role": "assistant", "content": ""}, None, ""))
        for piece in re.findall(r"\s*\S+|\s+\Z", text):
            self._event(_piece(body, {"content": piece}, None, piece))
            self.owner.wait(self.owner.delay if drip else 0.0)
        self._event(_piece(body, {}, finish, ""))
        if body.get("stream_options", {}).get("include_usage"):
            self._event({"choices": [], "model": MODEL, "usage": _usage(completion)})
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _event(self, data: object) -> None:
        self._chunk(b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.flush()

    def _misbehave(self, request: LoggedRequest) -> None:
        match request.fault:
            case Fault.HANG:
                self.owner.wait(_HANG_SECONDS)
                self.close_connection = True
            case Fault.CLOSED:
                self.close_connection = True
            case Fault.HALF:
                self._half(streamed=bool(request.body.get("stream")))
            case Fault.GARBAGE:
                self._send_bytes(200, b"<html>\x00\xff this is no JSON")
            case Fault.WRONG_SHAPE:
                self._send(200, {"answer": 42})
            case fault:
                headers = {"retry-after": self.owner.retry_after} if fault is Fault.RATE_LIMIT_WITH_WAIT else {}
                self._send(int(fault[:3]), _error(f"made to fail with {fault}"), headers)

    def _half(self, *, streamed: bool) -> None:
        self.send_response(200)
        if streamed:
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            self._event(_piece({}, {"content": "half"}, None, ""))
        else:
            self.send_header("content-length", "1000")
            self.end_headers()
            self.wfile.write(b'{"choices": [{"message": {"content": "half')
        self.wfile.flush()
        self.close_connection = True

    def _send(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        self._send_bytes(status, json.dumps(body, ensure_ascii=False).encode(), headers)

    def _send_bytes(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _resource(path: str, owner: OpenAIServer) -> object | None:
    if path == "/v1/models":
        return {"object": "list", "data": [{"id": MODEL, "object": "model", **_listing(owner)}]}
    if path == "/props" and owner.flavour == "llama.cpp":
        return {"total_slots": owner.slots, "default_generation_settings": {"n_ctx": owner.context_window}}
    return None


def _listing(owner: OpenAIServer) -> dict[str, object]:
    match owner.flavour:
        case "vllm":
            return {"owned_by": "vllm", "max_model_len": owner.context_window}
        case "llama.cpp":
            meta = {"n_ctx": owner.context_window, "n_vocab": 32_000, "n_params": 1, "size": 1}
            return {"owned_by": "llamacpp", "meta": meta}
        case _:
            return {"owned_by": "test"}


def _tokens(body: Mapping[str, Any], owner: OpenAIServer) -> object | None:
    if owner.flavour == "vllm":
        asked = body["prompt"] if "prompt" in body else " ".join(message["content"] for message in body["messages"])
        first, *others = _counts(asked.split(MARK), owner)
        tokens = [7] * first + [token for count in others for token in (MARK_ID, *[7] * count)]
        return {"count": len(tokens), "max_model_len": owner.context_window, "tokens": tokens}
    if owner.flavour == "llama.cpp":
        given: Any = body["content"]
        content: list[str | int] = given if isinstance(given, list) else [given]
        counts = iter(_counts([part for part in content if isinstance(part, str)], owner))
        tokens = [[part] if isinstance(part, int) else [7] * next(counts) for part in content]
        return {"tokens": [token for part in tokens for token in part]}
    return None


def _counts(texts: list[str], owner: OpenAIServer) -> list[int]:
    return asyncio.run(owner.engine.count_tokens(texts))


def _embeddings(texts: list[str]) -> object:
    """Rows in another order than the texts, and of another length than 1: both are allowed."""
    vectors = 3 * asyncio.run(HashedEmbedder().embed(texts))
    rows = [{"object": "embedding", "index": n, "embedding": row.tolist()} for n, row in enumerate(vectors)]
    tokens = sum(len(text.split()) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": MODEL, "data": rows[::-1], "usage": usage}


def _request(body: Mapping[str, Any]) -> CompletionRequest:
    return CompletionRequest(
        messages=tuple(Message(message["role"], message["content"]) for message in body["messages"]),
        max_tokens=body.get("max_tokens", body.get("max_completion_tokens", 256)),
        stop=tuple(body.get("stop", ())),
        json_schema=body.get("response_format", {}).get("json_schema", {}).get("schema"),
    )


def _whole(body: Mapping[str, Any], text: str, finish: str, completion: Completion) -> object:
    message = {"role": "assistant", "content": text, "reasoning_content": "thinking, not part of the answer"}
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": _logprobs(body, text)}
    return {"id": "1", "object": "chat.completion", "model": MODEL, "choices": [choice], "usage": _usage(completion)}


def _piece(body: Mapping[str, Any], delta: object, finish: str | None, text: str) -> object:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": _logprobs(body, text)}
    return {"id": "1", "object": "chat.completion.chunk", "model": MODEL, "choices": [choice]}


def _usage(completion: Completion) -> object:
    usage = completion.usage
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 1},
    }


def _logprobs(body: Mapping[str, Any], text: str) -> object:
    if not body.get("logprobs"):
        return None
    return {"content": [_token(token, body["top_logprobs"]) for token in re.findall(r"\s*\S+", text)]}


def _token(token: str, alternatives: int) -> object:
    """The token has half of the probability, the next alternative half of the rest, and so on."""
    places = range(alternatives)
    top = [{"token": token if n == 0 else f"other{n}", "logprob": -(n + 1) * math.log(2)} for n in places]
    return {"token": token, "logprob": -math.log(2), "top_logprobs": top}


def _error(message: str, kind: str = "invalid_request_error") -> object:
    return {"error": {"message": message, "type": kind, "code": None}}


def _too_long(error: ContextTooLongError, body: Mapping[str, Any], owner: OpenAIServer) -> object:
    prompt, window, answer = error.prompt_tokens or 0, owner.context_window, body.get("max_tokens", 256)
    if owner.flavour == "llama.cpp":
        message = f"request ({prompt} tokens) exceeds the available context size ({window} tokens), try increasing it"
        kind = "exceed_context_size_error"
        return {"error": {"code": 400, "message": message, "type": kind, "n_prompt_tokens": prompt, "n_ctx": window}}
    return _error(
        f"This model's maximum context length is {window} tokens. However, you requested {prompt + answer} tokens "
        f"({prompt} in the messages, {answer} in the completion). Please reduce the length of the messages."
    )


def _main() -> None:
    parser = argparse.ArgumentParser(description="An OpenAI-compatible server that can misbehave.")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--flavour", choices=["plain", "vllm", "llama.cpp"], default="vllm")
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--fault", action="append", type=Fault, default=[], choices=list(Fault))
    parser.add_argument("--probability", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    faults = at_random(tuple(given.fault), probability=given.probability, seed=given.seed) if given.fault else no_faults
    with OpenAIServer(faults=faults, flavour=given.flavour, delay=given.delay, port=given.port) as server:
        print(server.base_url, flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    _main()
