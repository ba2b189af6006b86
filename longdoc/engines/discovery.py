"""Finding servers on this machine that really answer as OpenAI-compatible ones. Choosing among them is the app's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.engines.openai_probe import list_models
from longdoc.engines.openai_transport import Transport, WireSettings
from longdoc.errors import LdaError

LOCAL_SERVERS: tuple[tuple[str, str], ...] = (
    ("vLLM", "http://127.0.0.1:8000/v1"),
    ("llama.cpp", "http://127.0.0.1:8080/v1"),
    ("Ollama", "http://127.0.0.1:11434/v1"),
    ("LM Studio", "http://127.0.0.1:1234/v1"),
)
_PATIENCE = 1.0  # seconds, for a busy server; where nobody listens the answer comes at once


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A server that answers with a list of models; `name` is the program that usually listens there."""

    name: str
    base_url: str
    models: tuple[str, ...]

    def lists(self, model: str) -> bool:
        """Whether the server has a model of that name; `:latest` may be left out."""
        return model in self.models or f"{model}:latest" in self.models


async def probe_local_servers(urls: Sequence[tuple[str, str]] = LOCAL_SERVERS) -> list[LocalServer]:
    """Those of `urls` (name and base URL) that list at least one model, in the order given. Never raises."""
    found = await asyncio.gather(*(_probe(name, url) for name, url in urls))
    return [server for server in found if server is not None]


async def _probe(name: str, base_url: str) -> LocalServer | None:
    try:
        transport = Transport(base_url, settings=WireSettings(connect_timeout=_PATIENCE, timeout=_PATIENCE))
    except LdaError:
        return None
    try:
        models = await list_models(transport, base_url)
    except LdaError:
        return None
    finally:
        await transport.aclose()
    return LocalServer(name, base_url, tuple(models)) if models else None
