"""Engines and embedders whose calls are spans, by OpenTelemetry's conventions for generative AI.

The outermost of all wrappers: a call answered from the record is a span as well, which says so and has no usage, so
that tokens added up over spans are those that were spent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from longdoc.engines.embedder import Embedder, EmbedderInfo
from longdoc.engines.engine import Completion, CompletionRequest, Engine, EngineInfo, Message, TextSink
from longdoc.engines.spans import AttributeValue, open_span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from opentelemetry.trace import Span

_IN_PROCESS: Final = frozenset({"embedded", "vllm", "scripted", "sentence-transformers", "hashed"})


class TracedEngine:
    """An engine whose calls are spans; with `content` they hold messages and answers, too."""

    def __init__(self, inner: Engine, *, content: bool = False) -> None:
        self._inner = inner
        self._content = content

    @property
    def info(self) -> EngineInfo:
        """See `Engine`."""
        return self._inner.info

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        """See `Engine`."""
        info = self._inner.info
        operation = "chat" if request.continuation is None else "text_completion"
        attributes = {"gen_ai.operation.name": operation, **_who(info.engine, info.model)}
        with open_span(
            f"{operation} {info.model}", attributes, remote=info.engine not in _IN_PROCESS, content=self._content
        ) as span:
            if span is not None:
                span.set_attributes(_asked(request) | {"gen_ai.request.stream": on_text is not None})
                if self._content:
                    span.set_attributes(_said(request.messages))
            completion = await self._inner.complete(request, on_text=on_text)
            if span is not None:
                self._tell(span, completion)
        return completion

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Engine`."""
        return await self._inner.count_tokens(texts)

    async def aclose(self) -> None:
        """See `Engine`."""
        await self._inner.aclose()

    def _tell(self, span: Span, completion: Completion) -> None:
        span.set_attributes(_answered(completion))
        if self._content:
            answer = {**_message("assistant", completion.text), "finish_reason": str(completion.finish_reason)}
            span.set_attribute("gen_ai.output.messages", _json([answer]))


class TracedEmbedder:
    """An embedder whose calls are spans; the texts are not told."""

    def __init__(self, inner: Embedder) -> None:
        self._inner = inner

    @property
    def info(self) -> EmbedderInfo:
        """See `Embedder`."""
        return self._inner.info

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder`."""
        info = self._inner.info
        attributes = {
            "gen_ai.operation.name": "embeddings",
            **_who(info.engine, info.model),
            "gen_ai.embeddings.dimension.count": info.dimensions,
            "longdoc.texts": len(texts),
        }
        with open_span(f"embeddings {info.model}", attributes, remote=info.engine not in _IN_PROCESS):
            return await self._inner.embed(texts)

    async def aclose(self) -> None:
        """See `Embedder`."""
        await self._inner.aclose()


def _who(engine: str, model: str) -> dict[str, AttributeValue]:
    """Provider and model: those of LangChain's models name their provider themselves ("anthropic:…")."""
    provider = model.partition(":")[0] if engine == "langchain" and ":" in model else engine
    return {"gen_ai.provider.name": provider, "gen_ai.request.model": model}


def _asked(request: CompletionRequest) -> dict[str, AttributeValue]:
    told: dict[str, AttributeValue | None] = {
        "gen_ai.request.max_tokens": request.max_tokens,
        "gen_ai.request.temperature": request.temperature,
        "gen_ai.request.top_p": request.top_p,
        "gen_ai.request.frequency_penalty": request.frequency_penalty,
        "gen_ai.request.seed": request.seed,
        "gen_ai.request.stop_sequences": request.stop or None,
        "gen_ai.output.type": "text" if request.json_schema is None else "json",
        "gen_ai.prompt.name": None if request.origin is None else request.origin.name,
        "longdoc.prompt.version": None if request.origin is None else request.origin.version,
    }
    return {name: value for name, value in told.items() if value is not None}


def _answered(completion: Completion) -> dict[str, AttributeValue]:
    told: dict[str, AttributeValue] = {
        "gen_ai.response.model": completion.model,
        "gen_ai.response.finish_reasons": (str(completion.finish_reason),),
        "longdoc.call.recorded": completion.recorded,
    }
    if completion.call_id is not None:
        told["longdoc.call.id"] = completion.call_id
    if completion.recorded:
        return told
    usage = completion.usage
    return told | {
        "gen_ai.usage.input_tokens": usage.prompt_tokens,
        "gen_ai.usage.output_tokens": usage.completion_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
        "longdoc.call.retries": completion.retries,
    }


def _said(messages: Iterable[Message]) -> dict[str, AttributeValue]:
    """What was sent: system messages stand apart from the others, as the conventions have it."""
    parts = [_part(one.content) for one in messages if one.role == "system"]
    others = [_message(one.role, one.content) for one in messages if one.role != "system"]
    system = {"gen_ai.system_instructions": _json(parts)} if parts else {}
    return {**system, "gen_ai.input.messages": _json(others)}


def _message(role: str, text: str) -> dict[str, object]:
    return {"role": role, "parts": [_part(text)]}


def _part(text: str) -> dict[str, str]:
    return {"type": "text", "content": text}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
