"""An OpenAI-compatible server on this machine that misbehaves as told."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from longdoc.engines.engine import CompletionRequest, Message
from longdoc.engines.scripted import extractive_answer

FAULTS = ("429", "429 with retry-after", "500", "503", "garbage", "wrong shape", "closed", "half", "hang")
_HANG_SECONDS = 4.0

FaultAt = Callable[[int], str]
"""The fault of the n-th completion request (from 0), empty for none."""


@dataclass
class FaultyServer:
    """A running server; `answered` counts good answers by the content of their request."""

    base_url: str
    requests: int = 0
    answered: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def faulty_server(fault_at: FaultAt) -> Iterator[FaultyServer]:
    """Serve until the context ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    state = FaultyServer(f"http://127.0.0.1:{server.server_address[1]}/v1")
    server.state = state  # type: ignore[attr-defined]
    server.fault_at = fault_at  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        if self.path.endswith("/models"):
            self._send(200, {"data": [{"id": "faulty", "max_model_len": 8192}]})
        else:
            self._send(404, {"error": {"message": "no such path"}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if not self.path.endswith("/chat/completions"):
            self._send(404, {"error": {"message": "no such path"}})
            return
        state: FaultyServer = self.server.state  # type: ignore[attr-defined]
        with state.lock:
            fault = self.server.fault_at(state.requests)  # type: ignore[attr-defined]
            state.requests += 1
            if fault:
                state.faults[fault] += 1
        if fault:
            self._misbehave(fault)
        else:
            self._answer(body, state)

    def _answer(self, body: dict[str, Any], state: FaultyServer) -> None:
        messages = tuple(Message(m["role"], m["content"]) for m in body["messages"])
        text = extractive_answer(CompletionRequest(messages, body["max_tokens"]))
        prompt = sum(len(message.content.split()) for message in messages)
        self._send(200, completion(text, prompt))
        with state.lock:
            state.answered[sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()] += 1

    def _misbehave(self, fault: str) -> None:
        if fault == "hang":
            time.sleep(_HANG_SECONDS)
            self.close_connection = True
        elif fault == "closed":
            self.close_connection = True
        elif fault == "half":
            self.send_response(200)
            self.send_header("content-length", "1000")
            self.end_headers()
            self.wfile.write(b'{"choices": [{"mess')
            self.close_connection = True
        elif fault == "garbage":
            self._send_bytes(200, b"<html>\x00\xff not json")
        elif fault == "wrong shape":
            self._send(200, {"answer": 42})
        else:
            code = int(fault.split(maxsplit=1)[0])
            headers = {"retry-after": "0.2"} if "retry-after" in fault else {}
            self._send(code, {"error": {"message": f"made to fail with {code}"}}, headers)

    def _send(self, code: int, body: object, headers: dict[str, str] | None = None) -> None:
        self._send_bytes(code, json.dumps(body).encode(), headers)

    def _send_bytes(self, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def completion(text: str, prompt_tokens: int) -> dict[str, object]:
    """A good answer."""
    return {
        "id": "c",
        "object": "chat.completion",
        "model": "faulty",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": len(text.split())},
    }
