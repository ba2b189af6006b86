"""llama.cpp in this process: a GGUF file as an engine, without any server to set up.

Owns the life of xllamacpp's server (on a free port of the loopback interface, behind a key of its own) and how many
slots it gets; calls go through `OpenAIEngine`. What the engine is, is known from the file's head without loading.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longdoc.engines.checksums import ends_sha256
from longdoc.engines.engine import Completion, CompletionRequest, EngineInfo, TextSink
from longdoc.engines.gguf import GgufModel, read_gguf
from longdoc.engines.memory import available_memory
from longdoc.errors import ConfigError
from longdoc.openmp import set_waiting

if TYPE_CHECKING:
    import xllamacpp

    from longdoc.engines.openai import OpenAIEngine

_MOST_SLOTS = 16
_SLOTS_PER_CORE = 4
_MOST_SLOTS_BESIDE = 4
_MEMORY_SHARE = 0.5
_CACHE_SHARE = 0.25
_MOST_CACHE_MIB = 4096
"""Of what is free after model and slots: for prompts that slots held before, so that a second question over the same
segments reads little again."""
_WIDEST_WINDOW = 16_384
_LOGPROBS = 100
_LOOKED_UP = 4
_DRAFTED = 12
"""Prompt lookup: where the last so many tokens stand earlier in prompt or answer, the so many that follow there are
tried as the next ones in one step. Answers that quote or repeat are written up to twice as fast, others as before."""
_TOY_BELOW = 0.5e9
"""Parameters under which a model counts as a toy, where the catalogue does not say."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the cache of keys and values is shared out: `slots` requests at once, each with the full window, and
    `cache_mib` for prompts read before. `lookup`: whether tokens are drafted from the prompt."""

    window: int
    slots: int
    cache_mib: int
    lookup: bool = True


class EmbeddedEngine:
    """A GGUF model in this process. It is loaded at the first call, which therefore takes longer.

    `context_window` (tokens) is the model's, at most 16,384, where not given; `slots` are four for each core, at most
    16, and no more than half of the free memory holds. `identity` names the weights for the
    record (where not given it is made from the file's name, size and both ends); `toy` is told by the number of
    parameters where not given. `timeout` is in seconds for
    one answer, waiting for a slot included. Raises `ConfigError` where the file is no model.

    With `lookup`, tokens are drafted from the prompt and kept where the model would have written them too (speculative
    sampling, arXiv 2302.01318). llama.cpp tells no probabilities of drafted tokens, so a request for those of several
    tokens, or of a given text, goes to a second server without drafts, of at most four slots.

    While llama.cpp loads, it does not let other Python code run.
    """

    def __init__(
        self,
        model_path: Path,
        *,
        identity: str | None = None,
        context_window: int | None = None,
        slots: int | None = None,
        timeout: float | None = None,
        toy: bool | None = None,
        lookup: bool = True,
    ) -> None:
        model = read_gguf(model_path)
        self._path = model_path
        self._layout = replace(
            _plan(model, model_path.stat().st_size, window=context_window, slots=slots), lookup=lookup
        )
        self._kv_bytes = model.kv_bytes_per_token
        self._beside: _Layout | None = None
        self._timeout = timeout
        self._starting = asyncio.Lock()
        self._running: dict[_Layout, tuple[OpenAIEngine, list[xllamacpp.Server]]] = {}
        self._unable: dict[_Layout, ConfigError] = {}
        self._info = EngineInfo(
            engine="embedded",
            model=model_path.stem,
            identity=identity or _identity(model_path),
            context_window=self._layout.window,
            slots=self._layout.slots,
            logprobs=_LOGPROBS,
            scores=True,
            json_schema=True,
            exact_tokens=True,
            toy=model.parameters is not None and model.parameters < _TOY_BELOW if toy is None else toy,
        )

    @property
    def info(self) -> EngineInfo:
        """See `Engine`."""
        return self._info

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        """See `Engine`."""
        client = await self._started(self._layout)
        if request.continuation is not None or (request.logprobs and request.max_tokens > 1):
            client = await self._started(self._without_lookup())
        return await client.complete(request, on_text=on_text)

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Engine`."""
        client = await self._started(self._layout)
        return await client.count_tokens(texts)

    async def aclose(self) -> None:
        """See `Engine`."""
        async with self._starting:
            while self._running:
                client, held = self._running.popitem()[1]
                await client.aclose()
                await asyncio.to_thread(held.clear)

    def _without_lookup(self) -> _Layout:
        """Beside the first server, which has what it needs: what half of the memory that is free by then holds.

        Raises `ConfigError` where that is not even one slot.
        """
        if not self._layout.lookup:
            return self._layout
        if self._beside is None:
            free, needed = available_memory(), self._layout.window * self._kv_bytes
            if needed > free:
                raise ConfigError(
                    f"the probabilities of several tokens take {needed / 1e9:.1f} GB more memory, and "
                    f"{free / 1e9:.1f} GB are free; set LDA_CONTEXT_WINDOW smaller, or score by --scoring label"
                )
            fitting = int(free * _MEMORY_SHARE) // max(1, needed)
            slots = max(1, min(_MOST_SLOTS_BESIDE, self._layout.slots, fitting))
            cache = min(self._layout.cache_mib // 2, int((free - slots * needed) * _CACHE_SHARE) >> 20)
            self._beside = replace(self._layout, slots=slots, cache_mib=max(0, cache), lookup=False)
        return self._beside

    async def _started(self, layout: _Layout) -> OpenAIEngine:
        """The client of the server laid out so. What cannot be loaded is not tried again."""
        async with self._starting:
            if layout in self._unable:
                raise self._unable[layout]
            if layout not in self._running:
                try:
                    self._running[layout] = await self._start(layout)
                except ConfigError as error:
                    self._unable[layout] = error
                    raise
            return self._running[layout][0]

    async def _start(self, layout: _Layout) -> tuple[OpenAIEngine, list[xllamacpp.Server]]:
        """A client, and what holds its server: llama.cpp ends where nobody does."""
        key = secrets.token_urlsafe(24)
        held = [await asyncio.to_thread(_load, self._path, layout, name=self._info.model, key=key)]
        try:
            return await self._connected(held[0].listening_address, layout, key), held
        except BaseException:
            await asyncio.to_thread(held.clear)
            raise

    async def _connected(self, address: str, layout: _Layout, key: str) -> OpenAIEngine:
        from longdoc.engines.openai import OpenAIEngine

        # On busy cores llama.cpp now and then closes a connection at the very moment of its next request, as if the
        # caller had left; a new one costs a tenth of a millisecond here.
        client = await OpenAIEngine.connect(
            address,
            model=self._info.model,
            api_key=key,
            timeout=self._timeout,
            stream_always=True,
            keep_connections=False,
            own_llama=True,
        )
        if client.info.context_window < layout.window:
            await client.aclose()
            raise ConfigError(
                f"llama.cpp gives a slot only {client.info.context_window} tokens instead of {layout.window}; "
                "set a smaller context_window"
            )
        return client


def _identity(path: Path) -> str:
    """Name, size, and a checksum of both ends."""
    return f"{path.name}:{path.stat().st_size}:{ends_sha256(path)[:16]}"


def _plan(model: GgufModel, weights: int, *, window: int | None, slots: int | None) -> _Layout:
    """The window by the model alone, for plans depend on it and must stay the same; the slots by free memory."""
    if window is not None and window > model.context_window:
        raise ConfigError(f"{model.name} has a window of {model.context_window} tokens; {window} were asked for")
    window = window or min(model.context_window, _WIDEST_WINDOW)
    free = available_memory()
    if weights + window * model.kv_bytes_per_token > free:
        raise ConfigError(
            f"{model.name} with a window of {window} tokens needs "
            f"{(weights + window * model.kv_bytes_per_token) / 1e9:.1f} GB of memory; {free / 1e9:.1f} GB are free; "
            "set LDA_CONTEXT_WINDOW smaller or take a smaller model"
        )
    room = max(0, int(free * _MEMORY_SHARE) - weights)
    fitting = room // max(1, model.kv_bytes_per_token)
    taken = slots or max(1, min(_MOST_SLOTS, _SLOTS_PER_CORE * _cores(), fitting // window))
    left = max(0, free - weights - taken * window * model.kv_bytes_per_token)
    return _Layout(window, taken, min(_MOST_CACHE_MIB, int(left * _CACHE_SHARE) >> 20))


def _load(path: Path, layout: _Layout, *, name: str, key: str) -> xllamacpp.Server:
    """Load a model and start its server. Raises `ConfigError` where llama.cpp cannot."""
    set_waiting()
    try:
        import xllamacpp
    except ImportError as error:
        raise ConfigError(
            f"the embedded engine cannot be loaded ({error}); it comes with pip install 'longdoc[local]', and on "
            "Linux needs the system's libgomp (package libgomp1)"
        ) from error

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {name}
    params.api_keys = [key]
    params.ui = False
    params.verbosity = 0
    params.n_parallel = layout.slots
    params.n_ctx = layout.slots * layout.window
    params.kv_unified = False
    params.fit_params = False  # it would change the window silently
    params.ctx_shift = False
    params.cache_ram_mib = layout.cache_mib
    params.warmup = False
    if layout.lookup:
        _draft_by_lookup(params)
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _cores()
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise ConfigError(
            f"{path}: llama.cpp cannot load this model; the file may be damaged (pull it again), of a kind this "
            "version does not know, or too large for the free memory"
        ) from error


def _draft_by_lookup(params: xllamacpp.CommonParams) -> None:
    import xllamacpp

    untyped: Any = params  # the package's types do not know of drafts
    kinds: Any = getattr(xllamacpp, "common_speculative_type")  # noqa: B009 for the same reason
    untyped.speculative.types = [kinds.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE]
    untyped.speculative.ngram_simple.size_n = _LOOKED_UP
    untyped.speculative.ngram_simple.size_m = _DRAFTED


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
