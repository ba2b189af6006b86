"""LangChain chat models by name: made without retries, and copied with the settings of one call.

Providers name their settings in their own ways (`max_tokens`, `max_output_tokens`, `num_predict`); a chat model tells
its names as fields of its class, and that is where they are looked up.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, cast

from longdoc.engines.engine import CompletionRequest
from longdoc.errors import ConfigError, EngineAuthError
from longdoc.json_value import JsonValue

if TYPE_CHECKING:
    import httpx
    from langchain_core.language_models import BaseChatModel, LanguageModelInput
    from langchain_core.runnables import Runnable

INSTALL: Final = "pip install 'longdoc[langchain]'"
_OPENAI: Final = "openai"
_NO_KEY: Final = "none"
"""What a server at an address of its own gets where no key is set: OpenAI's client wants some."""
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "max_tokens": ("max_tokens", "max_completion_tokens", "max_output_tokens", "num_predict", "max_new_tokens"),
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "seed": ("seed", "random_seed"),
    "frequency_penalty": ("frequency_penalty",),
}
_ALWAYS: Final[Mapping[str, object]] = {"stream_usage": True}
_KEY_WORDS: Final = ("api key", "api_key", "apikey", "credentials", "access token")


def make_chat_model(
    name: str,
    *,
    timeout: float,
    base_url: str | None = None,
    api_key: str | None = None,
    http_client: httpx.AsyncClient | None = None,
) -> BaseChatModel:
    """The chat model called so ("anthropic:claude-sonnet-4-5", as LangChain's `init_chat_model` takes it).

    Address, key and client are for OpenAI's wire only (`takes_address`); others read their own variables of the
    environment. Raises `ConfigError` that says what to install or to name, also where an address is given that the
    provider does not take, `EngineAuthError` where a key lacks.
    """
    provider, _, model = name.partition(":")
    if not provider.strip() or not model.strip():
        raise ConfigError(f"{name!r} names no provider; name the model as provider:model, such as openai:{name}")
    if base_url is not None and not takes_address(name):
        raise ConfigError(
            f"an address ({base_url}) is for models named as openai:model; leave it out (--base-url, LDA_BASE_URL, "
            f"OPENAI_BASE_URL): where {provider} is asked, its own variables of the environment say"
        )
    if find_spec("langchain") is None:
        raise ConfigError(f"LangChain is not installed; install it with: {INSTALL}")
    from langchain.chat_models import init_chat_model

    key = api_key or (None if base_url is None else _NO_KEY)
    own: dict[str, Any] = {"base_url": base_url, "api_key": key, "http_async_client": http_client}
    given = {key: value for key, value in own.items() if value is not None and takes_address(name)}
    try:
        return cast(
            "BaseChatModel", init_chat_model(model, model_provider=provider, timeout=timeout, max_retries=0, **given)
        )
    except ImportError as error:
        raise ConfigError(f"{name} needs a package that is not installed: {_line(error)}") from error
    except Exception as error:  # every provider has errors of its own for a key that is missing
        if any(word in str(error).lower() for word in _KEY_WORDS):
            raise EngineAuthError(f"{name} needs a key of its provider: {_line(error)}") from error
        raise ConfigError(f"there is no chat model {name!r}, named as provider:model: {_line(error)}") from error


def takes_address(name: str) -> bool:
    """Whether a model of this name is asked over OpenAI's wire, which takes an address and a key."""
    return name.partition(":")[0] == _OPENAI


def for_request(model: BaseChatModel, request: CompletionRequest, *, without: frozenset[str]) -> BaseChatModel:
    """The same model with the sampling settings of a request, as far as it has them; `without` are left as they are."""
    asked = {
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "frequency_penalty": request.frequency_penalty,
    }
    fields = type(model).model_fields
    changes: dict[str, object] = {name: value for name, value in _ALWAYS.items() if name in fields}
    for name, value in asked.items():
        field = next((one for one in _FIELDS[name] if one in fields), None)
        if field is not None and value is not None and name not in without:
            changes[field] = value
    return model.model_copy(update=changes)


def setting_blamed(told: str) -> str | None:
    """The sampling setting that a refusal is about; None where it is about something else.

    `max_tokens` is never one: without it an answer has no bound.
    """
    return next((name for name in ("temperature", "top_p", "seed", "frequency_penalty") if name in told.lower()), None)


def with_schema(
    model: BaseChatModel, schema: Mapping[str, JsonValue]
) -> Runnable[LanguageModelInput, dict[str, Any] | Any] | None:
    """The model bound to a JSON schema, by the provider's own schemas where it has them, else by a tool call.

    What it gives has the message as `raw`. None where the model can neither.
    """
    named = {"title": "answer", "description": "The answer.", **schema}
    strict = {"strict": True} if "strict" in inspect.signature(model.with_structured_output).parameters else {}
    for arguments in ({"method": "json_schema", **strict}, {}):
        try:
            return model.with_structured_output(named, include_raw=True, **arguments)
        except (NotImplementedError, TypeError, ValueError):
            continue
    return None


def _line(error: Exception) -> str:
    """The first paragraph of an error as one line."""
    return " ".join(str(error).split("\n\n", 1)[0].split())
