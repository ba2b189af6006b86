"""Finds out what an OpenAI-compatible server is: its model, its real window, its tokenizer.

Asks the server and reads its answers; guesses nothing. What a server does not tell is None. Servers known:
vLLM and SGLang (`max_model_len`), llama.cpp (`/props`), Ollama (`/api/ps`, `/api/show`), LM Studio
(`/api/v0/models`) and clouds that name the window in their list of models.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from longdoc.engines.engine import Message
from longdoc.engines.openai_scores import Scores, VllmScores
from longdoc.engines.openai_tokens import LlamaTokenizer, RemoteTokenizer, VllmTokenizer
from longdoc.engines.openai_transport import Transport
from longdoc.errors import ConfigError, EngineError, ModelNotFoundError, RequestRefusedError
from longdoc.json_value import JsonValue

_VERSIONED = re.compile(r"/v\d\w*(/openai)?$")
_VLLM_LOGPROBS = 20
_VLLM_SEQUENCES = 256
_OLLAMA_WINDOW = 4096
_OPENAI_HOST = "api.openai.com"
_OPENAI_WINDOWS = (("gpt-4o", 128_000), ("gpt-4.1", 1_047_576), ("gpt-5", 400_000), ("o3", 200_000), ("o4", 200_000))
_Shape = TypeVar("_Shape", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, protected_namespaces=())


class _Meta(_Part):
    n_ctx: int | None = None
    n_vocab: int | None = None
    n_params: int | None = None
    size: int | None = None


class ListedModel(_Part):
    """A row of `/v1/models`, with what some servers add to it."""

    id: str
    owned_by: str | None = None
    root: str | None = None
    meta: _Meta | None = None
    window: int | None = Field(
        None,
        validation_alias=AliasChoices("max_model_len", "context_length", "context_window", "max_context_length"),
    )
    max_output: int | None = Field(
        None, validation_alias=AliasChoices("max_completion_tokens", "max_output_tokens", "max_output_length")
    )


class ModelList(_Part):
    """The body of `/v1/models`."""

    data: tuple[ListedModel, ...] | None

    @property
    def rows(self) -> tuple[ListedModel, ...]:
        """The models, none where the server has none."""
        return self.data or ()


class _LlamaSettings(_Part):
    n_ctx: int


class _LlamaProps(_Part):
    total_slots: int
    default_generation_settings: _LlamaSettings


class _OllamaLoaded(_Part):
    name: str
    context_length: int | None = None


class _OllamaProcesses(_Part):
    models: tuple[_OllamaLoaded, ...] = ()


class _OllamaTag(_Part):
    name: str
    digest: str = ""


class _OllamaTags(_Part):
    models: tuple[_OllamaTag, ...] = ()


class _OllamaModel(_Part):
    parameters: str = ""
    model_info: Mapping[str, object] = {}


class _StudioModel(_Part):
    id: str
    type: str
    state: str = ""
    max_context_length: int | None = None
    loaded_context_length: int | None = None


class _StudioList(_Part):
    data: tuple[_StudioModel, ...]


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server told about itself; `logprobs` and `json_schema` are None where only a trial call can tell.

    `priorities` tells that the server knows the field; whether it takes it, its first refusal tells.
    """

    api_url: str
    model: str
    fingerprint: str
    context_window: int | None = None
    max_output: int | None = None
    slots: int | None = None
    tokenizer: RemoteTokenizer | None = None
    logprobs: int | None = None
    json_schema: bool | None = None
    scores: Scores | None = None
    priorities: bool = False
    limit_field: str = "max_tokens"


async def probe_server(transport: Transport, base_url: str, *, model: str | None = None) -> ServerFacts:
    """Ask a server what it is.

    Raises `ConfigError` when a model must be chosen, `ModelNotFoundError`, `EngineAuthError`,
    `EngineUnavailableError`.
    """
    api_url, listed = await _list_models(transport, base_url.rstrip("/"))
    root_url = _VERSIONED.sub("", api_url)
    studio = await _ask(transport, f"{root_url}/api/v0/models", _StudioList) if _may_be_studio(listed) else None
    name = model or _only_model(studio, listed)
    row = next((row for row in listed.rows if row.id in {name, f"{name}:latest"}), None)
    facts = ServerFacts(api_url, name, name, row and row.window, row and row.max_output)
    if studio is not None:
        return _studio_facts(facts, studio)
    if row is not None and row.owned_by == "library":
        return await _ollama_facts(transport, root_url, replace(facts, model=row.id, fingerprint=row.id))
    if row is not None and row.window is not None:
        return await _vllm_facts(transport, root_url, facts, row)
    props = await _ask(transport, f"{root_url}/props", _LlamaProps)
    if props is not None:
        return await _llama_facts(transport, root_url, facts, props, listed)
    if _OPENAI_HOST in api_url:
        window = next((size for prefix, size in _OPENAI_WINDOWS if name.startswith(prefix)), None)
        return replace(facts, context_window=window, limit_field="max_completion_tokens")
    return facts


async def list_models(transport: Transport, base_url: str) -> list[str]:
    """The names of a server's models. Raises `EngineError` where no such server answers."""
    _, listed = await _list_models(transport, base_url.rstrip("/"))
    return [row.id for row in listed.rows]


async def _list_models(transport: Transport, base_url: str) -> tuple[str, ModelList]:
    """The address that ends in the version, and the list of models found there."""
    candidates = [base_url] if _VERSIONED.search(base_url) else [f"{base_url}/v1", base_url]
    for api_url in candidates:
        try:
            return api_url, transport.read(await transport.get(f"{api_url}/models"), ModelList)
        except (ModelNotFoundError, RequestRefusedError):
            continue
    return candidates[0], ModelList(data=())


def _only_model(studio: _StudioList | None, listed: ModelList) -> str:
    names = [row.id for row in listed.rows]
    if studio is not None:
        able = [row for row in studio.data if row.type != "embeddings"]
        names = [row.id for row in able if row.state == "loaded"] or [row.id for row in able]
    if len(names) == 1:
        return names[0]
    if not names:
        raise ConfigError("the server lists no models; load one there, or name it with --model")
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    raise ConfigError(f"the server has several models; choose one with --model: {shown}")


def _may_be_studio(listed: ModelList) -> bool:
    return any((row.owned_by or "").replace("-", "_") == "organization_owner" for row in listed.rows)


def _studio_facts(facts: ServerFacts, studio: _StudioList) -> ServerFacts:
    row = next((row for row in studio.data if row.id == facts.model), None)
    window = row and (row.loaded_context_length or row.max_context_length)
    return replace(facts, context_window=window or facts.context_window)


async def _vllm_facts(transport: Transport, root_url: str, facts: ServerFacts, row: ListedModel) -> ServerFacts:
    try:
        tokenizer = await VllmTokenizer.connect(transport, root_url, facts.model)
    except EngineError:  # a cloud that tells its windows as vLLM does
        return facts
    served = f"{facts.model}={row.root}" if row.root and row.root != facts.model else facts.model
    return replace(
        facts,
        fingerprint=served,
        tokenizer=tokenizer,
        scores=await _scores(transport, facts, tokenizer),
        priorities=True,
        slots=_VLLM_SEQUENCES,
        logprobs=_VLLM_LOGPROBS,
        json_schema=True,
    )


async def _scores(transport: Transport, facts: ServerFacts, tokenizer: VllmTokenizer) -> VllmScores | None:
    """What scores given texts, where the server tells how it reads messages."""
    try:
        await tokenizer.chat_tokens([Message("user", "one")])
    except EngineError:
        return None
    return VllmScores(transport, facts.api_url, facts.model, tokenizer)


async def _llama_facts(
    transport: Transport, root_url: str, facts: ServerFacts, props: _LlamaProps, listed: ModelList
) -> ServerFacts:
    names = [row.id for row in listed.rows]
    if names and facts.model not in names:  # llama.cpp would answer with the model it has, whatever is asked for
        raise ModelNotFoundError(f"the server has no model {facts.model!r}; it has {', '.join(names)}")
    meta = next((row.meta for row in listed.rows if row.id == facts.model), None) or _Meta()
    return replace(
        facts,
        fingerprint=f"{PurePath(facts.model).name}:{meta.n_params or ''}:{meta.size or ''}",
        context_window=props.default_generation_settings.n_ctx,
        slots=props.total_slots,
        tokenizer=await _working(LlamaTokenizer(transport, root_url)),
        logprobs=meta.n_vocab or _VLLM_LOGPROBS,
        json_schema=True,
    )


async def _ollama_facts(transport: Transport, root_url: str, facts: ServerFacts) -> ServerFacts:
    """Ollama cuts prompts silently at the window it loaded the model with, which is rarely the model's own."""
    loaded = await _ask(transport, f"{root_url}/api/ps", _OllamaProcesses)
    rows = loaded.models if loaded else ()
    window = next((row.context_length for row in rows if row.name == facts.model), None)
    if window is None:
        body: dict[str, JsonValue] = {"model": facts.model}
        told = transport.read(await transport.post(f"{root_url}/api/show", body, model=facts.model), _OllamaModel)
        window = _ollama_window(told)
    tags = await _ask(transport, f"{root_url}/api/tags", _OllamaTags)
    digest = next((tag.digest for tag in (tags.models if tags else ()) if tag.name == facts.model), "")
    return replace(facts, fingerprint=f"{facts.model}@{digest[:16]}" if digest else facts.model, context_window=window)


def _ollama_window(told: _OllamaModel) -> int:
    chosen = re.search(r"^num_ctx\s+(\d+)", told.parameters, re.MULTILINE)
    if chosen:
        return int(chosen.group(1))
    lengths = [value for key, value in told.model_info.items() if key.endswith(".context_length")]
    return min([_OLLAMA_WINDOW, *(value for value in lengths if isinstance(value, int))])


async def _working(tokenizer: RemoteTokenizer) -> RemoteTokenizer | None:
    try:
        counts = await tokenizer.count(["one", "one two three"])
    except EngineError:
        return None
    return tokenizer if 0 < counts[0] < counts[1] else None


async def _ask(transport: Transport, url: str, shape: type[_Shape]) -> _Shape | None:
    try:
        return transport.read(await transport.get(url), shape)
    except EngineError:
        return None
