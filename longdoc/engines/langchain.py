"""Any chat model of LangChain as an engine.

Owns the one call; models are made by `langchain_models`, their answers read by `langchain_replies`, the meaning of
failures is `langchain_errors`'. Nothing here retries, and the model's own retries are off.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import httpx

from longdoc.engines.engine import Completion, CompletionRequest, EngineInfo, TextSink
from longdoc.engines.langchain_errors import translate
from longdoc.engines.langchain_models import (
    for_request,
    make_chat_model,
    setting_blamed,
    takes_address,
    with_schema,
)
from longdoc.engines.langchain_replies import Answer, read_answer, read_cut, to_messages
from longdoc.errors import ConfigError, EngineUnavailableError, RequestRefusedError
from longdoc.json_value import JsonValue

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import Runnable

T = TypeVar("T")

_TRIAL_SCHEMA: Final[dict[str, JsonValue]] = {"type": "object", "properties": {"answer": {"type": "string"}}}


class LangChainEngine:
    """An engine over a chat model. Made by `open` from a name, or around a model that a program has."""

    def __init__(
        self,
        model: BaseChatModel,
        *,
        name: str,
        identity: str | None = None,
        context_window: int | None = None,
        timeout: float = 600.0,
        prompt_price: float = 0.0,
        completion_price: float = 0.0,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        """`name` is what the model is called; `context_window` (tokens) serves where its profile does not tell, and may
        lower what it tells; `timeout` is in seconds, for one whole answer. `http_client` is closed with the engine.
        Raises `ConfigError` for an unknown window.
        """
        self._model = model
        self._timeout = timeout
        self._http_client = http_client
        self._refused: frozenset[str] = frozenset()
        profile = model.profile or {}
        self._info = EngineInfo(
            engine="langchain",
            model=name,
            identity=identity or f"langchain:{name}",
            context_window=_window(name, profile.get("max_input_tokens"), context_window),
            max_output=profile.get("max_output_tokens"),
            json_schema=with_schema(model, _TRIAL_SCHEMA) is not None,
            prompt_price=prompt_price,
            completion_price=completion_price,
        )

    @classmethod
    def open(
        cls,
        name: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        context_window: int | None = None,
        timeout: float = 600.0,
        prompt_price: float = 0.0,
        completion_price: float = 0.0,
    ) -> Self:
        """The engine of a model that is named as "provider:model"; asks nothing of the provider.

        Raises `ConfigError`, `EngineAuthError` as `make_chat_model` does.
        """
        # LangChain's own connections outlive the loop that they were opened on, and fail on the next one.
        client = httpx.AsyncClient(timeout=timeout) if takes_address(name) else None
        served = f"@{base_url}" if base_url and client is not None else ""
        return cls(
            make_chat_model(name, timeout=timeout, base_url=base_url, api_key=api_key, http_client=client),
            name=name,
            identity=f"langchain:{name}{served}",
            context_window=context_window,
            timeout=timeout,
            prompt_price=prompt_price,
            completion_price=completion_price,
            http_client=client,
        )

    @property
    def info(self) -> EngineInfo:
        """See `Engine`."""
        return self._info

    @property
    def model(self) -> BaseChatModel:
        """The chat model."""
        return self._model

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        """See `Engine`."""
        if request.continuation is not None:
            raise ConfigError(f"{self._info.model} cannot tell how likely a given text is")
        started = time.perf_counter()
        answer = await self.asked(lambda without: self._answer(request, on_text, without))
        return Completion(
            text=answer.text,
            finish_reason=answer.finish,
            usage=answer.usage,
            model=answer.model or self._info.model,
            seconds=time.perf_counter() - started,
        )

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Engine`."""
        raise ConfigError(f"{self._info.model} has no tokenizer to ask")

    async def aclose(self) -> None:
        """See `Engine`. Connections of LangChain's own are shared by all models of a provider, and stay."""
        if self._http_client is not None:
            await self._http_client.aclose()

    async def asked(self, call: Callable[[frozenset[str]], Awaitable[T]]) -> T:
        """What one call of the model gives, within its time and with its errors translated.

        `call` is told which sampling settings to leave out: one that the model refuses is, from then on.
        """
        while True:
            without = self._refused
            try:
                async with asyncio.timeout(self._timeout):
                    return await call(without)
            except Exception as error:  # each provider has a tree of its own
                translated = translate(error, model=self._info.model)
                blamed = setting_blamed(str(translated)) if isinstance(translated, RequestRefusedError) else None
                if blamed is None or blamed in without:
                    raise translated from error
                self._refused |= {blamed}

    async def _answer(self, request: CompletionRequest, on_text: TextSink | None, without: frozenset[str]) -> Answer:
        model = for_request(self._model, request, without=without)
        messages = to_messages(request.messages)
        options: dict[str, Any] = {"stop": list(request.stop)} if request.stop else {}
        if request.json_schema is not None:
            return await _structured(self._bound(model, request), messages, options, on_text)
        if on_text is not None:
            return await _streamed(model, messages, options, on_text)
        return read_answer(await model.ainvoke(messages, **options))

    def _bound(self, model: BaseChatModel, request: CompletionRequest) -> Runnable[Any, Any]:
        bound = None if request.json_schema is None else with_schema(model, request.json_schema)
        if bound is None:
            raise ConfigError(f"{self._info.model} cannot be held to a JSON schema")
        return bound


async def _streamed(
    model: BaseChatModel, messages: list[BaseMessage], options: dict[str, Any], on_text: TextSink
) -> Answer:
    whole = None
    async for piece in model.astream(messages, **options):
        if piece.text:
            on_text(str(piece.text))
        whole = piece if whole is None else whole + piece
    if whole is None:
        raise EngineUnavailableError("the provider closed the connection before its answer began")
    return read_answer(whole)


async def _structured(
    bound: Runnable[Any, Any], messages: list[BaseMessage], options: dict[str, Any], on_text: TextSink | None
) -> Answer:
    """The JSON as the model wrote it, also where it does not fit the schema: who asked sees to that.

    It comes whole, also where somebody listens: LangChain gives structured answers no other way.
    """
    try:
        answer = read_answer((await bound.ainvoke(messages, **options))["raw"])
    except Exception as error:
        cut = read_cut(error)
        if cut is None:
            raise
        answer = cut
    if on_text is not None and answer.text:
        on_text(answer.text)
    return answer


def _window(name: str, told: int | None, wished: int | None) -> int:
    known = [size for size in (told, wished) if size is not None]
    if not known:
        raise ConfigError(f"nobody tells the window of {name}; set context_window (LDA_CONTEXT_WINDOW)")
    return min(known)
