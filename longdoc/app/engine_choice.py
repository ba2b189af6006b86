"""Finding an engine: option > environment > configuration > a local server that answers > a pulled model > pull one.

`Settings` has already merged the first three; this module owns the rest and says in words what was chosen.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from longdoc.config import Settings, without_credentials
from longdoc.engines.catalogue import CATALOGUE, DEFAULT_CHAT_MODEL, ModelEntry, find_entry
from longdoc.engines.engine import Engine
from longdoc.errors import ConfigError, EngineError, ModelNotFoundError

if TYPE_CHECKING:
    from longdoc.engines.discovery import LocalServer

Notify: TypeAlias = Callable[[str], None]
Progress: TypeAlias = Callable[[str, int, int | None], None]
"""Called with the name of what is fetched, bytes so far, and all bytes where known."""

_INSTALL_HINT = "install it with: pip install 'longdoc[local]'"


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """An opened adapter and one sentence on what it is and why it was taken."""

    engine: Engine
    reason: str


class _PullStoppedError(Exception):
    """Ends the thread of a pull that nobody waits for any more."""


async def choose_engine(
    settings: Settings,
    *,
    notify: Notify,
    progress: Progress,
    local_servers: Sequence[tuple[str, str]] | None = None,
) -> EngineChoice:
    """Open the engine the settings ask for, or the best there is.

    A model whose name ends in `.gguf` is a file and is run in this process, even where a server is set too: naming a
    file is more specific than an address left in the environment. Any other name, of the catalogue too, is the
    server's where one is set; `engine="openai"` makes every name the server's.
    `local_servers` (names and base URLs) are looked for in place of the usual ones.
    Raises `ConfigError` where there is none to be had, `EngineError` where the one asked for does not answer.
    """
    if settings.engine == "scripted":
        return _scripted(settings)
    if settings.engine == "vllm":
        return await _vllm(settings)
    if settings.engine == "langchain":
        return _langchain(settings)
    if settings.engine == "openai" or (settings.engine == "auto" and settings.base_url and not _names_file(settings)):
        return await _server(settings, _base_url(settings), "as set", api_key=settings.api_key)
    if settings.engine == "embedded" or _names_local_model(settings):
        return await _embedded(settings, settings.model or DEFAULT_CHAT_MODEL, notify, progress)
    from longdoc.engines.discovery import LOCAL_SERVERS, probe_local_servers

    servers = await probe_local_servers(LOCAL_SERVERS if local_servers is None else local_servers)
    found = await _first_usable(settings, servers, notify)
    return found or await _without_server(settings, notify, progress)


async def _first_usable(settings: Settings, servers: Sequence[LocalServer], notify: Notify) -> EngineChoice | None:
    for server in servers:
        if settings.model is not None and not server.lists(settings.model):
            continue
        try:
            # The user's key is for the server the user named, not for whatever listens on this machine.
            return await _server(settings, server.base_url, f"{server.name} answers on this machine", api_key=None)
        except (ConfigError, EngineError) as error:
            notify(f"{server.name} passed over: {error}")
    return None


async def _without_server(settings: Settings, notify: Notify, progress: Progress) -> EngineChoice:
    if settings.model is not None:
        raise ModelNotFoundError(
            f"there is no model called {settings.model!r}: no local server offers it, and it is neither a GGUF file "
            "nor in the catalogue ('lda models list')"
        )
    if not _embedded_is_installed():
        raise ConfigError(
            "no engine found: no local server can be used (vLLM, llama.cpp, Ollama, LM Studio), none is set "
            f"(--base-url), and the embedded engine is not installed; {_INSTALL_HINT}"
        )
    return await _embedded(settings, _best_pulled(settings) or DEFAULT_CHAT_MODEL, notify, progress)


def _scripted(settings: Settings) -> EngineChoice:
    from longdoc.engines.scripted import ScriptedEngine, extractive_answer

    window = settings.context_window or 8192
    engine = ScriptedEngine(extractive_answer, context_window=window, delay=settings.scripted_delay, keep_calls=False)
    return EngineChoice(engine, "the scripted engine, which only repeats sentences of the text")


async def _vllm(settings: Settings) -> EngineChoice:
    if settings.model is None:
        raise ConfigError("vLLM needs a model: --model with a folder, or with a name of the hub (such as maker/model)")
    if find_entry(settings.model) is not None or _names_file(settings):
        raise ConfigError(
            f"{settings.model} is a GGUF file, which the embedded engine runs; vLLM takes a folder or hub name"
        )
    from longdoc.engines.vllm import VllmEngine

    engine = await VllmEngine.open(
        settings.model, settings=settings.vllm, context_window=settings.context_window, timeout=settings.timeout
    )
    return EngineChoice(engine, f"{engine.info.model}, run by {engine.description} in this process")


def _langchain(settings: Settings) -> EngineChoice:
    if settings.model is None:
        raise ConfigError("the langchain engine needs a model: --model provider:name (such as openai:gpt-5)")
    from longdoc.engines.langchain import LangChainEngine

    engine = LangChainEngine.open(
        settings.model,
        base_url=settings.base_url,
        api_key=settings.api_key,
        context_window=settings.context_window,
        timeout=settings.timeout,
        prompt_price=settings.prompt_price,
        completion_price=settings.completion_price,
    )
    return EngineChoice(engine, f"{engine.info.model}, asked by way of LangChain")


async def _server(settings: Settings, base_url: str, why: str, *, api_key: str | None) -> EngineChoice:
    from longdoc.engines.openai import OpenAIEngine

    engine = await OpenAIEngine.connect(
        base_url,
        model=settings.model,
        api_key=api_key,
        timeout=settings.timeout,
        context_window=settings.context_window,
        prompt_price=settings.prompt_price,
        completion_price=settings.completion_price,
    )
    return EngineChoice(engine, f"{engine.info.model} at {without_credentials(base_url)} ({why})")


def _base_url(settings: Settings) -> str:
    if settings.base_url is None:
        raise ConfigError("the openai engine needs an address: --base-url or OPENAI_BASE_URL")
    return settings.base_url


def _names_file(settings: Settings) -> bool:
    return settings.model is not None and settings.model.endswith(".gguf")


def _names_local_model(settings: Settings) -> bool:
    return _names_file(settings) or (settings.model is not None and find_entry(settings.model) is not None)


async def _embedded(settings: Settings, model: str, notify: Notify, progress: Progress) -> EngineChoice:
    entry = find_entry(model)
    if entry is not None and entry.purpose != "chat":
        raise ConfigError(f"{entry.name} makes embeddings and cannot write; choose a chat model ('lda models list')")
    if not _embedded_is_installed():
        raise ConfigError(f"{model} needs the embedded engine, which is not installed; {_INSTALL_HINT}")
    from longdoc.engines.embedded import EmbeddedEngine

    path = Path(model) if entry is None else await pulled_model(settings, entry, notify=notify, progress=progress)
    engine = EmbeddedEngine(
        path,
        identity=_identity(entry),
        context_window=settings.context_window,
        slots=settings.concurrency,
        toy=None if entry is None else entry.toy,
    )
    toy = "; a toy that shows the machinery, not a good writer" if engine.info.toy else ""
    return EngineChoice(engine, f"{engine.info.model}, embedded in this process{toy}")


def _embedded_is_installed() -> bool:
    return importlib.util.find_spec("xllamacpp") is not None


def _identity(entry: ModelEntry | None) -> str | None:
    return None if entry is None or entry.sha256 is None else f"{entry.name}@sha256:{entry.sha256[:16]}"


async def pulled_model(settings: Settings, entry: ModelEntry, *, notify: Notify, progress: Progress) -> Path:
    """The path of a catalogue model, pulled first where it is not there. Raises `ModelNotFoundError`."""
    import asyncio
    from threading import Event

    from longdoc.engines.pull import installed, pull

    directory = settings.models_directory
    path = installed(entry, directory)
    if path is not None:
        return path
    notify(f"pulling {entry.name} ({entry.size / 1e6:.0f} MB, {entry.licence}) into {directory}")
    stopped = Event()

    def report(done: int, total: int | None) -> None:
        if stopped.is_set():
            raise _PullStoppedError
        progress(entry.name, done, total)

    try:
        return await asyncio.to_thread(pull, entry, directory, progress=report, hub_url=settings.hub_url)
    finally:
        stopped.set()  # where this was cancelled, the thread ends at its next piece


def _best_pulled(settings: Settings) -> str | None:
    """The largest chat model that is pulled, real ones before toys."""
    from longdoc.engines.pull import installed

    there = [entry for entry in CATALOGUE if entry.purpose == "chat" and installed(entry, settings.models_directory)]
    return max(there, key=lambda entry: (not entry.toy, entry.size)).name if there else None
