"""Finding an engine: option > environment > configuration > a local server that answers > a pulled model > pull one.

`Settings` has already merged the first three; this module owns the rest and says in words what was chosen.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from longdoc.config import Settings
from longdoc.engines.catalogue import CATALOGUE, DEFAULT_CHAT_MODEL, ModelEntry, find_entry
from longdoc.engines.engine import Engine
from longdoc.errors import ConfigError, ModelNotFoundError

Notify: TypeAlias = Callable[[str], None]
Progress: TypeAlias = Callable[[str, int, int | None], None]
"""Called with the name of what is fetched, bytes so far, and all bytes where known."""

_INSTALL_HINT = "install the embedded engine with: pip install 'longdoc[local]'"


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """An opened adapter and one sentence on what it is and why it was taken."""

    engine: Engine
    reason: str


async def choose_engine(settings: Settings, *, notify: Notify, progress: Progress) -> EngineChoice:
    """Open the engine the settings ask for, or the best there is.

    Raises `ConfigError` where there is none to be had, `EngineError` where the one asked for does not answer.
    """
    if settings.engine == "scripted":
        return _scripted(settings)
    if settings.engine == "openai" or (settings.engine == "auto" and settings.base_url):
        return await _server(settings, _base_url(settings), "as set")
    if settings.engine == "embedded" or _names_local_model(settings):
        return await _embedded(settings, settings.model or DEFAULT_CHAT_MODEL, notify, progress)
    return await _found(settings, notify, progress)


async def _found(settings: Settings, notify: Notify, progress: Progress) -> EngineChoice:
    from longdoc.engines.discovery import probe_local_servers

    for server in await probe_local_servers():
        return await _server(settings, server.base_url, f"{server.name} answers on this machine")
    if settings.model is not None:
        raise ModelNotFoundError(
            f"there is no model called {settings.model!r}: no local server answers, and it is neither a GGUF file "
            "nor in the catalogue ('lda models list')"
        )
    return await _embedded(settings, _best_pulled(settings) or DEFAULT_CHAT_MODEL, notify, progress)


def _scripted(settings: Settings) -> EngineChoice:
    from longdoc.engines.scripted import ScriptedEngine, extractive_answer

    window = settings.context_window or 8192
    engine = ScriptedEngine(extractive_answer, context_window=window, delay=settings.scripted_delay)
    return EngineChoice(engine, "the scripted engine, which only repeats sentences of the text")


async def _server(settings: Settings, base_url: str, why: str) -> EngineChoice:
    from longdoc.engines.openai import OpenAIEngine

    engine = await OpenAIEngine.connect(
        base_url,
        model=settings.model,
        api_key=settings.api_key,
        timeout=settings.timeout,
        context_window=settings.context_window,
        prompt_price=settings.prompt_price,
        completion_price=settings.completion_price,
    )
    return EngineChoice(engine, f"{engine.info.model} at {base_url} ({why})")


def _base_url(settings: Settings) -> str:
    if settings.base_url is None:
        raise ConfigError("the openai engine needs an address: --base-url or OPENAI_BASE_URL")
    return settings.base_url


def _names_local_model(settings: Settings) -> bool:
    model = settings.model
    return model is not None and (model.endswith(".gguf") or find_entry(model) is not None)


async def _embedded(settings: Settings, model: str, notify: Notify, progress: Progress) -> EngineChoice:
    if importlib.util.find_spec("xllamacpp") is None:
        raise ConfigError(
            "no engine found: no local server answers (vLLM, llama.cpp, Ollama, LM Studio), none is set "
            f"(--base-url), and the embedded engine is not installed; {_INSTALL_HINT}"
        )
    from longdoc.engines.embedded import EmbeddedEngine

    entry = find_entry(model)
    path = Path(model) if entry is None else await pulled_model(settings, entry, notify=notify, progress=progress)
    engine = EmbeddedEngine(
        path,
        identity=_identity(entry),
        context_window=settings.context_window,
        slots=settings.concurrency,
        toy=entry is not None and entry.toy,
    )
    toy = "; a toy that shows the machinery, not a good writer" if engine.info.toy else ""
    return EngineChoice(engine, f"{engine.info.model}, embedded in this process{toy}")


def _identity(entry: ModelEntry | None) -> str | None:
    return None if entry is None or entry.sha256 is None else f"{entry.name}@sha256:{entry.sha256[:16]}"


async def pulled_model(settings: Settings, entry: ModelEntry, *, notify: Notify, progress: Progress) -> Path:
    """The path of a catalogue model, pulled first where it is not there. Raises `ModelNotFoundError`."""
    import asyncio

    from longdoc.engines.pull import installed, pull

    directory = settings.models_directory
    path = installed(entry, directory)
    if path is not None:
        return path
    notify(f"pulling {entry.name} ({entry.size / 1e6:.0f} MB, {entry.licence}) into {directory}")
    return await asyncio.to_thread(
        pull,
        entry,
        directory,
        progress=lambda done, total: progress(entry.name, done, total),
        hub_url=settings.hub_url,
    )


def _best_pulled(settings: Settings) -> str | None:
    """The largest chat model that is pulled, real ones before toys."""
    from longdoc.engines.pull import installed

    there = [entry for entry in CATALOGUE if entry.purpose == "chat" and installed(entry, settings.models_directory)]
    return max(there, key=lambda entry: (not entry.toy, entry.size)).name if there else None
